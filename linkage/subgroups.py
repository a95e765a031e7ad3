"""How well each group of people is linked, and whether a new model treats one of them worse.

Source: linkage design §2.4 and §4.7. Where two records carry an NHS number each, it is known whether they are
one person. So the number is set aside, the pair is judged by all the rest, and the judgement is compared with
what the numbers say: a hold-out estimate of how people without a number fare, group by group.

What it cannot see: numbers that are themselves wrong (one person with two, two people with one) count as errors
of the machine; pairs that share no block are in no count; rules on whole clusters (V1 through a third record,
V6, ambiguous, pooled) are not applied; pairs of one person are not independent, so intervals are a little narrow.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from fractions import Fraction
from math import ceil, sqrt

from linkage.compare import Levels
from linkage.decide import Band, judge
from linkage.tokens import EncodedIdentity
from linkage.weights import Model, weigh

Group = tuple[str, str]  # dimension and group: ("sex", "female"), ("age band", "not known")

WHOLE: Group = ("number", "present")  # every pair held out
STANDARD = (
    "source"  # what people without a number are made comparable by: it decides most of a record's quality
)
SHOWN_MIN = 10  # records, and pairs of one person: a smaller group is not shown
ROUNDED_TO = 5
GATED_MIN = 400  # pairs of one person: in fewer, two pairs more missed would be over half a point, by chance
LOSS_MAX = Fraction(5, 1000)  # half a point of recall
GAP_MAX = Fraction(1, 100)  # one point of recall
_Z = 1.959963984540054  # 97.5 % of the normal distribution lie below


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One pair judged without its NHS numbers. `same`: the numbers say one person. `groups` are those of both
    records, each once.
    """

    band: Band
    same: bool
    groups: frozenset[Group] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tally:
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

    def rounded(self) -> "Tally":
        """Every count to the nearest 5: a 0 may be 2, a 5 may be 3 to 7."""
        return Tally(*map(_to_five, astuple(self)))


@dataclass(frozen=True, slots=True)
class Report:
    """Every group's tally under one model, exact: for the gate. Show `table` or `as_json` of it, never this.

    `records` are those with an NHS number in each group, `numberless` those without.
    """

    model: str
    tallies: Mapping[Group, Tally] = field(repr=False)
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
    ours, theirs = ({one.nhs, *one.former} - {None} for one in (a, b))
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
    pairs: Iterable[HeldOut],
    *,
    model: str,
    records: Mapping[Group, int],
    numberless: Mapping[Group, int] | None = None,
) -> Report:
    """The pairs counted under every group of either record, and under WHOLE. The order of pairs is of no
    account. `records` and `numberless` as in Report: a group that `records` does not name is never shown.
    """
    counted: Counter[tuple[Group, bool, Band]] = Counter()
    for pair in pairs:
        counted.update((group, pair.same, pair.band) for group in pair.groups | {WHOLE})
    bands = (Band.AUTO, Band.REVIEW, Band.APART)
    tallies = {
        group: Tally(*(counted[group, same, band] for same in (True, False) for band in bands))
        for group in sorted({group for group, _, _ in counted})
    }
    return Report(model, tallies, dict(records), dict(numberless or {}))


def wilson(count: float, of: float) -> tuple[float, float]:
    """The 95 % Wilson score interval of the share count/of: (2c + z² ± z√(z² + 4c(1 - c/n))) / 2(n + z²).

    (0.0, 1.0) where `of` is 0: nothing is known. Source: E. B. Wilson, J Am Stat Assoc 1927, 22:209; the method
    of the Office for Health Improvement and Disparities' public health technical guidance, "Proportions".
    """
    if of <= 0:
        return 0.0, 1.0
    middle, z2 = 2 * count + _Z * _Z, _Z * _Z
    width = _Z * sqrt(z2 + 4 * count * (1 - count / of))
    low, high = ((middle + side) / (2 * (of + z2)) for side in (-width, width))
    return (0.0 if count <= 0 else max(0.0, low)), (1.0 if count >= of else min(1.0, high))


def gaps(of: Report) -> dict[Group, Fraction]:
    """How far each group's recall lies below the best of its dimension (0 for the best). Only groups of
    GATED_MIN or more pairs of one person are in it; none smaller is the best of anything.
    """
    best = _best(of)
    return {group: best[group[0]][1] - recall for group, recall in _gated(of)}


