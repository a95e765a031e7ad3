"""Two facts of a file never share an id: what differs at one version time is kept twice, and the council is warned."""

from council_files import RECEIVED_AT, east, mapping_text, read_east, row, session, sheet

from connectors.entry import SourceEntry
from connectors.mapping import parse
from connectors.sources.tier2_csv import read
from schemas.check import check

SECOND = {"client_ref": "EC-2", "nhs_no": "999 000 0026", "surname": "Smith", "forename": "Al", "dob": "01/02/1990"}


def named(entry: SourceEntry) -> set[str]:
    """Type and business id of each fact, as ingress reads them."""
    _, message = check(entry.bundle, source=east(), test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return {f"{fact.body.type} {fact.business_id}" for fact in message.facts}


def warned(*rows: str) -> list[list[str]]:
    """The column and rule of each warning, row by row."""
    return [
        [f"{i.location.rpartition('column ')[2]}: {i.rule}" for i in entry.checked.issues if i.severity == "warning"]
        for entry in read_east(sheet(*rows)).entries
    ]


def test_two_weights_of_one_session_and_version_are_two_measurements() -> None:
    first, second = read_east(sheet(session(), session(weight="99"))).entries
    assert "measurement S-5/weight" in named(first)
    assert "measurement S-5/weight/2" in named(second)
    assert "measurement S-5/height" in named(second), "the height is the same fact"
    assert warned(session(), session(weight="99")) == [
        [],
        ["session_ref: names two things at one version time; each is kept (measurement)"],
    ]


def test_a_later_version_is_a_correction_and_the_same_row_twice_is_one_fact() -> None:
    later = session(weight="99", last_updated="11/05/2026 09:30")
    for rows in ((session(), later), (session(), session())):
        first, second = read_east(sheet(*rows)).entries
        assert named(first) == named(second)
        assert warned(*rows) == [[], []]


def test_one_referral_said_in_two_ways_is_named() -> None:
    assert warned(row(), row(referral_source="self")) == [
        [],
        ["referral_ref: is said in two ways at one version time; only one of them counts (referral)"],
    ]


def test_a_session_number_of_two_people_is_named_and_neither_is_lost() -> None:
    rows = session(), session(**SECOND, referral_ref="R-2")
    assert all("attendance S-5" in named(entry) for entry in read_east(sheet(*rows)).entries)
    rule = "session_ref: names things of two people in this file; each is kept"
    assert warned(*rows) == [[], [f"{rule} (attendance)", f"{rule} (measurement)"]]


def test_groups_of_a_mapping_that_are_alike_give_facts_of_their_own() -> None:
    """A weight at the start and one at the end, and two definitions of a completion, in one row under one referral."""
    weight = '[[fact]]\ntype = "measurement"\nquantity = "weight"\nkey = ["referral_ref"]\nunit = "kg"\n'
    end = 'on = {{ column = "{on}" }}\nvalue = {{ column = "{value}" }}\n\n'
    other = '[[fact]]\ntype = "completion"\ndefinition = "as-reported/1"\nkey = ["referral_ref"]\n'
    text = mapping_text().replace(
        "# --- codes",
        weight
        + end.format(on="start_date", value="weight")
        + weight
        + end.format(on="completed_date", value="height")
        + other
        + 'on = { column = "completed_date" }\n\n# --- codes',
    )
    content = sheet(session(start_date="01/04/2026", completed_date="09/05/2026", height="90")).encode()
    reading = read(
        content, source=east(), mapping=parse(text), file_id="0" * 64, test_mode=True, received_at=RECEIVED_AT
    )
    found = named(reading.entries[0])
    assert {
        "measurement R-77/weight",
        "measurement R-77/weight/completeddate/height",
        "completion R-77/completion/attended-8-of-12/1",
        "completion R-77/completion/as-reported/1",
    } <= found


def test_a_filled_column_that_no_fact_reads_is_named() -> None:
    unread = row(end_reason="moved away", session_ref="S-5", session_date="07/05/2026")
    assert warned(unread) == [
        [
            "session_date: is not kept, because column attendance is empty",
            "session_ref: is not kept, because column attendance is empty",
            "end_reason: is not kept, because column withdrawn_date is empty",
        ]
    ]
