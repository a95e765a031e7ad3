"""A council's .xlsx through the mapping of its CSV."""

import csv
import hashlib
import io
import zipfile
from datetime import date

import pytest
from council_files import HEADERS, RECEIVED_AT, east, mapping_text, read_east, session, sheet
from workbooks import Cell, workbook

from connectors.mapping import parse
from connectors.sources.tier2_csv import read

VALUES = dict(zip(HEADERS, next(csv.reader([session()])), strict=True))
TYPED: dict[str, Cell] = {
    **VALUES, "nhs_no": 9990000018, "dob": date(1980, 2, 29), "weight": 95.5, "referral_date": date(2026, 4, 1),
}  # fmt: skip


def rows(**cells: Cell) -> list[list[Cell]]:
    """The header and one row of TYPED with these cells instead."""
    values = {**TYPED, **cells}
    return [list(HEADERS), [values[header] for header in HEADERS]]


@pytest.mark.parametrize("date1904", [False, True])
def test_a_workbook_says_what_its_csv_says(date1904: bool) -> None:
    reading = read_east(workbook(rows(), date1904=date1904))
    assert reading.file_issues == ()
    assert reading.entries[0].checked == read_east(sheet(session())).entries[0].checked


def test_the_original_of_a_row_is_its_text_and_reads_the_same() -> None:
    entry = read_east(workbook(rows())).entries[0]
    assert read_east(entry.original).entries[0].checked == entry.checked


def test_rows_are_numbered_as_the_spreadsheet_shows_them() -> None:
    reading = read_east(workbook([["Weekly return"], [None], *rows()]))
    assert [entry.position for entry in reading.entries] == [4]


def test_an_error_value_is_reported_and_costs_its_fact() -> None:
    checked = read_east(workbook(rows(weight=("e", "#DIV/0!")))).entries[0].checked
    assert [(i.severity.value, i.location) for i in checked.issues] == [("warning", "row 2, column weight")]


def test_a_day_number_is_a_day_only_by_the_mapping() -> None:
    content = workbook(rows(dob=29280))
    assert (read_east(content).entries[0].checked.identity or {})["birth_date"] is False
    text = mapping_text().replace("[dates]", '[dates]\nserials = "1900"')
    reading = read(
        content, source=east(), mapping=parse(text), file_id=hashlib.sha256(content).hexdigest(), test_mode=True,
        received_at=RECEIVED_AT,
    )  # fmt: skip
    assert reading.entries[0].checked == read_east(sheet(session())).entries[0].checked


def uncalculated(content: bytes, value: bytes) -> bytes:
    """The workbook with a formula that nobody calculated in place of the number `value`."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name).replace(b"<v>" + value + b"</v>", b"<f>A1+1</f>"))
    return target.getvalue()


def test_a_formula_that_a_program_wrote_without_its_value_is_reported() -> None:
    checked = read_east(uncalculated(workbook(rows()), b"95.5")).entries[0].checked
    assert [(i.severity.value, i.location) for i in checked.issues] == [("warning", "row 2, column weight")]


def test_a_number_is_what_the_spreadsheet_shows_of_it() -> None:
    checked = read_east(workbook(rows(weight=118.40000000000001))).entries[0].checked
    assert [fact["value"] for fact in checked.facts if fact.get("quantity") == "weight"] == ["118.40"]


def test_a_client_number_beyond_the_digits_a_spreadsheet_keeps_is_not_kept() -> None:
    entry = read_east(workbook(rows(client_ref=12345678901234567))).entries[0]
    assert entry.message is None or entry.message.person.local_id is None
    assert [i.location for i in entry.checked.issues] == ["row 2, column client_ref"]


@pytest.mark.parametrize("serial", ["-1", "0", "0.5", "60", "2958465.99999999", "3000000"])
def test_no_day_number_that_a_cell_can_hold_is_a_crash(serial: str) -> None:
    content = uncalculated(workbook(rows()), b"29280")
    shown = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(shown, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name).replace(b"<f>A1+1</f>", b"<v>" + serial.encode() + b"</v>"))
    assert len(read_east(shown.getvalue()).entries) == 1


def test_data_on_a_hidden_sheet_is_refused_with_the_reason() -> None:
    reading = read_east(workbook([["Notes"]], rows(), hidden=[1]))
    assert [i.rule for i in reading.file_issues] == ["has the mapping's columns on a hidden sheet; show it"]


def test_sheets_that_are_not_read_are_counted() -> None:
    for content in (workbook([["Notes"]], rows()), workbook(rows(), rows(), hidden=[1])):
        reading = read_east(content)
        assert len(reading.entries) == 1
        assert [i.rule for i in reading.file_issues] == ["has 1 other sheets, which are not read"]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04rest",
        workbook(rows(), rows()),
        workbook([["a", "b"]]),
        workbook([[None]]),
        workbook([[None] * 16_000] * 2)[:400],
    ],
)
def test_a_workbook_without_one_sheet_to_read_is_refused(content: bytes) -> None:
    assert read_east(content).refused


def test_a_sheet_of_two_far_cells_is_refused_before_it_is_laid_out() -> None:
    far: list[list[Cell]] = [["a"], *([[]] * 1000), [*([None] * 16_000), "z"]]
    assert [i.code for i in read_east(workbook(far)).file_issues] == ["too-costly"]
