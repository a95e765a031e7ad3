"""What each message of a trust tells about the pathway."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hl7_messages import (
    OBR,
    OPEN,
    PID,
    PV1,
    RF1,
    SCH,
    clinical,
    entry_of,
    issues,
    message,
    message_of,
    only,
    verdict,
)

from connectors.sources.tier3_hl7v2 import message_id_of
from schemas.facts import Acceptance, Attendance, Discharge, Measurement, Referral


def test_a_referral_message_says_that_this_trust_received_a_referral():
    (fact,) = clinical(message("REF^I12", RF1, "PRD|RP|^GP|||||Y00001"))
    assert fact.business_id == "REF-9"
    assert fact.body == Referral(
        on=date(2026, 6, 15),
        direction="received",
        to_tier="tier3",
        programme="tier3-specialist",
        referrer_ods="Y00001",
        provider_ods="RXX",
        priority="routine",
        consultant_led=False,
    )


def test_a_referral_carries_its_e_referral_booking_reference():
    with_ubrn = RF1 + "||||000049973000^UBRN"
    (fact,) = clinical(message("REF^I12", with_ubrn))
    assert fact.ubrn == "000049973000"
    assert [issue[2] for issue in issues(message("REF^I12", RF1 + "||||call 01632^UBRN"))] == ["RF1-11"]


def test_a_booking_is_a_future_appointment_and_the_acceptance():
    appointment, accepted = sorted(
        clinical(message("SIU^S12", SCH, "AIS|1|A|WMS", at="20260701093000")),
        key=lambda fact: fact.body.type,
        reverse=True,
    )
    assert appointment.business_id == "F-77"
    assert appointment.body == Attendance(
        on=date(2026, 7, 14),
        at=datetime(2026, 7, 14, 8, 30, tzinfo=UTC),
        attendance="0",
        booked_on=date(2026, 7, 1),
    )
    assert accepted.business_id == "F-77/booked"
    assert isinstance(accepted.body, Acceptance)
    assert (accepted.body.on, accepted.body.definition) == (date(2026, 7, 1), "tier3-accepted-by-booking/1")


def test_a_moved_appointment_keeps_its_identity_and_is_no_second_acceptance():
    moved = message("SIU^S13", SCH.replace("0714", "0721"), "AIS|1|A|WMS", control_id="M2")
    (fact,) = clinical(moved)
    assert (fact.business_id, fact.body.on) == ("F-77", date(2026, 7, 21))


@pytest.mark.parametrize(
    ("reason", "code"),
    [("PAT", "2"), ("pat-crs", "2"), ("2", "2"), ("PROV", "4"), ("HOSPITAL", "4"), ("4", "4"),
     ("APPT_CANCELLED_BY_PATIENT", "2")],
)  # fmt: skip
def test_a_cancellation_says_who_cancelled(reason: str, code: str):
    cancelled = message("SIU^S15", SCH.replace("F-77||||", f"F-77||||{reason}"), "AIS|1|A|WMS")
    assert only(cancelled, "attendance").attendance == code
    assert issues(cancelled) == []


def test_a_cancellation_by_nobody_in_particular_is_the_providers_and_is_reported():
    cancelled = message("SIU^S15", SCH, "AIS|1|A|WMS")
    assert only(cancelled, "attendance").attendance == "4"
    assert issues(cancelled) == [("warning", "code-invalid", "SCH-6")]


@pytest.mark.parametrize(("reason", "code"), [("", "3"), ("DNA", "3"), ("LATE", "7")])
def test_not_attending_is_told_from_arriving_too_late(reason: str, code: str):
    missed = message("SIU^S26", SCH.replace("F-77||||", f"F-77||||{reason}"), "AIS|1|A|WMS")
    assert only(missed, "attendance").attendance == code


def test_an_outpatient_registration_corrects_the_appointment_it_belongs_to():
    walk_in = clinical(message("ADT^A04", PV1 + "|" * 25 + "20260714094000"))
    assert [(fact.business_id, fact.body.attendance) for fact in walk_in] == [("V-100", "5")]
    booked = clinical(message("ADT^A04", PV1.replace("CLINIC1||", "CLINIC1||F-77")))
    assert [fact.business_id for fact in booked] == ["F-77"]


def test_an_emergency_registration_is_no_attendance():
    assert clinical(message("ADT^A04", PV1.replace("|O|", "|E|"))) == []


def test_the_end_of_outpatient_care_is_a_discharge_and_the_end_of_a_ward_stay_is_not():
    ended = PV1 + "|" * 17 + "did-not-engage" + "|" * 9 + "20260930120000"
    (fact,) = clinical(message("ADT^A03", ended, at="20260930130000"))
    assert fact.body == Discharge(
        on=date(2026, 9, 30), at=datetime(2026, 9, 30, 11, 0, tzinfo=UTC), reason="did-not-engage"
    )
    assert fact.business_id == "V-100"
    assert clinical(message("ADT^A03", ended.replace("|O|", "|I|"), at="20260930130000")) == []


@pytest.mark.parametrize("kind", ["ADT^A01", "ADT^A05", "ADT^A08", "ADT^A28", "ADT^A31"])
def test_identity_messages_tell_who_the_person_is_and_nothing_more(kind: str):
    alone = message_of(message(kind))
    assert {fact.body.type for fact in alone.facts} == {"demographics"}
    assert not alone.service_named, "an identity that names no service is kept only once its record has a fact"
    assert message_of(message(kind, PV1)).service_named


@pytest.mark.parametrize("kind", ["ADT^A34", "ADT^A40"])
def test_after_a_merge_the_id_in_PID_survives(kind: str):
    merged = message_of(message(kind, "MRG|618454581^^^RXX^MR"))
    assert merged.person.local_id is not None
    assert merged.person.local_id.value == "700002"
    assert [item.value for item in merged.person.retired_local_ids] == ["618454581"]


@pytest.mark.parametrize("mrg", ["", "MRG|", "MRG|700002^^^RXX^MR", "MRG|9990000018^^^NHS^NH"])
def test_a_merge_that_retires_nothing_is_refused(mrg: str):
    assert ("error", "required", "MRG-1") in issues(message("ADT^A40", mrg) if mrg else message("ADT^A40"))


def obx(code: str, value: str, unit: str, *, status: str = "F", rest: str = "") -> str:
    return f"OBX|1|NM|{code}||{value}|{unit}|||||{status}{rest}"


@pytest.mark.parametrize(
    ("segment", "quantity", "value", "unit_given"),
    [
        (obx("29463-7^Weight^LN", "118.4", "kg"), "weight", "118.4", "kg"),
        (obx("27113001^Body weight^SCT", "18.5", "st"), "weight", "117.48", "stone_av"),
        (obx("WT^Weight^L", "250", "LBS"), "weight", "113.40", "lb_av"),
        (obx("8302-2", "1.64", "m"), "height", "164", "cm"),
        (obx("1153637007", "5.5", "ft"), "height", "167.64", "cm"),
        (obx("39156-5", "43.9", "kg/m\\S\\2"), "bmi", "43.9", "kg/m2"),
        (obx("276361009", "48", "in"), "waist", "121.92", "cm"),
        (obx("LOCAL1^Weight^L^27113001^Body weight^SCT", "100", "kg"), "weight", "100", "kg"),
    ],
)
def test_a_body_measurement_is_read_in_the_unit_the_trust_gave(
    segment: str, quantity: str, value: str, unit_given: str
):
    (fact,) = clinical(message("ORU^R01", PV1, OBR, segment))
    assert isinstance(fact.body, Measurement)
    assert (fact.body.quantity, fact.body.value, fact.body.method) == (quantity, Decimal(value), "measured")
    assert fact.body.on == date(2026, 7, 14)


@pytest.mark.parametrize(
    ("segment", "issue"),
    [
        (obx("29463-7", "118.4", ""), ("error", "required", "OBX[1]-6")),
        (obx("29463-7", "118.4", "bananas"), ("error", "code-invalid", "OBX[1]-6")),
        (obx("29463-7", "118.4", "cm"), ("error", "value", "OBX[1]-6")),
        (obx("29463-7", "heavy", "kg"), ("error", "value", "OBX[1]-5")),
        (obx("29463-7", "-3", "kg"), ("error", "value", "OBX[1]-5")),
        (obx("29463-7", "118.4~117.9", "kg"), ("error", "value", "OBX[1]-5")),
        (obx("29463-7", "118^-^120", "kg").replace("|NM|", "|SN|"), ("error", "value", "OBX[1]-5")),
        (obx("29463-7", ">^200", "kg").replace("|NM|", "|SN|"), ("error", "value", "OBX[1]-5")),
    ],
)
def test_a_measurement_without_its_unit_or_number_is_refused(segment: str, issue: tuple[str, str, str]):
    assert issue in issues(message("ORU^R01", PV1, OBR, segment))


def test_an_implausible_weight_is_kept_and_reported():
    heavy = message("ORU^R01", PV1, OBR, obx("29463-7", "811", "kg"))
    assert not only(heavy, "measurement").plausible
    assert verdict(heavy) == "accepted_with_warnings"


def test_a_corrected_result_keeps_the_identity_of_the_first():
    first = clinical(message("ORU^R01", PV1, OBR, obx("29463-7", "118.4", "kg")))
    again = clinical(message("ORU^R01", PV1, OBR, obx("29463-7", "108.4", "kg", status="C"), control_id="M2"))
    assert [fact.business_id for fact in first] == [fact.business_id for fact in again] == ["FI-1/29463-7/"]
    assert again[0].body.value == Decimal("108.4")


@pytest.mark.parametrize("status", ["D", "W"])
@pytest.mark.parametrize("value", ["118.4", ""])
def test_a_deleted_result_is_retracted_even_when_it_comes_without_its_value(status: str, value: str):
    (fact,) = clinical(message("ORU^R01", PV1, OBR, obx("29463-7", value, "kg" if value else "", status=status)))
    assert fact.retracted
    assert fact.business_id == "FI-1/29463-7/"


@pytest.mark.parametrize("status", ["P", "R", "S", "I", "X", "N"])
def test_a_result_that_is_not_final_is_not_yet_a_measurement(status: str):
    assert clinical(message("ORU^R01", PV1, OBR, obx("29463-7", "118.4", "kg", status=status))) == []


def test_a_self_reported_weight_says_so():
    by_code = message("ORU^R01", PV1, OBR, obx("784399000", "99", "kg"))
    by_method = message("ORU^R01", PV1, OBR, obx("29463-7", "99", "kg", rest="||||||SELF"))
    assert only(by_code, "measurement").method == only(by_method, "measurement").method == "self_reported"


def test_two_weights_of_one_order_are_two_measurements():
    both = message("ORU^R01", PV1, OBR, obx("29463-7", "99", "kg"), obx("29463-7", "98", "kg"))
    assert [fact.business_id for fact in clinical(both)] == ["FI-1/29463-7/", "FI-1/29463-7/#2"]


def test_other_results_of_the_hospital_are_left_alone():
    lab = obx("tt-0003-01^Creatinine^WinPath", "98", "UMOLL")
    assert clinical(message("ORU^R01", PV1, OBR, lab)) == []
    assert issues(message("ORU^R01", PV1, OBR, lab)) == []


@pytest.mark.parametrize(
    "raw",
    [
        message("MDM^T02", PV1),
        message("SIU^S14", SCH, "AIS|1|A|WMS"),
        message("ADT^A04", PV1.replace("WMS", "CAR")),
        message("ADT^A08", PV1.replace("WMS", "CAR")),
        message("SIU^S12", SCH, "AIS|1|A|ENT"),
        message("REF^I12", RF1.replace("WMS", "ENT")),
        message("SIU^S12", SCH),
        message("ORU^R01", OBR, obx("29463-7", "99", "kg")),
    ],
)
def test_other_message_types_and_other_services_are_ignored(raw: bytes):
    assert verdict(raw) == "ignored"


def test_a_test_feed_of_every_service_keeps_whatever_names_a_patient():
    assert verdict(message("MDM^T02", PV1.replace("WMS", "CAR")), source=OPEN) == "accepted"
    assert message_of(message("ADT^A28"), source=OPEN).service_named
    assert verdict(message("MFN^M02", ""), source=OPEN) == "ignored"


@pytest.mark.parametrize(
    ("raw", "issue"),
    [
        (message("SIU^S12", "SCH|||||||||||^^^20260714", "AIS|1|A|WMS"), ("error", "required", "SCH-2")),
        (message("SIU^S12", "SCH||F-1", "AIS|1|A|WMS"), ("error", "required", "SCH-11.4")),
        (
            message("SIU^S12", "SCH||F-1|||||||||^^^20260230", "AIS|1|A|WMS"),
            ("error", "required", "SCH-11.4"),
        ),
        (message("ADT^A04", "", PV1), ("error", "required", "PID")),
        (message("ADT^A04", PID, PID, PV1), ("error", "structure", "PID")),
        (message("ADT^A04", PV1, control_id=""), ("error", "required", "MSH-10")),
        (message("", PV1), ("error", "required", "MSH-9")),
        (message("ADT^A04", PV1, at="20261001"), ("warning", "value", "MSH-7")),
        (message("ADT^A04", PV1, at="20270101120000"), ("error", "value", "MSH-7")),
    ],
)
def test_what_a_message_lacks_is_named_by_its_field(raw: bytes, issue: tuple[str, str, str]):
    assert issue in issues(raw)


def test_a_message_is_named_by_its_sender_control_id_and_time_so_that_two_systems_may_count_alike():
    assert message_of(message("ADT^A31")).message_id == "PAS|RXX|M1|20260715093000"
    assert message_of(message("ADT^A31").replace(b"PAS", b"LIMS")).message_id == "LIMS|RXX|M1|20260715093000"
    assert message_id_of(message("MDM^T02")) == entry_of(message("MDM^T02")).message_id == "PAS|RXX|M1|20260715093000"


def test_what_has_no_control_id_is_named_by_its_bytes():
    assert message_id_of(b"rubbish") == entry_of(b"rubbish").message_id
    assert message_id_of(b"rubbish").startswith("sha256:")
