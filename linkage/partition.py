"""One component of the link graph cut into people: a pure function of its records and scored pairs, whatever
order they came in.

Source: linkage design §4.3-4.4. Links are taken surest first, ties by record id; two clusters become one
unless a rule forbids it or their members, taken together, speak against it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from linkage.decide import Band, Rule, Verdict
from linkage.tokens import EncodedIdentity
from linkage.weights import Model, Score

Pair = tuple[str, str]
Number = tuple[int, bytes]  # epoch, NHS-number token

COMPONENT_MAX = 64  # records: no person is known to so many sources; beyond it (V6) ...
GIANT_BITS = 5_000  # ... a link must be 5 bits surer
CLIP_BITS = 15_000  # no single pair outweighs all others in pooled evidence
UNKNOWN_BITS = -1_000  # a pair that shares no block speaks mildly against


@dataclass(frozen=True, slots=True)
class Member:
    """One record as linking sees it. `tier_rank` 1 is primary care; `merged_into` is the record its source
    says it now is.
    """

    tier_rank: int
    encoded: EncodedIdentity | None
    merged_into: str | None = None

    @property
    def number(self) -> Number | None:
        """Its NHS-number token with its epoch, None when it has none."""
        return (self.encoded.epoch, self.encoded.nhs) if self.encoded and self.encoded.nhs else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A scored pair and its verdict."""

    score: Score
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Cluster:
    """Records taken to be one person: sorted, with the member least by (tier, id) as anchor, and the NHS
    numbers it stands for.
    """

    anchor: str
    members: tuple[str, ...]
    numbers: frozenset[Number]


@dataclass(frozen=True, slots=True)
class Partition:
    """The people of one component, and the links that were sure enough by weight and yet refused."""

    clusters: tuple[Cluster, ...]
    refused: Mapping[Pair, Rule]


def pair_of(a: str, b: str) -> Pair:
    """The canonical name of a pair."""
    return (a, b) if a < b else (b, a)


def conflict(a: frozenset[Number], b: frozenset[Number]) -> bool:
    """V1: some number of one is not the other's, both of one epoch."""
    return any(left[0] == right[0] and left[1] != right[1] for left, right in product(a, b))


def partition(model: Model, members: Mapping[str, Member], pairs: Mapping[Pair, Judged]) -> Partition:
    """The one partition of a component. `members` are all its records; `pairs` every known pair among them.

    True afterwards: every record is in one cluster; records their source merged are together; no cluster has
    two NHS numbers that conflict unless such a merge brought them in.
    """
    work = _Clusters(members, pairs)
    links = sorted(
        (-judged.score.bits, pair) for pair, judged in pairs.items() if judged.verdict.band is Band.AUTO
    )
    if len(members) > COMPONENT_MAX:
        work.refuse([pair for bits, pair in links if -bits < model.link + GIANT_BITS], Rule.GIANT)
    work.refuse(_ambiguous(model, members, {pair: -bits for bits, pair in links}), Rule.AMBIGUOUS)
    for _, pair in links:
        work.link(pair)
    return Partition(tuple(work.clusters()), work.refused)


def _ambiguous(model: Model, members: Mapping[str, Member], links: Mapping[Pair, int]) -> list[Pair]:
    """Links of a record without a number to two others whose numbers differ, where neither is clearly the
    better.

    Taking the better by a hair would be tossing a coin over whose record it is.
    """
    fits: dict[str, list[tuple[int, str]]] = {}
    for (a, b), bits in links.items():
        for record, other in ((a, b), (b, a)):
            if members[record].number is None and members[other].number is not None:
                fits.setdefault(record, []).append((bits, other))
    found = []
    for record, others in fits.items():
        numbers = {other: _numbers(members, [other]) for _, other in others}
        if len(set(numbers.values())) < 2:
            continue  # none differs: the common case, and with 300 records 45,000 comparisons each
        for (bits_a, a), (bits_b, b) in combinations(others, 2):
            if abs(bits_a - bits_b) < model.ambiguous and conflict(numbers[a], numbers[b]):
                found += [pair_of(record, a), pair_of(record, b)]
    return found


