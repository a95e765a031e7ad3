"""Cells as people, exports and spreadsheets write them: each is read, or it costs its own fact and is reported."""

from decimal import Decimal

import pytest
from council_files import HEADERS, read_east, row, session, sheet

from connectors.entry import SourceEntry
from connectors.sources.tier2_csv.amounts import amount_of


def entry_of(*rows: str) -> SourceEntry:
    """The first row of a file with these rows."""
    return read_east(sheet(*rows)).entries[0]


def places(entry: SourceEntry) -> list[tuple[str, str]]:
    """Severity and column of each issue."""
    return [(i.severity.value, i.location.rpartition("column ")[2]) for i in entry.checked.issues]


def fact_types(entry: SourceEntry) -> list[object]:
    return [fact["type"] for fact in entry.checked.facts]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("+118.4", "118.4", None),
        ("118.", "118", None),
        (".5", "0.5", None),
        ("88·4", "88.4", None),
        ("８８.4", "88.4", None),
        ("'88.4", "88.4", None),
        ("88.4 Kgs.", "88.4", "kg"),
        ("13 st 13", "195", "[lb_av]"),
        ("5'7\"", "67", "[in_i]"),
        ("5ft 7in", "67", "[in_i]"),
        ("1m 71", "171", "cm"),
        ("5\u20327\u2033", "67", "[in_i]"),
        ("13 st. 13 lb.", "195", "[lb_av]"),
        ("13 stone and 13 pounds", "195", "[lb_av]"),
        ("118.40000000000001", "118.4", None),
        ("95.49999999999999", "95.5", None),
    ],
)
def test_a_number_with_one_reading_is_read(text: str, value: str, unit: str | None) -> None:
    amount = amount_of(text)
    assert amount is not None
    assert (amount.value, amount.unit) == (Decimal(value), unit)


@pytest.mark.parametrize(
    "text",
    ["1,088", ">150", "<150", "~88", "88-89", "-88", "13/13", "13 st 14", "88.4*", "88 .4", "88 furlong"],
)
def test_a_number_with_no_reading_or_two_costs_the_weight_and_nothing_else(text: str) -> None:
    entry = entry_of(session(weight=text, height=""))
    assert fact_types(entry) == ["demographics", "referral", "attendance"]
    assert places(entry) == [("error", "weight")]


@pytest.mark.parametrize("text", ["N/A", "-", "Not weighed", "refused", "Declined", "DNA", "TBC", "?"])
def test_a_weight_nobody_took_is_no_weight_and_no_fault(text: str) -> None:
    entry = entry_of(session(weight=text, height=""))
    assert places(entry) == [("information", "weight")]
    assert entry.checked.verdict.value == "accepted"


@pytest.mark.parametrize(("unit", "place"), [("cm", "weight_unit"), ("furlong", "weight_unit"), ("", "weight_unit")])
def test_a_unit_that_measures_no_weight_is_an_error_at_the_unit(unit: str, place: str) -> None:
    assert places(entry_of(session(weight_unit=unit))) == [("error", place)]


def test_a_unit_in_the_cell_that_is_not_the_unit_beside_it_is_an_error() -> None:
    assert places(entry_of(session(weight="195 lb", weight_unit="kg"))) == [("error", "weight_unit")]


@pytest.mark.parametrize("word", ["N/A", "TBC", "-", "#REF!", "0", "1.23E+05"])
def test_a_client_number_that_is_none_is_never_a_local_id(word: str) -> None:
    """Else all strangers of a file would be one record."""
    entry = entry_of(row(client_ref=word))
    assert entry.message is None or entry.message.person.local_id is None
    assert "client_ref" in {column for _, column in places(entry)}


@pytest.mark.parametrize("word", ["N/A", "TBC", "#REF!", "000"])
def test_a_session_number_that_is_none_names_no_session(word: str) -> None:
    entry = entry_of(session(session_ref=word))
    assert fact_types(entry) == ["demographics", "referral"]
    assert ("error", "session_ref") in places(entry)


