"""Components of the link graph: which records hang together, cut into people and remembered.

Only a component that has a record whose inputs changed is cut anew; any other has the same inputs, hence the
same people.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations

from linkage.answers import doubt
from linkage.decide import Rule
from linkage.graph_state import GraphState
from linkage.members import Number, same_source_promised_one
from linkage.partition import Cluster, partition

PLAIN_MAX = 6  # records: one of each tier, some twice


class Components:
    """The components of what is known. Writes its clusters and refusals, nothing else."""

    __slots__ = ("_known",)

    def __init__(self, known: GraphState) -> None:
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
            for other in known.linked(slot):
                if other not in found:
                    found.add(other)
                    open_.append(other)
            if known.spoken_of(slot):
                joined = known.joined(slot) - found
                found |= joined
                open_ += joined
        return found

    def _settle(self, component: set[int]) -> set[int]:
        """Partition one component and remember it. Returns the records whose cluster or refusal is not what it
        was, and those a doubt joins to them.
        """
        known = self._known
        plain = self._plain(component) if len(component) <= PLAIN_MAX else None
        if plain is not None:
            return self._remember(component, (plain,), {})
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

    def _plain(self, component: set[int]) -> Cluster | None:
        """The one cluster of a few records that are linked each with each and of which nothing else is said: by far
        the most frequent components of several, and what `partition` says of them.
        """
        known, members, ids = self._known, self._known.roll.members, self._known.roll.ids
        numbers = set[Number]()
        for slot in component:
            member = members[slot]
            assert member is not None
            if known.spoken_of(slot) or member.former or known.number_in_doubt(slot):
                return None
            if number := member.number:
                numbers.add(number)
        if len(numbers) > 1:
            return None
        for a, b in combinations(component, 2):
            if not known.surely_linked(a, b) or same_source_promised_one(members[a], members[b]):  # type: ignore[arg-type]  # there
                return None
        anchor = min(component, key=lambda slot: (members[slot].tier_rank, ids[slot]))  # type: ignore[union-attr]  # there
        return Cluster(ids[anchor], tuple(sorted([ids[slot] for slot in component])), frozenset(numbers))

    def _remember(
        self, component: set[int], clusters: Iterable[Cluster], refused: Mapping[int, Mapping[int, Rule]]
    ) -> set[int]:
        known = self._known
        changed: set[int] = set()
        for slot in component:
            if (slot in refused or slot in known.refused) and known.refusals(slot) != refused.get(slot, {}):
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
