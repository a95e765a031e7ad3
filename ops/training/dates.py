"""Birth dates in the spellings files have, as "YYYY-MM-DD". What cannot be read is missing, never guessed."""

import re
from collections.abc import Iterable
from datetime import datetime

from ops.errors import SettingsError

FORMATS = ("auto", "ymd", "dmy", "mdy")
SERIALS_SHARE_MAX = 0.5  # of a column's cells; a few five-digit cells are typing errors, most are a spreadsheet's

_MONTHS = {name: i for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/. ]?([0-9]{2})[-/. ]?([0-9]{2})(?:[t ][0-9:.+z-]*)?")
_YEAR_FIRST_LOOSE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})(?:[t ][0-9:.]*)?")
_YEAR_LAST_BARE = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})")
_DAY_FIRST_NAMED = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]{3,9})[-/., ]*([0-9]{4})")
_MONTH_FIRST_NAMED = re.compile(r"([a-z]{3,9})[. ]*([0-9]{1,2})(?:st|nd|rd|th)?[, ]+([0-9]{4})")
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")


def birth_date(text: str, *, spelling: str = "auto") -> str | None:
    """One date, year first, or its year or year and month where it has no more; None where it says nothing.

    `spelling`: "auto" is year first, or day first with the year last (British); "ymd", "dmy", "mdy" say the
    order; anything with "%" is a pattern of strptime. The calendar is not asked: cleaning does.
    """
    if "%" in spelling:
        return _by_pattern(text, spelling)
    lowered = text.strip().lower()
    if found := _DAY_FIRST_NAMED.fullmatch(lowered) or _MONTH_FIRST_NAMED.fullmatch(lowered):
        return _with_month_name(found.groups())
    if spelling in ("dmy", "mdy") and (bare := _YEAR_LAST_BARE.fullmatch(lowered)):
        return _year_last(bare.groups(), month_first=spelling == "mdy")
    if found := _YEAR_FIRST.fullmatch(lowered) or _YEAR_FIRST_LOOSE.fullmatch(lowered):
        return _joined(*found.groups())
    if found := _YEAR_LAST.fullmatch(lowered):
        return _year_last(found.groups(), month_first=spelling == "mdy")
    return lowered if _PARTIAL.fullmatch(lowered) else None


def check_column(column: str, cells: Iterable[str], *, spelling: str) -> None:
    """Raises SettingsError for a column of spreadsheet serial numbers, or one that is month first though nobody
    said so.
    """
    filled = [cell for cell in cells if cell]
    if "%" in spelling or not filled:
        return
    serials = sum(bool(_SERIAL.fullmatch(cell)) for cell in filled)
    if serials > SERIALS_SHARE_MAX * len(filled):
        raise SettingsError(f"column {column}: birth dates are spreadsheet serial numbers; export them as YYYY-MM-DD")
    if spelling == "auto":
        last = [found.groups() for cell in filled if (found := _YEAR_LAST.fullmatch(cell))]
        if sum(int(b) > 12 for _, b, _ in last) > sum(int(a) > 12 for a, _, _ in last):
            raise SettingsError(f"column {column}: birth dates seem to have the month first; say --dates mdy")


def check_spelling(spelling: str) -> None:
    """Raises SettingsError unless it is one that `birth_date` knows."""
    if spelling not in FORMATS and "%" not in spelling:
        raise SettingsError(f"--dates: {', '.join(FORMATS)} or a pattern such as %d/%m/%Y")


def _by_pattern(text: str, pattern: str) -> str | None:
    try:
        return datetime.strptime(text.strip(), pattern).date().isoformat()  # noqa: DTZ007 - only its date is read
    except ValueError:
        return None


def _with_month_name(parts: tuple[str, ...]) -> str | None:
    day, name, year = parts if parts[0].isdigit() else (parts[1], parts[0], parts[2])
    month = _MONTHS.get(name[:3])
    return _joined(year, str(month), day) if month else None


def _year_last(parts: tuple[str, ...], *, month_first: bool) -> str:
    first, second, year = parts
    return _joined(year, first, second) if month_first else _joined(year, second, first)


def _joined(year: str, month: str, day: str) -> str:
    return f"{year}-{int(month):02}-{int(day):02}"
