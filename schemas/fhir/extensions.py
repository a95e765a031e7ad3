"""Our extensions: a fact's fields that FHIR R4 has no place for, under the field's own name with hyphens.

Which extension value type carries which Python type, both ways. Numbers travel as JSON numbers whose shortest
decimal spelling is the value.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel

from schemas.uris import extension_url

_VALUE = {bool: "valueBoolean", int: "valueInteger", str: "valueCode"}


def extension(name: str, value: object, *, url: str | None = None) -> dict[str, object]:
    """The extension called `name` holding `value` (a code, number, truth, date or moment)."""
    place: dict[str, object] = {"url": url or extension_url(name)}
    if isinstance(value, datetime):
        place["valueDateTime"] = value.isoformat()
    elif isinstance(value, date):
        place["valueDate"] = value.isoformat()
    elif isinstance(value, Decimal):
        place["valueDecimal"] = number(value)
    else:
        place[_VALUE[type(value)]] = value
    return place


def number(value: Decimal) -> int | float:
    """`value` as a JSON number: the float whose shortest spelling is that decimal (15 significant digits hold)."""
    return int(value) if value == value.to_integral_value() else float(value)


def fields(body: BaseModel, *, without: Iterable[str] = (), bare: bool = False) -> list[dict[str, object]]:
    """An extension for each field of `body` that is set, but those in `without`, of a field with several values one
    for each; `bare` URLs inside another extension."""
    skipped = {"type", "on", "at", "referral", *without}
    found = []
    for name, value in body:
        if name in skipped or value is None:
            continue
        hyphenated = hyphened(name)
        parts = value if isinstance(value, tuple) else (value,)
        found += [extension(hyphenated, part, url=hyphenated if bare else None) for part in parts]
    return found


def hyphened(name: str) -> str:
    """`to_tier` -> `to-tier`."""
    return name.replace("_", "-")


def without_empty(resource: Mapping[str, object]) -> dict[str, object]:
    """The same resource without the elements that hold nothing: FHIR allows no null, empty list or empty object."""
    return {name: value for name, value in resource.items() if value is not None and value not in ("", [], {})}
