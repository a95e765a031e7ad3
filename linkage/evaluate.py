"""How good a partition is, against known truth. Both are record → label; only records in both count."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairQuality:
    """Pairs put together and rightly so, wrongly, and missed."""

    true: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        """Right pairs of all pairs made; 1.0 when none was made."""
        return self.true / (self.true + self.false) if self.true + self.false else 1.0

    @property
    def recall(self) -> float:
        """Right pairs of all there are; 1.0 when there is none."""
        return self.true / (self.true + self.missed) if self.true + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = 2 * self.true + self.false + self.missed
        return 2 * self.true / total if total else 1.0


@dataclass(frozen=True, slots=True)
class ClusterQuality:
    """People by how they came out. `exact`: one cluster, all their records and nobody else's; `split`: over
    several; `mixed` clusters hold > 1 person.
    """

    people: int
    clusters: int
    exact: int
    split: int
    mixed: int


def pairwise(partition: Mapping[str, str], truth: Mapping[str, str]) -> PairQuality:
    """Quality over all pairs of records."""
    both = [(partition[record], truth[record]) for record in partition.keys() & truth.keys()]
    right = _pairs(Counter(both))
    made = _pairs(Counter(label for label, _ in both))
    real = _pairs(Counter(person for _, person in both))
    return PairQuality(right, made - right, real - right)


def clusterwise(partition: Mapping[str, str], truth: Mapping[str, str]) -> ClusterQuality:
    """Quality over people and clusters."""
    cells = {(partition[record], truth[record]) for record in partition.keys() & truth.keys()}
    labels, people = Counter(label for label, _ in cells), Counter(person for _, person in cells)
    return ClusterQuality(
        people=len(people),
        clusters=len(labels),
        exact=sum(labels[label] == 1 and people[person] == 1 for label, person in cells),
        split=sum(count > 1 for count in people.values()),
        mixed=sum(count > 1 for count in labels.values()),
    )


def _pairs(groups: "Counter[str] | Counter[tuple[str, str]]") -> int:
    return sum(count * (count - 1) // 2 for count in groups.values())