def widest_gap(of: Report) -> float:
    """The widest gap of recall of any group, in points (a hundredth of recall is 1.0); 0.0 where no dimension
    has two groups to compare. One figure for /metrics: no small group can be read off it.
    """
    return float(100 * max(gaps(of).values(), default=Fraction()))


def without_number(of: Report) -> Estimate | None:
    """What recall people without an NHS number may expect: recall by source, each weighed by its records
    without a number (direct standardisation). None where none can be told.

    It can mean no more than this: *if* within one source a record without a number were as well written as one
    with it, this many of its pairs would be linked. Where the number is missing because little is known of the
    person, the truth is lower. Never part of the gate: it only says again what the sources' own recalls say.
    """
    share = {g: count for g, count in sorted(of.numberless.items()) if g[0] == STANDARD and count > 0}
    tallies = {g: _fit_to_show(of.tallies[g]) for g in share if _may_show(of, g)}
    weighing = sum(share[g] for g in tallies)
    if weighing < SHOWN_MIN:
        return None
    weights = {g: Fraction(share[g], weighing) for g in tallies}
    recall = float(sum(weights[g] * Fraction(tally.found, tally.matches) for g, tally in tallies.items()))
    # a plain sample of so many pairs would be as sure
    pairs = float(1 / sum(weights[g] ** 2 / tally.matches for g, tally in tallies.items()))
    limits = _thousandths(wilson(recall * pairs, pairs))
    return Estimate(round(recall, 3), *limits, covered=round(weighing / sum(share.values()), 2))


# ---------------------------------------------------------------- the gate


def refuse(old: Report | None, new: Report) -> list[str]:
    """Why the new model may not take the place of the old; [] when it may. One sentence a reason, by group.

    Refused, for any group of GATED_MIN or more pairs of one person, when
    - its recall is lower than under the old model by more than half a point, or
    - its recall under the new model lies more than one point below the best such group of its dimension, whatever
      the gap was before.
    Exactly half a point, or exactly one, is let through. Both reports must be of the same pairs: otherwise that
    is the only reason given. `old` is None where no model is in use: then only gaps count.
    """
    other = _measured_otherwise(old, new) if old else []
    if other:
        return [f"{_said(group)}: not measured on the same pairs under both models" for group in other]
    before, after, best = gaps(old) if old else {}, gaps(new), _best(new)
    reasons = []
    for group, behind in after.items():
        if old and (lost := _lost(old.tallies[group], new.tallies[group])):
            reasons.append(f"{_said(group)}: {lost}")
        if behind > GAP_MAX:
            ahead, recall = best[group[0]]
            was = f" (now {_points(before[group])})" if before else ""
            reasons.append(
                f"{_said(group)}: recall {_percent(recall - behind)} would be {_points(behind)} below "
                f"{_said(ahead)} ({_percent(recall)}); no group may be more than {_points(GAP_MAX)} behind{was}"
            )
    return reasons


def _measured_otherwise(old: Report, new: Report) -> list[Group]:
    sizes = (
        {group: (tally.matches, tally.others) for group, tally in of.tallies.items()} for of in (old, new)
    )
    return sorted({group for group, _ in set.symmetric_difference(*(set(size.items()) for size in sizes))})


def _lost(old: Tally, new: Tally) -> str:
    """What of recall would be lost, said in full; "" where it may be."""
    lost = Fraction(old.found - new.found, new.matches)
    if lost <= LOSS_MAX:
        return ""
    return (
        f"recall would fall from {_percent(Fraction(old.found, old.matches))} to "
        f"{_percent(Fraction(new.found, new.matches))}, by {_points(lost)} (of about {_to_five(new.matches):,} "
        f"pairs); no group may lose more than {_points(LOSS_MAX)}"
    )


def _best(of: Report) -> dict[str, tuple[Group, Fraction]]:
    """The group of the highest recall in each dimension, the first by name of several."""
    best: dict[str, tuple[Group, Fraction]] = {}
    for group, recall in _gated(of):
        if group[0] not in best or recall > best[group[0]][1]:
            best[group[0]] = (group, recall)
    return best


def _gated(of: Report) -> Iterator[tuple[Group, Fraction]]:
    """The groups large enough to be judged, by name, with their recall."""
    for group in sorted(of.tallies):
        recall = of.tallies[group].recall
        if recall is not None and of.tallies[group].matches >= GATED_MIN:
            yield group, recall


