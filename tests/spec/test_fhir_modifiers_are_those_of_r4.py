"""The table of modifier elements is R4's own, and each of them is acted on or named at its place.

Source: HL7 FHIR R4 (4.0.1), hl7.org/fhir/R4, the elements with the flag `?!` in the tables of the resources and data
types that are read here; read November 2026.
"""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from elements import Understood, understood_fhir
from fhir_samples import FHIR_OPEN, every_fact, uris_ods

from schemas.fhir import modifiers, read, structure
from schemas.fhir.write import bundle
from schemas.uris import ENCOUNTER_CLASS

# type -> its own elements with the flag ?!; the first three are the types that the others are made of
R4: Mapping[str, tuple[str, ...]] = {
    "Resource": ("implicitRules",),
    "DomainResource": ("modifierExtension",),
    "BackboneElement": ("modifierExtension",),
    "Bundle": (),
    "MessageHeader": (),
    "Patient": ("active", "deceased[x]", "link"),
    "ServiceRequest": ("status", "intent", "doNotPerform"),
    "Appointment": ("status",),
    "Encounter": ("status",),
    "Observation": ("status",),
    "QuestionnaireResponse": ("status",),
    "Task": ("status",),
    "Organization": ("active",),
    "HealthcareService": ("active",),
    "Location": ("status",),
    "Practitioner": (),
    "PractitionerRole": (),
    "Identifier": ("use",),
    "HumanName": ("use",),
    "Address": ("use",),
    "ContactPoint": ("use",),
    "Quantity": ("comparator",),
    "CodeableConcept": (),
    "Coding": (),
    "Reference": (),
    "Period": (),
    "Extension": (),
}
RULES = "https://rules.example"
NOT = [{"url": "https://x.example/not"}]
PATIENT, REFERRAL, WEIGHT, ON_THE_WAY = 1, 2, 4, 7


def rich(on_the_way: str = "Organization") -> dict[str, Any]:
    """Every fact; the referrer is an Organization, or a resource that names it."""
    document = json.loads(json.dumps(bundle(every_fact(), source=FHIR_OPEN)))
    named = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000008"}
    step = {"HealthcareService": "providedBy", "Location": "managingOrganization", "PractitionerRole": "organization"}
    number = {"identifier": [{"system": uris_ods(), "value": "A12345"}]}
    way = {"resourceType": on_the_way} | ({step[on_the_way]: named} if on_the_way in step else number)
    for place, resource in ((7, way), (8, {"resourceType": "Organization", **number})):
        document["entry"].append({"fullUrl": f"{named['reference'][:-1]}{place}", "resource": resource})
    contact = {
        "resourceType": "Encounter", "status": "finished", "class": {"system": ENCOUNTER_CLASS, "code": "AMB"},
        "subject": {"reference": document["entry"][PATIENT]["fullUrl"]}, "period": {"start": "2026-05-02"},
    }  # fmt: skip
    document["entry"].append({"fullUrl": f"{named['reference'][:-1]}9", "resource": contact})
    task = {"resourceType": "Task", "status": "rejected", "intent": "order"}
    about = {"focus": {"reference": document["entry"][REFERRAL]["fullUrl"]}, "lastModified": "2026-05-03"}
    document["entry"].append({"fullUrl": f"{named['reference'][:-1]}a", "resource": {**task, **about}})
    document["entry"][REFERRAL]["resource"]["requester"] = {"reference": f"{named['reference'][:-1]}7"}
    return dict(document)


def with_element(document: Mapping[str, Any], path: str, value: object) -> Understood:
    """What is understood when `value` stands at a path below `entry`: `2.resource.status`."""
    changed = deepcopy(dict(document))
    place: Any = changed["entry"]
    *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    for step in way:
        place = place[step]
    place[last] = value
    return understood_fhir(changed, FHIR_OPEN)


def referrer(found: Understood) -> str | None:
    assert found.message is not None
    return next(fact.body.referrer_ods for fact in found.message.facts if fact.body.type == "referral")


def test_every_resource_that_is_read_is_in_the_list() -> None:
    assert {*structure.USED, *read._READ, *modifiers._IN_USE} <= set(R4)


@pytest.mark.parametrize("element", [f"{name}.{element}" for name in list(R4)[3:] for element in R4[name]])
def test_every_modifier_of_r4_has_a_row(element: str) -> None:
    assert re.search(rf"^\|.*\b{re.escape(element)}", str(modifiers.__doc__), re.MULTILINE)


def test_the_table_names_no_element_of_ours_that_r4_does_not_mark() -> None:
    rows = re.findall(r"^\| (.*?) \|", modifiers.__doc__ or "", re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"[A-Z]\w+\.\w+(?:\[x\])?", row) if "modifierExt" not in row}
    assert named == {f"{name}.{element}" for name in list(R4)[3:] for element in R4[name]}


@pytest.mark.parametrize("element", ["implicitRules", "modifierExtension", "Timing", "MessageHeader.response"])
def test_what_every_resource_and_part_may_have_has_a_row(element: str) -> None:
    assert f" {element}" in str(modifiers.__doc__)


