"""One cell: its text to a value of one kind, strictly by the mapping, or the rule it breaks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache

from connectors.mapping import Column, FileMapping, Fixed, spelling
from schemas.codes import organisation
from schemas.errors import Issue, error, warning

CELL_CHARACTERS_MAX = 2_000
# NHS Data Dictionary default codes for a practice: no practice, not applicable, not known.
_NO_PRACTICE = frozenset({"V81997", "V81998", "V81999"})
_NUMBER = re.compile(r"[0-9]{1,5}(\.[0-9]{1,4})?")
_SERIAL = re.compile(r"[0-9]{5}(\.[0-9]+)?")


class Unfit(Exception):
    """A cell breaks `rule`. Caught where the row is read; the text of the cell is not in it."""

    def __init__(self, rule: str, *, code: str = "value") -> None:
        super().__init__(rule)
        self.rule = rule
        self.code = code


@dataclass(slots=True, repr=False)
class Cells:
    """The cells of one row by header key, and the issues found while reading them."""

    row: int
    texts: Mapping[str, str]
    mapping: FileMapping
    issues: list[Issue] = field(default_factory=list)

    def place(self, column: Column) -> str:
        """Where an issue about `column` of this row lies."""
        return f"row {self.row}, column {column.header}"

    def error(self, column: Column, rule: str, *, code: str = "value") -> None:
        """Rejects the row because of one column."""
        self.issues.append(error(self.place(column), rule, code=code))

    def warning(self, column: Column, rule: str, *, code: str = "business-rule") -> None:
        """Says something about one column; the row stands."""
        self.issues.append(warning(self.place(column), rule, code=code))

    def filled(self, column: Column | None) -> bool:
        """True when the row has something in the column."""
        return column is not None and bool(self.texts.get(column.key, "").strip())

    def text(self, column: Column | None) -> str | None:
        """The cell, runs of white space as one space; None when empty, or when it is no text (then an issue)."""
        if column is None:
            return None
        text = " ".join(self.texts.get(column.key, "").split())
        if len(text) > CELL_CHARACTERS_MAX:
            self.error(column, f"is longer than {CELL_CHARACTERS_MAX} characters", code="too-long")
            return None
        if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
            self.error(column, "holds a control character", code="invalid")
            return None
        return text or None

    def day(self, column: Column | None) -> date | None:
        """The day in the mapping's format; None when empty or wrong (then an issue)."""
        text = self.text(column)
        if column is None or text is None:
            return None
        try:
            return parse_date(text, self.mapping.date_format)
        except Unfit as unfit:
            self._unfit(column, unfit)
            return None

    def moment(self, column: Column | None) -> datetime | None:
        """As `day`, in the mapping's date-and-time format; a day alone is its first moment. In UTC."""
        text = self.text(column)
        if column is None or text is None:
            return None
        try:
            if self.mapping.datetime_format is None:
                return datetime.combine(parse_date(text, self.mapping.date_format), time(), UTC)
            return parse_datetime(text, self.mapping.datetime_format, zone=self.mapping.zone)
        except Unfit as unfit:
            self._unfit(column, unfit)
            return None

    def coded(self, column: Column | None) -> Fixed | None:
        """What the mapping's list makes of the cell; None when empty or not in the list (then an issue)."""
        text = self.text(column)
        if column is None or text is None:
            return None
        code = (column.codes or {}).get(spelling(text))
        if code is None:
            self._unfit(column, Unfit("is not in the mapping's list of codes", code="code-invalid"))
        return code

    def ods(self, column: Column | None) -> str | None:
        """An ODS code in capitals; the default codes for "no practice" are None."""
        text = self.text(column)
        if column is None or text is None:
            return None
        code = organisation(text)
        if code is None:
            self._unfit(column, Unfit("does not have the form of an ODS code"))
        return None if code in _NO_PRACTICE else code

    def number(self, column: Column | None) -> Decimal | None:
        """A plain number, not negative."""
        text = self.text(column)
        if column is None or text is None:
            return None
        if _NUMBER.fullmatch(text) is None:
            self._unfit(column, Unfit("must be a plain number such as 85.5, without unit, comma or sign"))
            return None
        return Decimal(text)

    def integer(self, column: Column | None) -> int | None:
        """A plain whole number."""
        number = self.number(column)
        if number is None or column is None or number == number.to_integral_value():
            return None if number is None else int(number)
        self._unfit(column, Unfit("must be a whole number"))
        return None

    def _unfit(self, column: Column, unfit: Unfit) -> None:
        if column.lenient:
            self.warning(column, unfit.rule + "; not kept", code=unfit.code)
        else:
            self.error(column, unfit.rule, code=unfit.code)


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


def parse_datetime(text: str, moment_format: str, *, zone: str) -> datetime:
    """The moment in UTC, from the clock of `zone`. Raises Unfit."""
    day_format, time_format = re.split("[ T]", moment_format)
    gap = moment_format[len(day_format)]
    day_text, found_gap, time_text = text.partition(gap)
    clock = re.fullmatch("([0-9]{2}):([0-9]{2})" + (":([0-9]{2})" if time_format.endswith("ss") else ""), time_text)
    if not found_gap or clock is None:
        raise Unfit(f"does not have the format {moment_format}")
    day = parse_date(day_text, day_format)
    try:
        local = datetime.combine(day, _time_of(clock.groups()), UTC)
    except ValueError:
        raise Unfit("is not a time of the day") from None
    return local - timedelta(hours=1) if zone == "Europe/London" and _british_summer_time(local) else local


def _british_summer_time(local: datetime) -> bool:
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
