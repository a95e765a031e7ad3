"""An .xlsx workbook to the cells of its sheets, within limits. What a cell means is for the file mapping to say.

ECMA-376 part 1. The cells are python-calamine's; the parts are looked through first, because a sheet of two far
cells would be laid out with all between them, and because calamine shows an error value as an empty cell.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import python_calamine

BYTES_UNPACKED_MAX = 256 * 1024 * 1024
CELLS_MAX = 8_000_000
ERROR_VALUE = "#VALUE!"  # stands for any of them
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)>(?:(?<=/>)|(.*?)</(?:\w+:)?c>)", re.DOTALL)
_FORMULA, _VALUE = re.compile(rb"<(?:\w+:)?f[\s/>]"), re.compile(rb"<(?:\w+:)?v[\s/>]")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_IS_ERROR = re.compile(rb"""\bt\s*=\s*["']e["']""")
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")


class UnreadableWorkbook(Exception):
    """No workbook that can be read; `rule` says why, without a value."""

    def __init__(self, rule: str, *, code: str = "structure") -> None:
        super().__init__(rule)
        self.rule, self.code = rule, code


@dataclass(frozen=True, slots=True, repr=False)
class WorkbookSheet:
    """The cells of one sheet from its first row and column on: text, numbers, days, times, true and false."""

    rows: Sequence[Sequence[object]]
    hidden: bool


def sheets_of(raw: bytes) -> tuple[WorkbookSheet, ...]:
    """The worksheets in order. Raises UnreadableWorkbook: no .xlsx, encrypted, damaged, or beyond a limit."""
    try:
        errors = _error_cells(raw)
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
            found = []
            for place, about in enumerate(workbook.sheets_metadata):
                if about.typ is python_calamine.SheetTypeEnum.WorkSheet:
                    rows = workbook.get_sheet_by_index(place).to_python(skip_empty_area=False)
                    hidden = about.visible is not python_calamine.SheetVisibleEnum.Visible
                    found.append(WorkbookSheet(_with_errors(rows, errors[place]), hidden))
            return tuple(found)
    except (
        zipfile.BadZipFile,
        python_calamine.CalamineError,
        KeyError,
        IndexError,
        ValueError,
        OSError,
        EOFError,
    ):
        raise UnreadableWorkbook("is an archive or a damaged workbook; save it as .xlsx or CSV") from None
    except (NotImplementedError, RuntimeError):  # zipfile: a packing it does not know, or encrypted
        raise UnreadableWorkbook("is encrypted or packed in an unknown way; save it as .xlsx or CSV") from None


def _with_errors(rows: Sequence[Sequence[object]], errors: Sequence[tuple[int, int]]) -> Sequence[Sequence[object]]:
    shown = [list(row) for row in rows]
    for row, column in errors:
        shown += [[] for _ in range(row + 1 - len(shown))]
        shown[row] += [""] * (column + 1 - len(shown[row]))
        shown[row][column] = ERROR_VALUE
    return shown


def _error_cells(raw: bytes) -> list[list[tuple[int, int]]]:
    """Of each sheet of the workbook, in its order, the (row, column) of the cells that hold an error value."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(part.file_size for part in archive.infolist()) > BYTES_UNPACKED_MAX:
            raise UnreadableWorkbook("is a workbook larger than can be read", code="too-costly")
        found = {name: _scanned(archive.read(name)) for name in archive.namelist() if _SHEET_PART.fullmatch(name)}
        relations = _relations(archive.read("xl/_rels/workbook.xml.rels").decode("utf-8"))
        sheets = _SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8"))
    return [found.get(relations.get(_attribute(sheet, r"\w+:id"), ""), []) for sheet in sheets]


def _relations(text: str) -> Mapping[str, str]:
    targets = {_attribute(tag, "Id"): _attribute(tag, "Target") for tag in _RELATION.findall(text)}
    return {name: target.lstrip("/") if target.startswith("/") else f"xl/{target}" for name, target in targets.items()}


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\s{name}\s*=\s*["']([^"']*)["']""", tag)
    return found[1] if found else ""


def _scanned(part: bytes) -> list[tuple[int, int]]:
    errors, rows, columns = [], 0, 0
    for cell in _CELL.finditer(part):
        place = _PLACE.search(cell[1])
        if place is None:
            continue
        row, column = int(place[2]), _column(place[1])
        rows, columns = max(rows, row), max(columns, column)
        uncalculated = cell[2] and _FORMULA.search(cell[2]) and not _VALUE.search(cell[2])
        if uncalculated or _IS_ERROR.search(cell[1]):
            errors.append((row - 1, column - 1))
    if rows * columns > CELLS_MAX:
        raise UnreadableWorkbook("is a workbook with a sheet larger than can be read", code="too-costly")
    return errors


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
