"""HL7 times: local time of the sending hospital, to dates and aware UTC.

A time without an offset is Europe/London. In the hour that the end of British Summer Time repeats, the first of the two
(still summer time) is meant, `fold=0`: nothing in the message distinguishes them, and the answer must never change.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_FORM = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})"
    r"(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?)?)?)?([+-][0-9]{4})?"
)
_PARTIAL = re.compile(r"([0-9]{4})(?:0[1-9]|1[0-2])?(?:00)?")


@dataclass(frozen=True, slots=True)
class Moment:
    """The London day, and the moment in UTC when the sender gave at least the hour."""

    on: date
    at: datetime | None


def moment(text: str) -> Moment | None:
    """The moment in `YYYYMMDD[HH[MM[SS[.S]]]][+ZZZZ]`, None for anything else (a month alone is no day).

    >>> moment("20260701093000").at.isoformat()
    '2026-07-01T08:30:00+00:00'
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        if hour is None:
            return Moment(date(int(year), int(month), int(day)), None)
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute or 0), int(second or 0),
            int((fraction or "").ljust(6, "0")), tzinfo=_zone(offset),
        )  # fmt: skip
        return Moment(local.astimezone(LONDON).date(), local.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def birth_date(text: str) -> date | None:
    """The day of a date of birth, whatever time stands after it; None when there is no such day.

    The time is not read: real senders put rubbish there, and no time zone moves a birthday.
    """
    day = re.match(r"[0-9]{8}", text)
    known = moment(day.group()) if day else None
    return known.on if known else None


def birth_year(text: str) -> int | None:
    """The year of a date of birth that is only a year or a month (`1965`, `196511`, `19651100`)."""
    found = _PARTIAL.fullmatch(text)
    return int(found.group(1)) if found else None


def london_day(at: datetime) -> date:
    """The calendar day in England at that moment."""
    return at.astimezone(LONDON).date()


def _zone(offset: str | None) -> ZoneInfo | timezone:
    if offset is None:
        return LONDON
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
