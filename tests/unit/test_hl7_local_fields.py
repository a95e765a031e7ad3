"""What HL7 v2 has no field for, in the fields that a source names: purpose, medium and group of a visit, RTT status.

Source: NHS Data Dictionary, REFERRAL TO TREATMENT PERIOD STATUS (33: did not attend the first appointment; 30: start of
first definitive treatment); HL7 2.4 has no such field, ITK feeds carry 18-week data in ZU1. Read November 2026.
"""

from datetime import date

import pytest
from hl7_messages import EVERY_KIND, LOCAL, PV1, RF1, SCH, TRUST, clinical, issues, message, with_field

from connectors.doors import TRANSPORTS
from schemas.errors import InvalidField
from schemas.facts import Attendance, RttStatus
from schemas.source_message import SourceFact
from schemas.sources import parse

SESSION = with_field(SCH, 8, "Group course")


def facts(kind: str, *segments: str, type_: str) -> list[SourceFact]:
    found = clinical(message(kind, *segments), source=LOCAL)
    return [fact for fact in found if fact.body.type == type_]


def test_the_purpose_medium_and_group_of_an_appointment_are_read_by_the_sources_words() -> None:
    (fact,) = facts("SIU^S12", SESSION, "AIS|1|A|WMS", "ZAP|F2F|Yes", type_="attendance")
    assert isinstance(fact.body, Attendance)
    assert (fact.body.purpose, fact.body.medium, fact.body.group) == ("session", "in_person", True)


def test_a_word_that_the_source_does_not_list_is_named_and_the_appointment_stands() -> None:
    raw = message("SIU^S12", with_field(SCH, 8, "Zumba"), "AIS|1|A|WMS", "ZAP|carrier pigeon|maybe")
    (fact,) = (fact for fact in clinical(raw, source=LOCAL) if isinstance(fact.body, Attendance))
    assert (fact.body.purpose, fact.body.medium, fact.body.group) == (None, None, None)  # type: ignore[union-attr]
    places = {place for severity, _, place in issues(raw, source=LOCAL) if severity == "warning"}
    assert places == {"SCH-8", "ZAP-1", "ZAP-2"}


def test_a_source_that_names_no_fields_is_read_as_before() -> None:
    raw = message("SIU^S12", SESSION, "AIS|1|A|WMS", "ZAP|F2F|Yes")
    (fact,) = (fact for fact in clinical(raw, source=TRUST) if isinstance(fact.body, Attendance))
    assert (fact.body.purpose, fact.body.medium, fact.body.group) == (None, None, None)  # type: ignore[union-attr]


def test_a_missed_first_appointment_carries_status_33_of_its_day() -> None:
    (fact,) = facts("SIU^S26", SCH, "AIS|1|A|WMS", "ZU1|33", type_="rtt_status")
    assert (fact.body, fact.business_id) == (RttStatus(on=date(2026, 7, 14), status="33"), "F-77")


def test_a_treatment_is_dated_by_the_field_of_the_source_where_it_names_one() -> None:
    (fact,) = facts("ADT^A04", *EVERY_KIND["ADT^A04"], "ZU1|30|20260713", type_="rtt_status")
    assert fact.body == RttStatus(on=date(2026, 7, 13), status="30")


def test_the_status_of_a_referral_is_under_that_referral() -> None:
    (fact,) = facts("REF^I12", RF1, "ZU1|10", type_="rtt_status")
    assert (fact.body.on, fact.referral_business_id) == (date(2026, 6, 15), "REF-9")


def test_what_is_only_booked_has_no_status_yet() -> None:
    raw = message("SIU^S12", SCH, "AIS|1|A|WMS", "ZU1|20")
    assert "rtt_status" not in {fact.body.type for fact in clinical(raw, source=LOCAL)}


def test_a_status_of_no_list_is_named_and_not_told() -> None:
    raw = message("ADT^A04", *EVERY_KIND["ADT^A04"], "ZU1|37")
    assert "rtt_status" not in {fact.body.type for fact in clinical(raw, source=LOCAL)}
    assert ("warning", "code-invalid", "ZU1-1") in issues(raw, source=LOCAL)


def test_with_its_visit_a_status_is_taken_back() -> None:
    visit = facts("ADT^A04", *EVERY_KIND["ADT^A04"], "ZU1|30", type_="rtt_status")
    gone = facts("ADT^A11", "EVN|A11|20260715", PV1, type_="rtt_status")
    assert [fact.business_id for fact in visit] == [fact.business_id for fact in gone] == ["V-100"]
    assert [fact.retracted for fact in gone] == [True]


TABLE = """
[[source]]
slug = "trust-wm"
ods = "RXX"
tier = "tier3"
door = "hl7_mllp"
services = ["WMS"]
[source.hl7_fields]
{name} = "{place}"
"""


def test_the_fields_of_a_source_are_read_from_its_table() -> None:
    text = TABLE.format(name="rtt_status", place="ZU1-14")
    source = parse(text, doors=TRANSPORTS, test_mode=True)["trust-wm"]
    assert source.hl7_fields == {"rtt_status": "ZU1-14"}


@pytest.mark.parametrize(
    ("name", "place"), [("rtt", "ZU1-14"), ("medium", "14"), ("medium", "zu1-4"), ("group", "PV1-0")]
)
def test_a_field_that_is_none_is_refused_at_start(name: str, place: str) -> None:
    with pytest.raises(InvalidField, match="hl7_fields"):
        parse(TABLE.format(name=name, place=place), doors=TRANSPORTS, test_mode=True)