@pytest.mark.parametrize(
    ("text", "severity", "read"),
    [
        ("1980-02-29", "warning", True),
        ("29 Feb 1980", "warning", True),
        ("29.02.1980", "warning", True),
        ("3/4/1980", "error", False),
        ("02/29/1980", "error", False),
        ("29280", "error", False),
        ("01/01/1753", "information", False),
        ("29th February 1980", "warning", True),
        ("Friday, 29 February 1980", "warning", True),
        ("Feb 29, 1980", "warning", True),
        ("1980/02/29", "warning", True),
        ("19800229", "warning", True),
        ("29 Decimal 1980", "error", False),
        ("29-Feb-80", "error", False),
        ("29/02/1980 23:00", "error", False),
    ],
)
def test_a_birth_date_in_another_form_is_read_or_costs_the_birth_date(text: str, severity: str, read: bool) -> None:
    entry = entry_of(row(dob=text))
    assert places(entry) == [(severity, "dob")]
    assert (entry.checked.identity or {})["birth_date"] is read


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/04/2026 10:15", "2026-04-01"),
        ("2026-04-01T10:15:00", "2026-04-01"),
        ("31/03/2026 23:30:00Z", "2026-04-01"),  # half past midnight in London
        ("31/03/2026 22:59Z", "2026-03-31"),
        ("31/03/2026 18:30-05:00", "2026-04-01"),
    ],
)
def test_a_day_with_a_time_of_the_day_is_the_day_in_london(text: str, day: str) -> None:
    entry = entry_of(row(referral_date=text))
    assert {fact["on"] for fact in entry.checked.facts if fact["type"] == "referral"} == {day}
    assert ("warning", "referral_date") in places(entry)


@pytest.mark.parametrize(("cells", "column"), [({"attendance": "5.0"}, "attendance"), ({"sex": "2.0"}, "sex")])
def test_a_code_that_a_column_with_gaps_made_a_float_is_the_code(cells: dict[str, str], column: str) -> None:
    assert places(entry_of(session(**cells))) == []


def test_a_tick_is_no_word_for_nothing() -> None:
    assert places(entry_of(session(attendance="\u2713"))) == [("error", "attendance")]


def test_the_default_code_for_no_practice_is_said() -> None:
    assert places(entry_of(row(gp_practice="V81999"))) == [("information", "gp_practice")]


@pytest.mark.parametrize("written", ["'001001", '="001001"', "001001\u200b", "\u00a0001001"])
def test_a_client_number_is_the_same_however_a_spreadsheet_marks_it(written: str) -> None:
    messages = [entry_of(row(client_ref=text)).message for text in (written, "001001")]
    number, plain = (message.person.local_id for message in messages if message is not None)
    assert number is not None
    assert number == plain


def test_a_formula_is_no_client_number() -> None:
    entry = entry_of(row(client_ref='=HYPERLINK("x","1001")'))
    assert entry.message is None or entry.message.person.local_id is None
    assert places(entry) == [("warning", "client_ref")]


@pytest.mark.parametrize("word", ["NULL", "0", "nan", "N/A", "-"])
def test_an_address_that_says_nothing_is_missing(word: str) -> None:
    assert places(entry_of(row(address1=word))) == [("information", "address1")]


@pytest.mark.parametrize("word", ["UNKNOWN", "Not Known", "XX", "TEST", "Baby", "?", "-", "N/A", "0"])
def test_a_surname_that_says_nothing_is_missing(word: str) -> None:
    assert places(entry_of(row(surname=word))) == [("information", "surname")]


@pytest.mark.parametrize(
    "name",
    ["Mï¿½ller", "M\ufffdller", "M?ller", "O&#39;Brien", "=A1", "+Smith", "Smith (DO NOT USE)", "Deceased - Smith"],
)
def test_a_name_that_something_was_done_to_is_reported(name: str) -> None:
    assert ("warning", "surname") in places(entry_of(row(surname=name)))


