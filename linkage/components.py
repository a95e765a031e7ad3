"""Components of the link graph: which records hang together, cut into people and remembered.

Only a component that has a record whose inputs changed is cut anew; any other has the same inputs, hence the
same people.
"""

from collections.abc import Iterable, Mapping
from operator import itemgetter

from linkage.answers import doubt
from linkage.decide import Band, Rule
from linkage.known import Known
from linkage.members import same_source_promised_one
from linkage.partition import ONE_ID_BITS, Cluster, partition


class Components:
    """The components of what is known. Writes its clusters and refusals, nothing else."""

    __slots__ = ("_known",)

    def __init__(self, known: Known) -> None:
        self._known = known

    def cut(self, seeds: Iterable[int]) -> set[int]:
        """Cut anew every component that has a seed. Returns every record whose answer may have changed."""
        changed: set[int] = set()
        done: set[int] = set()
        for seed in seeds:
            if seed not in done:
                component = self._component(seed)
                if len(component) > 1:
                    done |= component
                    changed |= self._settle(component)
                else:
                    changed |= self._settle_alone(seed)
        return changed

    def _component(self, seed: int) -> set[int]:
        """All records that links, merges or stewards' links join to the seed, however far."""
        known = self._known
        found, open_ = {seed}, [seed]
        while open_:
            slot = open_.pop()
            for other in (*known.linked(slot), *known.joined(slot)):
                if other not in found:
                    found.add(other)
                    open_.append(other)
        return found

    def _settle(self, component: set[int]) -> set[int]:
        """Partition one component and remember it. Returns the records whose cluster or refusal is not what it
        was, and those a doubt joins to them.
        """
        known = self._known
        couple = self._plain_couple(component) if len(component) == 2 else None
        if couple is not None:
            return self._remember(component, (couple,), {})
        members, decisions = dict(map(known.roll.item, component)), known.decided(component)
        doubted = frozenset(known.roll.ids[slot] for slot in component if known.number_in_doubt(slot))
        result = partition(known.model, members, known.within(component), decisions, number_in_doubt=doubted)
        refused: dict[int, dict[int, Rule]] = {}
        for pair, rule in result.refused.items():
            a, b = (known.roll.slot(record) for record in pair)
            assert a is not None
            assert b is not None
            refused.setdefault(a, {})[b] = refused.setdefault(b, {})[a] = rule
        return self._remember(component, result.clusters, refused)

    def _plain_couple(self, component: set[int]) -> Cluster | None:
        """The one cluster of two records that a link by weight and nothing else joins: the most frequent
        component of several by far, and what `partition` says of it.
        """
        known = self._known
        a, b = component
        judged = known.held(a, b)
        if judged is None or judged.verdict.band is not Band.AUTO:
            return None
        if known.spoken_of(a) or known.spoken_of(b):
            return None
        if known.number_in_doubt(a) or known.number_in_doubt(b):
            return None
        (a_id, first), (b_id, second) = sorted((known.roll.item(a), known.roll.item(b)), key=itemgetter(0))
        promise = ONE_ID_BITS if same_source_promised_one(first, second) else 0
        if judged.score.bits + promise < 0 or first.former or second.former:
            return None
        numbers = frozenset(number for number in (first.number, second.number) if number)
        return Cluster(b_id if second.tier_rank < first.tier_rank else a_id, (a_id, b_id), numbers)

    def _remember(
        self, component: set[int], clusters: Iterable[Cluster], refused: Mapping[int, Mapping[int, Rule]]
    ) -> set[int]:
        known = self._known
        changed: set[int] = set()
        for slot in component:
            if known.refusals(slot) != refused.get(slot, {}):
                changed.add(slot)
                known.refused.pop(slot, None)
                if slot in refused:
                    known.refused[slot] = dict(refused[slot])
        for cluster in clusters:
            several = cluster if len(cluster.members) > 1 else None
            whole = len(cluster.members) == len(component)
            for slot in component if whole else known.roll.slots(cluster.members):
                if known.clusters[slot] != several:
                    changed |= self._doubted(slot)
                known.clusters[slot] = several
        return changed

    def _settle_alone(self, slot: int) -> set[int]:
        """As `_settle`, of a record that nothing joins to another."""
        known = self._known
        changed = {slot} if known.refused.pop(slot, None) else set[int]()
        if known.clusters[slot] is not None:
            known.clusters[slot] = None
            changed |= self._doubted(slot)
        return changed

    def _doubted(self, slot: int) -> set[int]:
        """The record and those whose pair with it is in doubt."""
        known = self._known
        return {slot, *(other for other, judged in known.near(slot) if doubt(known, slot, other, judged))}
