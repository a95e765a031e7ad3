"""Text to a header and rows, numbered as a spreadsheet does. A broken row never takes the next with it."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.mapping import FileMapping, header_key
from connectors.sources.tier2_csv.decoding import Decoded
from schemas.errors import Issue, error, has_error, information

# a year of every council's clients in one file; 64 MiB of line ends would be 67 million entries
LINES_MAX = 200_000
ROW_CHARACTERS_MAX = 65_536
LINES_A_ROW_MAX = 50  # a quote left open would otherwise swallow the rest of the file
_SNIFFED = (",", ";", "\t", "|")
# Only CR, LF and CR LF end a line: str.splitlines would also cut at form feeds and U+2028 inside a cell.
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True, repr=False)
class SheetRow:
    """One row that is not blank: its number, its text as sent, and its cells or the reason there are none."""

    number: int
    text: str
    cells: tuple[str, ...] = ()
    problem: Issue | None = None


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
        for number, row in _numbered(self.rest, self.delimiter, first=self.first_number):
            if row.problem is not None or any(cell.strip() for cell in row.cells):
                yield SheetRow(number, row.text, row.cells, row.problem)

    def as_file(self, row: SheetRow) -> bytes:
        """The row's bytes as sent, below the header's, so that it can be read again on its own."""
        return (_ended(self.header) + row.text).encode(self.encoding, "replace")


def sheet_of(decoded: Decoded, mapping: FileMapping) -> tuple[Sheet | None, tuple[Issue, ...]]:
    """The sheet and the issues of the whole file; no sheet when one of the issues is an error.

    Refused: too many lines, a header that lacks a column of the mapping or repeats one. Columns the mapping
    does not know are not read, and counted.
    """
    text = decoded.text
    if text.count("\n") + text.count("\r") - text.count("\r\n") > LINES_MAX:
        return None, (error("file", f"has more than {LINES_MAX} lines", code="too-costly"),)
    lines = _LINE.findall(text)
    delimiter = mapping.delimiter or _sniffed(lines, mapping)
    number, row = _header_row(lines, delimiter)
    if row.problem is not None:
        return None, (*decoded.issues, row.problem)
    used = row.lines_before + row.lines
    issues = (*decoded.issues, *_header_issues(row.cells, number, mapping))
    if not text.endswith(("\n", "\r")):
        issues = (*issues, information("file", "does not end with a line end: was it cut short?"))
    if has_error(issues):
        return None, issues
    position = {header_key(cell): place for place, cell in enumerate(row.cells)}
    sheet = Sheet(row.text, delimiter, position, len(row.cells), decoded.encoding, lines[used:], number + 1)
    return sheet, issues


def _header_row(lines: Sequence[str], delimiter: str) -> tuple[int, "_ParsedRow"]:
    """The first row that is broken or not blank; the last one when all are blank."""
    last = (0, _ParsedRow("", (), None, 0, 0))
    for numbered in _numbered(lines, delimiter, first=1):
        last = numbered
        if last[1].problem is not None or any(cell.strip() for cell in last[1].cells):
            break
    return last


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
    """The delimiter that finds most of the mapping's columns in the first line that holds anything."""
    wanted = {column.key for column in mapping.columns()}
    start = next((at for at, line in enumerate(lines) if line.strip(' \t\r\n,;|"')), 0)

    def found(delimiter: str) -> int:
        return len(wanted & {header_key(cell) for cell in _row(lines, start, delimiter, 1).cells})

    return max(_SNIFFED, key=found)


def _header_issues(cells: Sequence[str], number: int, mapping: FileMapping) -> Iterator[Issue]:
    known = {column.key: column.header for column in mapping.columns()}
    seen: set[str] = set()
    for place, key in enumerate((header_key(cell) for cell in cells), start=1):
        if key and key in seen:
            name = known.get(key, str(place))
            yield error(f"row {number}, column {name}", "stands twice in the header row", code="duplicate")
        seen.add(key)
    for key, name in known.items():
        if key not in seen and key not in mapping.optional:
            yield error(f"row {number}, column {name}", "is missing from the header row", code="required")
    if unknown := len([key for key in seen if key and key not in known]):
        yield information(f"row {number}", f"{unknown} columns are not in the mapping and are not read")


def _ended(header: str) -> str:
    return header if header.endswith(("\n", "\r")) else header + "\n"