# element -> (path below entry, what stands there, place of the issue below entry)
CASES: dict[str, tuple[str, object, str]] = {
    "Patient.active": ("1.resource.active", False, "[1].resource.active"),
    "Patient.deceased[x]": ("1.resource.deceasedDateTime", "never", "[1].resource.deceasedDateTime"),
    "Patient.link": ("1.resource.link.0.type", "replaced-by", "[1].resource.link[0]"),
    "ServiceRequest.status": ("2.resource.status", "revoke", "[2].resource.status"),
    "ServiceRequest.intent": ("2.resource.intent", "plan", "[2].resource.intent"),
    "ServiceRequest.doNotPerform": ("2.resource.doNotPerform", True, "[2].resource.doNotPerform"),
    "Appointment.status": ("3.resource.status", "proposed", "[3].resource.status"),
    "Observation.status": ("4.resource.status", "cancelled", "[4].resource.status"),
    "Encounter.status": ("9.resource.status", "planned", "[9].resource.status"),
    "QuestionnaireResponse.status": ("6.resource.status", "stopped", "[6].resource.status"),
    "Task.status": ("10.resource.status", "completed", "[10].resource.status"),
    "Organization.active": ("7.resource.active", False, "[7].resource.active"),
    "Quantity.comparator": ("4.resource.valueQuantity.comparator", "<", "[4].resource.valueQuantity.comparator"),
    "Identifier.use": ("1.resource.identifier.1.use", "old", "[1].resource.identifier[1]"),
    "HumanName.use": ("1.resource.name.0.use", "anonymous", "[1].resource.name[0].use"),
    "ContactPoint.use": ("1.resource.telecom.0.use", "old", "[1].resource.telecom[0].use"),
    "rules of a Bundle's header": ("0.resource.implicitRules", RULES, "[0].resource.implicitRules"),
    "a modifier of the header's response": (
        "0.resource.response", {"identifier": "m", "code": "ok", "modifierExtension": NOT}, "[0].resource.response",
    ),
    "a modifier of an entry's request": (
        "4.request", {"method": "POST", "url": "x", "modifierExtension": NOT}, "[4].request.modifierExtension[0]",
    ),
    "a modifier of a participant": ("3.resource.participant.0.modifierExtension", NOT, "[3].resource.participant[0]"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_modifier_is_named_at_its_place(name: str) -> None:
    path, value, place = CASES[name]
    assert understood_fhir(rich(), FHIR_OPEN).issues == ()
    found = with_element(rich(), path, value)
    assert any(issue.location.startswith(f"Bundle.entry{place}") for issue in found.issues)


def test_every_modifier_of_r4_has_a_case_here() -> None:
    elsewhere = {"HealthcareService.active", "Location.status", "Address.use"}  # below
    assert {f"{name}.{element}" for name in list(R4)[3:] for element in R4[name]} - set(CASES) == elsewhere


def test_a_modifier_of_a_timing_is_named_and_the_weight_not_told() -> None:
    document = rich()
    weight = document["entry"][WEIGHT]["resource"]
    weight["effectiveTiming"] = {"event": [weight.pop("effectiveDateTime")]}
    assert "measurement" in understood_fhir(document, FHIR_OPEN).kinds
    found = with_element(document, "4.resource.effectiveTiming.modifierExtension", NOT)
    assert "measurement" not in found.kinds
    assert found.issues[0].location == "Bundle.entry[4].resource.effectiveTiming.modifierExtension[0]"


WAYS = ["Organization", "HealthcareService", "Location", "PractitionerRole"]


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize(("element", "value"), [("implicitRules", RULES), ("modifierExtension", NOT)])
def test_an_organisation_is_not_read_through_what_is_not_understood(kind: str, element: str, value: object) -> None:
    assert referrer(understood_fhir(rich(kind), FHIR_OPEN)) == "A12345"
    found = with_element(rich(kind), f"7.resource.{element}", value)
    assert referrer(found) is None
    assert any(issue.location.startswith(f"Bundle.entry[7].resource.{element}") for issue in found.issues)


@pytest.mark.parametrize(
    ("kind", "element", "value"),
    [("HealthcareService", "active", False), ("Location", "status", "inactive"), ("Location", "status", "suspended")],
)
def test_what_is_no_longer_in_use_still_says_who_referred_and_is_named(kind: str, element: str, value: object) -> None:
    found = with_element(rich(kind), f"7.resource.{element}", value)
    assert referrer(found) == "A12345"
    assert [issue.location for issue in found.issues] == [f"Bundle.entry[7].resource.{element}"]


def test_an_old_number_gives_way_to_the_one_in_use_and_is_named() -> None:
    document = rich()
    organisation = document["entry"][ON_THE_WAY]["resource"]
    organisation["identifier"].insert(0, {"use": "old", "system": uris_ods(), "value": "B12345"})
    found = understood_fhir(document, FHIR_OPEN)
    assert referrer(found) == "A12345"
    assert [issue.location for issue in found.issues] == ["Bundle.entry[7].resource.identifier[0].use"]


def test_an_address_no_longer_in_use_is_another_message() -> None:
    """Address.use: `old` puts the address behind the present ones."""
    document = rich()
    addresses = document["entry"][PATIENT]["resource"]["address"]
    addresses.append({"line": ["2 Mill Lane"], "city": "Leeds", "postalCode": "LS1 4HS"})
    plain, found = understood_fhir(document, FHIR_OPEN), with_element(document, "1.resource.address.0.use", "old")
    assert plain.message is not None
    assert found.message is not None
    assert found.message.person.addresses == plain.message.person.addresses[::-1]
