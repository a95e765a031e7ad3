"""A coded field is where a careless sender puts a name: what is told as a code must be one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from memory_engine import sources

from schemas import codes
from schemas.check import check

OWN = "https://tierlink.example/StructureDefinition/"
GP = "gp-hub"


def facts_told(*, patient: dict[str, Any] | None = None, request: dict[str, Any] | None = None) -> str:
    """Every fact of a referral, in one text, with one extension more on the Patient or the ServiceRequest."""
    who = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919"}],
        "extension": [patient] if patient else [],
    }
    what = {
        "resourceType": "ServiceRequest",
        "id": "s",
        "status": "active",
        "intent": "order",
        "identifier": [{"value": "R1"}],
        "subject": {"reference": "urn:uuid:p"},
        "authoredOn": "2026-05-01",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "408289007"}]},
        "extension": [request] if request else [],
    }
    entries = [{"fullUrl": "urn:uuid:p", "resource": who}, {"fullUrl": "urn:uuid:s", "resource": what}]
    bundle = {"resourceType": "Bundle", "type": "message", "id": "m1", "entry": entries}
    _, entry = check(bundle, source=sources()[GP], test_mode=True, received_at=datetime(2026, 6, 1, tzinfo=UTC))
    return " ".join(fact.body.model_dump_json() for fact in entry.facts) if entry else ""


@pytest.mark.parametrize("value", ["Smith", "9434765919", "1950-04-12", "MRN123", "07700900123"])
def test_an_ethnic_category_told_in_our_own_extension_is_a_category_or_nothing(value: str) -> None:
    assert '"A"' in facts_told(patient={"url": f"{OWN}ethnic-category", "valueCode": "A"})  # the way is open
    assert value not in facts_told(patient={"url": f"{OWN}ethnic-category", "valueCode": value})


def test_an_area_code_is_no_birth_date_with_a_letter_before_it() -> None:
    assert "E01012345" in facts_told(patient={"url": f"{OWN}lsoa", "valueCode": "E01012345"})
    assert "E19500412" not in facts_told(patient={"url": f"{OWN}lsoa", "valueCode": "E19500412"})


def test_a_postcode_of_five_characters_is_no_organisation() -> None:
    assert "RXA01" in facts_told(request={"url": f"{OWN}provider-ods", "valueCode": "RXA01"})
    assert "M11AE" not in facts_told(request={"url": f"{OWN}provider-ods", "valueCode": "m11ae"})
    assert "M11AE" not in facts_told(request={"url": f"{OWN}council", "valueCode": "M11AE"})


@pytest.mark.parametrize("value", ["john-smith/1", "943-476-591/9", "12-04-195/0", "zoe-of-12/1"])
def test_the_name_of_a_definition_is_made_of_words_that_name_nobody(value: str) -> None:
    assert codes.definition("attended-8-of-12/1") == "attended-8-of-12/1"
    parts = [
        {"url": "type", "valueCode": "acceptance"},
        {"url": "on", "valueDate": "2026-05-02"},
        {"url": "definition", "valueCode": value},
    ]
    element = facts_told(request={"url": f"{OWN}milestone", "extension": parts})
    assert '"acceptance"' in element
    assert value not in element
