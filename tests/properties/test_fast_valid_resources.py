"""The quick yes of `schemas.fhir.fast_valid` against FHIR's own models: what it calls sound, they find no fault in."""

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, cast, get_args, get_origin

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from schemas.fhir import fast_valid
from schemas.fhir.fast_valid import is_fast_valid
from schemas.fhir.structure import USED

RESOURCES = 8_000
# Sound for one type, wrong or nearly right for the next.
VALUES: tuple[object, ...] = (
    "final", "two words", " led", "[lb_av]", "a\nb", "é", "", " ", "x" * 65, "2026-01-02", "2026-02-30", "2026-01",
    "1000-01-01", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+01:00", "2026-01-02T03:04:05+14:30",
    "2026-01-02T03:04:05", "2026-01-02T03:04:60Z", "2026-01-02T24:00:00Z", "https://a.example/b", "https://-a.b",
    "urn:uuid:11a3ab4a-71df-5ec2-b7dc-7db57ead8b61", "10:00:00", 0, 1, -1, 2**31, 2**40, 1.5, 1e-9, 1e300, True, None,
    [], {}, [None], ["x"],
)  # fmt: skip


def model_of(kind: str) -> type[BaseModel]:
    return cast(type[BaseModel], get_fhir_model_class(kind))


def complex_of(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """The model a field holds, None for a primitive, and whether it holds a list."""
    if get_origin(annotation) is list:
        return complex_of(get_args(annotation)[0])[0], True
    getter = getattr(annotation, "get_model_klass", None)
    if isinstance(annotation, type) and callable(getter):
        return cast(type[BaseModel], getter()), False
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return complex_of(parts[0]) if len(parts) == 1 and get_origin(annotation) else (None, False)


def made(rng: Random, model: type[BaseModel], depth: int) -> dict[str, Any]:
    """Some elements of a model, those it needs nearly always; some are all sound, many nearly."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    wanted = rng.sample(sorted(fields), rng.randint(0, 3))
    needed = [
        name
        for name, field in fields.items()
        if field.is_required() or cast("dict[str, Any]", field.json_schema_extra or {}).get("element_required")
    ]
    found: dict[str, Any] = {}
    for name in [*wanted, *(name for name in needed if rng.random() < 0.95)]:
        inner, many = complex_of(fields[name].annotation)
        if inner is not None and depth and inner.__name__ not in ("Resource", "Element"):
            part: Any = made(rng, inner, depth - 1)
            found[name] = [part] if many and rng.random() < 0.95 else part
        else:
            part = rng.choice(VALUES)
            found[name] = [part] if many else part
    if rng.random() < 0.03:
        found[rng.choice(["unknown", "resourceType", "_status"])] = rng.choice(VALUES)
    return found


@cache
def resources() -> tuple[tuple[dict[str, Any], bool], ...]:
    """Resources of every kind, and whether FHIR's own models find a fault in each."""
    rng, found = Random(5), []
    for number in range(RESOURCES):
        kind = USED[number % len(USED)]
        resource = {**made(rng, model_of(kind), 2), "resourceType": kind}
        found.append((resource, has_fault(resource)))
    return tuple(found)


def has_fault(resource: Mapping[str, Any]) -> bool:
    try:
        model_of(resource["resourceType"]).model_validate(resource)
    except Exception:  # noqa: BLE001 (the library stumbles over some values before it can say what is wrong)
        return True
    return False


def wrongly_called_sound() -> list[dict[str, Any]]:
    return [resource for resource, fault in resources() if fault and is_fast_valid(resource)]


def test_what_is_called_sound_has_no_fault() -> None:
    assert wrongly_called_sound() == []
    assert sum(is_fast_valid(resource) for resource, _ in resources()) > RESOURCES / 50


@pytest.mark.parametrize("kind", ["string", "code", "dateTime", "id"])
def test_one_primitive_that_takes_anything_is_seen(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, Any]", fast_valid._PRIMITIVES), kind, lambda value: True)
    fast_valid._shape.cache_clear()
    try:
        assert wrongly_called_sound()
    finally:
        fast_valid._shape.cache_clear()


def test_a_plain_observation_is_fast_valid_and_one_that_says_two_values_is_not() -> None:
    plain = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": "2026-07-14",
        "valueQuantity": {"value": 118.4, "unit": "kg"},
    }
    assert is_fast_valid(plain)
    assert not is_fast_valid({**plain, "valueBoolean": True})
    assert not is_fast_valid({name: part for name, part in plain.items() if name != "status"})
