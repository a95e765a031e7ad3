"""What a council can drop: encodings, delimiters, headers, rows that do not fit, and what is said."""

import pytest
from council_files import CLIENT, HEADERS, RECEIVED_AT, line, mapping_text, read_east, row, session, sheet

from connectors.mapping import parse
from connectors.sources.tier2_csv import FileReading, read
from connectors.sources.tier2_csv.sheet import LINES_MAX
from schemas.disposition import Verdict
from schemas.errors import Severity
from schemas.sources import parse as parse_sources

NAME = "Ngũgĩ O’Hara-Müller"


def verdicts(reading: FileReading) -> dict[int, str]:
    return {entry.position: entry.checked.verdict.value for entry in reading.entries}


def family_of(reading: FileReading) -> str:
    bundle = reading.entries[0].bundle
    assert bundle is not None
    return str(bundle["entry"][1]["resource"]["name"][0]["family"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_unicode_file_is_read_with_or_without_its_byte_order_mark(encoding: str) -> None:
    reading = read_east(sheet(row(surname=NAME)).encode(encoding))
    assert family_of(reading) == NAME
    assert reading.file_issues == ()


def test_a_windows_file_is_read_and_the_council_is_told() -> None:
    reading = read_east(sheet(row(surname="O’Hara-Müller")).encode("cp1252"))
    assert family_of(reading) == "O’Hara-Müller"
    assert [(issue.severity, issue.location) for issue in reading.file_issues] == [(Severity.INFORMATION, "file")]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"\r\n \r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PK\x03\x04rest of a workbook", "workbook"),
        (b"\xd0\xcf\x11\xe0rest of an old workbook", "workbook"),
        (b"client_ref\x00,nhs_no", "NUL"),
        (sheet(row()).encode("utf-16-le"), "NUL"),
        (sheet(row()).encode("utf-32"), "UTF-32"),
        (b"\xff\xfe\x00", "byte order mark"),
        (sheet(row(surname="Müller")).encode() + sheet(row(surname="Müller")).encode("cp1252"), "mixes"),
        (sheet(row(surname="Müller")).encode() + b"caf\xc3", "ends inside a letter"),
        (b"caf\x81", "neither"),
        (b"a\n" * (LINES_MAX + 1), "more than"),
        (b'"never closed\n' + sheet(row()).encode(), "quote"),
    ],
)
def test_what_is_no_readable_text_is_refused_as_a_whole(raw: bytes, said: str) -> None:
    reading = read_east(raw)
    assert reading.refused
    assert reading.entries == ()
    assert said in reading.file_issues[-1].rule


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header_row_alone(delimiter: str) -> None:
    cells = [CLIENT.get(header, "") for header in HEADERS]
    cells[HEADERS.index("address1")] = "1,;1;1|1 High Street"
    reading = read_east(line(HEADERS, delimiter=delimiter) + line(cells, delimiter=delimiter))
    assert verdicts(reading) == {2: "accepted"}


def test_a_delimiter_the_mapping_fixes_is_not_guessed() -> None:
    fixed = mapping_text().replace('delimiter = "auto"', 'delimiter = ";"', 1)
    source = parse_sources(
        '[[source]]\nslug="c1"\nods="E10000"\ntier="tier2"\ndoor="folder"\nservices=["x"]\nmapping="m"',
        doors=["folder"],
        test_mode=True,
    )["c1"]
    reading = read(
        sheet(row()).encode(),
        source=source,
        mapping=parse(fixed),
        file_id="0" * 64,
        test_mode=True,
        received_at=RECEIVED_AT,
    )
    assert reading.refused


def test_headers_match_whatever_their_case_order_and_spaces() -> None:
    headers = [header.replace("_", " ").upper() for header in reversed(HEADERS)]
    cells = [CLIENT.get(header, "") for header in reversed(HEADERS)]
    assert verdicts(read_east(line(headers) + line(cells))) == {2: "accepted"}


def test_a_missing_column_refuses_the_file_and_is_named_as_the_mapping_names_it() -> None:
    headers = [header for header in HEADERS if header not in ("dob", "weight_unit")]
    reading = read_east(sheet(headers=headers))
    assert [issue.location for issue in reading.file_issues] == [
        "row 1, column dob",
        "row 1, column weight_unit",
    ]


def test_a_column_the_mapping_calls_optional_may_be_missing() -> None:
    assert "mobile" not in HEADERS
    assert not read_east(sheet(row())).refused


@pytest.mark.parametrize("headers", [[*HEADERS, "NHS No"], [*HEADERS, "Sur\u200bname"]])
def test_a_header_that_stands_twice_refuses_the_file(headers: list[str]) -> None:
    reading = read_east(sheet(headers=headers))
    assert reading.refused
    assert [issue.code for issue in reading.file_issues if issue.severity is Severity.ERROR] == ["duplicate"]


def test_a_header_that_is_not_read_may_stand_twice() -> None:
    wider = row().replace("\r\n", ",a,b\r\n")
    reading = read_east(sheet(wider, headers=[*HEADERS, "notes", "Notes"]))
    assert [issue.rule for issue in reading.file_issues] == ["2 columns are not in the mapping and are not read"]
    assert verdicts(reading) == {2: "accepted"}


