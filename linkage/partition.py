"""One component of the link graph cut into people: a pure function of its records, scored pairs and decisions,
whatever order they came in.

Source: linkage design §4.3-4.4. First what people said: source merges, then stewards' links, earliest first,
none against a steward's "apart". Then links by weight, surest first, ties by record id: two clusters become
one unless a rule forbids it or their members, taken together, speak against it.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import product

from linkage.ambiguity import ambiguous
from linkage.decide import Band, Rule, ScoredPair, leans_on_number, number_set_aside
from linkage.decisions import Decision
from linkage.members import (
    NO_NUMBERS,
    Member,
    Number,
    Numbers,
    Pair,
    alike,
    conflict,
    pair_of,
    same_source_promised_one,
)
from linkage.model import Model

__all__ = [
    "CLIP_BITS",
    "COMPONENT_MAX",
    "GIANT_BITS",
    "UNKNOWN_BITS",
    "Cluster",
    "Member",
    "Number",
    "Pair",
    "Partition",
    "conflict",
    "pair_of",
    "partition",
]

COMPONENT_MAX = 64  # records: no person is known to so many sources; beyond it (V6) ...
GIANT_BITS = 5_000  # ... a link must be 5 bits surer
CLIP_BITS = 15_000  # no single pair outweighs all others in pooled evidence
UNKNOWN_BITS = -1_000  # a pair that shares no block speaks mildly against
ONE_ID_BITS = -6_000  # V7: two active records of a source that promises one a person


@dataclass(frozen=True, slots=True)
class Cluster:
    """Records taken to be one person: sorted, with the member least by (tier, id) as anchor, and the NHS
    numbers it stands for, those a source superseded among them.
    """

    anchor: str
    members: tuple[str, ...]
    numbers: Numbers = field(repr=False)


@dataclass(frozen=True, slots=True)
class Partition:
    """The people of one component, and the links, by weight or by word, that were yet refused."""

    clusters: tuple[Cluster, ...]
    refused: Mapping[Pair, Rule]


def partition(
    model: Model,
    members: Mapping[str, Member],
    pairs: Mapping[Pair, ScoredPair],
    decisions: Iterable[Decision] = (),
    *,
    number_in_doubt: AbstractSet[str] = frozenset(),
) -> Partition:
    """The one partition of a component. `members` are all its records; `pairs` every known pair among them;
    `decisions` what stands ("link", "apart") among them. `number_in_doubt`: its records that look like somebody
    of another NHS number, in the component or not.

    True afterwards: every record is in one cluster; no two records a steward parted are in one, by any path;
    records their source merged or a steward linked are together but for that; no cluster has two NHS numbers
    that conflict unless a merge or a steward brought them in.
    """
    work = _Clusters(model, members, pairs, decisions)
    links = sorted((-judged.score.bits, pair) for pair, judged in work.pairs.items() if judged.is_link)
    if len(members) > COMPONENT_MAX:
        work.refuse([pair for bits, pair in links if -bits < model.link + GIANT_BITS], Rule.GIANT)
    if number_in_doubt:
        work.refuse(_by_number_alone(model, work.pairs, number_in_doubt), Rule.CONFUSION)
    work.refuse(work.ambiguous({pair: -bits for bits, pair in links}), Rule.AMBIGUOUS)
    for _, pair in links:
        work.link(pair)
    return Partition(tuple(work.clusters()), work.refused)


def _by_number_alone(model: Model, pairs: Mapping[Pair, ScoredPair], number_in_doubt: AbstractSet[str]) -> list[Pair]:
    """Links that nothing but the number of a record in doubt makes: most often it carries the number of somebody
    at home, a twin above all, and its own person is the one it looks like.
    """
    return [
        pair
        for pair, judged in pairs.items()
        if not number_in_doubt.isdisjoint(pair) and leans_on_number(model, judged.score)
    ]


def _current_numbers(members: Mapping[str, Member], records: list[str]) -> Numbers:
    """The numbers of records merged by their source: of those not merged away, and only where these have
    none, of the others.
    """
    current = [record for record in records if members[record].merged_into not in members]
    for group in (current, records):
        numbers = frozenset(number for record in group if (number := members[record].number))
        if numbers:
            return numbers
    return NO_NUMBERS


class _Clusters:
    """Clusters while they grow, each known by one of its records. Starts from what sources and stewards joined."""

    def __init__(
        self,
        model: Model,
        members: Mapping[str, Member],
        pairs: Mapping[Pair, ScoredPair],
        decisions: Iterable[Decision],
    ) -> None:
        self.model, self.members, self.pairs = model, members, pairs
        self.refused: dict[Pair, Rule] = {}
        self._root = {record: record for record in members}
        self._records = {record: [record] for record in sorted(members)}
        self._against: dict[Pair, tuple[int, Rule]] = {}  # roots that spoke against: of how many records
        decided = list(decisions)
        self._parted = {decision.pair for decision in decided if decision.kind == "apart"}
        self._apart_from: dict[str, set[str]] = {}  # by root: records that a steward parted from one of its
        for a, b in self._parted:
            self._apart_from.setdefault(a, set()).add(b)
            self._apart_from.setdefault(b, set()).add(a)
        merges = {
            pair_of(record, member.merged_into)
            for record, member in members.items()
            if member.merged_into is not None and member.merged_into in members
        }
        self._join_stated(sorted(pair for pair in merges if pair[0] != pair[1]))
        current = {root: _current_numbers(members, records) for root, records in self._records.items()}
        self._overruled = {
            record
            for record, member in members.items()
            if member.merged_into in members and member.number and member.number not in current[self._root[record]]
        }
        links = sorted(
            (decision for decision in decided if decision.kind == "link"),
            key=lambda decision: (decision.rank, decision.pair),
        )
        self._join_stated([decision.pair for decision in links])
        self._numbers = self._resolve(current)

    def refuse(self, pairs: Iterable[Pair], rule: Rule) -> None:
        """These links shall not be taken; the first rule given stands."""
        for pair in pairs:
            self.refused.setdefault(pair, rule)

    def ambiguous(self, links: Mapping[Pair, int]) -> list[Pair]:
        """Links of records that fit two people about equally well, where no steward parted either from it."""
        open_ = {pair: bits for pair, bits in links.items() if pair not in self._parted}
        numbers = {record: self._known_as(record) for record, member in self.members.items() if member.number}
        return ambiguous(open_, self.pairs, numbers, margin=self.model.ambiguous)

    def link(self, pair: Pair) -> None:
        """Join the clusters of the two unless they are one, the link was refused, a steward or V1 forbids it
        or the pooled evidence is against it.
        """
        a, b = (self._root[record] for record in pair)
        if a == b or pair in self.refused or not self._overruled.isdisjoint(pair):
            return
        if self._kept_apart(a, b):
            self.refused[pair] = Rule.DECIDED_APART
        elif conflict(self._numbers[a], self._numbers[b]):
            self.refused[pair] = Rule.NUMBERS_DIFFER
        elif against := self._speak_against(pair_of(a, b)):
            self.refused[pair] = against
        else:
            numbers = self._numbers[a] | self._numbers[b]
            self._numbers[self._join(a, b)] = numbers

    def clusters(self) -> Iterator[Cluster]:
        """The clusters as they now are."""
        for root, records in self._records.items():
            anchor = min(records, key=lambda record: (self.members[record].tier_rank, record))
            yield Cluster(anchor, tuple(sorted(records)), self._numbers[root])

    def _join_stated(self, pairs: Iterable[Pair]) -> None:
        """Join what somebody said is one person, but for what a steward parted."""
        for pair in pairs:
            a, b = (self._root[record] for record in pair)
            if a != b and self._kept_apart(a, b):
                self.refused[pair] = Rule.DECIDED_APART if pair in self._parted else Rule.CONTRADICTION
            else:
                self._join(a, b)

    def _resolve(self, current: Mapping[str, Numbers]) -> dict[str, Numbers]:
        """The numbers of every cluster, each with all that are known to be the same person's, and the pairs
        whose numbers differ only so judged without them. `own`: those of what sources merged.
        """
        numbers = dict.fromkeys(self._records, NO_NUMBERS)
        for root, found in current.items():
            numbers[self._root[root]] |= found
        former = [member.one_persons_numbers for member in self.members.values()]
        same = alike([*former, *numbers.values()])
        if not same:
            return numbers
        self.pairs = {pair: self._without_superseded(pair, judged, same) for pair, judged in self.pairs.items()}
        return {
            root: found.union(*(same.get(number, NO_NUMBERS) for number in found)) for root, found in numbers.items()
        }

    def _without_superseded(self, pair: Pair, judged: ScoredPair, same: Mapping[Number, Numbers]) -> ScoredPair:
        if judged.score.levels.nhs_number != "differ":
            return judged
        a, b = (self.members[record].number for record in pair)
        alike_ = a is not None and b in same.get(a, NO_NUMBERS)
        return number_set_aside(self.model, judged) if alike_ else judged

    def _known_as(self, record: str) -> Numbers:
        """A record's number with all that are the same person's."""
        number = self.members[record].number
        cluster = self._numbers[self._root[record]]
        return cluster if number in cluster else frozenset((number,)) if number else NO_NUMBERS

    def _kept_apart(self, a: str, b: str) -> bool:
        """Whether a steward parted some record of the one cluster from some record of the other."""
        if not self._apart_from:
            return False
        from_a, from_b = self._apart_from.get(a, ()), self._apart_from.get(b, ())
        others, root = (from_a, b) if len(from_a) <= len(from_b) else (from_b, a)
        return any(self._root.get(record) == root for record in others)

    def _join(self, a: str, b: str) -> str:
        """One cluster of the two; the larger takes the other in, so that every record moves at most log n times."""
        if a != b:
            a, b = sorted((a, b), key=lambda root: len(self._records[root]), reverse=True)
            moved = self._records.pop(b)
            self._records[a] += moved
            self._root.update((record, a) for record in moved)
            if b in self._apart_from:
                self._apart_from.setdefault(a, set()).update(self._apart_from.pop(b))
        return a

    def _speak_against(self, roots: Pair) -> Rule | None:
        """The rule by which all pairs between two clusters, taken together, say they are two people."""
        left, right = (self._records[root] for root in roots)
        size = len(left) + len(right)
        last = self._against.get(roots)
        if last is not None and last[0] == size:
            return last[1]  # neither has grown since: the sum is what it was
        voting = ([record for record in side if record not in self._overruled] for side in (left, right))
        bits = promised = 0
        for a, b in product(*voting):
            known = self._bits(pair_of(a, b))
            promise = ONE_ID_BITS if same_source_promised_one(self.members[a], self.members[b]) else 0
            bits, promised = bits + known, promised + promise
        rule = Rule.POOLED if bits < 0 else Rule.ONE_ID_EACH if bits + promised < 0 else None
        if rule is not None:
            self._against[roots] = (size, rule)
        return rule

    def _bits(self, pair: Pair) -> int:
        """What a pair says in pooled evidence."""
        judged = self.pairs.get(pair)
        if judged is None or self.refused.get(pair) is Rule.AMBIGUOUS:
            return UNKNOWN_BITS
        bits = max(-CLIP_BITS, min(CLIP_BITS, judged.score.bits))
        doubted = judged.verdict.band is Band.REVIEW and Rule.UNSURE not in judged.verdict.rules
        # A pair a guard holds back is no evidence for another.
        return min(bits, UNKNOWN_BITS) if doubted else bits
