"""Every fact that a council's file can hold, in every word, unit, number and day, is read back as the fact that was
meant: from CSV, and from a workbook by the same mapping.

What a word means stands here, not in the mapping; each table is checked to hold every word of the mapping's lists.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from council_files import CLIENT, HEADERS, SMALLEST, east, line, mapping_text
from eastern_words import (
    ATTENDANCE,
    DELIVERY,
    ETHNICITY,
    LEVELS,
    MEDIUMS,
    METHODS,
    PURPOSES,
    RATINGS,
    REASONS,
    RETURNED,
    SEX,
    SOURCES,
    SUSPENDED,
    WHO,
    YES_NO,
)
from spellings import (
    AMOUNTS,
    MEASURED_IN,
    NHS_NUMBER,
    NHS_SPELLINGS,
    UBRN_SPELLINGS,
    UCUM,
    UNIT_SPELLINGS,
    in_ours,
)
from workbooks import workbook

from connectors import mapping as mappings
from connectors.mapping import FileMapping
from connectors.sources.tier2_csv import read
from schemas.check import check
from schemas.errors import Severity
from schemas.facts import (
    Attendance,
    Comorbidity,
    Decline,
    Discharge,
    Experience,
    FactBody,
    Measurement,
    ProgrammeStart,
    Suspension,
    Triage,
    Withdrawal,
)
from schemas.source_message import SourceMessage

RECEIVED_AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
EAST_HEADERS = (
    *HEADERS, "diabetes", "triage_date", "triage_level", "ubrn", "session_purpose", "session_medium", "suspended_date",
    "suspended_reason", "experience_date", "experience", "onward_returned_date", "onward_returned_reason",
)  # fmt: skip
SESSION_ON, SOME_DAY = date(2026, 5, 7), date(2026, 4, 20)
Row = Mapping[str, Any]


def both_files(rows: Sequence[Row], headers: Sequence[str], delimiter: str = ",") -> Iterator[bytes]:
    """The same rows as CSV and as a workbook of texts."""
    table = [[row.get(header, "") for header in headers] for row in rows]
    yield "".join(line(cells, delimiter=delimiter) for cells in [list(headers), *table]).encode()
    yield workbook([list(headers), *table])


def messages(raw: bytes, mapping: FileMapping) -> list[tuple[SourceMessage, list[str]]]:
    """What each row of a file says, as ingress reads it, with the places of its warnings and errors."""
    reading = read(raw, source=east(), mapping=mapping, file_id="f" * 64, test_mode=True, received_at=RECEIVED_AT)
    found = []
    for entry in reading.entries:
        assert entry.bundle is not None, entry.checked.issues
        _, message = check(entry.bundle, source=east(), test_mode=True, received_at=RECEIVED_AT)
        assert message is not None
        reported = [issue.location for issue in entry.checked.issues if issue.severity is not Severity.INFORMATION]
        found.append((message, reported))
    return found


def client(place: int, **cells: Any) -> dict[str, Any]:
    """A row of the eastern council about a client and a referral of its own."""
    return {**CLIENT, "client_ref": f"C-{place}", "referral_ref": f"R-{place}", **cells} | (
        {"session_ref": f"S-{place}"} if "session_date" in cells else {}
    )


def east_mapping(day: str = "dd/mm/yyyy", more: str = "") -> FileMapping:
    """The mapping, with another format of days."""
    text = mapping_text().replace('date = "dd/mm/yyyy"', f'date = "{day}"\n{more}')
    return mappings.parse(text.replace('datetime = "dd/mm/yyyy hh:mm"', f'datetime = "{day} hh:mm"'))


# ------------------------------------------------------------ the words of the councils

ON = {"on": SOME_DAY}
SESSION = {"session_date": "07/05/2026"}
WEIGHT = Measurement(
    on=SESSION_ON, quantity="weight", value=Decimal("95.5"), unit_given="kg", value_given=Decimal("95.5")
)
START = ProgrammeStart(**ON, programme="tier2-group-12w")  # the programme of the source
# (column, what else the row holds, its words, the fact with one of the values)
EAST = [
    ("triage_level", {"triage_date": "20/04/2026"}, LEVELS, lambda code: Triage(**ON, level=code)),
    ("declined_by", {"declined_date": "20/04/2026"}, WHO, lambda code: Decline(**ON, declined_by=code)),
    ("decline_reason", {"declined_date": "20/04/2026"}, REASONS, lambda code: Decline(**ON, reason=code)),
    ("delivery", {"start_date": "20/04/2026"}, DELIVERY, lambda code: START.model_copy(update={"delivery": code})),
    ("attendance", SESSION, ATTENDANCE, lambda code: Attendance(on=SESSION_ON, attendance=code)),
    ("group", SESSION | {"attendance": "5"}, YES_NO, lambda yes: Attendance(on=SESSION_ON, attendance="5", group=yes)),
    ("session_purpose", SESSION | {"attendance": "5"}, PURPOSES,
     lambda code: Attendance(on=SESSION_ON, attendance="5", purpose=code)),
    ("session_medium", SESSION | {"attendance": "5"}, MEDIUMS,
     lambda code: Attendance(on=SESSION_ON, attendance="5", medium=code)),
    ("suspended_reason", {"suspended_date": "20/04/2026"}, SUSPENDED, lambda code: Suspension(**ON, reason=code)),
    ("experience", {"experience_date": "20/04/2026"}, RATINGS, lambda rating: Experience(**ON, rating=rating)),
    ("onward_returned_reason", {"onward_returned_date": "20/04/2026"}, RETURNED,
     lambda code: Decline(**ON, reason=code)),
    ("self_reported", SESSION | {"weight": "95.5", "weight_unit": "kg"}, METHODS,
     lambda code: WEIGHT.model_copy(update={"method": code})),
    ("diabetes", {}, YES_NO, lambda yes: Comorbidity(on=date(2026, 4, 1), condition="diabetes", present=yes)),
    ("end_reason", {"withdrawn_date": "20/04/2026"}, REASONS, lambda code: Withdrawal(**ON, reason=code)),
    ("end_reason", {"discharged_date": "20/04/2026"}, REASONS, lambda code: Discharge(**ON, reason=code)),
]  # fmt: skip


def words_of(values: Mapping[Any, Any]) -> list[tuple[Any, str]]:
    """(value, word) of a table."""
    return [
        (value, word)
        for value, words in values.items()
        for word in (words.split() if isinstance(words, str) else words)
    ]


@pytest.mark.parametrize(
    ("column", "beside", "values", "fact"), EAST, ids=lambda part: part if isinstance(part, str) else ""
)
def test_every_word_of_the_eastern_council(column: str, beside: Row, values: Row, fact: Any) -> None:
    words = words_of(values)
    rows = [client(place, **beside, **{column: word}) for place, (_, word) in enumerate(words)]
    for raw in both_files(rows, EAST_HEADERS):
        read_back = messages(raw, east_mapping())
        for (value, word), (message, reported) in zip(words, read_back, strict=True):
            meant = fact(value)
            bodies = [found.body for found in message.facts if type(found.body) is type(meant)]
            assert (word, bodies, reported) == (word, [meant], [])


def test_every_word_for_the_person_and_the_referral_of_the_eastern_council() -> None:
    for column, values, kind, field in (
        ("sex", SEX, "demographics", "sex"),
        ("ethnicity", ETHNICITY, "demographics", "ethnic_category"),
        ("referral_source", SOURCES, "referral", "referral_source"),
    ):
        words = words_of(values)
        rows = [client(place, **{column: word}) for place, (_, word) in enumerate(words)]
        for raw in both_files(rows, EAST_HEADERS):
            for (value, word), (message, reported) in zip(words, messages(raw, east_mapping()), strict=True):
                (body,) = (fact.body for fact in message.facts if fact.body.type == kind)
                assert (word, getattr(body, field), reported) == (word, value, [])


def test_the_tables_hold_every_word_of_the_eastern_mapping() -> None:
    tried = {
        column: {" ".join(word.split()).casefold() for _, word in words_of(values)} for column, _, values, _ in EAST
    }
    for column, values in (("sex", SEX), ("ethnicity", ETHNICITY), ("referral_source", SOURCES)):
        tried[column] = {" ".join(word.split()).casefold() for _, word in words_of(values)}
    spelt = {word.casefold() for words in UNIT_SPELLINGS.values() for word in words}
    tried |= {"weight_unit": spelt, "height_unit": spelt}
    lists = {column.header: column.codes for column in east_mapping().columns() if column.codes}
    assert {name: set(words) - tried[name] for name, words in lists.items()} == {name: set() for name in lists}


# ------------------------------------------------------------ units and numbers

MEASURES = (
    SMALLEST.partition("[[fact]]")[0]
    + """
