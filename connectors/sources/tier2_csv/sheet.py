"""Text to a header and rows, numbered as a spreadsheet does. A broken row never takes the next with it."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from connectors.mapping import Column, FileMapping, header_key
from connectors.sources.tier2_csv.decoding import Decoded
from schemas.errors import Issue, error, has_error, information, warning

# a year of every council's clients in one file; 64 MiB of line ends would be 67 million entries
LINES_MAX = 200_000
ROW_CHARACTERS_MAX = 65_536
LINES_A_ROW_MAX = 50  # a quote left open would otherwise swallow the rest of the file
_SNIFFED = (",", ";", "\t", "|")
# Only CR, LF and CR LF end a line: str.splitlines would also cut at form feeds and U+2028 inside a cell.
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
# `sep=;` tells a spreadsheet the delimiter; no spreadsheet shows the line, so it is neither header nor row.
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,; \t]*[\r\n]*', re.IGNORECASE)
_END_OF_FILE = re.compile(r"\x1a\s*\Z")  # U+001A, the end-of-file mark of CP/M and DOS programs
ROWS_ABOVE_THE_HEADER_MAX = 20


@dataclass(frozen=True, slots=True, repr=False)
class SheetRow:
    """One row that is not blank: its number, its text as sent, and its cells or the reason there are none.

    `broken`: the row and the one below have together the cells of one row, as a line end inside a cell leaves them.
    """

    number: int
    text: str
    cells: tuple[str, ...] = ()
    problem: Issue | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """A file whose header fits the mapping. `position` says at which cell a header (its key) stands."""

    header: str
    delimiter: str
    position: Mapping[str, int]
    width: int
    encoding: str
    rest: Sequence[str]
    first_number: int

    def rows(self) -> Iterator[SheetRow]:
        """The rows below the header, blank ones left out but counted."""
        above: tuple[int, _ParsedRow] | None = None
        end = (0, _ParsedRow("", (), None, 0, 0))
        for below in chain(_numbered(self.rest, self.delimiter, first=self.first_number), [end]):
            if above is not None and (above[1].problem or any(cell.strip() for cell in above[1].cells)):
                number, row = above
                together = len(row.cells) + len(below[1].cells) == self.width + 1
                broken = together and 1 < len(row.cells) < self.width
                yield SheetRow(number, row.text, row.cells, row.problem, broken)
            above = below

    def repeats_header(self, row: SheetRow) -> bool:
        """True when each cell of the row is the header of its column: two exports were put together."""
        headers = {place: key for key, place in self.position.items()}
        keys = [header_key(cell) for cell in row.cells]
        return any(keys) and all(key == headers.get(place, "") for place, key in enumerate(keys))

    def reaches(self, row: SheetRow, required: Sequence[Column]) -> bool:
        """True when the row has a cell for each header, or lacks only empty ones at its end.

        Spreadsheets leave these out. A row that ends before a required cell was broken in two.
        """
        width = len(row.cells)
        if width == self.width or row.broken:
            return width == self.width
        places = [self.position.get(column.key, self.width) for column in required]
        return 0 < width < self.width and all(p < width and row.cells[p].strip() for p in places)

    def as_file(self, row: SheetRow) -> bytes:
        """The row's bytes as sent, below the header's, so that it can be read again on its own."""
        return (_ended(self.header) + row.text).encode(self.encoding, "replace")


def sheet_of(decoded: Decoded, mapping: FileMapping) -> tuple[Sheet | None, tuple[Issue, ...]]:
    """The sheet and the issues of the whole file; no sheet when one of the issues is an error.

    Refused: too many lines, a header that lacks a column of the mapping or repeats one. Columns the mapping
    does not know are not read, and counted.
    """
    text = _END_OF_FILE.sub("", decoded.text)
    if text.count("\n") + text.count("\r") - text.count("\r\n") > LINES_MAX:
        return None, (error("file", f"has more than {LINES_MAX} lines", code="too-costly"),)
    lines = _LINE.findall(text)
    separator = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if separator is not None:
        lines = lines[1:]
    delimiter = decoded.delimiter or (separator[1] if separator else mapping.delimiter)
    above, (number, row) = _header_row(lines, delimiter or _sniffed(lines, mapping), mapping)
    if row.problem is not None:
        return None, (*decoded.issues, row.problem)
    titles = (information(f"row {at}", "stands above the header row; not read") for at in above)
    issues = (*decoded.issues, *titles, *_header_issues(row.cells, number, mapping))
    if not text.endswith(("\n", "\r")):
        issues = (*issues, information("file", "does not end with a line end: was it cut short?"))
    if has_error(issues):
        return None, issues
    position = {header_key(cell): place for place, cell in enumerate(row.cells)}
    rest = lines[row.lines_before + row.lines :]
    sheet = Sheet(
        row.text,
        delimiter or _sniffed(lines, mapping),
        position,
        len(row.cells),
        decoded.encoding,
        rest,
        number + 1,
    )
    if next(sheet.rows(), None) is None:
        issues = (*issues, warning("file", "has a header row and no row below it"))
    return sheet, issues


def _header_row(
    lines: Sequence[str], delimiter: str, mapping: FileMapping
) -> tuple[list[int], tuple[int, "_ParsedRow"]]:
    """The numbers of the rows with something above the header, and the header with its number.

    The header is the first of the topmost rows that holds most of the mapping's columns; where none holds any, the
    first row that is broken or not blank.
    """
    wanted = {column.key for column in mapping.columns()}
    topmost = [(0, _ParsedRow("", (), None, 0, 0))]
    for number, row in _numbered(lines, delimiter, first=1):
        if row.problem is not None or any(cell.strip() for cell in row.cells):
            topmost.append((number, row))
        if row.problem is not None or number > ROWS_ABOVE_THE_HEADER_MAX:
            break
    if topmost[-1][1].problem is not None and len(topmost) == 2:
        return [], topmost[-1]
    found = [len(wanted & {header_key(cell) for cell in row.cells}) for _, row in topmost]
    place = found.index(max(found)) if any(found) else min(1, len(topmost) - 1)
    return [number for number, _ in topmost[1:place]], topmost[place]


@dataclass(frozen=True, slots=True, repr=False)
class _ParsedRow:
    text: str
    cells: tuple[str, ...]
    problem: Issue | None
    lines_before: int
    lines: int


def _numbered(lines: Sequence[str], delimiter: str, *, first: int) -> Iterator[tuple[int, _ParsedRow]]:
    """Numbers and rows. A row whose quotes do not close is one line long; reading goes on with the next."""
    at, number = 0, first
    while at < len(lines):
        parsed = _row(lines, at, delimiter, number)
        yield number, parsed
        at += parsed.lines
        number += 1


def _row(lines: Sequence[str], at: int, delimiter: str, number: int) -> _ParsedRow:
    if len(lines[at]) > ROW_CHARACTERS_MAX:
        problem = error(f"row {number}", f"is longer than {ROW_CHARACTERS_MAX} characters", code="too-long")
        return _ParsedRow(lines[at], (), problem, at, 1)
    following = (lines[place] for place in range(at, min(at + LINES_A_ROW_MAX, len(lines))))
    reader = csv.reader(following, delimiter=delimiter, strict=True)
    try:
        cells = tuple(next(reader, []))
    except csv.Error:
        rule = "has a quote that is not closed, or text after a closing quote"
        problem = error(f"row {number}", rule, code="structure")
        return _ParsedRow(lines[at], (), problem, at, 1)
    return _ParsedRow("".join(lines[at : at + reader.line_num]), cells, None, at, reader.line_num)


def _sniffed(lines: Sequence[str], mapping: FileMapping) -> str:
    """The delimiter that finds most of the mapping's columns in one of the topmost lines."""
    wanted = {column.key for column in mapping.columns()}
    topmost = [at for at, line in enumerate(lines[:100]) if line.strip(' \t\r\n,;|"')]

    def found(delimiter: str) -> int:
        rows = (_row(lines, at, delimiter, 1) for at in topmost[:ROWS_ABOVE_THE_HEADER_MAX])
        return max((len(wanted & {header_key(cell) for cell in row.cells}) for row in rows), default=0)

    return max(_SNIFFED, key=found)


def _header_issues(cells: Sequence[str], number: int, mapping: FileMapping) -> Iterator[Issue]:
    known = {column.key: column.header for column in mapping.columns()}
    seen: set[str] = set()
    if not known.keys() & {header_key(cell) for cell in cells}:
        yield error(
            f"row {max(number, 1)}",
            "is no header row: it has none of the mapping's columns",
            code="structure",
        )
        return
    for key in map(header_key, cells):
        if key in seen and key in known:
            yield error(f"row {number}, column {known[key]}", "stands twice in the header row", code="duplicate")
        seen.add(key)
    for key, name in known.items():
        if key not in seen and key not in mapping.optional:
            yield error(f"row {number}, column {name}", "is missing from the header row", code="required")
    if unknown := len([key for key in map(header_key, cells) if key and key not in known]):
        yield information(f"row {number}", f"{unknown} columns are not in the mapping and are not read")


def _ended(header: str) -> str:
    return header if header.endswith(("\n", "\r")) else header + "\n"