@pytest.mark.parametrize("name", ["Smith (née Jones)", "Smith née Jones", "Smith nee Jones", "Smith, formerly Jones"])
def test_a_former_surname_beside_the_surname_is_a_former_surname(name: str) -> None:
    entry = entry_of(row(surname=name))
    assert (places(entry), (entry.checked.identity or {})["names"]) == ([], 2)


def test_nee_is_also_a_surname() -> None:
    assert (entry_of(row(surname="Nee")).checked.identity or {})["names"] == 1


def test_a_number_in_a_column_of_names_is_no_name_and_no_word_for_nothing() -> None:
    """Cells that slid one column on are worth a warning; a dash is not."""
    assert places(entry_of(row(surname="9990000018"))) == [("warning", "surname")]


def test_a_hospital_code_is_no_practice() -> None:
    entry = entry_of(row(gp_practice="LEE"))
    assert places(entry) == [("warning", "gp_practice")]
    assert not any("practice_ods" in fact for fact in entry.checked.facts)


@pytest.mark.parametrize("text", ["TBC", "01/01/1900", "00/00/0000", "31/12/9999 23:59Z"])
def test_a_referral_without_a_day_is_an_error_and_a_stage_without_one_is_none(text: str) -> None:
    assert ("error", "referral_date") in places(entry_of(session(referral_date=text)))
    assert places(entry_of(session(accepted_date=text))) == [("information", "accepted_date")]


@pytest.mark.parametrize(
    ("text", "severity"),
    [("soon", "warning"), ("10/05/26 09:30", "warning"), ("N/A", "information"), ("01/01/1900 00:00", "information")],
)
def test_a_version_time_that_cannot_be_read_sinks_no_row(text: str, severity: str) -> None:
    assert places(entry_of(row(last_updated=text))) == [(severity, "last_updated")]
    assert "referral" in fact_types(entry_of(row(last_updated=text)))


@pytest.mark.parametrize(
    "text",
    [
        "10/05/2026 14:30:00",
        "10/05/2026 2:30 PM",
        "10/05/2026, 14:30",
        "10/05/2026 13:30Z",
        "10/05/2026T15:30:00+02:00",
    ],
)
def test_a_version_time_in_each_spelling_is_the_same_moment(text: str) -> None:
    entry, plain = entry_of(row(last_updated=text)), entry_of(row(last_updated="10/05/2026 14:30"))
    assert places(entry) == []
    assert (entry.bundle or {})["timestamp"] == (plain.bundle or {})["timestamp"]


def test_a_row_cut_in_two_by_a_line_end_is_refused_in_both_halves() -> None:
    text = sheet(row(address1="1 High St")).replace("1 High St", "1 High\r\n St")
    assert [entry.checked.verdict.value for entry in read_east(text).entries] == ["rejected", "rejected"]


def test_a_corrected_nhs_number_is_no_second_person() -> None:
    entries = read_east(sheet(row(), row(nhs_no="999 000 0026"))).entries
    assert [entry.checked.verdict.value for entry in entries] == ["accepted", "accepted"]


def test_a_married_name_is_no_second_person() -> None:
    entries = read_east(sheet(row(), row(surname="Bell", forename="N"))).entries
    assert [entry.checked.verdict.value for entry in entries] == ["accepted", "accepted"]


def test_two_people_without_nhs_number_under_one_client_number_are_refused() -> None:
    first = row(nhs_no="")
    second = row(nhs_no="", surname="Marsh", forename="Tom", dob="03/05/1971")
    entries = read_east(sheet(first, second)).entries
    assert [places(entry) for entry in entries] == [[("error", "client_ref")]] * 2


def test_a_file_without_a_header_is_refused_for_one_reason() -> None:
    issues = read_east("sep=;\r\n1;2\r\n").file_issues
    assert [(i.severity.value, i.location) for i in issues] == [("error", "row 1")]
    assert len(HEADERS) > 1
