"""The plain FHIR message of the golden cases (a patient, a referral, a weight, a height) and changes to it."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from case_answers import CASES, RECEIVED_AT, SOURCES

from schemas.check import check
from schemas.disposition import Checked
from schemas.source_message import SourceMessage
from schemas.sources import Source

PLAIN = json.loads((CASES / "fhir" / "reason_by_code.json").read_text())
Change = Callable[[dict[str, Any]], object]
Path = tuple[str | int, ...]
HEADER, PATIENT, REFERRAL, WEIGHT, HEIGHT = range(5)
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
SEVENTH = {"identifier": {"system": "https://x.example", "value": "7"}}
UNKNOWN = "xq-unknown"


def read(document: object, source: Source = SOURCES["fhir"]) -> tuple[Checked, SourceMessage | None]:
    return check(document, source=source, test_mode=True, received_at=RECEIVED_AT)


def of(number: int, **elements: Any) -> Change:
    """Sets elements of the resource of one entry; `None` takes one away."""

    def change(document: dict[str, Any]) -> None:
        for name, value in elements.items():
            if value is None:
                document["entry"][number]["resource"].pop(name, None)
            else:
                document["entry"][number]["resource"][name] = value

    return change


def inside(number: int, *path: str | int, **elements: Any) -> Change:
    """As `of`, in an element further down."""

    def change(document: dict[str, Any]) -> None:
        place = document["entry"][number]["resource"]
        for step in path:
            place = place[step]
        for name, value in elements.items():
            if value is None:
                place.pop(name, None)
            else:
                place[name] = value

    return change


def changed(*changes: Change) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(PLAIN)
    for change in changes:
        change(document)
    return document


def facts_of(checked: Checked) -> list[str]:
    return sorted(str(fact.get("quantity", fact["type"])) for fact in checked.facts)


EVERYTHING = ["demographics", "height", "referral", "weight"]
SCT = {"system": "http://snomed.info/sct"}
