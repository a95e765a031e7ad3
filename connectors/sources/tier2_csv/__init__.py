"""A council's CSV, by its file mapping: each row one FHIR message Bundle, or every reason why not. Pure.

bytes -> decoding -> sheet (header, rows) -> cells + person + facts -> SourceMessage -> Bundle -> check
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.entry import SourceEntry
from connectors.mapping import Column, FileMapping, spelling
from connectors.sources.tier2_csv.cells import Cells
from connectors.sources.tier2_csv.decoding import decode
from connectors.sources.tier2_csv.facts import facts_of
from connectors.sources.tier2_csv.person import person_of
from connectors.sources.tier2_csv.sheet import Sheet, SheetRow, sheet_of
from schemas.check import check
from schemas.disposition import Checked, Verdict, verdict_of
from schemas.errors import Issue, Severity, error, has_error, information
from schemas.fhir.dates import EARLIEST, SKEW
from schemas.fhir.write import bundle
from schemas.source_message import SourceMessage
from schemas.sources import Source


@dataclass(frozen=True, slots=True)
class FileReading:
    """A whole file. Refused (an error in `file_issues`): no entries, nothing of it was taken.

    Otherwise one entry per row that is not blank, in order; `entry.position` is the row as a spreadsheet numbers it.
    """

    entries: tuple[SourceEntry, ...]
    file_issues: tuple[Issue, ...]

    @property
    def refused(self) -> bool:
        """True when the file cannot be read as the mapping says."""
        return has_error(self.file_issues)


@dataclass(frozen=True, slots=True, repr=False)
class FileContext:
    """What is known of a file beside its bytes. `file_id`: hex SHA-256 of its content; `received_at`: aware."""

    source: Source
    mapping: FileMapping
    file_id: str
    test_mode: bool
    received_at: datetime


def read(
    raw: bytes, *, source: Source, mapping: FileMapping, file_id: str, test_mode: bool, received_at: datetime
) -> FileReading:
    """Every row of `raw` as a checked entry. Never raises for bytes a provider can send.

    An entry is named by `file_id` and its row number: the same content under another file name is the same entry.
    """
    sheet, issues = open_sheet(raw, mapping)
    if sheet is None:
        return FileReading((), issues)
    context = FileContext(source, mapping, file_id, test_mode, received_at)
    return FileReading(tuple(entries_of(sheet, context)), issues)


def open_sheet(raw: bytes, mapping: FileMapping) -> tuple[Sheet | None, tuple[Issue, ...]]:
    """The sheet in `raw` and the issues of the whole file; no sheet when the file is refused."""
    decoded = decode(raw)
    if isinstance(decoded, Issue):
        return None, (decoded,)
    return sheet_of(decoded, mapping)


def entries_of(sheet: Sheet, context: FileContext) -> Iterator[SourceEntry]:
    """One entry after another, so that a large file need not stand in memory as Bundles."""
    for row in sheet.rows():
        yield _entry(row, sheet, context)


def _entry(row: SheetRow, sheet: Sheet, context: FileContext) -> SourceEntry:
    cells, checked, document, local_id = None, None, None, None
    if row.problem is not None:
        checked = Checked(Verdict.REJECTED, (row.problem,), ())
    elif _is_total(row, context.mapping):
        issue = information(f"row {row.number}", "is a totals row, not a person")
        checked = Checked(Verdict.IGNORED, (issue,), ())
    elif len(row.cells) != sheet.width:
        # Even an empty cell too many is refused: it is what an unquoted comma in an address looks like.
        rule = f"has {len(row.cells)} cells where the header has {sheet.width}"
        checked = Checked(Verdict.REJECTED, (error(f"row {row.number}", rule, code="structure"),), ())
    if checked is None:
        texts = {key: row.cells[place] for key, place in sheet.position.items()}
        cells = Cells(row.number, texts, context.mapping)
        checked, document, local_id = _read_row(cells, context)
    return SourceEntry(
        message_id=context.file_id,
        position=row.number,
        form="csv",
        original=sheet.as_file(row),
        bundle=document,
        local_id=local_id,
        checked=checked,
    )


def _is_total(row: SheetRow, mapping: FileMapping) -> bool:
    first = next((spelling(cell) for cell in row.cells if cell.strip()), "")
    return first in mapping.totals


def _read_row(cells: Cells, context: FileContext) -> tuple[Checked, dict[str, object] | None, str | None]:
    """The verdict on a row, its Bundle unless it is rejected or ignored, and its local id in the clear."""
    mapping = context.mapping
    service = mapping.service
    code = cells.coded(service) if isinstance(service, Column) else service
    if not has_error(cells.issues) and not context.source.serves(None if code is None else str(code)):
        issue = information(f"row {cells.row}", "is of no weight-management service")
        return Checked(Verdict.IGNORED, (issue,), ()), None, None
    message = _message(cells, context)
    local_id = message.person.local_id.value if message.person.local_id else None
    if has_error(cells.issues):
        return Checked(Verdict.REJECTED, tuple(dict.fromkeys(cells.issues)), ()), None, local_id
    document = bundle(message, source=context.source)
    checked, _ = check(document, source=context.source, test_mode=context.test_mode, received_at=context.received_at)
    issues = (*dict.fromkeys(cells.issues), *_further(checked, cells))
    verdict = verdict_of(issues, ignored=checked.verdict is Verdict.IGNORED)
    accepted = None if verdict in (Verdict.REJECTED, Verdict.IGNORED) else document
    return Checked(verdict, issues, checked.resource_types), accepted, local_id


def _message(cells: Cells, context: FileContext) -> SourceMessage:
    mapping = cells.mapping
    for column in mapping.required:
        if not cells.filled(column):
            cells.error(column, "is required", code="required")
    source_version_at = _version_time(cells, context.received_at.astimezone(UTC))
    person = person_of(cells, reported_on=source_version_at.date(), test_mode=context.test_mode)
    if not (person.local_id or person.nhs_number or person.nhs_number_claimed or person.names):
        cells.issues.append(error(f"row {cells.row}", "names nobody", code="required"))
    facts = facts_of(cells, source=context.source, person=person, source_version_at=source_version_at)
    message_id = f"{context.file_id}/{cells.row}"
    return SourceMessage(message_id=message_id, source_version_at=source_version_at, person=person, facts=facts)


def _version_time(cells: Cells, received_at: datetime) -> datetime:
    """The row's version time; when the file came if it has none or an impossible one."""
    column = cells.mapping.source_version_at
    source_version_at = cells.moment(column)
    if column is None or source_version_at is None:
        return received_at
    if not source_version_at.date() >= EARLIEST or source_version_at > received_at + SKEW:
        cells.error(column, "must lie between 1900 and a day after the file came")
        return received_at
    return source_version_at


def _further(checked: Checked, cells: Cells) -> Iterator[Issue]:
    """What the one check adds to what was found by column: errors, and warnings of a kind not reported yet."""
    reported = {issue.code for issue in cells.issues}
    for issue in checked.issues:
        if issue.severity is Severity.ERROR or issue.code not in reported:
            element = issue.location.rpartition(".")[2].partition("[")[0]
            yield Issue(issue.severity, issue.code, f"row {cells.row}", f"{element}: {issue.rule}")
