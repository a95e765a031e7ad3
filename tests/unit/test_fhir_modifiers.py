"""The table of modifiers is whole: every element that R4 marks `?!` in what we read, and every word it may hold.

Source: HL7 FHIR R4 (4.0.1, 30 October 2019): the pages of the resources and data types, and the value sets with binding
"required". Written from knowledge of the specification in November 2026, not from its machine-readable definitions.
Patient.link is the modifier; link.type is not marked.
"""

import re

import pytest
from fhir_plain import PATIENT, REFERRAL, changed, facts_of, of, read

from schemas.fhir import modifiers
from schemas.fhir.resource_types import RESOURCE_TYPES

EVERY_RESOURCE = ("implicitRules", "modifierExtension")
OF_R4 = {
    "Patient": ("active", "deceased[x]", "link"),
    "ServiceRequest": ("status", "intent", "doNotPerform"),
    "Observation": ("status",),
    "Appointment": ("status",),
    "Encounter": ("status",),
    "QuestionnaireResponse": ("status",),
    "Organization": ("active",),
    "HealthcareService": ("active",),
    "Location": ("status",),
    "Bundle": (),
    "MessageHeader": (),
    "Practitioner": (),
    "PractitionerRole": (),
    # data types
    "Identifier": ("use",),
    "HumanName": ("use",),
    "Address": ("use",),
    "ContactPoint": ("use",),
    "Quantity": ("comparator",),
    "Coding": (),
    "CodeableConcept": (),
    "Period": (),
    "Reference": (),
}
WORDS = {
    ("ServiceRequest", "status"): "draft active on-hold revoked completed entered-in-error unknown",
    ("ServiceRequest", "intent"): "proposal plan directive order original-order reflex-order filler-order "
    "instance-order option",
    ("Observation", "status"): "registered preliminary final amended corrected cancelled entered-in-error unknown",
    ("Appointment", "status"): "proposed pending booked arrived fulfilled cancelled noshow entered-in-error "
    "checked-in waitlist",
    ("Encounter", "status"): "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    ("QuestionnaireResponse", "status"): "in-progress completed amended entered-in-error stopped",
}


def documented() -> set[str]:
    """`Type.element` in the first column of the module's table."""
    rows = re.findall(r"^\| (.*?) \|", modifiers.__doc__ or "", re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z]\w+\.\w+(?:\[x\])?", row) if "modifierExt" not in row}


def test_the_table_names_each_modifier_element_of_r4_and_no_other() -> None:
    assert documented() == {f"{kind}.{element}" for kind, elements in OF_R4.items() for element in elements}
    assert all(name in (modifiers.__doc__ or "") for name in EVERY_RESOURCE)


def test_every_resource_that_is_read_has_its_row_here() -> None:
    from schemas.fhir.read import _READ

    assert set(_READ) | {"Bundle"} == OF_R4.keys() & RESOURCE_TYPES | {"Bundle"}


@pytest.mark.parametrize(("kind", "element"), WORDS)
def test_every_word_of_the_value_set_states_a_fact_or_denies_it_and_none_does_both(kind: str, element: str) -> None:
    states, denies = modifiers._FACT[kind, element], modifiers._NO_FACT[kind, element]
    assert states | denies == set(WORDS[kind, element].split())
    assert not states & denies


def test_a_closed_organisation_is_still_the_one_that_referred() -> None:
    organisation = {
        "resourceType": "Organization",
        "id": "o",
        "active": False,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "B82007"}],
    }
    _, message = read(changed(of(REFERRAL, contained=[organisation], requester={"reference": "#o"})))
    assert message is not None
    assert "B82007" in [getattr(fact.body, "referrer_ods", None) for fact in message.facts]


def test_a_record_that_is_not_in_active_use_is_read_and_said() -> None:
    checked, _ = read(changed(of(PATIENT, active=False)))
    assert "demographics" in facts_of(checked)
    assert [issue.location for issue in checked.issues] == ["Bundle.entry[1].resource.active"]
