"""What a message says twice, denies, or says of a day to come: read by the closer word, or named."""

from dataclasses import replace

import pytest
from hl7_messages import PID, PV1, SCH, TRUST, entry_of, issues, message, message_of, with_field

from schemas.facts import Attendance, Measurement
from schemas.identity import LocalId
from schemas.sources import Source

OBR = "OBR|1|PL-1|FL-1|vitals|||20260714093000"


def obx(value: str, *, unit: str = "kg", kind: str = "NM") -> str:
    return f"OBX|1|{kind}|29463-7^Body weight^LN||{value}|{unit}|||||F"


def places(raw: bytes, *, source: Source = TRUST) -> list[tuple[str, str]]:
    """Severity and location of every issue, information too."""
    return [(found.severity.value, found.location) for found in entry_of(raw, source=source).checked.issues]


def attendance(kind: str, *segments: str) -> str:
    facts = message_of(message(kind, *segments)).facts
    return next(fact.body.attendance for fact in facts if isinstance(fact.body, Attendance))


OLD = "100001^^^RXX^MR^^20100101^20200101"


@pytest.mark.parametrize("numbers", [f"{OLD}~700002^^^RXX^MR", f"700002^^^RXX^MR~{OLD}"])
def test_a_hospital_number_that_has_expired_names_no_record_beside_one_in_force(numbers: str):
    raw = message("ADT^A31", with_field(PID, 3, numbers))
    assert message_of(raw).person.local_id == LocalId("700002", "RXX")
    assert places(raw) == [("information", "PID-3.8")]


def test_a_hospital_number_that_has_expired_and_stands_alone_still_says_who_it_is():
    raw = message("ADT^A31", with_field(PID, 3, OLD))
    assert message_of(raw).person.local_id == LocalId("100001", "RXX")
    assert places(raw) == [("warning", "PID-3.8")]


@pytest.mark.parametrize("numbers", ["700003^^^RXX^MR~700002^^^RXX^MR", "700002^^^RXX^MR~700003^^^RXX^MR"])
def test_two_numbers_of_one_issuer_are_named_and_their_order_changes_nothing(numbers: str):
    raw = message("ADT^A31", with_field(PID, 3, numbers))
    assert message_of(raw).person.local_id == LocalId("700002", "RXX")
    assert places(raw) == [("warning", "PID-3")]


def test_a_merge_of_a_number_without_issuer_says_that_it_is_not_that_of_the_survivors():
    assert ("warning", "MRG-1.4") in places(message("ADT^A40", PID, "MRG|700001"))
    assert places(message("ADT^A40", PID, "MRG|700001"), source=replace(TRUST, default_authority="RXX")) == []


def test_an_nhs_number_that_a_merge_retires_is_a_former_one():
    raw = message("ADT^A40", PID, "MRG|700001^^^RXX^MR~9990000026^^^NHS^NH~9990000018^^^NHS^NH")
    assert [number.digits for number in message_of(raw).person.former_nhs_numbers] == ["9990000026"]


# PID-29 day of death, PID-30 death indicator; "" deletes (HL7 2.5.1, 2.5.3.5).
@pytest.mark.parametrize(
    ("day", "indicator", "dead", "named"),
    [("20260601", "N", False, "PID-30"), ("20260601", '""', True, "PID-30"), ("", "Y", True, "PID-29"),
     ('""', "", False, ""), ("", '""', False, ""), ('""', '""', False, ""), ("20260601", "Y", True, "")],
)  # fmt: skip
def test_a_death_and_what_denies_or_deletes_it(day: str, indicator: str, dead: bool, named: str):
    raw = message("ADT^A31", with_field(with_field(PID, 29, day), 30, indicator))
    (fact,) = (fact for fact in message_of(raw).facts if fact.body.type == "death")
    assert fact.retracted is not dead
    assert [place for _, place in places(raw)] == ([named] if named else [])


def test_a_code_and_an_alternate_that_measure_two_things_are_an_error():
    raw = message("ORU^R01", PV1, OBR, obx("118.4").replace("^LN|", "^LN^8302-2^Height^LN|"))
    assert places(raw) == [("error", "OBX[1]-3")]


@pytest.mark.parametrize(("alternate", "method"), [("3142-7", "self_reported"), ("29463-7", "measured")])
@pytest.mark.parametrize("first", [True, False])
def test_of_a_code_and_its_alternate_the_closer_one_says_how_it_was_observed(alternate: str, method: str, first: bool):
    codes = (f"{alternate}^^LN", "29463-7^^LN")
    pair = "^".join(codes if first else reversed(codes))
    raw = message("ORU^R01", PV1, OBR, obx("118.4").replace("29463-7^Body weight^LN", pair))
    (body,) = (fact.body for fact in message_of(raw).facts if isinstance(fact.body, Measurement))
    assert body.method == method


@pytest.mark.parametrize(
    ("word", "named"), [("EST^Estimated", "error"), ("ZZZ^Zog", "information"), ("SR", ""), ("M^Measured", "")]
)
def test_how_a_result_was_observed_is_read_or_named(word: str, named: str):
    raw = message("ORU^R01", PV1, OBR, with_field(obx("118.4"), 17, word))
    assert places(raw) == ([(named, "OBX[1]-17")] if named else [])


def test_a_withdrawal_without_value_is_no_implausible_weight():
    assert places(message("ORU^R01", PV1, OBR, obx("", unit="").removesuffix("F") + "D")) == []


