"""How often each agreement pattern was met: all that a fit needs to know of the pairs, and no record among it.

Counts add up, in any order and from any number of counters.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from linkage.compare import Levels

RULED = frozenset({"nhs_number", "birth_date_frequency"})  # fields whose weights are a rule, never fitted
LABEL_FIELD = "nhs_number"  # equal valid numbers: one person; different ones: two


@dataclass(frozen=True, slots=True)
class Counts:
    """Agreement patterns with the number of pairs that showed them.

    `candidates` are pairs that share a block, each pair once; their NHS-number level is their label. `random`
    are pairs drawn evenly from all pairs, whether they share a block or not, and `pairs_in_all` is how many
    pairs there were to draw from. A fit on labels needs neither of the last two.
    """

    candidates: Mapping[Levels, int] = field(default_factory=dict)
    random: Mapping[Levels, int] = field(default_factory=dict)
    pairs_in_all: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Both together: a + b == b + a. Populations added are taken to share no pair."""
        return Counts(
            dict(Counter(self.candidates) + Counter(other.candidates)),
            dict(Counter(self.random) + Counter(other.random)),
            self.pairs_in_all + other.pairs_in_all,
        )

    def matches(self) -> dict[Levels, int]:
        """Labelled pairs of one person, the number set aside."""
        return without_number(_labelled(self.candidates, "equal"))

    def others(self) -> dict[Levels, int]:
        """Labelled pairs of two people, the number set aside."""
        return without_number(_labelled(self.candidates, "differ"))


def counted(candidates: Iterable[Levels], *, random: Iterable[Levels] = (), pairs_in_all: int = 0) -> Counts:
    """The counts of patterns as they are met; see Counts for what each must be."""
    return Counts(dict(Counter(candidates)), dict(Counter(random)), pairs_in_all)


def without_number(patterns: Mapping[Levels, int]) -> dict[Levels, int]:
    """The patterns as if neither record had told an NHS number: what is fitted, and judged, beside it."""
    together: Counter[Levels] = Counter()
    for at, pairs in patterns.items():
        together[at if at.nhs_number == "missing" else replace(at, nhs_number="missing")] += pairs
    return dict(together)


def in_order(patterns: Mapping[Levels, int]) -> list[tuple[Levels, int]]:
    """Patterns and pairs in one order, so that sums of fractions come out the same however they were counted."""
    return sorted(patterns.items(), key=lambda item: item[0].pairs())


def _labelled(patterns: Mapping[Levels, int], level: str) -> dict[Levels, int]:
    return {at: pairs for at, pairs in patterns.items() if at.nhs_number == level}
