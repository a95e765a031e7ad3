"""Making a fact's body of what was read: closed codes only, and every code that is not ours is dropped with a
warning."""

from collections.abc import Mapping
from functools import cache
from typing import Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError

from schemas import codes, ods
from schemas.errors import issues_of
from schemas.facts import Body
from schemas.fhir.dates import when
from schemas.fhir.extensions import hyphened
from schemas.fhir.node import Node
from schemas.sources import Source
from schemas.uris import extension_url

B = TypeVar("B", bound=Body)
_NOT_LISTED = ("code-invalid", "is not a code of the list")

_LISTED: Mapping[str, frozenset[str]] = {
    "programme": codes.PROGRAMMES,
    "referral_source": codes.REFERRAL_SOURCES,
    "reason": codes.REASONS,
    "level": codes.TRIAGE_LEVELS,
    "questionnaire": codes.QUESTIONNAIRES,
    "reasons": codes.REASONS_FOR_REFERRAL | codes.COMORBIDITY.keys(),
    "why": codes.ELIGIBILITY_REASONS,
}


def known_code(field: str, text: str, source: Source) -> str | None:
    """`text` as `field` of a fact may hold it, in its one spelling; None when it is not a code we know."""
    if field.endswith("_ods"):
        form = ods.practice if field == "practice_ods" else ods.organisation
        return text.upper() if text.upper() == source.ods else form(text)
    if field == "council":
        return text if text == source.council else ods.council(text)
    if field == "programme" and text == source.programme:
        return text
    if field in _LISTED:
        text = codes.canonical(field, text)
        return text if text in _LISTED[field] else None
    if field in ("definition", "rule"):
        return codes.definition(text)
    if field == "ethnic_category":  # whatever the system: an extension of ours may hold it without one
        return text if any(codes.ethnic(text, system) for system in ("2001", "2021", "dwmp")) else None
    if field == "dmd_code":
        return text if codes.medicine(text) else None
    return text


@cache
def lists_its_codes(kind: type[Body], field: str) -> bool:
    """True when the fact's own type lists the codes of the field: whatever else is called so, its list counts."""
    annotation = kind.model_fields[field].annotation
    return any(get_origin(part) is Literal for part in (annotation, *get_args(annotation)))


def code_of(kind: type[Body], field: str, text: str, source: Source) -> str | None:
    """`text` as the code of a field of `kind`, as `known_code`; its own type judges a field whose codes it lists."""
    return text if lists_its_codes(kind, field) else known_code(field, text, source)


def built(
    kind: type[B], values: Mapping[str, object], node: Node, *, source: Source, elements: Mapping[str, str]
) -> B | None:
    """A body of `kind` from `values` by field name, or None with the reasons reported at `node`.

    An optional field whose value is not allowed is left out with a warning; a required one is an error.
    `elements` says which element holds a field; a field that is not in it stands in our extension of its name.
    """
    accepted: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, str):
            value = code_of(kind, name, value, source)
            if value is None:
                _report(kind, name, _NOT_LISTED, node, elements)
        elif isinstance(value, tuple):
            known = tuple(code for part in value if (code := code_of(kind, name, part, source)) is not None)
            if len(known) < len(value):
                _report(kind, name, _NOT_LISTED, node, elements)
            value = tuple(dict.fromkeys(known))
        if value is not None:
            accepted[name] = value
    try:
        return kind.model_validate(accepted)
    except ValidationError as failure:
        for issue in issues_of(failure, root="", known_names=frozenset(kind.model_fields)):
            name = issue.location.lstrip(".").split("[")[0]
            _report(kind, name, (issue.code, issue.rule), node, elements)
            accepted.pop(name, None)
    try:
        return kind.model_validate(accepted)
    except ValidationError:
        return None  # a required field is among the faults, and was reported


def _report(kind: type[Body], name: str, reason: tuple[str, str], node: Node, elements: Mapping[str, str]) -> None:
    code, rule = reason
    element = elements.get(name, f"extension('{extension_url(hyphened(name))}')")
    field = kind.model_fields.get(name)
    if field is not None and not field.is_required():
        node.warning(element, f"{rule}; left out", code=code)
    else:
        node.error(element, rule, code=code)


def extension_values(node: Node, kind: type[Body], *, bare: bool = False) -> dict[str, object]:
    """The fields of `kind` that our extensions at `node` hold, by field name; `bare`: inside another extension."""
    found: dict[str, object] = {}
    by_url = node.extensions()
    for name, url in _extension_urls(kind, bare):
        if url in by_url:
            several = get_origin(kind.model_fields[name].annotation) is tuple
            places = node.extensions_of(url) if several else [by_url[url]]
            values = tuple(value for place in places if (value := _said(kind, name, place)) is not None)
            if values:
                found[name] = values if several else values[0]
    return found


def _said(kind: type[Body], name: str, place: Node) -> object:
    """The value at `place`; reports one that is of another form."""
    value = _value(place)
    if value is None:
        _report(kind, name, ("value", "is not of the expected form"), place, {name: ""})
    return value


@cache
def _extension_urls(kind: type[Body], bare: bool) -> tuple[tuple[str, str], ...]:
    """(field, URL of its extension) of the fields that a sender may send so."""
    fields = ((name, hyphened(name)) for name in kind.model_fields if name not in _SHARED)
    return tuple((name, element if bare else extension_url(element)) for name, element in fields)


# read elsewhere, or made by ingress alone: no sender sends a keyed reference
_SHARED = frozenset({"type", "on", "at", "referral", "ubrn"})


def _value(place: Node) -> object:
    """The value of a simple extension, as Python has it."""
    for name in place.value:
        match name:
            case "valueBoolean":
                return place.truth(name)
            case "valueInteger" | "valueDecimal":
                number = place.number(name)
                whole = name == "valueInteger" and number is not None and number == number.to_integral_value()
                return int(number) if whole and number is not None else number
            case "valueDate" | "valueDateTime":
                found = when(place, name)
                return found.on if found else None
            case "valueCode" | "valueString":
                return place.text(name)
            case "valueIdentifier":
                identifier = place.first(name)
                return identifier.text("value") if identifier else None
    return None
