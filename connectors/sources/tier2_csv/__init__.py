"""A council's CSV or .xlsx, by its file mapping: each row one FHIR message Bundle, or every reason why not. Pure.

bytes -> decoding -> sheet (header, rows) -> cells + person + facts -> SourceMessage -> Bundle -> check
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.entry import SourceEntry
from connectors.mapping import Column, FileMapping, spelling
from connectors.sources.tier2_csv.cells import Cells, as_identifier
from connectors.sources.tier2_csv.collisions import FactsOfFile
from connectors.sources.tier2_csv.decoding import decode
from connectors.sources.tier2_csv.facts import facts_of
from connectors.sources.tier2_csv.person import person_of
from connectors.sources.tier2_csv.sheet import Sheet, SheetRow, sheet_of
from connectors.sources.tier2_csv.strangers import shared_numbers
from connectors.sources.tier2_csv.texts import one_line
from connectors.sources.tier2_csv.workbook_text import workbook_sheet
from schemas.check import check
from schemas.disposition import Checked, Verdict, nothing_left, verdict_of
from schemas.errors import Issue, Severity, error, has_error, information
from schemas.fhir.dates import EARLIEST, SKEW
from schemas.fhir.write import bundle
from schemas.identity import Person
from schemas.source_message import SourceMessage
from schemas.sources import Source

_ZIP = b"PK\x03\x04"  # an .xlsx is a zip archive


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
    if raw.startswith(_ZIP):
        return workbook_sheet(raw, mapping)
    decoded = decode(raw)
    if isinstance(decoded, Issue):
        return None, (decoded,)
    return sheet_of(decoded, mapping)


@dataclass(frozen=True, slots=True, repr=False)
class _OtherRows:
    """What the other rows of a file mean for one of them: local ids of two people, and the facts above it."""

    shared: frozenset[str]
    before: FactsOfFile


def entries_of(sheet: Sheet, context: FileContext) -> Iterator[SourceEntry]:
    """One entry after another, so that a large file need not stand in memory as Bundles."""
    shared = shared_numbers(_cells(row, sheet, context) for row in sheet.rows() if row.problem is None)
    before = FactsOfFile()
    for row in sheet.rows():
        yield _entry(row, sheet, context, _OtherRows(shared, before))


def _entry(row: SheetRow, sheet: Sheet, context: FileContext, file: _OtherRows) -> SourceEntry:
    document, message = None, None
    checked = _no_person(row, sheet, context.mapping)
    if checked is None:
        cells = _cells(row, sheet, context)
        checked, document, message = _read_row(cells, context, file)
    return SourceEntry(
        message_id=context.file_id,
        position=row.number,
        form="csv",
        original=sheet.as_file(row),
        bundle=document,
        message=message,
        checked=checked,
    )


def _no_person(row: SheetRow, sheet: Sheet, mapping: FileMapping) -> Checked | None:
    """The verdict on a row whose cells cannot be told apart, or that is about nobody; None for any other."""
    place = f"row {row.number}"
    if row.problem is not None:
        return Checked(Verdict.REJECTED, (row.problem,), ())
    if _is_total(row, mapping):
        return Checked(Verdict.IGNORED, (information(place, "is a totals row, not a person"),), ())
    if sheet.repeats_header(row):
        return Checked(Verdict.IGNORED, (information(place, "is the header row again, not a person"),), ())
    if sheet.reaches(row, mapping.required):
        return None
    # Even an empty cell too many is refused: it is what an unquoted comma in an address looks like.
    rule = f"has {len(row.cells)} cells where the header has {sheet.width}"
    return Checked(Verdict.REJECTED, (error(place, rule, code="structure"),), ())


def _cells(row: SheetRow, sheet: Sheet, context: FileContext) -> Cells:
    """The row's cells by header; those that a spreadsheet left out at its end are empty."""
    width = len(row.cells)
    texts = {key: row.cells[place] if place < width else "" for key, place in sheet.position.items()}
    return Cells(row.number, texts, context.mapping, context.source.placeholders, sheet.encoding)


def _is_total(row: SheetRow, mapping: FileMapping) -> bool:
    first = next((spelling(cell) for cell in row.cells if cell.strip()), "")
    return first in mapping.totals or first.partition(":")[0].strip() in mapping.totals


def _read_row(
    cells: Cells, context: FileContext, file: _OtherRows
) -> tuple[Checked, dict[str, object] | None, SourceMessage | None]:
    """The verdict on a row, its Bundle unless it is rejected or ignored, and the message in that."""
    mapping = context.mapping
    service = mapping.service
    code = cells.coded(service) if isinstance(service, Column) else service
    if not context.source.serves(None if code is None else str(code)):
        if isinstance(service, Column) and not cells.says(service):
            cells.error(service, "is required: it says whether the row is about weight management", code="required")
        if has_error(cells.issues):  # nobody knows whether the row is ours
            return Checked(Verdict.REJECTED, tuple(cells.issues), ()), None, None
        issue = information(f"row {cells.row}", "is of no weight-management service")
        return Checked(Verdict.IGNORED, (issue,), ()), None, None
    column = mapping.person.get("local_id")
    if column is not None and as_identifier(one_line(cells.texts.get(column.key, ""))) in file.shared:
        reason = error(cells.place(column), "names two people in this file", code="business-rule")
        return Checked(Verdict.REJECTED, (reason,), ()), None, None
    message = file.before.without_collisions(_message(cells, context), cells)
    found = tuple(dict.fromkeys(cells.issues))
    if not _names_somebody(message.person):
        reason = error(f"row {cells.row}", "names nobody", code="required")
        return Checked(Verdict.REJECTED, (*found, reason), ()), None, None
    if nothing_left(found, message):
        return Checked(Verdict.REJECTED, found, ()), None, None
    document = bundle(message, source=context.source)
    checked, known = check(
        document, source=context.source, test_mode=context.test_mode, received_at=context.received_at
    )
    issues = (*found, *_further(checked, cells))
    refused = checked.verdict is Verdict.REJECTED or (known is not None and nothing_left(issues, known))
    verdict = verdict_of(issues, ignored=checked.verdict is Verdict.IGNORED, refused=refused)
    checked = replace(checked, verdict=verdict, issues=issues)
    return (checked, None, None) if verdict in (Verdict.REJECTED, Verdict.IGNORED) else (checked, document, known)


def _names_somebody(person: Person) -> bool:
    return bool(person.local_id or person.nhs_number or person.nhs_number_claimed or person.names)


def _message(cells: Cells, context: FileContext) -> SourceMessage:
    mapping = cells.mapping
    for column in mapping.required:
        if not cells.says(column):
            cells.error(column, "is required", code="required")
    source_version_at = _version_time(cells, context.received_at.astimezone(UTC))
    person = person_of(
        cells,
        reported_on=source_version_at.date(),
        test_mode=context.test_mode,
        issuer=context.source.issuer(""),
    )
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
