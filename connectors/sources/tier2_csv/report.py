"""The report beside a file: which row and column broke which rule. No value of the file is in it."""

import csv
import re
from collections import Counter
from collections.abc import Iterable

from connectors.entry import SourceEntry
from schemas.disposition import Verdict
from schemas.errors import Issue, Severity

HEADER = ("row", "column", "severity", "code", "rule")
_PLACE = re.compile(r"row ([0-9]+)(?:, column (.*))?", re.DOTALL)
# what makes a spreadsheet calculate a cell (OWASP, CSV injection)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FileReport:
    """Collects the issues of one file in the order of its rows; `text` is the report as CSV (RFC 4180)."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, ...]] = []
        self._verdicts: Counter[Verdict] = Counter()

    def of_file(self, issues: Iterable[Issue]) -> None:
        """Adds the issues of the file as a whole."""
        self._lines += [_line(issue) for issue in issues]

    def of_rows(self, entries: Iterable[SourceEntry]) -> None:
        """Adds the issues of some rows, and counts the rows."""
        for entry in entries:
            self._verdicts[entry.checked.verdict] += 1
            self._lines += [_line(issue) for issue in entry.checked.issues]

    def text(self, *, taken: bool) -> str:
        """The whole report. Its last line, without row and column, sums up: rows by verdict, or nothing taken."""
        lines = _CsvText()
        writer = csv.writer(lines, lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(self._lines)
        summary = self._counts() if taken else "the file was refused; nothing of it was taken"
        severity = Severity.INFORMATION if taken else Severity.ERROR
        writer.writerow(("", "", severity.value, "informational" if taken else "processing", summary))
        return "".join(lines.parts)

    def _counts(self) -> str:
        parts = [f"{self._verdicts[verdict]} {verdict.value.replace('_', ' ')}" for verdict in Verdict]
        return f"{self._verdicts.total()} rows: " + ", ".join(parts)


class _CsvText:
    """Where csv.writer writes to, without a file."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str, /) -> int:
        self.parts.append(text)
        return len(text)


def _line(issue: Issue) -> tuple[str, ...]:
    place = _PLACE.fullmatch(issue.location)
    row, column = (place[1], place[2] or "") if place else ("", "")
    return tuple(_inert(cell) for cell in (row, column, issue.severity.value, issue.code, issue.rule))


def _inert(cell: str) -> str:
    """The cell so that no spreadsheet calculates it: a header of the mapping may begin with a sign."""
    return "'" + cell if cell.startswith(_FORMULA) else cell