@pytest.mark.parametrize(
    ("kind", "segments", "place"),
    [
        ("ORU^R01", (PV1, OBR, with_field(obx("118.4"), 14, "20270714")), "OBX[1]-14"),
        ("ORU^R01", (PV1, with_field(OBR, 7, "20270714"), obx("118.4")), "OBR-7"),
        ("ADT^A04", (with_field(PV1, 44, "20270714"),), "PV1-44"),
        ("ADT^A03", (with_field(PV1, 45, "20270714"),), "PV1-45"),
        ("REF^I12", ("RF1|P|R|WMS|||REF-9|20270714",), "RF1-7"),
    ],
)
def test_what_has_happened_after_its_message_is_an_error_where_it_says_so(
    kind: str, segments: tuple[str, ...], place: str
):
    assert places(message(kind, *segments)) == [("error", place)]
    assert entry_of(message(kind, *segments)).bundle is None


@pytest.mark.parametrize(
    ("kind", "segment", "other", "severity"),
    [
        ("SIU^S12", SCH, SCH.replace("F-77", "F-78"), "error"),
        ("REF^I12", "RF1|P|R|WMS|||REF-9|20260615", "RF1|P|R|WMS|||REF-8|20260615", "error"),
        ("ADT^A04", PV1, PV1.replace("V-100", "V-101"), "warning"),
        ("ADT^A31", "PD1|||S^^Y00001", "PD1|||S^^A81001", "warning"),
    ],
)
def test_a_segment_that_stands_a_further_time_is_named(kind: str, segment: str, other: str, severity: str):
    assert (severity, f"{segment[:3]}[2]") in places(message(kind, segment, other, "AIS|1|A|WMS"))
    assert entry_of(message(kind, segment, other, "AIS|1|A|WMS")).bundle is not None
    assert issues(message(kind, segment, segment, "AIS|1|A|WMS")) == issues(message(kind, segment, "AIS|1|A|WMS"))


def test_an_appointment_of_two_times_is_read_by_the_first_and_says_so():
    two = with_field(SCH, 11, "^^30^20260714093000~^^30^20260721093000")
    assert attendance("SIU^S12", two, "AIS|1|A|WMS") == "0"
    assert ("warning", "SCH-11") in places(message("SIU^S12", two, "AIS|1|A|WMS"))


@pytest.mark.parametrize("word", ["Cancelled", "Withdrawn", "Declined", "R", "E"])
def test_a_referral_that_is_not_in_force_is_not_told_as_received(word: str):
    raw = message("REF^I12", f"RF1|{word}|R|WMS|||REF-9|20260615")
    assert places(raw) == [("information", "RF1-1")]
    assert [fact.body.type for fact in message_of(raw).facts] == ["demographics"]


# HL7 2.5.1 tables 0119 (order control) and 0038 (order status).
@pytest.mark.parametrize(
    ("orc", "place"), [("ORC|CA|PL-1|FI-1", "ORC-1"), ("ORC|OC|PL-1|FI-1", "ORC-1"), ("ORC|RE|PL-1|FI-1||DC", "ORC-5")]
)
def test_a_result_of_an_order_that_is_cancelled_is_an_error_and_its_deletion_stands(orc: str, place: str):
    assert places(message("ORU^R01", PV1, orc, OBR, obx("118.4"))) == [("error", place)]
    deleted = obx("118.4").removesuffix("F") + "D"
    assert places(message("ORU^R01", PV1, orc, OBR, deleted)) == []
    assert places(message("ORU^R01", PV1, orc, OBR, "ORC|RE|PL-2|FI-2", OBR, obx("118.4"))) == []


def test_the_number_of_an_order_may_stand_in_ORC_alone():
    raw = message("ORU^R01", PV1, "ORC|RE|PL-9|FI-9", "OBR|1|||vitals|||20260714093000", obx("118.4"))
    (number,) = (fact.business_id for fact in message_of(raw).facts if isinstance(fact.body, Measurement))
    assert number == "FI-9/29463-7/"
    assert places(raw) == []


@pytest.mark.parametrize("kind", ["SIU^S12", "SIU^S13"])
@pytest.mark.parametrize("word", ["Waitlist", "Blocked"])
def test_who_waits_for_a_slot_has_no_appointment(kind: str, word: str):
    raw = message(kind, with_field(SCH, 25, word), "AIS|1|A|WMS")
    assert [fact.body.type for fact in message_of(raw).facts] == ["demographics"]
    assert places(raw) == [("warning", "SCH-25")]


@pytest.mark.parametrize("word", ["Target weight", "Ideal body weight", "Weight loss"])
def test_a_local_word_beside_another_meaning_is_no_measurement(word: str):
    raw = message("ORU^R01", PV1, OBR, obx("70").replace("29463-7^Body weight^LN", f"WT^{word}^L"))
    assert places(raw) == [("information", "OBX[1]-3")]


@pytest.mark.parametrize(
    ("kind", "segments", "place"),
    [
        ("REF^I12", ("RF1|P|R|WMS|||REF-9|20260615", "PRD||Surgery|||||Y00001"), "PRD-1"),
        ("REF^I12", ("RF1|P|R|WMS|||REF-9|20260615|20260701",), "RF1-8"),
        ("ADT^A03", (with_field(with_field(PV1, 44, "20260710"), 45, "20260701"),), "PV1-45"),
    ],
)
def test_what_contradicts_its_message_is_read_with_a_warning(kind: str, segments: tuple[str, ...], place: str):
    assert places(message(kind, *segments)) == [("warning", place)]
    assert len(message_of(message(kind, *segments)).facts) == 2
