"""Two facts never share an id: the issuer of a number is part of it, and so is what tells two milestones apart."""

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
    assert weight == height


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
