"""How good pairs and partitions are, against known truth. Partition and truth are record → label; only records
in both count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby


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


def pairwise(
    partition: Mapping[str, str], truth: Mapping[str, str], *, file_of: Mapping[str, str] | None = None
) -> PairQuality:
    """Quality over all pairs of records; with `file_of`, over pairs of two files."""
    both = [
        (partition[record], truth[record], file_of[record] if file_of else record)
        for record in partition.keys() & truth.keys()
    ]
    right = _pairs((label, person) for label, person, _ in both)
    made = _pairs(label for label, _, _ in both)
    real = _pairs(person for _, person, _ in both)
    if file_of is not None:
        right -= _pairs(both)
        made -= _pairs((label, file) for label, _, file in both)
        real -= _pairs((person, file) for _, person, file in both)
    return PairQuality(right, made - right, real - right)


def pairs_in_truth(truth: Mapping[str, str], *, file_of: Mapping[str, str] | None = None) -> int:
    """How many pairs of records are one person; with `file_of`, of two files."""
    real = _pairs(truth.values())
    return real - _pairs((person, file_of[record]) for record, person in truth.items()) if file_of else real


def at_threshold(scored: Iterable[tuple[int, bool]], threshold: int, *, real: int) -> PairQuality:
    """Quality where every pair of `threshold` milli-bits or more is linked. `scored` is (milli-bits, whether one
    person); `real` counts all true pairs, scored or not.
    """
    linked = Counter(right for bits, right in scored if bits >= threshold)
    return PairQuality(linked[True], linked[False], real - linked[True])


def best_threshold(scored: Iterable[tuple[int, bool]], *, real: int) -> tuple[int | None, PairQuality]:
    """The threshold with the highest F1, the highest of several, and its quality: what an oracle would have set.
    None where no threshold beats linking nothing.
    """
    best: tuple[int | None, PairQuality] = (None, PairQuality(0, 0, real))
    true = false = 0
    for bits, same in groupby(sorted(scored, reverse=True), key=lambda pair: pair[0]):
        for _, right in same:
            true, false = true + right, false + (not right)
        quality = PairQuality(true, false, real - true)
        if quality.f1 > best[1].f1:
            best = (bits, quality)
    return best


def _pairs(labels: Iterable[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())
