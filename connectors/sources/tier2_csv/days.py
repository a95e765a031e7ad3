"""Days and times of the day as councils write them, strictly by the mapping, or the rule they break."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache

_SERIAL = re.compile(r"([0-9]{5})([.,][0-9]+)?")
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[, ]+)?"
_DAY_NAMED_MONTH = re.compile(rf"{_WEEKDAY}([0-9]{{1,2}})(?:st|nd|rd|th)?[ /.-]*([a-z]{{3,9}})[ /.,-]*([0-9]{{4}})")
_NAMED_MONTH_DAY = re.compile(rf"{_WEEKDAY}([a-z]{{3,9}})\.? *([0-9]{{1,2}})(?:st|nd|rd|th)?[, ]+([0-9]{{4}})")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
_DAY_ZERO = {"1900": date(1899, 12, 30), "1904": date(1904, 1, 1)}  # ECMA-376 part 1, 18.17.4.1


class Unfit(Exception):
    """A cell breaks `rule`. Caught where the row is read; the text of the cell is not in it."""

    def __init__(self, rule: str, *, code: str = "value") -> None:
        super().__init__(rule)
        self.rule = rule
        self.code = code


@cache
def _pattern(day_format: str) -> re.Pattern[str]:
    tokens = {"yyyy": "(?P<y>[0-9]{4})", "mm": "(?P<m>[0-9]{2})", "dd": "(?P<d>[0-9]{2})"}
    tokens |= {"d": "(?P<d>[0-9]{1,2})", "m": "(?P<m>[0-9]{1,2})"}
    return re.compile(re.sub("yyyy|mm|dd|d|m|[.]", lambda found: tokens.get(found[0], r"\."), day_format))


def parse_date(text: str, day_format: str) -> date:
    """The day in exactly this format. Raises Unfit; a day and a month are never turned round to make sense.

    >>> parse_date("03/04/2026", "dd/mm/yyyy")
    datetime.date(2026, 4, 3)
    """
    found = _pattern(day_format).fullmatch(text)
    if found is None:
        if _SERIAL.fullmatch(text):
            raise Unfit(f"is a spreadsheet's day number, not a date; format the column as {day_format}")
        raise Unfit(f"does not have the format {day_format}")
    year, month, day = (int(found[part]) for part in "ymd")
    if month > 12 >= day:
        raise Unfit(f"has a month above 12: the format is {day_format}, and days and months are never turned round")
    try:
        return date(year, month, day)
    except ValueError:
        raise Unfit("is not a day of the calendar") from None


def unmistakable_day(text: str, *, day_first: bool = False) -> date | None:
    """The day in a form that has one reading whatever the mapping says: year first, or the month as a word.

    `day_first`: also a day above 12 before its month, written with other marks or without a leading zero.

    >>> unmistakable_day("2026-05-17"), unmistakable_day("29 Feb 1980"), unmistakable_day("3/4/2026")
    (datetime.date(2026, 5, 17), datetime.date(1980, 2, 29), None)
    """
    small = text.casefold()
    year_first = _YEAR_FIRST.fullmatch(small)
    named, named_first = _DAY_NAMED_MONTH.fullmatch(small), _NAMED_MONTH_DAY.fullmatch(small)
    numbers = _DAY_FIRST.fullmatch(small) if day_first else None
    try:
        if numbers is not None and int(numbers[1]) > 12:
            return date(int(numbers[3]), int(numbers[2]), int(numbers[1]))
        if year_first is not None:
            return date(int(year_first[1]), int(year_first[3]), int(year_first[4]))
        if named is not None:
            return date(int(named[3]), _month(named[2]), int(named[1]))
        if named_first is not None:
            return date(int(named_first[3]), _month(named_first[1]), int(named_first[2]))
    except ValueError:
        return None
    return None


def _month(word: str) -> int:
    """1 to 12 for an English month or its first letters; 0, which no date takes, for any other word."""
    word = "sep" if word == "sept" else word
    return next((number for number, name in enumerate(_MONTHS, start=1) if name.startswith(word)), 0)


def split_clock(text: str) -> tuple[str, str]:
    """The day and the time of the day in a moment; no time where the text ends with the day."""
    found = re.fullmatch(r"(.*?)(?:,?[ T]+([0-9]{1,2}:.*))?", text)
    return (found[1], found[2] or "") if found else (text, "")


_CLOCK = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?(?: ?([AP])M)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)


def on_the_clock(day: date, clock: str, *, zone: str) -> datetime:
    """The moment in UTC that a clock of `zone` shows, or of the offset that it names. Raises Unfit."""
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise Unfit("has a time that is not hh:mm or hh:mm:ss")
    parts = [part for part in found.groups()[:3] if part]
    try:
        if found[4]:
            parts[0] = _hour(int(parts[0]), afternoon=found[4].upper() == "P")
        local = datetime.combine(day, _time_of(parts), UTC)
        offset = (
            _offset(found[5]) if found[5] else timedelta(hours=zone == "Europe/London" and british_summer_time(local))
        )
        return local - offset
    except (ValueError, OverflowError):
        raise Unfit("is not a time of the day") from None


def names_its_zone(clock: str) -> bool:
    """True for a time of the day with Z or an offset."""
    return re.search(r"(Z|[+-][0-9]{2}:?[0-9]{2})$", clock, re.IGNORECASE) is not None


def _hour(shown: int, *, afternoon: bool) -> str:
    if not 1 <= shown <= 12:
        raise ValueError
    return str(shown % 12 + 12 * afternoon)


def _offset(written_offset: str) -> timedelta:
    if written_offset.upper() == "Z":
        return timedelta()
    hours, minutes = int(written_offset[1:3]), int(written_offset[-2:])
    return timedelta(hours=hours, minutes=minutes) * (-1 if written_offset[0] == "-" else 1)


def british_summer_time(local: datetime) -> bool:
    """Whether a British clock showing `local` is an hour ahead of UTC.

    From 01:00 UTC on the last Sunday of March to 01:00 UTC on the last Sunday of October (SI 2002/262). The
    hour that a clock shows twice in October is read as the first; the one it skips in March as winter time.
    """
    starts = datetime.combine(_last_sunday(local.year, 3), time(2), UTC)  # the clock jumps from 01:00 to 02:00
    ends = datetime.combine(_last_sunday(local.year, 10), time(2), UTC)  # 02:00 summer time becomes 01:00
    return starts <= local < ends


def _time_of(parts: Sequence[str]) -> time:
    hour, minute, second = (*(int(part) for part in parts), 0)[:3]
    return time(hour, minute, second)


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)  # March and October both have 31 days
    return last - timedelta(days=(last.weekday() + 1) % 7)


def written(day: date, day_format: str) -> str:
    """The day in a format of the mapping.

    >>> written(date(2026, 5, 7), "dd/mm/yyyy"), written(date(2026, 5, 7), "d/m/yyyy")
    ('07/05/2026', '7/5/2026')
    """
    tokens = {"yyyy": f"{day.year:04}", "mm": f"{day.month:02}", "dd": f"{day.day:02}"}
    tokens |= {"d": str(day.day), "m": str(day.month)}
    return re.sub("yyyy|mm|dd|d|m", lambda found: tokens[found[0]], day_format)


def from_serial(text: str, serials: str, day_format: str) -> str:
    """A spreadsheet's day number as the day in a format of the mapping, with its time; any other text as it is.

    >>> from_serial("46113.4375", "1900", "dd/mm/yyyy"), from_serial("46113", "1900", "dd/mm/yyyy")
    ('01/04/2026 10:30:00', '01/04/2026')
    """
    found = _SERIAL.fullmatch(text)
    if found is None:
        return text
    seconds = round(Decimal((found[2] or ".0").replace(",", ".")) * 86_400)
    moment = datetime.combine(_DAY_ZERO[serials], time()) + timedelta(days=int(found[1]), seconds=seconds)
    day = written(moment.date(), day_format)
    return f"{day} {moment:%H:%M:%S}" if moment.time() != time() else day
