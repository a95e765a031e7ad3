"""Numbers of a Patient that are nearly, not yet, or elsewhere: R4 Identifier, Patient.link, Reference (contained)."""

from dataclasses import replace
from typing import Any

import pytest
from case_answers import SOURCES
from fhir_plain import PATIENT, WEIGHT, changed, inside, of, read

from schemas.disposition import Checked
from schemas.identity import LocalId

ISSUER = "https://x.example/pat"
OLD = {"system": ISSUER, "value": "OLD-1"}
LOINC_VITALS = {"coding": [{"system": "http://loinc.org", "code": "85353-1"}]}


def places(checked: Checked) -> list[tuple[str, str]]:
    return [
        (issue.severity.value, issue.location.removeprefix("Bundle.entry[1].resource.")) for issue in checked.issues
    ]


def replacing(reference: str, *contained: dict[str, Any]) -> tuple[Checked, tuple[LocalId, ...]]:
    link = [{"type": "replaces", "other": {"reference": reference}}]
    checked, message = read(changed(of(PATIENT, contained=list(contained) or None, link=link)))
    assert message is not None
    return checked, message.person.retired_local_ids


def test_a_record_that_is_replaced_may_be_contained() -> None:
    checked, retired = replacing("#old", {"resourceType": "Patient", "id": "old", "identifier": [OLD]})
    assert retired == (LocalId("OLD-1", ISSUER),)
    assert places(checked) == []


@pytest.mark.parametrize(
    "contained",
    [
        {"resourceType": "Patient", "id": "another", "identifier": [OLD]},
        {"resourceType": "Patient", "id": "old"},
        {"resourceType": "RelatedPerson", "id": "old", "identifier": [OLD]},
        {
            "resourceType": "Patient",
            "id": "old",
            "identifier": [OLD],
            "modifierExtension": [{"url": "https://x.example/n"}],
        },
    ],
)
def test_what_names_no_contained_record_is_no_merge_and_is_named(contained: dict[str, Any]) -> None:
    checked, retired = replacing("#old", contained)
    assert retired == ()
    assert ("warning", "link[0].other") in places(checked)


@pytest.mark.parametrize(
    "system", [f"{ISSUER}/", "https://X.example/pat", "https://x.example/Pat", "http://x.example/pat"]
)
def test_a_system_that_is_nearly_an_authority_is_another_and_is_named(system: str) -> None:
    """R4: systems are compared as strings; RFC 3986 section 6.2 tells which differences are slips."""
    source = replace(SOURCES["fhir"], authorities=(ISSUER,))
    sent = [{"system": system, "value": "7"}, {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9993103926"}]
    checked, message = read(changed(of(PATIENT, identifier=sent)), source)
    assert message is not None
    assert message.person.local_id is None
    assert ("warning", "identifier[0].system") in places(checked)


@pytest.mark.parametrize("element", ["identifier", "name", "address"])
def test_what_is_in_use_only_later_is_read_and_named(element: str) -> None:
    checked, message = read(changed(inside(PATIENT, element, 0, period={"start": "2031-01-01"})))
    _, plain = read(changed())
    assert message == plain
    assert places(checked) == [("warning", f"{element}[0].period.start")]


def test_two_components_of_one_code_are_two_facts_of_two_ids() -> None:
    weights = [
        {
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "27113001"}]},
            "valueQuantity": {"value": kg, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        }
        for kg in (80, 90)
    ]
    number = [{"system": "https://x.example/panel", "value": "P-1"}]
    panel = of(WEIGHT, valueQuantity=None, code=LOINC_VITALS, component=weights, identifier=number)
    checked, message = read(changed(panel))
    assert message is not None
    panel_ids = [
        fact.business_id for fact in message.facts if (fact.business_id or "").startswith("https://x.example/panel")
    ]
    assert panel_ids == ["https://x.example/panel|P-1/weight", "https://x.example/panel|P-1/weight/2"]
    assert [issue.location for issue in checked.issues] == ["Bundle.entry[3].resource.component[1].code"]


@pytest.mark.parametrize("given", ["Susan N/A", "N/A Susan", "Susan (unknown)", "Susan TBC"])
def test_a_word_for_not_known_beside_a_name_is_no_part_of_it(given: str) -> None:
    checked, message = read(changed(inside(PATIENT, "name", 0, given=[given])))
    assert message is not None
    assert message.person.names[0].given == ("Susan",)
    assert places(checked) == [("information", "name[0].given")]
