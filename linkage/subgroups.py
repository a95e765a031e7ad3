"""How well each group of people is linked, by an estimate that needs nobody's truth.

Source: linkage design §2.4 and §4.7. Where two records carry an NHS number each, it is known whether they are
one person. So the number is set aside, the pair is judged by all the rest, and the judgement is compared with
what the numbers say: a hold-out estimate of how people without a number fare, group by group.

What it cannot see: numbers that are themselves wrong (one person with two, two people with one) count as errors
of the machine; pairs that share no block are in no count; rules on whole clusters (V1 through a third record,
V6, ambiguous, pooled) are not applied; pairs of one person are not independent, so intervals are a little narrow.

What is shown of it is in linkage.subgroups_shown, what a new model may not do in linkage.subgroups_gate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from fractions import Fraction
from math import sqrt

from linkage.compare import Levels
from linkage.decide import Band, judge
from linkage.model import Model, weigh
from linkage.tokens import EncodedIdentity

Group = tuple[str, str]  # dimension and group: ("sex", "female"), ("age band", "not known")

WHOLE: Group = ("number", "present")  # every pair held out
STANDARD = "source"  # what people without a number are made comparable by: it decides most of a record's quality
SHOWN_MIN = 10  # records, and pairs of one person: a smaller group is not shown
ROUNDED_TO = 5
GATED_MIN = 400  # pairs of one person: in fewer, two pairs more missed would be over half a point, by chance
Z_95 = 1.959963984540054  # 97.5 % of the normal distribution lie below


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One pair judged without its NHS numbers. `same`: the numbers say one person. `groups` are those of both
    records, each once.
    """

    band: Band
    same: bool
    groups: frozenset[Group] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PairTally:
    """Pairs held out, by what the numbers say (one person: `found`, `reviewed`, `missed`; two: `wrong`,
    `doubted`, `parted`) and what the machine would do with them (link, show to a person, leave apart).
    """

    found: int = 0
    reviewed: int = 0
    missed: int = 0
    wrong: int = 0
    doubted: int = 0
    parted: int = 0

    @property
    def matches(self) -> int:
        """Pairs that are one person."""
        return self.found + self.reviewed + self.missed

    @property
    def others(self) -> int:
        """Pairs that are two people."""
        return self.wrong + self.doubted + self.parted

    @property
    def linked(self) -> int:
        """Pairs the machine would link without asking."""
        return self.found + self.wrong

    @property
    def recall(self) -> Fraction | None:
        """Share of pairs of one person that are linked without asking; None where there is no such pair."""
        return Fraction(self.found, self.matches) if self.matches else None

    @property
    def precision(self) -> Fraction | None:
        """Share of linked pairs that are one person; None where none is linked."""
        return Fraction(self.found, self.linked) if self.linked else None

    def rounded(self) -> "PairTally":
        """Every count to the nearest 5: a 0 may be 2, a 5 may be 3 to 7."""
        return PairTally(*map(to_five, astuple(self)))


