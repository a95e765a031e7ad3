"""What a trust says is read whole, or its absence is said: one sentence for each kind of saying."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hl7_messages import OPEN, PID, PV1, SCH, TRUST, entry_of, issues, message, message_of, verdict, with_field

from connectors.sources.tier3_hl7v2.local_codes import APPOINTMENT_STATUS, PATIENT_CLASS_WORDS
from schemas.facts import Attendance, Discharge, Measurement
from schemas.sources import Source

OBR = "OBR|1|PL-1|FL-1|vitals|||20260714093000"
VISIT = "PV1|1|{}|CLINIC1|||||||WMS|||||||||V-100"


def obx(value: str, *, unit: str = "kg", kind: str = "NM") -> str:
    return f"OBX|1|{kind}|29463-7^Body weight^LN||{value}|{unit}|||||F"


def places(raw: bytes, *, source: Source = TRUST) -> list[tuple[str, str]]:
    """Severity and location of every issue, information too."""
    return [(found.severity.value, found.location) for found in entry_of(raw, source=source).checked.issues]


def weights(*segments: str) -> list[Decimal]:
    facts = message_of(message("ORU^R01", PV1, OBR, *segments)).facts
    return [fact.body.value for fact in facts if isinstance(fact.body, Measurement)]


@pytest.mark.parametrize(
    "authority",
    ["NHS", "nhs", "&2.16.840.1.113883.2.1.4.1&ISO", "NHS-No", "https://fhir.nhs.uk/Id/nhs-number"],
)
@pytest.mark.parametrize("kind", ["", "NI", "PI", "MR", "HN", "SS", "PRN"])
def test_the_issuer_makes_an_nhs_number_whatever_its_type(authority: str, kind: str):
    segment = PID.replace("9990000018^^^NHS^NH", f"9990000018^^^{authority}^{kind}")
    person = message_of(message("ADT^A31", segment)).person
    assert person.nhs_number is not None
    assert person.local_id is not None
    assert person.local_id.value == "700002"


def test_a_number_in_PID_19_is_the_nhs_number_only_by_the_sources_setting():
    segment = "PID|1||700002^^^RXX^MR||Okonkwo^Ngozi||19800229|F|||||||||||9990000018"
    assert ("warning", "business-rule", "PID-19") in issues(message("ADT^A31", segment))
    source = replace(TRUST, nhs_number_fields=frozenset({"PID-19"}))
    assert message_of(message("ADT^A31", segment), source=source).person.nhs_number is not None
    assert issues(message("ADT^A31", segment), source=source) == []


def test_an_nhs_number_that_has_expired_is_a_former_one():
    segment = PID.replace("9990000018^^^NHS^NH", "9990000018^^^NHS^NH^^20200101^20210101")
    person = message_of(message("ADT^A31", segment)).person
    assert person.nhs_number is None
    assert len(person.former_nhs_numbers) == 1


@pytest.mark.parametrize("kind", ["ADT^A18", "ADT^A30", "ADT^A34", "ADT^A36", "ADT^A39", "ADT^A40", "ADT^A47"])
def test_a_merge_retires_only_what_PID_no_longer_holds(kind: str):
    pid = PID.replace("700002^^^RXX^MR", "700002^^^RXX^MR~88120^^^XRAY^PI")
    person = message_of(message(kind, pid, "MRG|700001^^^RXX^MR~88120^^^XRAY^PI")).person
    assert [number.value for number in person.retired_local_ids] == ["700001"]


def test_a_message_of_two_merges_is_refused_for_that_reason_alone():
    other = PID.replace("700002", "700004")
    raw = message("ADT^A40", PID, "MRG|700001^^^RXX^MR", other, "MRG|700003^^^RXX^MR")
    assert issues(raw) == [("error", "structure", "PID[2]")]
    assert entry_of(raw).bundle is None


@pytest.mark.parametrize(
    ("done", "undone"),
    [
        (("ADT^A04", VISIT.format("O")), ("ADT^A11", VISIT.format("O"))),
        (("ADT^A03", VISIT.format("O")), ("ADT^A13", VISIT.format("Outpatient"))),
        (("SIU^S12", SCH, "AIS|1|A|WMS"), ("SIU^S17", SCH, "AIS|1|D|WMS")),
        (("REF^I12", "RF1|P|R|WMS|||REF-9|20260615"), ("REF^I14", "RF1|P|R|WMS|||REF-9|20260615")),
    ],
)
def test_an_event_that_undoes_takes_back_what_it_names(done: tuple[str, ...], undone: tuple[str, ...]):
    def facts(kind: str, *segments: str) -> dict[tuple[str, str | None], bool]:
        clinical = (fact for fact in message_of(message(kind, *segments)).facts if fact.body.type != "demographics")
        return {(fact.body.type, fact.business_id): fact.retracted for fact in clinical}

    first, second = facts(*done), facts(*undone)
    assert first.keys() == second.keys() != set()
    assert not any(first.values())
    assert all(second.values())


@pytest.mark.parametrize("kind", ["ADT^A11", "ADT^A13"])
def test_an_undoing_that_names_nothing_is_an_error(kind: str):
    raw = message(kind, "PV1|1|O|CLINIC1|||||||WMS")
    assert ("error", "required", "PV1-19") in issues(raw)


@pytest.mark.parametrize("kind", ["ADT^A12", "ADT^A29", "ADT^A37", "ADT^A38", "SIU^S14", "ADT^A99", "MDM^T02"])
def test_an_event_that_is_not_read_says_so_to_every_source(kind: str):
    assert places(message(kind, PV1)) == [("information", "MSH-9")]
    assert ("information", "MSH-9") in places(message(kind, PV1), source=OPEN)


@pytest.mark.parametrize(("word", "code"), sorted(PATIENT_CLASS_WORDS.items()))
def test_a_patient_class_in_words_is_its_code(word: str, code: str):
    facts = message_of(message("ADT^A03", VISIT.format(word.upper()))).facts
    assert any(isinstance(fact.body, Discharge) for fact in facts) == (code == "O")


def test_a_patient_class_nobody_knows_is_reported_and_the_source_may_name_it():
    raw = message("ADT^A04", VISIT.format("Clinic"))
    assert ("warning", "code-invalid", "PV1-2") in issues(raw)
    source = replace(TRUST, codes={"patient_class": {"clinic": "O"}})
    assert any(isinstance(fact.body, Attendance) for fact in message_of(raw, source=source).facts)


@pytest.mark.parametrize(("word", "code"), sorted(APPOINTMENT_STATUS.items()))
def test_a_booking_with_another_status_is_what_the_status_says(word: str, code: str):
    raw = message("SIU^S12", f"{SCH}{'|' * 14}{word}", "AIS|1|A|WMS")
    (seen,) = (fact.body for fact in message_of(raw).facts if isinstance(fact.body, Attendance))
    assert seen.attendance == ("4" if code == "cancelled" else code)
    assert (("warning", "SCH-25") in places(raw)) == (code != "0")


@pytest.mark.parametrize("said", ["", '""', "Declined", "Patient refused", "COULD NOT STAND", "N/A", "UNK", "-"])
def test_a_result_that_says_there_is_none_is_no_fault(said: str):
    raw = message("ORU^R01", PV1, OBR, obx(said, unit=""))
    assert places(raw) == [("information", "OBX[1]-5")]
    assert verdict(raw) == "accepted"


@pytest.mark.parametrize(("sent", "value"), [("+96.3", "96.3"), ("97.", "97"), (".6", "0.6")])
def test_a_number_is_read_in_every_form_that_HL7_allows(sent: str, value: str):
    assert weights(obx(sent)) == [Decimal(value)]


@pytest.mark.parametrize("escaped", ["\\XC3BC\\", "\\XC3\\\\XBC\\", "\\X00FC\\", "\\XFC\\"])
def test_a_letter_written_in_bytes_is_that_letter(escaped: str):
    (name,) = message_of(message("ADT^A31", PID.replace("Okonkwo", f"M{escaped}ller"))).person.names
    assert name.family == "Müller"


@pytest.mark.parametrize(("declared", "encoding"), [("8859/1", "cp1252"), ("8859/1", "utf-8"), ("8859/2", "utf-8")])
def test_bytes_that_fit_another_set_better_are_read_by_it_with_a_warning(declared: str, encoding: str):
    text = message("ADT^A31").decode().replace("UNICODE UTF-8", declared).replace("Okonkwo", "O’Núñez")
    raw = text.encode(encoding)
    assert message_of(raw).person.names[0].family == "O’Núñez"
    assert places(raw) == [("warning", "MSH-18")]


def test_a_sender_that_the_source_does_not_list_is_refused():
    listed = replace(TRUST, senders=frozenset({"pas|rxx"}))
    assert verdict(message("ADT^A31"), source=listed) == "accepted"
    other = message("ADT^A31").replace(b"|PAS|RXX|", b"|PAS|RYY|")
    assert issues(other, source=listed) == [("error", "forbidden", "MSH-3")]


def test_the_header_says_what_is_not_taken():
    assert ("error", "not-supported", "MSH-12") in issues(message("ADT^A31").replace(b"|P|2.4|", b"|P|3.0|"))
    training = message("ADT^A31").replace(b"|P|2.4|", b"|T|2.4|")
    assert entry_of(training, test_mode=True).bundle is not None
    assert entry_of(training, test_mode=False).bundle is None


# HL7 2.5.1 and 2.8.2, table 0125: none of these holds one measured number.
@pytest.mark.parametrize(
    ("kind", "value"),
    [("NR", "100^150"), ("NA", "118.4^119"), ("MA", "1^2~3^4"), ("DT", "20260714"), ("TM", "0930"), ("CE", "3^Obese"),
     ("TS", "20260714"), ("DTM", "20260714"), ("ED", "^application^pdf^Base64^JVBE"), ("RP", "a^b"), ("ZZ", "118.4")],
)  # fmt: skip
def test_a_type_that_holds_no_single_number_is_an_error_at_the_type(kind: str, value: str):
    height = "OBX|2|NM|8302-2^Height^LN||168|cm|||||F"
    raw = message("ORU^R01", PV1, OBR, obx(value, kind=kind), height)
    assert issues(raw) == [("error", "code-invalid", "OBX[1]-2")]
    assert weights(obx(value, kind=kind), height) == [Decimal(168)]


@pytest.mark.parametrize("value", ["118.4^119.2", "118.4&119.2"])
def test_a_number_with_a_second_part_is_not_a_measured_value(value: str):
    assert issues(message("ORU^R01", PV1, OBR, obx(value))) == [("error", "value", "OBX[1]-5")]


@pytest.mark.parametrize(("unit", "beside"), [("kg", ""), ("kg&kilogram&UCUM", ""), ("kg", "kg"), ("", "kg")])
def test_a_quantity_with_its_unit_inside_is_read(unit: str, beside: str):
    assert weights(obx(f"118.4^{unit}", unit=beside, kind="CQ")) == [Decimal("118.4")]


def test_a_quantity_whose_unit_is_another_than_that_beside_it_is_not_told():
    raw = message("ORU^R01", PV1, OBR, obx("118.4^[lb_av]", kind="CQ"))
    assert issues(raw) == [("error", "business-rule", "OBX[1]-6")]


def result(status: str, order: str = "") -> bytes:
    """A weight of that OBX-11, under an order of that OBR-25."""
    return message("ORU^R01", PV1, f"{OBR}{'|' * 18}{order}", obx("118.4").removesuffix("F") + status)


def stand(raw: bytes) -> list[bool]:
    """Whether each measurement is told (True) or taken back."""
    return [not fact.retracted for fact in message_of(raw).facts if isinstance(fact.body, Measurement)]


@pytest.mark.parametrize(
    ("status", "becomes"),
    [("Final", [True]), ("corrected", [True]), ("Verified", [True]), ("Deleted", [False]), ("D", [False]),
     ("Preliminary", []), ("Pending", []), ("Cancelled", []), ("Not asked", []), ("P", []), ("X", [])],
)  # fmt: skip
def test_the_status_of_a_result_counts_by_code_and_in_words(status: str, becomes: list[bool]):
    assert stand(result(status)) == becomes
    assert issues(result(status)) == []


def test_a_status_of_a_result_that_nobody_knows_is_an_error_unless_the_source_names_it():
    assert issues(result("Zog")) == [("error", "code-invalid", "OBX[1]-11")]
    source = replace(TRUST, codes={"result_status": {"zog": "F"}})
    assert issues(result("Zog"), source=source) == []


# HL7 2.5.1, 4.5.3.25 and table 0123: O, I, S, N, X, Y, Z say that the order has no results.
@pytest.mark.parametrize("order", ["O", "I", "S", "N", "X", "Y", "Z", "D", "Cancelled"])
def test_a_result_under_an_order_that_has_none_is_an_error_and_its_deletion_stands(order: str):
    assert issues(result("F", order)) == [("error", "business-rule", "OBR-25")]
    assert stand(result("D", order)) == [False]
    assert places(result("", order)) == [("information", "OBR-25")]


@pytest.mark.parametrize("order", ["P", "R", "M", "Preliminary"])
def test_a_final_result_of_an_order_that_is_not_yet_final_is_told_and_one_without_status_is_not(order: str):
    assert stand(result("F", order)) == [True]
    assert places(result("", order)) == [("information", "OBR-25")]


def test_a_status_of_an_order_that_nobody_knows_is_named():
    assert issues(result("F", "Zog")) == [("warning", "code-invalid", "OBR-25")]
    assert issues(result("", "Zog")) == [("error", "code-invalid", "OBR-25")]


def attendance(kind: str, *segments: str) -> str:
    facts = message_of(message(kind, *segments)).facts
    return next(fact.body.attendance for fact in facts if isinstance(fact.body, Attendance))


RESOURCES = [("AIS", "|1|A|WMS", 10), ("AIL", "|1|A|ROOM", 12), ("AIG", "|1|A|SCALES", 14), ("AIP", "|1|A|DR", 12)]


@pytest.mark.parametrize(("name", "start", "field"), RESOURCES)
@pytest.mark.parametrize(("status", "code"), [("Cancelled", "4"), ("Noshow", "3"), ("Complete", "5")])
def test_what_the_filler_says_of_the_service_counts_and_of_anything_else_is_named(
    name: str, start: str, field: int, status: str, code: str
):
    resource = with_field(f"{name}{start}", field, status)
    segments = (SCH, *(() if name == "AIS" else ("AIS|1|A|WMS",)), resource)
    assert attendance("SIU^S12", *segments) == (code if name == "AIS" else "0")
    assert any(severity == "warning" and name in place for severity, place in places(message("SIU^S12", *segments)))


def test_one_of_two_services_that_is_cancelled_does_not_cancel_the_appointment():
    services = (with_field("AIS|1|A|WMS", 10, "Cancelled"), with_field("AIS|2|A|WMS", 10, "Booked"))
    assert attendance("SIU^S12", SCH, *services) == "0"
    assert ("warning", "AIS[1]-10") in places(message("SIU^S12", SCH, *services))


@pytest.mark.parametrize("kind", ["SIU^S15", "SIU^S26"])
@pytest.mark.parametrize("status", ["Booked", "Complete", "Zog"])
def test_a_status_that_contradicts_the_event_is_named_and_the_event_counts(kind: str, status: str):
    of_appointment, of_service = with_field(SCH, 25, status), with_field("AIS|1|A|WMS", 10, status)
    expected = {"SIU^S15": "4", "SIU^S26": "3"}[kind]
    assert attendance(kind, of_appointment, of_service) == expected
    named = places(message(kind, of_appointment, of_service))
    assert {("warning", "SCH-25"), ("warning", "AIS[1]-10")} <= set(named)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-be"])
def test_a_message_in_two_byte_characters_is_refused_for_that_reason(encoding: str):
    raw = message("ADT^A31").decode().encode(encoding)
    (issue,) = entry_of(raw).checked.issues
    assert "UTF-16" in issue.rule
    assert "UTF-8" in issue.rule
    assert entry_of(raw).bundle is None