# ---------------------------------------------------------------- what is shown

HEADINGS = (
    "group", "records", "linked", "review", "apart", "wrong", "recall %", "95 %", "precision %", "95 %", "gap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One group as it may be shown. Counts to the nearest 5; shares as fractions of 1; the gap in points.
    `one_person` and `two_people`: what the machine does with such pairs (link, review, apart).
    """

    dimension: str
    group: str
    records: int
    one_person: tuple[int, int, int]
    two_people: tuple[int, int, int]
    recall: float | None
    recall_95: tuple[float, float]
    precision: float | None
    precision_95: tuple[float, float]
    gap_points: float | None


def lines(of: Report) -> list[Line]:
    """The groups that may be shown to whoever runs the engine: all together, then by name.

    Small numbers, after the rule of NHS hospital statistics (HES and ECDS since September 2018: 1 to 7 withheld,
    the rest to the nearest 5, totals rounded by themselves), made stricter: a group of fewer than SHOWN_MIN
    records or pairs of one person is left out, and a count of 0 may be 2. Below GATED_MIN pairs of one person
    shares are those of the rounded counts; from there on exact, to a tenth of a point: the gate decides on them.
    """
    behind = gaps(of)
    shown = sorted((g for g in of.tallies if _may_show(of, g)), key=lambda g: (g != WHOLE, g))
    return [_line(of, group, behind.get(group)) for group in shown]


def as_json(of: Report) -> dict[str, object]:
    """`lines`, the widest gap and the estimate for people without a number, as a JSON-able object."""
    shown, absent = lines(of), without_number(of)
    return {
        "model": of.model,
        "widest_gap_points": round(widest_gap(of), 1),
        "groups": [asdict(line) for line in shown],
        "groups_withheld": len(of.tallies) - len(shown),
        "without_number": None if absent is None else asdict(absent),
    }


def table(of: Report) -> list[tuple[str, ...]]:
    """`lines` as rows of text for a console, HEADINGS first; people without a number last, as an estimate."""
    absent = without_number(of)
    rows = [HEADINGS, *(_row(line) for line in lines(of))]
    if absent is not None:
        interval = _between((absent.low, absent.high))
        rows.append(("number absent (estimated)", *"-----", _hundredths(absent.recall), interval, *"---"))
    return rows


def _may_show(of: Report, group: Group) -> bool:
    return min(of.records.get(group, 0), of.tallies.get(group, Tally()).matches) >= SHOWN_MIN


def _fit_to_show(tally: Tally) -> Tally:
    """What shares are taken from: the gate decides on the exact ones of large groups, so these are shown."""
    return tally if tally.matches >= GATED_MIN else tally.rounded()


def _line(of: Report, group: Group, behind: Fraction | None) -> Line:
    rounded, said = of.tallies[group].rounded(), _fit_to_show(of.tallies[group])
    return Line(
        *group,
        records=_to_five(of.records[group]),
        one_person=(rounded.found, rounded.reviewed, rounded.missed),
        two_people=(rounded.wrong, rounded.doubted, rounded.parted),
        recall=None if said.recall is None else round(float(said.recall), 3),
        recall_95=_thousandths(wilson(said.found, said.matches)),
        precision=None if said.precision is None else round(float(said.precision), 3),
        precision_95=_thousandths(wilson(said.found, said.linked)),
        gap_points=None if behind is None or group == WHOLE else round(float(100 * behind), 1),
    )


def _row(line: Line) -> tuple[str, ...]:
    counts = (line.records, *line.one_person, line.two_people[0])
    return (
        _said((line.dimension, line.group)),
        *(f"{count:,}" for count in counts),
        _hundredths(line.recall),
        _between(line.recall_95),
        _hundredths(line.precision),
        _between(line.precision_95),
        "-" if line.gap_points is None else f"{line.gap_points:.1f}",
    )


def _said(group: Group) -> str:
    return " ".join(group)


def _to_five(count: int) -> int:
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def _thousandths(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 3), round(interval[1], 3)


def _hundredths(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _between(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):.2f} %"


def _points(share: Fraction) -> str:
    """To two places, upwards: what is over a limit never reads as the limit."""
    return f"{ceil(10_000 * share) / 100:.2f} points"
