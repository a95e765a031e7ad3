"""The plain FHIR message of the golden cases (a patient, a referral, a weight, a height) and changes to it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
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


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """The paths of everything that is neither object nor list."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    else:
        yield path


def at(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


def spelt(path: Path) -> str:
    """A path as issues spell it."""
    return re.sub(r"\.([0-9]+)", r"[\1]", ".".join(map(str, ("Bundle", *path))))


def with_value(document: Mapping[str, object], path: Path, value: object) -> dict[str, Any]:
    """A copy with `value` at `path`."""
    copied: Any = deepcopy(document)
    at(copied, path[:-1])[path[-1]] = value
    return dict(copied)
