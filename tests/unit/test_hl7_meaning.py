"""What a trust says is read whole, or its absence is said: one sentence for each kind of saying."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hl7_messages import OPEN, PID, PV1, SCH, TRUST, entry_of, issues, message, message_of, verdict

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
