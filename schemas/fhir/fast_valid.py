"""Finds, in a tenth of the time, resources in which FHIR's own models would certainly find no fault.

Compiled from the same models (fhir.resources R4B), and narrower than they are: a resource with an element not
understood here, or with a value that is not quite plain, is left to the models. Nothing is called wrong here.
`tests/properties/test_fast_valid_resources.py` compares the two.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, cast, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.types import FhirElementOrResourceBase
from pydantic import BaseModel

Checker = Callable[[object], bool]


def is_fast_valid(resource: Mapping[str, object]) -> bool:
    """True only when the model of its resourceType would find no fault in the resource."""
    model = cast(type[BaseModel], get_fhir_model_class(str(resource["resourceType"])))
    return _is_object({name: part for name, part in resource.items() if name != "resourceType"}, model)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The elements of a model that are understood, and which of them must and which may not be together."""

    elements: Mapping[str, Checker]
    required: frozenset[str]
    choices: Mapping[str, str]  # element -> the group of which one may be there: value[x]
    required_choices: frozenset[str]


def _is_object(value: object, model: type[BaseModel]) -> bool:
    if type(value) is not dict:
        return False
    shape, chosen = _shape(model), set[str]()
    for name, part in value.items():
        checker = shape.elements.get(name)
        if checker is None or not checker(part):
            return False
        group = shape.choices.get(name)
        if group is not None:
            if group in chosen:
                return False
            chosen.add(group)
    return shape.required <= value.keys() and shape.required_choices <= chosen


@cache
def _shape(model: type[BaseModel]) -> _Shape:
    elements: dict[str, Checker] = {}
    choices: dict[str, str] = {}
    required, required_choices = set[str](), set[str]()
    for name, field in model.model_fields.items():
        element, extra = field.alias or name, field.json_schema_extra
        marks: Mapping[str, object] = extra if isinstance(extra, dict) else {}
        checker = None if name.endswith("__ext") or name == "fhir_comments" else _checker(field.annotation)
        if checker is not None:
            elements[element] = checker
        if field.is_required() or marks.get("element_required"):
            required.add(element)
        group = marks.get("one_of_many")
        if group:
            choices[element] = str(group)
            if marks.get("one_of_many_required"):
                required_choices.add(str(group))
    return _Shape(elements, frozenset(required), choices, frozenset(required_choices))


def _checker(annotation: object) -> Checker | None:
    """The check of a field's value, None for a type that is not understood here."""
    if get_origin(annotation) is list:
        part_checker = _checker(get_args(annotation)[0])
        return (
            None
            if part_checker is None
            else lambda value: type(value) is list and value != [] and all(map(part_checker, value))
        )
    if get_origin(annotation) is Annotated:
        return next((_PRIMITIVES[kind] for part in get_args(annotation) if (kind := _kind(part)) in _PRIMITIVES), None)
    if annotation is bool:
        return lambda value: type(value) is bool
    getter = getattr(annotation, "get_model_klass", None)
    if isinstance(annotation, type) and callable(getter):
        if issubclass(annotation, FhirElementOrResourceBase):
            return None  # any resource at all: contained
        return lambda value: _is_object(value, cast(type[BaseModel], getter()))
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return _checker(parts[0]) if len(parts) == 1 else None


def _kind(part: object) -> str:
    return str(getattr(part, "__visit_name__", ""))


def _text(value: object) -> bool:
    return type(value) is str and value != "" and value.isprintable()


def _matching(pattern: str) -> Checker:
    match = re.compile(pattern, re.ASCII).fullmatch
    return lambda value: type(value) is str and match(value) is not None


# years no calendar or clock has trouble with
_DAY = r"(?:18|19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
_day = _matching(_DAY)
_moment = _matching(_DAY + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])")


def _date(value: object) -> bool:
    if not _day(value):
        return False
    try:
        date.fromisoformat(cast(str, value))
    except ValueError:
        return False
    return True


def _instant(value: object) -> bool:
    if not _moment(value):
        return False
    try:
        datetime.fromisoformat(cast(str, value))
    except ValueError:
        return False
    return True


def _whole(least: int) -> Checker:
    return lambda value: type(value) is int and least <= value <= 2**31 - 1


def _decimal(value: object) -> bool:
    return type(value) in (int, float) and (value == 0 or 1e-4 <= abs(cast(float, value)) < 1e12)


_PRIMITIVES: Mapping[str, Checker] = {
    "string": _text,
    "uri": _text,
    "canonical": _text,
    "code": _matching(r"[!-~]+"),
    "id": _matching(r"[A-Za-z0-9.-]{1,64}"),
    "url": _matching(r"https://(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,10}(?:/[A-Za-z0-9_-]+)*/?"),
    "date": _date,
    "dateTime": lambda value: _date(value) or _instant(value),
    "instant": _instant,
    "integer": _whole(-(2**31)),
    "unsignedInt": _whole(0),
    "positiveInt": _whole(1),
    "decimal": _decimal,
}
