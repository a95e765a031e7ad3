"""What a sender's JSON holds beside R4's forms: another JSON type, two values where one may stand, a modifier
where none belongs. It is read where it cannot be misread; otherwise the fact is not told and its place is named.

The tables say: what is sent -> (change, what is not told, severity and place of the issue). Source: HL7 FHIR R4 4.0.1.
"""

from typing import Any

import pytest
from fhir_plain import (
    EVERYTHING,
    HEADER,
    ODS,
    PATIENT,
    REFERRAL,
    SCT,
    WEIGHT,
    Change,
    changed,
    facts_of,
    inside,
    of,
    read,
)

ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
MODIFIER = [{"url": "https://x.example/not"}]
DEAD = {"deceasedDateTime": "2026-06-01"}
Expected = tuple[Change, set[str], tuple[str, str]]

# R4 json.html: a boolean is true or false, a code is a string, one value[x] at most
FORMS: dict[str, Expected] = {
    "a number for an NHS number": (
        inside(PATIENT, "identifier", 0, value=9993103926), set(), ("warning", "[1].resource.identifier[0].value"),
    ),
    "a telephone as a number": (
        of(PATIENT, telecom=[{"system": "phone", "value": 7700900123}]),
        set(), ("warning", "[1].resource.telecom[0].value"),
    ),
    "a word for true": (of(REFERRAL, doNotPerform="true"), {"referral"}, ("error", "[2].resource.doNotPerform")),
    "a death in a word": (of(PATIENT, deceasedBoolean="true"), set(), ("warning", "[1].resource.deceasedBoolean")),
    "a death and its denial": (
        of(PATIENT, deceasedBoolean=False, **DEAD), set(), ("error", "[1].resource.deceasedDateTime"),
    ),
    "a status as a number": (of(WEIGHT, status=5), {"weight"}, ("error", "[3].resource.status")),
    "a status that is not known": (
        of(WEIGHT, status=None, _status=ABSENT), {"weight"}, ("error", "[3].resource.status"),
    ),
    "an intent that is not known": (
        of(REFERRAL, intent=None, _intent=ABSENT), {"referral"}, ("error", "[2].resource.intent"),
    ),
    "two values": (of(WEIGHT, valueString="120"), {"weight"}, ("error", "[3].resource.valueQuantity")),
    "a list of values": (
        of(WEIGHT, valueQuantity=[{"value": 97, "code": "kg"}, {"value": 88, "code": "kg"}]),
        {"weight"}, ("error", "[3].resource.valueQuantity"),
    ),
    "two times": (
        of(WEIGHT, effectiveInstant="2026-06-01T00:00:00Z"), {"weight"}, ("error", "[3].resource.effectiveDateTime"),
    ),
    "a period of months": (
        of(WEIGHT, effectiveDateTime=None, effectivePeriod={"start": "2026-01-05", "end": "2026-06-30"}),
        set(), ("warning", "[3].resource.effectivePeriod.end"),
    ),
    "an offset that no place has": (
        of(WEIGHT, effectiveDateTime="2026-07-01T11:20:00+15:00"),
        {"weight"}, ("error", "[3].resource.effectiveDateTime"),
    ),
    "a modifier of a quantity": (
        inside(WEIGHT, "valueQuantity", modifierExtension=MODIFIER),
        {"weight"}, ("error", "[3].resource.valueQuantity.modifierExtension[0]"),
    ),
    "a modifier that is a word": (
        of(WEIGHT, modifierExtension=["not"]), {"weight"}, ("error", "[3].resource.modifierExtension[0]"),
    ),
    "a request that replaces another": (
        of(REFERRAL, replaces=[{"reference": "ServiceRequest/1"}]), set(), ("warning", "[2].resource.replaces"),
    ),
}  # fmt: skip
ETHNIC = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
ENGLAND = {"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"}
OURS = {"system": "https://surgery.example/Id/patient"}


def telecom(system: str, value: str | None) -> Change:
    return of(PATIENT, telecom=[{"system": system, "value": value} if value else {"system": system}])


def ethnic(*codings: dict[str, str]) -> Change:
    return of(PATIENT, extension=[{"url": ETHNIC, "valueCodeableConcept": {"coding": list(codings)}}])


def practices(*codes: str) -> Change:
    return of(PATIENT, generalPractitioner=[{"identifier": {"system": ODS, "value": code}} for code in codes])


