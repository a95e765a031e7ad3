"""Which fifth of England an area is in, by a table that whoever runs the engine supplies.

The Index of Multiple Deprivation 2025 (published 30 October 2025) ranks the 33,755 LSOAs of England, in the boundaries
of 2021; File 1 of its release gives a decile each, of which two make a quintile: 1 is the most deprived fifth.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from itertools import islice

from schemas.errors import InvalidField

LSOA_VERSION, IMD_VERSION = "2021", "2025"
AREAS_MAX = 40_000
_AREA = re.compile(r"E01[0-9]{6}")
_AREA_HEADERS = ("lsoa", "lsoa21cd", "lsoa code (2021)")
_DECILE_HEADER = "index of multiple deprivation (imd) decile"  # as File 1 begins it; it goes on in brackets
_OPTION = "deprivation"


def parse(text: str) -> Mapping[str, int]:
    """LSOA of 2021 -> quintile. Columns: `lsoa` and `imd_quintile`, or those of File 1 of the release.

    Raises InvalidField naming the row and the rule: a code that is none of England, a number beyond the scale, an area
    twice, more areas than there are.

    >>> parse("lsoa,imd_quintile\\nE01000001,5\\n")
    {'E01000001': 5}
    """
    try:
        rows = list(islice(csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True)), AREAS_MAX + 1))
    except csv.Error:
        raise InvalidField(_OPTION, rule="is no CSV") from None
    if len(rows) > AREAS_MAX:
        raise InvalidField(_OPTION, rule=f"has more than {AREAS_MAX} rows")
    area, scale, is_decile = _columns([cell.strip().casefold() for cell in rows[0]] if rows else [])
    found: dict[str, int] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(map(str.strip, row)):
            continue
        code, level = (row[place].strip() if place < len(row) else "" for place in (area, scale))
        if not _AREA.fullmatch(code) or code in found:
            raise InvalidField(f"{_OPTION}, row {number}", rule="holds no LSOA of England, or one that came before")
        if not level.isdecimal() or not 1 <= int(level) <= (10 if is_decile else 5):
            raise InvalidField(f"{_OPTION}, row {number}", rule="holds no decile or quintile")
        found[code] = (int(level) + 1) // 2 if is_decile else int(level)
    return found


def _columns(headers: Sequence[str]) -> tuple[int, int, bool]:
    """Where the area and its decile or quintile stand."""
    area = next((place for place, header in enumerate(headers) if header in _AREA_HEADERS), None)
    decile = next((place for place, header in enumerate(headers) if header.startswith(_DECILE_HEADER)), None)
    if area is not None and "imd_quintile" in headers:
        return area, headers.index("imd_quintile"), False
    if area is not None and decile is not None:
        return area, decile, True
    raise InvalidField(f"{_OPTION}, row 1", rule="must name the columns lsoa and imd_quintile, or those of File 1")