@dataclass(frozen=True, slots=True)
class SubgroupReport:
    """Every group's tally under one model, exact: for the gate. Show `table` or `as_json` of it, never this.

    `records` are those with an NHS number in each group, `numberless` those without.
    """

    model: str
    tallies: Mapping[Group, PairTally] = field(repr=False)
    records: Mapping[Group, int] = field(default_factory=dict, repr=False)
    numberless: Mapping[Group, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A recall with its 95 % interval, to a tenth of a point; `covered`: the part of the records without a
    number that it speaks for.
    """

    recall: float
    low: float
    high: float
    covered: float


def met_without_number(a: EncodedIdentity, b: EncodedIdentity, *, live_blocks_shared: int) -> bool:
    """Whether the two would be compared if neither carried an NHS number: of the live blocks they share, some is
    not of a number, present or former, that both have. (A number's own block is taken to be live.)
    """
    ours, theirs = ({record.nhs, *record.former} - {None} for record in (a, b))
    return live_blocks_shared > len(ours & theirs)


def held_out(model: Model, at: Levels, groups: Iterable[Group], *, met: bool) -> HeldOut | None:
    """The pair judged as if neither record carried an NHS number; None unless both do, in one epoch. `met`: as
    `met_without_number`; a pair that only its number brought together stands apart.
    """
    if at.nhs_number not in ("equal", "differ"):
        return None
    verdict = judge(model, weigh(model, replace(at, nhs_number="missing")))
    return HeldOut(verdict.band if met else Band.APART, at.nhs_number == "equal", frozenset(groups))


def report(
    pairs: Iterable[HeldOut] | Mapping[HeldOut, int],
    *,
    model: str,
    records: Mapping[Group, int],
    numberless: Mapping[Group, int] | None = None,
) -> SubgroupReport:
    """The pairs, or how many there are of each, counted under every group of either record, and under WHOLE. Their
    order is of no account. `records` and `numberless` as in Report: a group that `records` does not name is
    never shown.
    """
    counted: Counter[tuple[Group, bool, Band]] = Counter()
    for pair, times in Counter(pairs).items():
        for group in pair.groups | {WHOLE}:
            counted[group, pair.same, pair.band] += times
    bands = (Band.AUTO, Band.REVIEW, Band.APART)
    tallies = {
        group: PairTally(*(counted[group, same, band] for same in (True, False) for band in bands))
        for group in sorted({group for group, _, _ in counted})
    }
    return SubgroupReport(model, tallies, dict(records), dict(numberless or {}))


def wilson(count: float, of: float, *, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of the share count/of: (2c + z² ± z√(z² + 4c(1 - c/n))) / 2(n + z²); of 95 %
    unless `z` says otherwise.

    (0.0, 1.0) where `of` is 0: nothing is known. Source: E. B. Wilson, J Am Stat Assoc 1927, 22:209; the method
    of the Office for Health Improvement and Disparities' public health technical guidance, "Proportions".
    """
    if of <= 0:
        return 0.0, 1.0
    middle, z2 = 2 * count + z * z, z * z
    width = z * sqrt(z2 + 4 * count * (1 - count / of))
    low, high = ((middle + side) / (2 * (of + z2)) for side in (-width, width))
    return (0.0 if count <= 0 else max(0.0, low)), (1.0 if count >= of else min(1.0, high))


def large(of: SubgroupReport) -> dict[str, list[tuple[Group, PairTally]]]:
    """The groups of GATED_MIN or more pairs of one person, by name, under their dimension: none smaller is
    judged, nor the measure of any.
    """
    found: dict[str, list[tuple[Group, PairTally]]] = {}
    for group in sorted(of.tallies):
        if of.tallies[group].matches >= GATED_MIN:
            found.setdefault(group[0], []).append((group, of.tallies[group]))
    return found


def gaps(of: SubgroupReport) -> dict[Group, Fraction]:
    """How far each large group's recall lies below the best of its dimension (0 for the best)."""
    found: dict[Group, Fraction] = {}
    for groups in large(of).values():
        best = max(_recall(tally) for _, tally in groups)
        found.update((group, best - _recall(tally)) for group, tally in groups)
    return found


def widest_gaps(of: SubgroupReport) -> dict[str, float]:
    """Of each dimension that has two large groups to compare, the widest gap of recall in points (a hundredth of
    recall is 1.0), to a tenth. For /metrics: no group and no count can be read off it.
    """
    behind = gaps(of)
    return {
        dimension: round(float(100 * max(behind[group] for group, _ in groups)), 1)
        for dimension, groups in large(of).items()
        if len(groups) > 1
    }


def widest_gap(of: SubgroupReport) -> float:
    """The widest gap of all, in points; 0.0 where no dimension has two groups to compare."""
    return float(100 * max(gaps(of).values(), default=Fraction()))


def without_number(of: SubgroupReport) -> Estimate | None:
    """What recall people without an NHS number may expect: recall by source, each weighed by its records
    without a number (direct standardisation). None where none can be told.

    It can mean no more than this: *if* within one source a record without a number were as well written as one
    with it, this many of its pairs would be linked. Where the number is missing because little is known of the
    person, the truth is lower. Never part of the gate: it only says again what the sources' own recalls say.
    """
    share = {g: count for g, count in sorted(of.numberless.items()) if g[0] == STANDARD and count > 0}
    tallies = {g: fit_to_show(of.tallies[g]) for g in share if may_show(of, g)}
    weighing = sum(share[g] for g in tallies)
    if weighing < SHOWN_MIN:
        return None
    weights = {g: Fraction(share[g], weighing) for g in tallies}
    recall = float(sum(weights[g] * Fraction(tally.found, tally.matches) for g, tally in tallies.items()))
    # a plain sample of so many pairs would be as sure
    pairs = float(1 / sum(weights[g] ** 2 / tally.matches for g, tally in tallies.items()))
    limits = thousandths(wilson(recall * pairs, pairs))
    return Estimate(round(recall, 3), *limits, covered=round(weighing / sum(share.values()), 2))


def may_show(of: SubgroupReport, group: Group) -> bool:
    """Whether a group is large enough, in records and in pairs of one person, to be shown to anybody."""
    return min(of.records.get(group, 0), of.tallies.get(group, PairTally()).matches) >= SHOWN_MIN


def fit_to_show(tally: PairTally) -> PairTally:
    """What shares are taken from: the gate decides on the exact ones of large groups, so these are shown."""
    return tally if tally.matches >= GATED_MIN else tally.rounded()


def to_five(count: int) -> int:
    """To the nearest 5."""
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def thousandths(interval: tuple[float, float]) -> tuple[float, float]:
    """To a tenth of a point."""
    return round(interval[0], 3), round(interval[1], 3)


def _recall(tally: PairTally) -> Fraction:
    assert tally.recall is not None, "a large group has pairs"
    return tally.recall
