"""A Patient as a Person, with the Demographics and the Death it holds. `text`, `contained` and `contact` are
not read."""

from datetime import date, datetime

from schemas import codes, uris
from schemas.errors import InvalidField
from schemas.facts import Death, Demographics
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.dates import Span, parse_birth, when
from schemas.fhir.node import Node
from schemas.fhir.read_identifier import Numbers, numbers
from schemas.fhir.references import Resolver
from schemas.identity import Address, Person, PersonName, Postcode
from schemas.source_message import SourceFact
from schemas.sources import Source

_ETHNIC_SYSTEM = {uris.ETHNIC_2001: "2001", uris.ETHNIC_2021: "2021", uris.ETHNIC_DWMP: "dwmp", "": None}
_ELEMENTS = {"sex": "gender", "birth_year": "birthDate", "practice_ods": "generalPractitioner"}
BORN_EARLIEST = 1880


def person(node: Node, *, source: Source, test_mode: bool, source_version_at: datetime) -> Person:
    """Who the record is about. Reports an identity that is wrong, contradictory or too little to link by."""
    found = numbers(node, source=source, test_mode=test_mode)
    names = tuple(name for part in node.many("name") if (name := _name(part)) is not None)
    addresses = tuple(address for part in node.many("address") if (address := _address(part)) is not None)
    birth_date, _ = _birth(node, source_version_at)
    identity = Person(
        local_id=found.local_id,
        nhs_number=found.nhs_number,
        nhs_number_claimed=found.claimed,
        names=names,
        birth_date=birth_date,
        sex=_gender(node),
        addresses=addresses,
        phones=_telecom(node, {"phone", "sms"}),
        emails=_telecom(node, {"email"}),
        retired_local_ids=found.retired,
    )
    _require_identity(node, identity, found)
    return identity


def _require_identity(node: Node, identity: Person, found: Numbers) -> None:
    if identity.nhs_number is not None or identity.local_id is not None:
        return
    if any(name.family for name in identity.names) and (identity.birth_date or identity.addresses):
        return  # linkable by name and birth date or address
    if found.claimed is not None and not found.refused:
        node.error("identifier", "holds no valid number, and nothing else says who this is", code="business-rule")
    elif not found.refused:
        node.error("identifier", "is required: nothing says who this is", code="required")


def _birth(node: Node, source_version_at: datetime) -> tuple[date | None, int | None]:
    text = node.text("birthDate")
    if text is None:
        return None, None
    try:
        born, year = parse_birth(text)
    except InvalidField as failure:
        node.error("birthDate", failure.rule)
        return None, None
    if year < BORN_EARLIEST or (born or date(year, 1, 1)) > source_version_at.date():
        rule = "is in the future" if year > BORN_EARLIEST else f"is before {BORN_EARLIEST}"
        node.error("birthDate", rule)
        return None, None
    return born, year


def _gender(node: Node) -> str | None:
    text = (node.text("gender") or "").lower()
    if text and text not in codes.GENDERS:
        node.warning("gender", "is not a code of administrative-gender; left out", code="code-invalid")
        return None
    return text or None


def _name(node: Node) -> PersonName | None:
    family, given = node.text("family") or "", tuple(node.texts("given"))
    if not family and not given:
        if node.text("text"):
            node.warning("text", "is not read: family and given are needed", code="incomplete")
        return None
    use = node.text("use") or "official"
    return PersonName(family=family, given=given, use=use if use in codes.NAME_USES else "official")


def _address(node: Node) -> Address | None:
    lines, city, sent = node.texts("line"), node.text("city") or "", node.text("postalCode")
    postcode = None
    if sent is not None:
        try:
            postcode = Postcode.parse(sent)
        except InvalidField as failure:
            node.warning("postalCode", f"{failure.rule}; left out", code="value")
    if not lines and postcode is None and not city:
        return None
    return Address(line=lines[0] if lines else "", postcode=postcode, city=city)


def _telecom(node: Node, systems: set[str]) -> tuple[str, ...]:
    found = (part.text("value") for part in node.many("telecom") if part.text("system") in systems)
    return tuple(value for value in found if value is not None)


def facts(node: Node, *, source: Source, source_version_at: datetime, resolver: Resolver) -> list[SourceFact]:
    """The Demographics of a Patient (absent when it has none) and its Death."""
    found = []
    if node.our_flag("demographics") is not False:
        body = _demographics(node, source, source_version_at, resolver)
        if body is not None:
            retracted = node.our_flag("demographics-retracted") is True
            found.append(SourceFact(body, business_id="demographics", retracted=retracted))
    death = _death(node, source_version_at)
    if death is not None:
        retracted = node.our_flag("death-retracted") is True
        found.append(SourceFact(death, business_id="death", retracted=retracted))
    return found


def _demographics(node: Node, source: Source, source_version_at: datetime, resolver: Resolver) -> Demographics | None:
    quiet = Node(node.value, node.path)  # birth date and gender were reported when the person was read
    _, year = _birth(quiet, source_version_at)
    values: dict[str, object] = extension_values(node, Demographics) | {
        "sex": _gender(quiet),
        "birth_year": year,
    }
    values |= _ethnicity(node)
    practices = (resolver.organisation(reference) for reference in node.many("generalPractitioner"))
    practice = next((code for code in practices if code is not None), None)
    values |= {"practice_ods": practice} if practice else {}
    marked = node.our_extension("demographics-on")
    if marked is None and all(value is None for value in values.values()):
        return None
    on = when(marked, "valueDate") if marked else None
    moment = node.our_extension("demographics-at")
    at = when(moment, "valueDateTime") if moment else None
    values |= {"on": on.on if on else source_version_at.date(), "at": at.at if at else None}
    return built(Demographics, values, node, source=source, elements=_ELEMENTS)


def _ethnicity(node: Node) -> dict[str, str | None]:
    place = node.extension(uris.ETHNIC_CATEGORY)
    if place is None:
        return {}
    for system, code in place.codings("valueCodeableConcept"):
        if system in _ETHNIC_SYSTEM and codes.ethnic(code, _ETHNIC_SYSTEM[system]):
            return {"ethnic_category": code, "ethnic_system": _ETHNIC_SYSTEM[system]}
    place.warning("valueCodeableConcept", "is not a category of a known list; left out", code="code-invalid")
    return {}


def _death(node: Node, source_version_at: datetime) -> Death | None:
    if node.text("deceasedDateTime") is None:
        return Death(on=source_version_at.date()) if node.truth("deceasedBoolean") else None
    died = when(node, "deceasedDateTime")
    if died is None:
        return None
    marked = node.our_extension("death-on")
    on = when(marked, "valueDate") if marked else None
    born, _ = _birth(Node(node.value, node.path), source_version_at)
    if not Span(born, source_version_at).check(node, "deceasedDateTime", died.on):
        return None
    return Death(on=on.on if on else died.on, at=died.at)
