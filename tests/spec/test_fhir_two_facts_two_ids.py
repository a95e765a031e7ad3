"""Two facts never share an id: the issuer of a number is part of it, and so is what tells two milestones apart."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from case_answers import RECEIVED_AT, SOURCES
from fhir_plain import PLAIN

from schemas.check import check
from schemas.source_message import SourceFact
from schemas.uris import extension_url

REFERRAL, WEIGHT, HEIGHT = 2, 3, 4


def facts_of(document: dict[str, Any]) -> list[SourceFact]:
    _, message = check(document, source=SOURCES["fhir"], test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return list(message.facts)


def measured(*numbers: tuple[str, str]) -> list[str | None]:
    """The ids of weight and height under these identifiers, (system, value)."""
    document: dict[str, Any] = deepcopy(PLAIN)
    for place, (system, value) in zip((WEIGHT, HEIGHT), numbers, strict=True):
        document["entry"][place]["resource"]["identifier"] = [{"system": system, "value": value}]
    return [fact.business_id for fact in facts_of(document) if fact.body.type == "measurement"]


def test_one_number_of_two_issuers_names_two_results() -> None:
    weight, height = measured(("https://lab-a.example/result", "7"), ("https://lab-b.example/result", "7"))
    assert weight != height


def test_one_issuer_in_two_spellings_is_one_issuer() -> None:
    weight, height = measured(("https://lab.example/result", "7"), (" https://lab.example/result ", "7"))
    assert height == f"{weight}#2"  # one number of one issuer for two results: kept apart, with a warning


def milestones(*parts: tuple[str, dict[str, str]]) -> list[SourceFact]:
    """A referral with milestones of our extension: (type, further codes)."""
    document: dict[str, Any] = deepcopy(PLAIN)
    document["entry"][REFERRAL]["resource"]["extension"] = [
        {
            "url": extension_url("milestone"),
            "extension": [
                {"url": "type", "valueCode": kind},
                {"url": "on", "valueDate": "2026-07-01"},
                *({"url": name, "valueCode": code} for name, code in codes.items()),
            ],
        }
        for kind, codes in parts
    ]
    return [fact for fact in facts_of(document) if fact.body.type in ("completion", "medicine")]


def test_completions_under_two_definitions_are_two_facts() -> None:
    found = milestones(
        ("completion", {"definition": "as-reported/1"}), ("completion", {"definition": "dwmp-attended-60pct/1"})
    )
    assert len({fact.business_id for fact in found}) == len(found) == 2


def test_a_medicine_started_and_stopped_is_two_facts() -> None:
    found = milestones(
        ("medicine", {"action": "started", "dmd-code": "777514008"}),
        ("medicine", {"action": "stopped", "dmd-code": "777514008"}),
    )
    assert len({fact.business_id for fact in found}) == len(found) == 2


KG = {"unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
WEIGHT_CODE = {"coding": [{"system": "http://snomed.info/sct", "code": "27113001"}]}
WARNED = [("warning", "duplicate", "Bundle.entry")]


def measurements(change: Callable[[dict[str, Any]], None]) -> tuple[list[SourceFact], list[tuple[str, str, str]]]:
    """The measurements and the issues about duplicates of the plain message, changed."""
    document: dict[str, Any] = deepcopy(PLAIN)
    change(document)
    checked, message = check(document, source=SOURCES["fhir"], test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    issues = [(issue.severity.value, issue.code, issue.location) for issue in checked.issues]
    return [fact for fact in message.facts if fact.body.type == "measurement"], [
        issue for issue in issues if issue[1] == "duplicate"
    ]


def two_components(*values: float) -> Callable[[dict[str, Any]], None]:
    """Replaces the height by a panel with a number that holds these weights."""

    def change(document: dict[str, Any]) -> None:
        panel = document["entry"][HEIGHT]["resource"]
        panel.pop("valueQuantity")
        panel["code"] = {"text": "Before and after"}
        panel["identifier"] = [{"system": "https://lab.example/result", "value": "7"}]
        panel["component"] = [{"code": WEIGHT_CODE, "valueQuantity": {"value": value, **KG}} for value in values]

    return change


def test_two_components_with_one_code_are_two_facts_with_a_warning() -> None:
    """R4 Observation.component: nothing forbids a code twice (obs-7 is about the Observation's own code)."""
    found, issues = measurements(two_components(97.1, 96.8))
    assert len({fact.business_id for fact in found}) == len(found) == 3
    assert issues == WARNED


def test_the_same_component_twice_is_one_fact() -> None:
    found, issues = measurements(two_components(97.1, 97.1))
    assert len({fact.business_id for fact in found}) == 2
    assert issues == []


def test_two_resources_under_one_number_that_differ_are_both_kept() -> None:
    def change(document: dict[str, Any]) -> None:
        for place in (WEIGHT, HEIGHT):
            resource = document["entry"][place]["resource"]
            resource["identifier"] = [{"system": "https://lab.example/order", "value": "7"}]

    found, issues = measurements(change)
    assert len({fact.business_id for fact in found}) == len(found) == 2
    assert issues == WARNED
