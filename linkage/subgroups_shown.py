"""What of a report by group may be shown to whoever runs the engine: no small group, no exact count."""

from dataclasses import asdict, dataclass
from fractions import Fraction

from linkage.subgroups import (
    WHOLE,
    Group,
    SubgroupReport,
    fit_to_show,
    gaps,
    may_show,
    thousandths,
    to_five,
    widest_gap,
    wilson,
    without_number,
)

HEADINGS = (
    "group", "records", "linked", "review", "apart", "wrong", "recall %", "95 %", "precision %", "95 %", "gap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupRow:
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


def lines(of: SubgroupReport) -> list[GroupRow]:
    """The groups that may be shown to whoever runs the engine: all together, then by name.

    Small numbers, after the rule of NHS hospital statistics (HES and ECDS since September 2018: 1 to 7 withheld,
    the rest to the nearest 5, totals rounded by themselves), made stricter: a group of fewer than SHOWN_MIN
    records or pairs of one person is left out, and a count of 0 may be 2. Below GATED_MIN pairs of one person
    shares are those of the rounded counts; from there on exact, to a tenth of a point: the gate decides on them.
    """
    behind = gaps(of)
    shown = sorted((g for g in of.tallies if may_show(of, g)), key=lambda g: (g != WHOLE, g))
    return [_line(of, group, behind.get(group)) for group in shown]


def as_json(of: SubgroupReport) -> dict[str, object]:
    """`lines`, the widest gap and the estimate for people without a number, as a JSON-able object."""
    shown, absent = lines(of), without_number(of)
    return {
        "model": of.model,
        "widest_gap_points": round(widest_gap(of), 1),
        "groups": [asdict(line) for line in shown],
        "groups_withheld": len(of.tallies) - len(shown),
        "without_number": None if absent is None else asdict(absent),
    }


def table(of: SubgroupReport) -> list[tuple[str, ...]]:
    """`lines` as rows of text for a console, HEADINGS first; people without a number last, as an estimate."""
    absent = without_number(of)
    rows = [HEADINGS, *(_row(line) for line in lines(of))]
    if absent is not None:
        interval = _between((absent.low, absent.high))
        rows.append(("number absent (estimated)", *"-----", _hundredths(absent.recall), interval, *"---"))
    return rows


def _line(of: SubgroupReport, group: Group, behind: Fraction | None) -> GroupRow:
    rounded, said = of.tallies[group].rounded(), fit_to_show(of.tallies[group])
    return GroupRow(
        *group,
        records=to_five(of.records[group]),
        one_person=(rounded.found, rounded.reviewed, rounded.missed),
        two_people=(rounded.wrong, rounded.doubted, rounded.parted),
        recall=None if said.recall is None else round(float(said.recall), 3),
        recall_95=thousandths(wilson(said.found, said.matches)),
        precision=None if said.precision is None else round(float(said.precision), 3),
        precision_95=thousandths(wilson(said.found, said.linked)),
        gap_points=None if behind is None or group == WHOLE else round(float(100 * behind), 1),
    )


def _row(line: GroupRow) -> tuple[str, ...]:
    counts = (line.records, *line.one_person, line.two_people[0])
    return (
        f"{line.dimension} {line.group}",
        *(f"{count:,}" for count in counts),
        _hundredths(line.recall),
        _between(line.recall_95),
        _hundredths(line.precision),
        _between(line.precision_95),
        "-" if line.gap_points is None else f"{line.gap_points:.1f}",
    )


def _hundredths(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _between(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"
