"""What one row tells: every rule about a cell, as a council's data manager could contest it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from council_files import RECEIVED_AT, east, issues_of_row, read_east, row, session, sheet

from schemas.check import check
from schemas.disposition import Verdict
from schemas.facts import Attendance, Demographics, Measurement, Referral
from schemas.identity import NHSNumber
from schemas.source_message import SourceFact, SourceMessage


def message_of(text: str) -> SourceMessage:
    """What the only row tells, read back from its Bundle."""
    (entry,) = read_east(sheet(text)).entries
    assert entry.bundle is not None, entry.checked.issues
    _, message = check(entry.bundle, source=east(), test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return message


def facts(text: str) -> dict[str, SourceFact]:
    """The facts of the only row by their business id and type."""
    return {f"{fact.body.type} {fact.business_id}": fact for fact in message_of(text).facts}


def locations(text: str, *, severity: str = "error", test_mode: bool = True) -> list[str]:
    """Columns with an issue of this severity."""
    found = issues_of_row(sheet(text), test_mode=test_mode)
    return [issue.location.removeprefix("row 2, column ") for issue in found if issue.severity == severity]


def test_a_referral_row_tells_the_referral_the_person_and_the_slices() -> None:
    message = message_of(row())
    assert message.source_version_at == datetime(2026, 5, 10, 8, 30, tzinfo=UTC), (
        "half past nine by a British summer clock"
    )
    assert message.person.birth_date == date(1980, 2, 29)
    assert message.person.nhs_number == NHSNumber("9990000018")
    assert message.person.sex == "female"
    assert {fact.body.type: fact.body for fact in message.facts} == {
        "demographics": Demographics(
            on=date(2026, 5, 10),
            sex="female",
            birth_year=1980,
            ethnic_category="N",
            ethnic_system="2001",
            practice_ods="F81001",
            council="E10000",
        ),
        "referral": Referral(
            on=date(2026, 4, 1),
            direction="received",
            to_tier="tier2",
            programme="tier2-group-12w",
            provider_ods="E10000",
            practice_ods="F81001",
            council="E10000",
            referral_source="gp",
        ),
    }


def test_every_group_of_columns_gives_its_fact_under_the_referral() -> None:
    found = facts(
        session(
            accepted_date="05/04/2026",
            start_date="07/05/2026",
            delivery="One to one",
            completed_date="08/05/2026",
            discharged_date="09/05/2026",
            end_reason="referred on",
            onward_referral_date="09/05/2026",
            onward_to="rxx",
        )
    )
    assert list(found) == [
        "demographics demographics",
        "referral R-77",
        "acceptance R-77/acceptance",
        "programme_start R-77/programme_start",
        "completion R-77/completion/attended-8-of-12/1",
        "discharge R-77/discharge",
        "referral R-77/onward",
        "attendance S-5",
        "measurement S-5/weight",
        "measurement S-5/height",
    ]
    unattached = {name for name, fact in found.items() if fact.referral_business_id != "R-77"}
    assert unattached == {"demographics demographics", "referral R-77"}
    onward = found["referral R-77/onward"].body
    assert isinstance(onward, Referral)
    assert (onward.direction, onward.to_tier, onward.provider_ods) == ("sent", "tier3", "RXX")


def test_the_next_months_file_tells_the_same_things_under_the_same_names() -> None:
    first = facts(session(last_updated="10/05/2026 09:30"))
    later = facts(session(last_updated="31/05/2026 17:00", weight="94.0"))
    assert set(first) == set(later)
    weights = [item["measurement S-5/weight"].body for item in (first, later)]
    assert [weight.value for weight in weights if isinstance(weight, Measurement)] == [
        Decimal("95.5"),
        Decimal(94),
    ]


def test_without_last_updated_the_version_is_when_the_file_came() -> None:
    assert message_of(row(last_updated="")).source_version_at == RECEIVED_AT


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"dob": "30/02/1980"}, "dob"),
        ({"dob": "1/4/1980"}, "dob"),
        ({"dob": "01/04/80"}, "dob"),
        ({"dob": "04/13/1980"}, "dob"),
        ({"dob": "29312"}, "dob"),
        ({"dob": "٠١/٠٤/١٩٨٠"}, "dob"),
        ({"dob": "01/01/1799"}, "dob"),
        ({"dob": "01/01/2030"}, "dob"),
        ({"referral_date": ""}, "referral_date"),
        ({"referral_date": "01/01/1899"}, "referral_date"),
        ({"referral_date": "12/05/2026"}, "referral_date"),
        ({"referral_date": "01/04/1979"}, "referral_date"),
        ({"last_updated": "03/06/2026 09:00"}, "last_updated"),
        ({"client_ref": ""}, "client_ref"),
        ({"client_ref": "x" * 65}, "client_ref"),
        ({"referral_ref": ""}, "referral_ref"),
        ({"referral_source": "a friend"}, "referral_source"),
        ({"surname": "bell\x07"}, "surname"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_an_error_at_its_column(cells: dict[str, str], column: str) -> None:
    assert column in locations(row(**cells))


def test_day_and_month_are_never_turned_round() -> None:
    """04/03 is the fourth of March here whatever else it could mean; 04/13 is nothing."""
    (referral,) = [
        fact.body for fact in message_of(row(referral_date="04/03/2026")).facts if fact.body.type == "referral"
    ]
    assert referral.on == date(2026, 3, 4)
    (issue,) = issues_of_row(sheet(row(referral_date="04/13/2026")))
    assert "never turned round" in issue.rule


def test_a_spreadsheets_day_number_is_told_from_a_wrong_format() -> None:
    (issue,) = issues_of_row(sheet(row(referral_date="46113")))
    assert "day number" in issue.rule


@pytest.mark.parametrize(
    ("number", "valid", "claimed"),
    [
        ("9990000018", "9990000018", None),
        ("999 000 0018", "9990000018", None),
        ("999-000-0018", "9990000018", None),
        ("", None, None),
        ("9990000019", None, "9990000019"),
        ("449310999", None, "449310999"),
        ("9.44931E+09", None, None),
        ("٩٩٩٠٠٠٠٠١٨", None, None),
    ],
)
def test_an_nhs_number_is_taken_claimed_or_dropped_but_never_repaired(
    number: str, valid: str | None, claimed: str | None
) -> None:
    person = message_of(row(nhs_no=number)).person
    assert (person.nhs_number.digits if person.nhs_number else None) == valid
    assert person.nhs_number_claimed == claimed
    warned = bool(number) and valid is None
    assert locations(row(nhs_no=number), severity="warning") == (["nhs_no"] if warned else [])


def test_a_number_of_the_test_range_rejects_the_row_in_production_only() -> None:
    assert locations(row(), test_mode=False) == ["nhs_no"]
    assert locations(row(), test_mode=True) == []


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"sex": "Klingon"}, "sex"),
        ({"ethnicity": "Klingon"}, "ethnicity"),
        ({"postcode": "CM1"}, "postcode"),
        ({"gp_practice": "Dr Smith"}, "gp_practice"),
        ({"delivery": "group"}, "delivery"),
    ],
)
def test_a_doubtful_cell_that_harms_nothing_is_dropped_with_a_warning(cells: dict[str, str], column: str) -> None:
    assert column in locations(row(**cells), severity="warning")
    assert locations(row(**cells)) == []


@pytest.mark.parametrize("code", ["V81997", "V81998", "V81999"])
def test_the_default_codes_for_no_practice_are_no_practice(code: str) -> None:
    (slices,) = [fact.body for fact in message_of(row(gp_practice=code)).facts if isinstance(fact.body, Demographics)]
    assert slices.practice_ods is None


@pytest.mark.parametrize(
    ("word", "code"),
    [("Attended", "5"), (" attended  LATE", "6"), ("DNA", "3"), ("2", "2"), ("cancelled by us", "4")],
)
def test_attendance_words_become_national_codes(word: str, code: str) -> None:
    (attended,) = [
        fact.body for fact in message_of(session(attendance=word)).facts if isinstance(fact.body, Attendance)
    ]
    assert attended.attendance == code


def test_an_appointment_to_come_may_lie_two_years_ahead_and_an_attended_one_may_not() -> None:
    assert locations(session(attendance="booked", session_date="01/05/2028", weight="", height="")) == []
    assert locations(session(session_date="01/05/2028", weight="", height="")) == ["session_date"]


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"weight_unit": ""}, "weight_unit"),
        ({"weight_unit": "bags"}, "weight_unit"),
        ({"weight": "95.5cm"}, "weight_unit"),
        ({"weight": "-95"}, "weight"),
        ({"weight": "0"}, "weight"),
        ({"weight": "99999"}, "weight"),
        ({"weight": "=1+1"}, "weight"),
        ({"session_ref": ""}, "session_ref"),
        ({"session_date": ""}, "session_date"),
        ({"attendance": "maybe"}, "attendance"),
        ({"self_reported": "perhaps"}, "self_reported"),
    ],
)
def test_a_cell_of_a_session_that_breaks_a_rule_is_an_error_at_its_column(cells: dict[str, str], column: str) -> None:
    assert column in locations(session(**cells))


def weight(**cells: str) -> Measurement:
    body = facts(session(**cells))["measurement S-5/weight"].body
    assert isinstance(body, Measurement)
    return body


def test_weights_are_converted_and_kept_as_given() -> None:
    told_in_pounds = weight(weight="187.5", weight_unit="lbs", self_reported="Y")
    assert told_in_pounds.value == Decimal("85.05")
    assert (told_in_pounds.value_given, told_in_pounds.unit_given) == (Decimal("187.5"), "lb_av")
    assert told_in_pounds.method == "self_reported"


def test_an_implausible_weight_is_kept_marked_and_warned_about() -> None:
    assert not weight(weight="9").plausible
    assert locations(session(weight="9"), severity="warning") == ["weight"]


def test_weight_and_height_that_look_swapped_are_warned_about() -> None:
    assert locations(session(weight="172", height="85"), severity="warning") == ["weight", "height"]
    assert locations(session(weight="95", height="172"), severity="warning") == []


def test_a_unit_filled_in_beforehand_without_a_weight_tells_nothing() -> None:
    assert "measurement S-5/weight" not in facts(session(weight=""))
    assert locations(session(weight=""), severity="warning") == []


def test_a_reason_without_its_date_is_not_kept_and_said_so() -> None:
    assert locations(row(decline_reason="moved away"), severity="warning") == ["decline_reason"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("=cmd|' /C calc'!A0", None),
        ("@SUM(1)", None),
        ("+44", None),
        ("-Smith", "Smith"),
        ("O'Brien", "O'Brien"),
    ],
)
def test_a_name_that_a_spreadsheet_would_calculate_is_not_kept_as_a_name(name: str, kept: str | None) -> None:
    """A formula is no surname; a sign before a word is a slip. Both are said."""
    assert message_of(row(surname=name)).person.names[0].family == (kept or "")
    assert ("surname" in locations(row(surname=name), severity="warning")) == (kept != name)


def test_a_row_about_nobody_is_rejected() -> None:
    (entry,) = read_east(sheet(row(client_ref="", nhs_no="", surname="", forename=""))).entries
    assert entry.checked.verdict is Verdict.REJECTED
    assert "names nobody" in {issue.rule for issue in entry.checked.issues}