@pytest.mark.parametrize("mark", ["\ufeff", "\u200b", "\u00a0", "\u202a"])
def test_a_sign_that_nobody_sees_makes_no_other_header(mark: str) -> None:
    assert verdicts(read_east("\ufeff" + mark + sheet(row()))) == {2: "accepted"}


def test_a_file_whose_first_row_is_already_a_person_is_refused_without_repeating_the_person() -> None:
    reading = read_east(row() + row())
    assert reading.refused
    assert all(CLIENT["surname"] not in issue.location + issue.rule for issue in reading.file_issues)


def test_unknown_columns_are_not_read_and_counted() -> None:
    wider = row().replace("\r\n", ",,,,\r\n")
    reading = read_east(sheet(wider, headers=[*HEADERS, "notes", "worker", "", ""]))
    assert [issue.rule for issue in reading.file_issues] == ["2 columns are not in the mapping and are not read"]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    """The header is row 1, blank rows count, and a cell with line breaks in it is still one row."""
    blank = line([""] * len(HEADERS))
    reading = read_east(
        sheet(row(), blank, "\r\n", row(address1="Flat 1\n2 High Street\r\nTown"), row(referral_date="x"))
    )
    assert verdicts(reading) == {2: "accepted", 5: "accepted", 6: "rejected"}
    assert reading.entries[-1].checked.issues[0].location == "row 6, column referral_date"


def test_blank_rows_above_the_header_count_too() -> None:
    assert verdicts(read_east("\n\n" + sheet(row()))) == {4: "accepted"}


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_every_common_line_end_is_one(line_end: str) -> None:
    text = sheet(row(), row(client_ref="EC-2", referral_ref="R-78")).replace("\r\n", line_end)
    assert verdicts(read_east(text)) == {2: "accepted", 3: "accepted"}


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_what_python_calls_a_line_end_and_csv_does_not_never_splits_a_row(separator: str) -> None:
    reading = read_east(sheet(row(address1=f"1 High{separator}Street"), row(client_ref="EC-2", referral_ref="R-78")))
    assert [entry.position for entry in reading.entries] == [2, 3]
    assert reading.entries[1].checked.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("cells", [["EC-1"], [*([""] * (len(HEADERS) - 1)), "a", "b"], [*([""] * len(HEADERS)), ""]])
def test_a_row_with_another_number_of_cells_is_rejected(cells: list[str]) -> None:
    """Also when the cell too many is empty: an unquoted comma in an address looks just so."""
    filled = [cell or "x" if at < 2 else cell for at, cell in enumerate(cells)]
    reading = read_east(sheet(line(filled), row()))
    assert verdicts(reading) == {2: "rejected", 3: "accepted"}
    assert reading.entries[0].checked.issues[0].location == "row 2"


def test_an_open_quote_spoils_its_own_row_and_no_other() -> None:
    reading = read_east(sheet(row(), '"EC-2,open\r\n', row(address1="1, High Street"), *[row()] * 60))
    assert [number for number, verdict in verdicts(reading).items() if verdict == "rejected"] == [3]
    assert len(reading.entries) == 63


def test_an_open_quote_in_the_last_row_is_that_rows_own_fault() -> None:
    assert verdicts(read_east(sheet(row(), '"EC-2,open'))) == {2: "accepted", 3: "rejected"}


def test_a_file_without_a_last_line_end_is_taken_with_a_note() -> None:
    reading = read_east(sheet(row()).rstrip())
    assert verdicts(reading) == {2: "accepted"}
    assert "cut short" in reading.file_issues[0].rule


def test_a_cell_or_row_beyond_all_bounds_is_rejected_by_itself() -> None:
    reading = read_east(sheet(row(referral_ref="A" * 2_001), row(surname="A" * 200_000), row()))
    assert verdicts(reading) == {2: "rejected", 3: "rejected", 4: "accepted"}
    assert [entry.checked.issues[0].code for entry in reading.entries[:2]] == ["too-long", "too-long"]


def test_a_totals_row_at_the_foot_is_ignored_whatever_its_width() -> None:
    reading = read_east(sheet(row(), "TOTAL,1\r\n", line(["Grand  Total", *[""] * (len(HEADERS) - 1)])))
    assert verdicts(reading) == {2: "accepted", 3: "ignored", 4: "ignored"}


def test_a_rejected_row_keeps_what_was_sent_below_its_header_so_that_it_can_be_read_again() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        raw = sheet(row(), row(referral_date="31/02/1980", surname="Müller")).encode(encoding)
        bad = read_east(raw).entries[1]
        again = read_east(bad.original)
        assert verdicts(again) == {2: "rejected"}
        assert again.entries[0].checked.issues[0].rule == bad.checked.issues[0].rule


def test_the_same_content_gives_the_same_entries_and_another_file_gives_others() -> None:
    first, again, other = (read_east(sheet(session(), *more)) for more in ((), (), (row(),)))
    names = [(entry.message_id, entry.position) for entry in first.entries]
    assert names == [(entry.message_id, entry.position) for entry in again.entries]
    assert set(names).isdisjoint((entry.message_id, entry.position) for entry in other.entries)