# Who and where: R4 references.html, datatypes.html (use, telecom), UK Core ethnic category
WHO: dict[str, Expected] = {
    "a subject that is a group": (
        inside(WEIGHT, "subject", type="Group"), {"weight"}, ("error", "[3].resource.subject"),
    ),
    "a practice in words": (
        of(PATIENT, generalPractitioner=[{"display": "The Surgery"}]),
        set(), ("information", "[1].resource.generalPractitioner[0]"),
    ),
    "a requester that is not in the message": (
        of(REFERRAL, requester={"reference": "Practitioner/9"}), set(), ("information", "[2].resource.requester"),
    ),
    "two practices": (practices("B82007", "B82008"), set(), ("warning", "[1].resource.generalPractitioner")),
    "a use that only addresses have": (
        inside(PATIENT, "name", 0, use="home"), set(), ("warning", "[1].resource.name[0].use"),
    ),
    "a use that no identifier has": (
        inside(PATIENT, "identifier", 0, use="maiden"), set(), ("warning", "[1].resource.identifier[0].use"),
    ),
    "a modifier of a number": (
        inside(PATIENT, "identifier", 0, modifierExtension=MODIFIER),
        set(), ("error", "[1].resource.identifier[0].modifierExtension[0]"),
    ),
    "a record that replaces itself": (
        of(PATIENT, link=[{"type": "replaces", "other": {"identifier": {**OURS, "value": "P-21093"}}}]),
        set(), ("warning", "[1].resource.link[0].other.identifier.value"),
    ),
    "a month of birth": (of(PATIENT, birthDate="1956-09"), set(), ("information", "[1].resource.birthDate")),
    "a mailbox as telephone": (
        telecom("phone", "a.b@surgery.example"), set(), ("warning", "[1].resource.telecom[0].value"),
    ),
    "a telephone of two digits": (telecom("phone", "12"), set(), ("warning", "[1].resource.telecom[0].value")),
    "a contact that is none": (telecom("phone", None), set(), ("information", "[1].resource.telecom[0].value")),
    "a page": (telecom("url", "https://x.example"), set(), ("information", "[1].resource.telecom[0].system")),
    "a hidden character": (
        inside(PATIENT, "name", 0, family="Grim\x00shaw"), set(), ("warning", "[1].resource.name[0].family"),
    ),
    "a category without its system": (
        ethnic({"code": "A"}), set(), ("warning", "[1].resource.extension[0].valueCodeableConcept"),
    ),
    "two categories": (
        ethnic({**ENGLAND, "code": "A"}, {**ENGLAND, "code": "B"}),
        set(), ("warning", "[1].resource.extension[0].valueCodeableConcept"),
    ),
}  # fmt: skip


def coded(system: str, code: str, **more: Any) -> Change:
    return of(WEIGHT, code={"coding": [{"system": system, "code": code}], **more})