[[fact]]
type = "measurement"
quantity = "QUANTITY"
key = ["id"]
on = { column = "day" }
value = { column = "value" }
unit = { column = "unit", codes = "unit" }
[codes.unit]
ours = "UNIT"
"""
)


def measured(quantity: str, cells: Sequence[tuple[str, str]], first_unit: str) -> list[list[FactBody]]:
    """The measurements of rows with these values and units, from CSV; those from a workbook are the same."""
    mapping = mappings.parse(MEASURES.replace("QUANTITY", quantity).replace("UNIT", UCUM[first_unit]))
    rows = [{"id": f"C-{place}", "day": "2026-05-07", "value": value, "unit": unit}
            for place, (value, unit) in enumerate(cells)]  # fmt: skip
    by_format = [
        [
            [fact.body for fact in message.facts if fact.body.type == "measurement"]
            for message, _ in messages(raw, mapping)
        ]
        for raw in both_files(rows, ("id", "day", "value", "unit"))
    ]
    assert by_format[0] == by_format[1]
    return by_format[0]


def measurement(quantity: str, unit: str, amount: str = "") -> Measurement:
    """The fact that this amount says."""
    amount = amount or AMOUNTS[unit]
    given = {"value": in_ours(amount, unit), "unit_given": unit, "value_given": Decimal(amount)}
    return Measurement(on=SESSION_ON, quantity=quantity, **given)


@pytest.mark.parametrize("quantity", MEASURED_IN)
def test_every_spelling_of_every_unit_in_its_column_and_beside_the_number(quantity: str) -> None:
    units = [(unit, word) for unit in MEASURED_IN[quantity] for word in UNIT_SPELLINGS[unit]]
    meant = [[measurement(quantity, unit)] for unit, _ in units]
    first = MEASURED_IN[quantity][0]
    assert measured(quantity, [(AMOUNTS[unit], word) for unit, word in units], first) == meant
    for between in ("", " "):
        beside = [(f"{AMOUNTS[unit]}{between}{word}", "") for unit, word in units]
        assert measured(quantity, beside, first) == meant


def test_every_spelling_of_a_number() -> None:
    texts = (
        "118.4",
        "118.40",
        "+118.4",
        "118,4",
        "118·4",
        "0118.4",
        " 118.4 ",
        "'118.4",
        "118.40000000000001",
        "１１８.４",
    )
    assert measured("weight", [(text, "kg") for text in texts], "kg") == [[measurement("weight", "kg")] for _ in texts]
    assert measured("weight", [("118.", "kg")], "kg") == [[measurement("weight", "kg", "118")]]
    assert measured("height", [(".5", "m")], "m")[0][0].value == Decimal(50)  # type: ignore[union-attr]


STONES = (
    "13st 5lb", "13 st 5 lb", "13st5lb", "13 stone 5 pounds", "13 Stones, 5 lbs", "13st 5", "13 stone and 5 lb",
    "13 st. 5 lb.", "13st & 5lb",
)  # fmt: skip
FEET = ("5'7\"", "5' 7\"", "5 ft 7 in", "5ft7in", "5 foot 7 inches", "5ft 7", "5′7″", "5’7”", "5' 7''", "5 feet, 7 ins")
METRES = ("1m 71cm", "1m71", "1 m 71 cm", "1 metre 71 centimetres")


def test_every_spelling_of_stones_with_pounds_and_feet_with_inches() -> None:
    for quantity, texts, unit, amount in (
        ("weight", STONES, "lb_av", "187"), ("height", FEET, "in_i", "67"), ("height", METRES, "cm", "171"),
    ):  # fmt: skip
        found = measured(quantity, [(text, "") for text in texts], MEASURED_IN[quantity][0])
        assert dict(zip(texts, found, strict=True)) == {text: [measurement(quantity, unit, amount)] for text in texts}


# ------------------------------------------------------------ the western council

WEST_HEADERS = (
    "Programme", "ClientID", "NHS Number", "Surname", "GivenName", "Date of Birth", "Gender", "PostCode",
    "Ethnic Group", "EpisodeNo", "ReferralDate", "EnrolDate", "VisitDate", "Outcome", "Stones", "Pounds", "Feet",
    "Inches", "ClosedDate", "RecordDate",
)  # fmt: skip
WEST = {
    "Programme": "Weight management", "ClientID": "W-1", "Surname": "Okonkwo", "GivenName": "Ngozi",
    "Date of Birth": "1980-02-29", "Gender": "Female", "EpisodeNo": "E-1", "ReferralDate": "2026-04-01",
    "RecordDate": "2026-05-10",
}  # fmt: skip


def west(**cells: str) -> list[FactBody]:
    """The facts of one row, the same from both formats."""
    mapping = mappings.parse(mapping_text("council-west"))
    visit = {"VisitDate": "2026-05-07"} if {"Outcome", "Stones"} & set(cells) else {}
    row = WEST | visit | {key.replace("_", " "): value for key, value in cells.items()}
    found = []
    for raw in both_files([row], WEST_HEADERS, ";"):
        ((message, reported),) = messages(raw, mapping)
        assert reported == []
        found.append([fact.body for fact in message.facts])
    assert found[0] == found[1]
    return found[0]


def test_stones_pounds_feet_and_inches_in_columns_of_their_own() -> None:
    facts = west(Stones="13", Pounds="5.5", Feet="5", Inches="7")
    assert measurement("weight", "lb_av", "187.5") in facts
    assert measurement("height", "in_i", "67") in facts
    assert measurement("weight", "stone_av", "13") in west(Stones="13")


def test_every_word_of_the_western_council() -> None:
    outcomes = {"5": "Came", "6": "late", "3": "No show", "2": "client cancelled", "4": "We cancelled"}
    for code, word in outcomes.items():
        assert Attendance(on=SESSION_ON, attendance=code) in west(Outcome=word)
    sexes = {"male": "Male", "female": "FEMALE", "other": "not specified", "unknown": "Not known"}
    for sex, word in sexes.items():
        assert [body.sex for body in west(Gender=word) if body.type == "demographics"] == [sex]
    for group in ("White", "Black", "Asian", "Mixed", "Other"):
        for word in (group, group.upper()):
            (body,) = (body for body in west(Ethnic_Group=word) if body.type == "demographics")
            assert (body.ethnic_category, body.ethnic_system) == (group, "dwmp")
    assert west(Programme="Tier 2 adult") == west(Programme="WEIGHT  management")
    assert Discharge(on=SOME_DAY) in west(ClosedDate="2026-04-20")
    assert any(isinstance(body, ProgrammeStart) and body.on == SOME_DAY for body in west(EnrolDate="2026-04-20"))


# ------------------------------------------------------------ days and numbers of people

DAY_AS_WRITTEN = {
    "dd/mm/yyyy": "07/05/2026", "d/m/yyyy": "7/5/2026", "dd-mm-yyyy": "07-05-2026", "dd.mm.yyyy": "07.05.2026",
    "yyyy-mm-dd": "2026-05-07", "yyyy/mm/dd": "2026/05/07", "yyyymmdd": "20260507", "mm/dd/yyyy": "05/07/2026",
}  # fmt: skip
REST_OF_THE_ROW = {"dob": "29 Feb 1980", "referral_date": "1 April 2026", "last_updated": "10 May 2026 09:30"}
# One reading whatever the format: year first (ISO 8601), or the month as a word.
UNMISTAKABLE = (
    "2026-05-07",
    "2026/05/07",
    "7 May 2026",
    "07-May-2026",
    "7th May 2026",
    "Thu 7 May 2026",
    "May 7, 2026",
)


def days(cells: Sequence[Any], mapping: FileMapping, *, as_workbook: bool = False) -> list[date]:
    """The days of the sessions of rows with these in session_date."""
    rows = [client(place, **REST_OF_THE_ROW, session_date=cell, attendance="5") for place, cell in enumerate(cells)]
    text, _ = both_files(rows, EAST_HEADERS) if not as_workbook else (b"", b"")
    table = [[row.get(header, "") for header in EAST_HEADERS] for row in rows]
    raw = workbook([list(EAST_HEADERS), *table]) if as_workbook else text
    found = [
        [fact.body.on for fact in message.facts if fact.body.type == "attendance"]
        for message, _ in messages(raw, mapping)
    ]
    return [day for of_row in found for day in of_row]


@pytest.mark.parametrize("form", DAY_AS_WRITTEN)
def test_every_format_of_days_and_every_day_with_a_single_reading(form: str) -> None:
    text = DAY_AS_WRITTEN[form]
    cells = (text, f" {text} ", f"{text} 00:00", f"{text} 00:00:00", f"{text}T00:00:00", *UNMISTAKABLE)
    assert days(cells, east_mapping(form)) == [SESSION_ON] * len(cells)
    assert days((SESSION_ON, text), east_mapping(form), as_workbook=True) == [SESSION_ON] * 2


def test_the_day_numbers_of_spreadsheets() -> None:
    # ECMA-376 part 1, 18.17.4.1: days since 30 December 1899, or since 1 January 1904
    for serials, first in (("1900", date(1899, 12, 30)), ("1904", date(1904, 1, 1))):
        number = str((SESSION_ON - first).days)
        mapping = east_mapping(more=f'serials = "{serials}"')
        assert days((number, f"{number}.0", "07/05/2026"), mapping) == [SESSION_ON] * 3


def test_every_spelling_of_an_nhs_number_and_a_number_in_a_cell_of_numbers() -> None:
    rows = [client(place, nhs_no=text) for place, text in enumerate((*NHS_SPELLINGS, int(NHS_NUMBER)))]
    table = [[row.get(header, "") for header in EAST_HEADERS] for row in rows]
    text, _ = both_files(rows[:-1], EAST_HEADERS)
    for raw, count in ((text, len(rows) - 1), (workbook([list(EAST_HEADERS), *table]), len(rows))):
        numbers = [message.person.nhs_number for message, _ in messages(raw, east_mapping())]
        assert [number and number.digits for number in numbers] == [NHS_NUMBER] * count


def test_every_spelling_of_a_booking_reference() -> None:
    rows = [client(place, ubrn=spelt) for place, spelt in enumerate(UBRN_SPELLINGS)]
    for raw in both_files(rows, EAST_HEADERS):
        numbers = [fact.ubrn for message, _ in messages(raw, east_mapping()) for fact in message.facts]
        assert [number for number in numbers if number] == ["000471005252"] * len(UBRN_SPELLINGS)


def test_a_wrong_meaning_is_seen() -> None:
    assert measured("weight", [("118.4", "lb")], "kg") != [[measurement("weight", "kg")]]
    assert days(("07/05/2026",), replace(east_mapping(), date_format="mm/dd/yyyy")) != [SESSION_ON]
