"""FHIR date, dateTime and instant, and which days a fact may have happened on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.errors import InvalidField
from schemas.facts import Attendance, Body, Suspension
from schemas.fhir.node import Node

# The days of a fact, at every door and again at ingress. What lies between and yet cannot be is the fold's to find:
# definition `days-in-range`.
EARLIEST = date(1900, 1, 1)
LONDON = ZoneInfo("Europe/London")
SKEW = timedelta(days=1)  # senders' clocks and time zones
BOOKED_AHEAD = timedelta(days=2 * 366)  # an appointment, the end of a suspension
_YEARS = range(1880, 2200)  # of any moment: outside it some have no UTC

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTIAL = re.compile(r"([0-9]{4})(-(0[1-9]|1[0-2]))?")
_OFFSET = r"Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00"
_MOMENT = re.compile(rf"{_DATE.pattern}T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?({_OFFSET})?")


_LEAP_SECOND = re.compile(r"(T[0-9]{2}:[0-9]{2}):60")


def london_day(moment: datetime) -> date:
    """The day it was in London at an aware moment."""
    return moment.astimezone(LONDON).date()


@dataclass(frozen=True, slots=True)
class StatedTime:
    """A day, and the moment in UTC where it came with a time zone: then the day is London's, as at every door."""

    on: date
    at: datetime | None = None


def _day_of(value: date) -> date:
    """The London day of a day or moment; of one that may have no UTC a day on which nothing can be."""
    if not isinstance(value, datetime):
        return value
    return london_day(value) if value.year in _YEARS else date.min


def parse_when(text: str) -> StatedTime:
    """The day, and the moment, of a FHIR date or dateTime.

    Raises InvalidField("date") with the rule: a form FHIR does not have, a day no calendar has, a year or month alone.

    >>> parse_when("2026-02-30")
    Traceback (most recent call last):
    schemas.errors.InvalidField: date: is a day that no calendar has
    """
    if not _DATE.fullmatch(text) and not _MOMENT.fullmatch(text):
        raise InvalidField("date", rule="must be a whole day" if is_partial(text) else "is not a FHIR date or dateTime")
    try:
        on = date.fromisoformat(text[:10])
        moment = datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", text)) if len(text) > 10 else None
        if moment is None or moment.tzinfo is None:  # a clock time without its zone says only the day
            return StatedTime(on)
        moment = moment.astimezone(UTC)  # some moments of years 1 and 9999 have no UTC
        on = london_day(moment)
    except (ValueError, OverflowError):
        raise InvalidField("date", rule="is a day that no calendar has") from None
    return StatedTime(on, moment)


def is_partial(text: str) -> bool:
    """True for a year or a month alone, which R4 allows as a dateTime."""
    return _PARTIAL.fullmatch(text) is not None


def parse_birth(text: str) -> tuple[date | None, int]:
    """(birth date or None where only a year or month is given, birth year). Raises InvalidField("date")."""
    partial = _PARTIAL.fullmatch(text)
    if partial is not None:
        return None, int(partial[1])
    on = parse_when(text).on
    return on, on.year


def when(node: Node, *names: str) -> StatedTime | None:
    """The first of the elements `names` that is there. Reports one that cannot be read and gives None."""
    for name in names:
        text = node.text(name)
        if text is None:
            continue
        try:
            return parse_when(text)
        except InvalidField as failure:
            node.error(name, failure.rule)
            return None
    return None


def day_of(node: Node, moment: StatedTime | None) -> date | None:
    """The day by itself where our extension `on` has it, else the day of the moment."""
    marked = node.our_extension("on")
    found = (when(marked, "valueDate") if marked else None) or moment
    return found.on if found else None


_LAST_DAY = {4: "-12-31", 7: "-31", 10: ""}


def has_ended(node: Node, moment: datetime) -> bool:
    """True when the `period` at `node` ended before `moment`. Its last day still counts; so does one not begun yet."""
    period = node.first("period")
    start = period.text("start") if period else None
    if period is not None and start is not None and start[:10] > (moment + SKEW).date().isoformat():
        period.warning("start", "is in the future; read as in use already", code="value")
    end = period.text("end") if period else None
    if period is None or end is None:
        return False
    day = end[:10]
    if len(day) not in _LAST_DAY or not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", day):
        period.warning("end", "is not a FHIR date; read as not ended", code="value")
        return False
    return day + _LAST_DAY[len(day)] < moment.date().isoformat()


# R4 identifier-use, name-use, address-use, contact-point-use
_USES = {
    "identifier": frozenset({"usual", "official", "temp", "secondary", "old"}),
    "name": frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}),
    "address": frozenset({"home", "work", "temp", "old", "billing"}),
    "telecom": frozenset({"home", "work", "temp", "old", "mobile"}),
}


def is_former(node: Node, moment: datetime) -> bool:
    """True when the `use` at `node` is `old` or its period has ended. A use that R4 does not have is reported."""
    use = node.text("use")
    element = node.path.rpartition(".")[2].partition("[")[0]
    if use is not None and use not in _USES.get(element, frozenset()):
        node.warning("use", "is not a code of R4; read as if it were absent", code="code-invalid")
    return use == "old" or has_ended(node, moment)


NOT_YET = "is in the future"


@dataclass(frozen=True, slots=True)
class Span:
    """Between which days the facts of one message may lie: after the birth, not after the message's version time."""

    born: date | None
    source_version_at: datetime

    def fault(self, on: date, *, booked: bool = False) -> str | None:
        """The rule that a fact `on` that day breaks, None when it may have happened then.

        `booked`: an appointment may lie up to two years ahead.
        """
        if on < EARLIEST:
            return "is before 1900"
        if on > self.source_version_at.date() + (BOOKED_AHEAD if booked else SKEW):
            return NOT_YET
        if self.born is not None and on <= self.born:
            return "is not after the date of birth"
        return None

    def faults(self, body: Body) -> Iterator[tuple[str, str]]:
        """(field, rule) of every day and moment of a fact that cannot be."""
        for name, value in body:
            if not isinstance(value, date):
                continue
            rule = self.fault(_day_of(value), booked=isinstance(body, Attendance) or name == "ends_on")
            if rule is not None:
                yield name, rule
        if isinstance(body, Suspension) and body.ends_on is not None and body.ends_on < body.on:
            yield "ends_on", "lies before the day it began"

    def check(self, node: Node, name: str, on: date, *, booked: bool = False) -> bool:
        """True when a fact may have happened `on`; otherwise reports the element and gives False."""
        rule = self.fault(on, booked=booked)
        if rule is not None:
            node.error(name, rule)
        return rule is None