def added(kind: str, **elements: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["entry"].append({"fullUrl": "urn:example:added", "resource": {"resourceType": kind, **elements}})

    return change


def encounter(**elements: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        subject = {"reference": document["entry"][PATIENT]["fullUrl"]}
        period = {"start": "2026-07-01"}
        added("Encounter", status="finished", subject=subject, period=period, **elements)(document)

    return change


def appointment(participation: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        actor = {"reference": document["entry"][PATIENT]["fullUrl"]}
        people = [{"actor": actor, "status": participation}]
        added("Appointment", status="booked", start="2026-07-10T09:00:00Z", participant=people)(document)

    return change


def component(code: str) -> Change:
    return of(WEIGHT, component=[{"code": {"coding": [{**SCT, "code": code}]}, "valueInteger": 1}])


# What is measured and met: R4 observation.html, v3-ActEncounterCode, participationstatus, bundle.html
WHAT: dict[str, Expected] = {
    "a terminology misspelt": (
        coded("http://www.snomed.info/sct", "27113001"), set(), ("warning", "[3].resource.code"),
    ),
    "a code of a terminology under a list of the sender's own": (
        coded("https://lab.example/code", "27113001"), {"weight"}, ("warning", "[3].resource.code"),
    ),
    "words that say another thing than the code": (
        coded(SCT["system"], "27113001", text="Height"), {"weight"}, ("error", "[3].resource.code"),
    ),
    "a part of a code one digit wrong": (
        component("276361002"), set(), ("warning", "[3].resource.component[0].code"),
    ),
    "a part that is not read": (component("75367002"), set(), ("information", "[3].resource.component[0].code")),
    "a method in words": (of(WEIGHT, method={"text": "estimated"}), set(), ("warning", "[3].resource.method")),
    "a contact of no class": (encounter(), set(), ("error", "[5].resource.class")),
    "a contact of a class nobody knows": (
        encounter(**{"class": {"code": "OUTP"}}), set(), ("error", "[5].resource.class"),
    ),
    "an admission": (encounter(**{"class": {"code": "IMP"}}), set(), ("information", "[5].resource.class")),
    "a class without its system": (
        encounter(**{"class": {"code": "AMB"}}), set(), ("warning", "[5].resource.class"),
    ),
    "a participation nobody knows": (
        appointment("coming"), set(), ("warning", "[5].resource.participant[0].status"),
    ),
    "an appointment that the person declined": (
        appointment("declined"), set(), ("information", "[5].resource.participant[0].status"),
    ),
    "a UBRN no longer in use": (
        inside(REFERRAL, "identifier", 0, use="old"), set(), ("information", "[2].resource.identifier[0].use"),
    ),
    "an entry that is a word": (
        lambda document: document["entry"].append("weight"), set(), ("warning", "Bundle.entry[5]"),
    ),
    "a list of resources": (
        lambda document: document["entry"].append({"resource": [document["entry"][WEIGHT]["resource"]]}),
        set(), ("warning", "entry[5].resource"),
    ),
    "two headers": (
        added("MessageHeader", eventCoding={"code": "x"}, source={"endpoint": "x:y"}),
        set(), ("warning", "Bundle.entry"),
    ),
}  # fmt: skip
TABLES: dict[str, Expected] = FORMS | WHO | WHAT


@pytest.mark.parametrize("case", TABLES)
def test_an_odd_form_is_read_rightly_or_named(case: str) -> None:
    change, lost, (severity, place) = TABLES[case]
    checked, message = read(changed(change))
    assert message is not None, checked.issues
    assert [fact for fact in facts_of(checked) if fact in EVERYTHING] == sorted(set(EVERYTHING) - lost)
    places = [(issue.severity.value, issue.location) for issue in checked.issues]
    assert any(kind == severity and where.endswith(place) for kind, where in places), places


def test_a_death_that_is_denied_in_the_same_breath_is_not_told() -> None:
    checked, _ = read(changed(of(PATIENT, deceasedBoolean=False, **DEAD)))
    assert "death" not in facts_of(checked)


def test_one_category_without_its_system_is_told_and_two_categories_are_not() -> None:
    facts = {len(codings): read(changed(ethnic(*codings)))[0].facts for codings in ONE_AND_TWO}
    assert [facts[count][0].get("ethnic_category") for count in (1, 2)] == ["A", None]


ONE_AND_TWO: tuple[tuple[dict[str, str], ...], ...] = (
    ({"code": "A"},),
    ({**ENGLAND, "code": "A"}, {**ENGLAND, "code": "B"}),
)


def test_a_record_that_replaces_itself_retires_nothing() -> None:
    checked, _ = read(changed(WHO["a record that replaces itself"][0]))
    assert checked.identity["retired"] == 0


def test_what_refers_to_a_url_that_two_entries_have_leads_nowhere() -> None:
    def same_url(document: dict[str, Any]) -> None:
        document["entry"].insert(1, {**document["entry"][1], "resource": {"resourceType": "RelatedPerson"}})

    checked, message = read(changed(same_url))
    assert message is None
    places = [(issue.severity.value, issue.location) for issue in checked.issues]
    assert ("warning", "Bundle.entry[2].fullUrl") in places
    assert ("error", "Bundle.entry[4].resource.subject") in places


def test_an_answer_of_failure_in_a_second_header_refuses_too() -> None:
    failure = {"identifier": "M-1", "code": "fatal-error"}
    checked, message = read(changed(added("MessageHeader", source={"endpoint": "x:y"}, response=failure)))
    assert message is None
    assert "Bundle.entry[5].resource.response.code" in {issue.location for issue in checked.issues}


@pytest.mark.parametrize("case", ["a contact of no class", "an appointment that the person declined"])
def test_what_was_no_contact_is_no_attendance(case: str) -> None:
    checked, _ = read(changed(WHAT[case][0]))
    assert facts_of(checked) == EVERYTHING


def test_a_list_of_resources_is_no_second_fact() -> None:
    checked, _ = read(changed(WHAT["a list of resources"][0]))
    assert facts_of(checked) == EVERYTHING


def test_a_plan_that_names_no_service_asks_for_none_and_is_no_fault() -> None:
    """BaRS validates a slot with a ServiceRequest of intent `plan` and no code."""
    checked, _ = read(changed(of(REFERRAL, code=None, intent="plan")))
    assert any(issue.location == "Bundle.entry[2].resource.intent" for issue in checked.issues)
    assert not [issue for issue in checked.issues if issue.severity == "error"]


def test_what_says_two_things_of_a_referral_is_named() -> None:
    """BaRS message-reason `delete`; R4 ServiceRequest.performer 0..*; R4 modifierExtension of any resource."""
    providers = [{"identifier": {"system": ODS, "value": code}} for code in ("RXX", "RYY")]
    bent = {
        "resourceType": "Organization",
        "id": "o",
        "modifierExtension": MODIFIER,
        "identifier": providers[0]["identifier"],
    }
    deleting = {"coding": [{"system": "https://fhir.nhs.uk/CodeSystem/message-reason-bars", "code": "delete"}]}
    for change, place in (
        (of(HEADER, reason=deleting), "[0].resource.reason"),
        (of(REFERRAL, performer=providers), "[2].resource.performer"),
        (
            of(REFERRAL, contained=[bent], performer=[{"reference": "#o"}]),
            "[2].resource.contained[0].modifierExtension[0]",
        ),
    ):
        checked, message = read(changed(change))
        assert message is not None
        assert f"Bundle.entry{place}" in [issue.location for issue in checked.issues]