def _numbers(members: Mapping[str, Member], records: list[str]) -> frozenset[Number]:
    """The numbers of a cluster: those of records not merged away, and only where these have none, those of
    the others.
    """
    current = [record for record in records if members[record].merged_into not in members]
    for group in (current, records):
        numbers = frozenset(number for record in group if (number := members[record].number))
        if numbers:
            return numbers
    return frozenset()


class _Clusters:
    """Clusters while they grow, each known by one of its records. Starts from what sources merged."""

    def __init__(self, members: Mapping[str, Member], pairs: Mapping[Pair, Judged]) -> None:
        self.members, self.pairs = members, pairs
        self.refused: dict[Pair, Rule] = {}
        self._root = {record: record for record in members}
        self._records = {record: [record] for record in sorted(members)}
        self._against: dict[
            Pair, int
        ] = {}  # roots whose pooled evidence was negative, and how many records they had
        for record, member in members.items():
            if member.merged_into is not None and member.merged_into in members:
                self._join(self._root[record], self._root[member.merged_into])
        self._numbers = {root: _numbers(members, records) for root, records in self._records.items()}
        self._overruled = {
            record
            for record, member in members.items()
            if member.merged_into in members
            and member.number
            and member.number not in self._numbers[self._root[record]]
        }

    def refuse(self, pairs: Iterable[Pair], rule: Rule) -> None:
        """These links shall not be taken; the first rule given stands."""
        for pair in pairs:
            self.refused.setdefault(pair, rule)

    def link(self, pair: Pair) -> None:
        """Join the clusters of the two unless they are one, the link was refused, V1 forbids it or the pooled
        evidence is against it.
        """
        a, b = (self._root[record] for record in pair)
        if a == b or pair in self.refused or not self._overruled.isdisjoint(pair):
            return
        if conflict(self._numbers[a], self._numbers[b]):
            self.refused[pair] = Rule.NUMBERS_DIFFER
        elif self._speak_against(pair_of(a, b)):
            self.refused[pair] = Rule.POOLED
        else:
            numbers = self._numbers[a] | self._numbers[b]
            self._numbers[self._join(a, b)] = numbers

    def clusters(self) -> Iterator[Cluster]:
        """The clusters as they now are."""
        for root, records in self._records.items():
            anchor = min(records, key=lambda record: (self.members[record].tier_rank, record))
            yield Cluster(anchor, tuple(sorted(records)), self._numbers[root])

    def _join(self, a: str, b: str) -> str:
        """One cluster of the two; the larger takes the other in, so that every record moves at most log n
        times.
        """
        if a != b:
            a, b = sorted((a, b), key=lambda root: len(self._records[root]), reverse=True)
            moved = self._records.pop(b)
            self._records[a] += moved
            self._root.update((record, a) for record in moved)
        return a

    def _speak_against(self, roots: Pair) -> bool:
        """Whether all pairs between two clusters, taken together, say they are two people."""
        left, right = (self._records[root] for root in roots)
        size = len(left) + len(right)
        if self._against.get(roots) == size:
            return True  # neither has grown since: the sum is what it was
        voting = ([record for record in side if record not in self._overruled] for side in (left, right))
        against = sum(self._known(pair_of(a, b)) for a, b in product(*voting)) < 0
        if against:
            self._against[roots] = size
        return against

    def _known(self, pair: Pair) -> int:
        judged = self.pairs.get(pair)
        if judged is None or self.refused.get(pair) is Rule.AMBIGUOUS:
            return UNKNOWN_BITS
        bits = max(-CLIP_BITS, min(CLIP_BITS, judged.score.bits))
        doubted = judged.verdict.band is Band.REVIEW and judged.verdict.rules != (Rule.UNSURE,)
        return (
            min(bits, UNKNOWN_BITS) if doubted else bits
        )  # a pair a guard holds back is no evidence for another
