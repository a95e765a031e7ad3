"""Why the records of a person are one: which rows of the answers join two records, the chain of them between any
two, and whether there is one between all.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from itertools import pairwise

from linkage.decide import Band, Rule
from linkage.explain import Evidence
from linkage.members import Pair, pair_of
from linkage.model import Model
from ops.admin.topic_reader import TopicMessage
from ops.steward.answers_read import evidence_of, keyed
from schemas.linking import Link

WITHOUT_WEIGHT = {
    Rule.MUST_LINK.value,
    Rule.DECIDED_LINK.value,
}  # rules that join two records without a weight


@dataclass(frozen=True)
class EvidenceChecker:
    """Judges evidence by the model the engine links with."""

    model: Model

    @cached_property
    def _weights(self) -> Mapping[tuple[str, str], int]:
        model = self.model
        fields = {(f, level): bits for f, levels in model.weights.items() for level, bits in levels.items()}
        together = {(name, "yes"): bits for name, bits in model.interactions.items()}
        return {("prior", ""): model.prior, **fields, **together}

    def knows(self, row: Evidence) -> bool:
        """Whether every weight of the row is the model's and they sum to its bits; a decision has none, and True."""
        of_the_model = all(self._weights.get((what, level)) == bits for what, level, bits in row.terms)
        return of_the_model and sum(bits for _, _, bits in row.terms) == row.bits

    def joins(self, row: Evidence) -> bool:
        """Whether the row is a reason to take two records for one person: a source's or steward's decision, or a link
        by weights of the model.
        """
        if not WITHOUT_WEIGHT.isdisjoint(row.rules):
            return True
        return row.band == Band.AUTO.value and bool(row.terms) and self.knows(row)


# ---------------------------------------------------------------- chains


def chain(checker: EvidenceChecker, answers: Mapping[str, Link], a: str, b: str) -> tuple[Pair, ...]:
    """The pairs by which two records of one person hang together: as few as can be and, of equally few, those of
    the most bits. Empty when no evidence joins them.
    """
    neighbours = _joins(checker, answers)
    waiting: list[tuple[int, int, tuple[str, ...]]] = [(0, 0, (a,))]
    reached: set[str] = set()
    while waiting:
        length, against, path = heappop(waiting)
        if path[-1] == b:
            return tuple(pairwise(path))
        if path[-1] in reached:
            continue
        reached.add(path[-1])
        for neighbour, bits in neighbours.get(path[-1], {}).items():
            if neighbour not in reached:
                heappush(waiting, (length + 1, against - bits, (*path, neighbour)))
    return ()


def _joins(checker: EvidenceChecker, answers: Mapping[str, Link]) -> dict[str, dict[str, int]]:
    """Record -> the others of its person that a row joins to it, with its bits: of several the most."""
    neighbours: dict[str, dict[str, int]] = {}
    for record, link in answers.items():
        for row in map(evidence_of, link.evidence):
            other = answers.get(row.other)
            if other is not None and other.person_id == link.person_id and checker.joins(row):
                for record_a, record_b in ((record, row.other), (row.other, record)):
                    held = neighbours.setdefault(record_a, {})
                    held[record_b] = max(row.bits, held.get(record_b, row.bits))
    return neighbours


# ---------------------------------------------------------------- is every link explained?


@dataclass(frozen=True)
class Coverage:
    """How many people of several records there are, how many links it takes to join these (one less than
    records, for each person), and which of them no evidence explains.

    `gaps` has a pair for each link that is not explained: a record of either part that no row joins to the other.
    """

    persons: int
    links: int
    gaps: tuple[Pair, ...]

    def as_json(self) -> dict[str, int]:
        """The object of `--json`."""
        unexplained = len(self.gaps)
        explained = self.links - unexplained
        return {
            "persons": self.persons,
            "links": self.links,
            "explained": explained,
            "unexplained": unexplained,
        }


def coverage(messages: Iterable[TopicMessage], checker: EvidenceChecker) -> Coverage:
    """Whether the evidence joins the records of every person, of an engine at rest. Of each answer no more is kept
    than its person and whom its rows join it to.
    """
    person_of: dict[str, str] = {}
    joined: dict[str, tuple[str, ...]] = {}
    for record, value in keyed(messages):
        person_of.pop(record, None)
        joined.pop(record, None)
        if value is not None:
            link = Link.parse(value)
            rows = map(evidence_of, link.evidence)
            person_of[record] = link.person_id
            joined[record] = tuple(row.other for row in rows if checker.joins(row))
    people: dict[str, list[str]] = {}
    for record in sorted(person_of):
        people.setdefault(person_of[record], []).append(record)
    several = [records for records in people.values() if len(records) > 1]
    gaps = tuple(gap for records in several for gap in _gaps(records, joined))
    return Coverage(len(several), sum(len(records) - 1 for records in several), gaps)


def _gaps(records: Collection[str], joined: Mapping[str, Iterable[str]]) -> Iterator[Pair]:
    """One pair less than there are parts: the first record of the first part beside that of each other."""
    neighbours: dict[str, set[str]] = {record: set() for record in records}
    for record in records:
        for other in joined[record]:
            if other in neighbours:
                neighbours[record].add(other)
                neighbours[other].add(record)
    first, left = None, dict.fromkeys(records)
    while left:
        start = next(iter(left))
        part = [start]
        del left[start]
        for record in part:
            new = [other for other in neighbours[record] if other in left]
            part += new
            for other in new:
                del left[other]
        if first is not None:
            yield pair_of(first, start)
        first = first or start
