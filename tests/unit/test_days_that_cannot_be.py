"""A day that cannot be costs its fact, with a reason at its place, at every door; the rest of what was sent is taken.

The limits stand in `schemas.fhir.dates`: from 1900 to a day after the source said it; an appointment, and the end of a
suspension, up to two years ahead. What lies between and yet is no day of care is a finding of the pathway, by
definition `days-in-range`.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from council_files import RECEIVED_AT as FILE_CAME_AT
from council_files import SMALLEST, east
from fhir_samples import GP_HUB, RECEIVED_AT, referral_bundle
from hl7_messages import OBR, PV1, clinical, issues, message, with_field

from connectors.mapping import parse
from connectors.sources.tier2_csv import read
from schemas.check import check
from schemas.facts import Acceptance, Attendance, Body, Suspension
from schemas.fhir.dates import BOOKED_AHEAD, SKEW, Span
from schemas.uris import extension_url

MESSAGE_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPAN = Span(date(1980, 2, 29), MESSAGE_AT)
TODAY = MESSAGE_AT.date()


def faults(body: Body) -> list[tuple[str, str]]:
    return list(SPAN.faults(body))


@pytest.mark.parametrize(
    ("on", "rule"),
    [
        (date(1899, 12, 31), "is before 1900"),
        (date(1980, 2, 29), "is not after the date of birth"),
        (date(1980, 3, 1), None),
        (TODAY + SKEW, None),
        (TODAY + SKEW + timedelta(days=1), "is in the future"),
        (date(9999, 12, 31), "is in the future"),
    ],
)
def test_the_limits_of_a_day(on: date, rule: str | None) -> None:
    assert faults(Acceptance(on=on)) == ([("on", rule)] if rule else [])


def test_a_moment_that_has_no_utc_is_a_fault_and_no_crash() -> None:
    assert faults(Acceptance(on=TODAY, at=datetime.max.replace(tzinfo=UTC))) == [("at", "is before 1900")]


def test_an_appointment_and_the_end_of_a_suspension_may_lie_two_years_ahead() -> None:
    latest = TODAY + BOOKED_AHEAD
    assert faults(Attendance(on=latest, attendance="0")) == faults(Suspension(on=TODAY, ends_on=latest)) == []
    later = latest + timedelta(days=1)
    assert faults(Attendance(on=later, attendance="0")) == [("on", "is in the future")]
    assert faults(Suspension(on=TODAY, ends_on=later)) == [("ends_on", "is in the future")]
    assert faults(Suspension(on=latest)) == [("on", "is in the future")], "it cannot have begun"


def test_a_suspension_does_not_end_before_it_began() -> None:
    assert faults(Suspension(on=TODAY, ends_on=TODAY)) == []
    assert faults(Suspension(on=TODAY, ends_on=TODAY - timedelta(days=1))) == [
        ("ends_on", "lies before the day it began")
    ]


YEARS = ["1899", "9999"]


@pytest.mark.parametrize("year", YEARS)
def test_a_milestone_of_such_a_year_is_named_and_the_referral_stands(year: str) -> None:
    parts = [{"url": "type", "valueCode": "triage"}, {"url": "on", "valueDate": f"{year}-06-01"}]
    milestone = {"url": extension_url("milestone"), "extension": parts}
    document = referral_bundle(ServiceRequest=lambda request: request.update(extension=[milestone]))
    checked, found = check(document, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)
    assert found is not None
    assert {fact.body.type for fact in found.facts} == {"demographics", "referral", "measurement"}
    assert [issue.location for issue in checked.issues] == ["Bundle.entry[2].resource.extension[0].extension('on')"]


@pytest.mark.parametrize("year", YEARS)
def test_a_result_of_such_a_year_is_named_and_the_other_told(year: str) -> None:
    weights = [f"OBX|{n}|NM|29463-7^^LN|{n}|118.4|kg|||||F|||{day}" for n, day in ((1, f"{year}0601"), (2, "20260714"))]
    raw = message("ORU^R01", PV1, OBR, *weights)
    assert [fact.body.on for fact in clinical(raw)] == [date(2026, 7, 14)]
    assert [severity for severity, _, place in issues(raw) if place.startswith("OBX")] == ["error"]


@pytest.mark.parametrize("year", YEARS)
def test_a_visit_of_such_a_year_is_refused_with_its_place(year: str) -> None:
    raw = message("ADT^A04", f"EVN|A04|{year}0714100000", with_field(PV1, 44, f"{year}0714"))
    assert any(severity == "error" for severity, _, _ in issues(raw))


@pytest.mark.parametrize("year", YEARS)
def test_a_cell_of_such_a_year_is_named_at_its_column(year: str) -> None:
    group = '[[fact]]\ntype = "acceptance"\nkey = ["id"]\non = { column = "accepted" }\n[codes.any]'
    mapping = parse(SMALLEST.replace("[codes.any]", group))
    reading = read(
        f"id,ended,accepted\nC1,2026-05-01,{year}-06-01\n".encode(), source=east(), mapping=mapping, file_id="0" * 64,
        test_mode=True, received_at=FILE_CAME_AT,
    )  # fmt: skip
    (entry,) = reading.entries
    assert entry.message is not None
    assert [fact.body.type for fact in entry.message.facts if fact.body.type != "demographics"] == ["discharge"]
    assert [issue.location for issue in entry.checked.issues] == ["row 2, column accepted"]
