"""Every word that a modifier element of R4 may hold is acted on; that the table names each of them: tests/spec.

Source: HL7 FHIR R4 (4.0.1, 30 October 2019): the pages of the resources and data types, and the value sets with binding
"required". Written from knowledge of the specification in November 2026, not from its machine-readable definitions.
Patient.link is the modifier; link.type is not marked.
"""

import pytest
from fhir_plain import PATIENT, REFERRAL, changed, facts_of, of, read

from schemas.fhir import modifiers

WORDS = {
    ("ServiceRequest", "status"): "draft active on-hold revoked completed entered-in-error unknown",
    ("ServiceRequest", "intent"): "proposal plan directive order original-order reflex-order filler-order "
    "instance-order option",
    ("Observation", "status"): "registered preliminary final amended corrected cancelled entered-in-error unknown",
    ("Appointment", "status"): "proposed pending booked arrived fulfilled cancelled noshow entered-in-error "
    "checked-in waitlist",
    ("Encounter", "status"): "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    (
        "Task",
        "status",
    ): "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed "
    "entered-in-error",
    ("QuestionnaireResponse", "status"): "in-progress completed amended entered-in-error stopped",
}


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
