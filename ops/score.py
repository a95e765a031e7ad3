"""The linkage score: who was joined, against the simulator's truth, beside a plain NHS-number join.

Pairs of records are counted: precision = joined pairs that are one person, recall = one person's pairs that
are joined.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PairScore:
    """Pairwise precision, recall and their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """2PR / (P + R); 0 when nothing is right."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def as_json(self) -> dict[str, float]:
        """Rounded to four places."""
        parts = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {name: round(value, 4) for name, value in parts.items()}


def pair_score(found: Mapping[Hashable, Hashable], truth: Mapping[Hashable, Hashable]) -> PairScore:
    """Both map a record to its group; only records of `truth` count; one not in `found` stands alone."""
    groups = {record: found.get(record, ("alone", record)) for record in truth}
    joined = _pairs(groups.values())
    real = _pairs(truth.values())
    both = _pairs((groups[record], truth[record]) for record in truth)
    return PairScore(both / joined if joined else 1.0, both / real if real else 1.0)


def _pairs(groups: Iterable[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())


def rightly_linked(found: Mapping[Hashable, Hashable], truth: Mapping[Hashable, Hashable]) -> set[Hashable]:
    """The people of `truth` all of whose records, and nobody else's, form one group of `found`."""
    people: dict[Hashable, set[Hashable]] = {}
    groups: dict[Hashable, set[Hashable]] = {}
    for record, person in truth.items():
        people.setdefault(person, set()).add(found.get(record, ("alone", record)))
        groups.setdefault(found.get(record, ("alone", record)), set()).add(person)
    return {person for person, own in people.items() if len(own) == 1 and len(groups[next(iter(own))]) == 1}
