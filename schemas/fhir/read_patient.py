"""A Patient as a Person, with the Demographics and the Death it holds. `text`, `contained` and `contact` are
not read."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from schemas import codes, placeholders, uris
from schemas.errors import InvalidField
from schemas.facts import Death, Demographics
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.dates import Span, is_former, is_partial, london_day, parse_birth, when
from schemas.fhir.node import Node
from schemas.fhir.read_identifier import Numbers, numbers
from schemas.fhir.references import Resolver
from schemas.identity import Address, Person, PersonName, Postcode, has_mailbox_form
from schemas.source_message import SourceFact
from schemas.sources import Source

_ETHNIC_SYSTEM = {uris.ETHNIC_2001: "2001", uris.ETHNIC_2021: "2021", uris.ETHNIC_DWMP: "dwmp", "": None}
_ELEMENTS = {"sex": "gender", "birth_year": "birthDate", "practice_ods": "generalPractitioner"}
_TELECOMS = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})  # R4 contact-point-system
_CONTACTS = frozenset({"phone", "sms", "email"})
_TELEPHONE_MIN = 6  # digits of a local number
BORN_EARLIEST = 1880


def person(node: Node, *, source: Source, test_mode: bool, source_version_at: datetime) -> Person | None:
    """Who the record is about; None, with the reason, where the identity is contradictory or too little to link by."""
    found = numbers(node, source=source, test_mode=test_mode, source_version_at=source_version_at)
    reading = _PersonReading(source, source_version_at)
    names = tuple(name for part in node.many("name") if (name := reading.name(part)) is not None)
    addresses = reading.addresses(node)
    birth_date, _ = _birth(node, source_version_at)
    if node.truth("active") is False:
        node.information("active", "is false; the record is read all the same")
    identity = Person(
        local_id=found.local_id,
        nhs_number=found.nhs_number,
        nhs_number_claimed=found.claimed,
        names=names,
        birth_date=birth_date,
        sex=_gender(node, source),
        addresses=addresses,
        phones=reading.telecom(node, {"phone", "sms"}),
        emails=reading.telecom(node, {"email"}),
        retired_local_ids=found.retired,
        former_nhs_numbers=found.former,
    )
    return identity if not found.refused and _is_known(node, identity, found) else None


def _is_known(node: Node, identity: Person, found: Numbers) -> bool:
    """True when something says who this is; otherwise reports it."""
    if identity.nhs_number is not None or identity.local_id is not None:
        return True
    if any(name.family for name in identity.names) and (identity.birth_date or identity.addresses):
        return True  # linkable by name and birth date or address
    if found.claimed is not None:
        node.error("identifier", "holds no valid number, and nothing else says who this is", code="business-rule")
    else:
        node.error("identifier", "is required: nothing says who this is", code="required")
    return False


def _birth(node: Node, source_version_at: datetime) -> tuple[date | None, int | None]:
    text = node.text("birthDate")
    if text is None:
        beside = node.first("_birthDate")
        if beside is not None and beside.extension(uris.DATA_ABSENT_REASON) is not None:
            node.information("birthDate", "says that it is not known")
        return None, None
    try:
        born, year = parse_birth(text)
    except InvalidField as failure:
        node.warning("birthDate", f"{failure.rule}; left out", code="value")
        return None, None
    if len(text) == len("1956-09"):
        node.information("birthDate", "is a month; only the year was read")
    if placeholders.is_day(born) if born else placeholders.is_year(year):
        node.information("birthDate", "is what systems write where none is known; no date of birth")
        return None, None
    if year < BORN_EARLIEST or (born or date(year, 1, 1)) > source_version_at.date():
        rule = "is in the future" if year > BORN_EARLIEST else f"is before {BORN_EARLIEST}"
        node.warning("birthDate", f"{rule}; left out", code="value")
        return None, None
    return born, year


def _gender(node: Node, source: Source) -> str | None:
    text = (node.text("gender") or "").lower()
    text = source.code("sex", text) or text
    if text and text not in codes.GENDERS:
        node.warning("gender", "is not a code of administrative-gender; left out", code="code-invalid")
        return None
    return text or None


@dataclass(frozen=True, slots=True)
class _PersonReading:
    """Names, addresses and telecoms. What says nothing is information at its place, and no part of the person."""

    source: Source
    source_version_at: datetime

    def name(self, node: Node) -> PersonName | None:
        """One name; one whose use is `old` or whose period has ended is a former one."""
        family, given = self.word(node, "family"), self.words(node, "given")
        if not family and not given:
            if node.text("text") and not node.text("family") and not node.texts("given"):
                node.warning("text", "is not read: family and given are needed", code="incomplete")
            return None
        former, use = is_former(node, self.source_version_at), node.text("use") or "official"
        if use == "anonymous":
            node.information("use", "says that this is no name of the person")
            return None
        use = "old" if former and use != "maiden" else use
        return PersonName(family=family, given=given, use=use if use in codes.NAME_USES else "official")

    def addresses(self, node: Node) -> tuple[Address, ...]:
        """Every address, the present ones first."""
        parts = sorted(node.many("address"), key=self._is_former)
        return tuple(address for part in parts if (address := self._address(part)) is not None)

    def _address(self, node: Node) -> Address | None:
        lines, city, sent = self.words(node, "line"), self.word(node, "city"), node.text("postalCode")
        postcode = None
        if sent is not None and placeholders.is_postcode(sent):
            node.information("postalCode", "is what systems write where none is known")
        elif sent is not None:
            try:
                postcode = Postcode.parse(sent)
            except InvalidField as failure:
                node.warning("postalCode", f"{failure.rule}; left out", code="value")
        if not lines and postcode is None and not city:
            if node.text("text") and not node.texts("line"):
                node.warning("text", "is not read: line and postalCode are needed", code="incomplete")
            return None
        return Address(line=lines[0] if lines else "", postcode=postcode, city=city)

    def telecom(self, node: Node, systems: set[str]) -> tuple[str, ...]:
        """The values of these systems that are in use."""
        found = []
        for part in node.many("telecom"):
            value = part.text("value")
            system = part.text("system")
            if value is not None and system not in _TELECOMS and "email" in systems:
                part.warning("system", "does not say what the contact is; left out", code="code-invalid")
            if value is None and part.value.get("value") is None:
                part.information("value", "is missing: the contact says nothing")
            if system in _TELECOMS - _CONTACTS:
                part.information("system", "is of a kind of contact that is not used")
            if value is None or system not in systems:
                continue
            is_none = placeholders.is_mailbox(value) if "@" in value else placeholders.is_telephone(value)
            if self._is_former(part):
                part.information("use", "is no longer in use; not read")
            elif is_none or placeholders.is_word(value, self.source.placeholders):
                part.information("value", "is what systems write where none is known")
            elif system == "email" and not has_mailbox_form(value):
                part.warning("value", "is no mailbox; left out", code="value")
            elif system != "email" and (sum(map(str.isdecimal, value)) < _TELEPHONE_MIN or "@" in value):
                part.warning("value", "is no telephone number; left out", code="value")
            else:
                found.append(value)
        return tuple(found)

    def word(self, node: Node, name: str) -> str:
        """The text called `name`, "" where it is absent or says nothing."""
        return (
            next(iter(self.words(node, name)), "")
            if isinstance(node.value.get(name), list)
            else self._said(node, name, node.text(name) or "")
        )

    def words(self, node: Node, name: str) -> tuple[str, ...]:
        """Every text called `name` that says something."""
        return tuple(text for part in node.texts(name) if (text := self._said(node, name, part)))

    def _said(self, node: Node, name: str, text: str) -> str:
        if any(unicodedata.category(letter) == "Cc" for letter in text):
            node.warning(name, "holds a control character; read all the same", code="value")
        if text and placeholders.is_word(text, self.source.placeholders):
            node.information(name, "is what systems write where none is known")
            return ""
        left = placeholders.without_words(text) if name in ("family", "given") else text
        if left != text:
            node.information(name, "holds a word for what is not known beside a name; the name was read")
        return left

    def _is_former(self, node: Node) -> bool:
        return is_former(node, self.source_version_at)


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
        "sex": _gender(quiet, source),
        "birth_year": year,
    }
    values |= _ethnicity(node, source)
    practices = (resolver.organisation(reference) for reference in node.many("generalPractitioner"))
    named = tuple(dict.fromkeys(code for code in practices if code is not None))
    practice = next(iter(named), None)
    if len(named) > 1:
        node.warning("generalPractitioner", "names several practices; the first was read", code="multiple-matches")
    values |= {"practice_ods": practice} if practice else {}
    if practice is None:
        for reference in node.many("generalPractitioner"):
            resolver.report_unfit(reference)
    marked = node.our_extension("demographics-on")
    if marked is None and all(value is None for value in values.values()):
        return None
    on = when(marked, "valueDate") if marked else None
    moment = node.our_extension("demographics-at")
    at = when(moment, "valueDateTime") if moment else None
    values |= {"on": on.on if on else london_day(source_version_at), "at": at.at if at else None}
    return built(Demographics, values, node, source=source, elements=_ELEMENTS)


def _ethnicity(node: Node, source: Source) -> dict[str, str | None]:
    place = node.extension(uris.ETHNIC_CATEGORY)
    if place is None:
        return {}
    said = {
        (system, code)
        for system, code in place.codings("valueCodeableConcept")
        if system in _ETHNIC_SYSTEM and codes.ethnic(code, _ETHNIC_SYSTEM[system])
    }
    by_system = dict(said)
    if len(by_system) < len(said):
        place.warning("valueCodeableConcept", "names two categories of one list; left out", code="business-rule")
        return {}
    for system, code in sorted(said, reverse=True):  # one without its system last
        if not system and source.sends_fhir:  # our own readers know the list by their format
            rule = "lacks its system; read as one of 2001"
            place.warning("valueCodeableConcept", rule, code="incomplete")
        return {"ethnic_category": code, "ethnic_system": _ETHNIC_SYSTEM[system]}
    place.warning("valueCodeableConcept", "is not a category of a known list; left out", code="code-invalid")
    return {}


def _death(node: Node, source_version_at: datetime) -> Death | None:
    text, reported_on = node.text("deceasedDateTime"), london_day(source_version_at)
    if node.truth("deceasedBoolean") is False and text is not None:
        node.error("deceasedDateTime", "contradicts deceasedBoolean; nothing is told", code="invariant")
        return None
    if text is None:
        return Death(on=reported_on) if node.truth("deceasedBoolean") else None
    if is_partial(text) and text <= reported_on.isoformat():
        node.warning("deceasedDateTime", "is no whole day; read as on or before the day of the message", code="value")
        return Death(on=reported_on)
    died = when(node, "deceasedDateTime")
    if died is None:
        return None
    marked = node.our_extension("death-on")
    on = when(marked, "valueDate") if marked else None
    born, _ = _birth(Node(node.value, node.path), source_version_at)
    if not Span(born, source_version_at).check(node, "deceasedDateTime", died.on):
        return None
    return Death(on=on.on if on else died.on, at=died.at)
