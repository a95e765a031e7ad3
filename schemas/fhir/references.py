"""What the references inside one Bundle point at, by R4's rules (bundle.html#references, references.html)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from schemas import ods, uris
from schemas.fhir.modifiers import is_understood
from schemas.fhir.node import Node
from schemas.identity import booking_reference, nhs_digits

_ENTRY = re.compile(r"Bundle\.entry\[[0-9]+\]\.resource")
_HISTORY = re.compile(r"(.+)/_history/([A-Za-z0-9.-]{1,64})")
_RESTFUL = re.compile(r"(https?://.+)/([A-Za-z]+/[A-Za-z0-9.-]{1,64})")
_CONDITIONAL = re.compile(r"Patient\?identifier=([^|&]*)(?:\||%7C)([^|&]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Resolver:
    """Finds what a reference means: `entries` are (fullUrl or "", resource) by the path of the resource."""

    entries: Mapping[str, tuple[str, Node]]
    by_url: Mapping[str, Node]

    @classmethod
    def of(cls, entries: Sequence[tuple[str, Node]]) -> "Resolver":
        """A resolver over (fullUrl or "", resource)."""
        by_url: dict[str, Node] = {}
        twice: set[str] = set()
        for url, resource in entries:
            if not url:
                continue
            if by_url.setdefault(_folded_urn(url), resource) is not resource:
                twice.add(_folded_urn(url))
                rule = "is also that of another entry: what refers to it leads nowhere"
                Node({}, resource.path.removesuffix(".resource"), resource.issues).warning("fullUrl", rule)
        by_url = {url: resource for url, resource in by_url.items() if url not in twice}
        return cls({resource.path: (url, resource) for url, resource in entries}, by_url)

    def find(self, reference: Node) -> Node | None:
        """The resource a Reference points at, None when it is not in the Bundle (nor in its own resource)."""
        text = reference.text("reference")
        if text is None:
            return None
        if text.startswith("#"):
            return self._contained(reference, text[1:])
        versioned = _HISTORY.fullmatch(text)
        found = self._named(reference, versioned[1] if versioned else text)
        if found is None or versioned is None:
            return found
        meta = found.first("meta")
        version = meta.text("versionId") if meta else None
        return found if version in (None, versioned[2]) else None

    def _named(self, reference: Node, text: str) -> Node | None:
        if ":" in text:  # absolute: the whole URL counts, the same id on another server is another resource
            return self.by_url.get(_folded_urn(text))
        base = _RESTFUL.fullmatch(self._entry_of(reference)[0])
        if base is not None and (found := self.by_url.get(f"{base[1]}/{text}")) is not None:
            return found
        for url, resource in self.entries.values():
            identifier = resource.text("id")
            if identifier and text in (f"{resource.kind}/{identifier}", identifier):
                other = _RESTFUL.fullmatch(url)
                if base is None or other is None or other[1] == base[1]:
                    return resource
        return None

    def _entry_of(self, node: Node) -> tuple[str, Node | None]:
        """(fullUrl, resource) of the entry that `node` is in."""
        found = _ENTRY.match(node.path)
        return self.entries.get(found[0], ("", None)) if found else ("", None)

    def _contained(self, reference: Node, identifier: str) -> Node | None:
        _, resource = self._entry_of(reference)
        parts = resource.many("contained") if resource else []
        return next((part for part in parts if part.text("id") == identifier), None)

    def points_at(self, reference: Node, patient: Node) -> bool:
        """True when a Reference means `patient`: by name, or by one of its identifiers, system and value.

        NHS's own BaRS examples refer to `Patient/<NHS number>`. Where a name and an identifier contradict each other
        it means nobody.
        """
        if (reference.text("type") or "Patient").rsplit("/", 1)[-1] != "Patient":
            return False
        identifier, ours = reference.first("identifier"), set(_pairs(patient))
        named = next(_pair(identifier), None) if identifier else None
        found = self.find(reference)
        if found is not None:
            return (found.path == patient.path or _is_same(found, ours)) and not _contradicts(named, ours)
        if named is not None:
            return named in ours
        text = reference.text("reference") or ""
        conditional = _CONDITIONAL.fullmatch(text)
        if conditional is not None:
            return _canonical(unquote(conditional[1]), unquote(conditional[2])) in ours
        number = nhs_digits(text.removeprefix("Patient/"))
        return number is not None and (uris.NHS_NUMBER, number) in ours

    def organisation(self, reference: Node) -> str | None:
        """The ODS code of the organisation a Reference leads to, through a PractitionerRole where need be."""
        return next((code for part in self._organisation_identifiers(reference) if (code := ods_code(part))), None)

    def report_unfit(self, reference: Node) -> None:
        """A warning where a Reference leads to a code that is none of ODS: it was left out."""
        identifiers = list(self._organisation_identifiers(reference))
        if identifiers and not any(map(ods_code, identifiers)):
            reference.warning("", "holds no ODS code of an organisation; left out", code="code-invalid")
        elif not identifiers:
            reference.information("", "leads to no organisation in this message that has a number; not used")

    def _organisation_identifiers(self, reference: Node) -> Iterator[Node]:
        identifier = reference.first("identifier")
        if identifier is not None:
            yield identifier
            return
        resource = self.find(reference)
        for step in ("organization", "providedBy", "managingOrganization"):
            onward = resource.first(step) if resource else None
            if onward is not None:
                inside = onward.first("identifier")
                if inside:
                    yield inside
                    return
                resource = self.find(onward)
        if resource is not None and resource.kind == "Organization" and is_understood(resource):
            yield from resource.many("identifier")


def _folded_urn(url: str) -> str:
    """A URL as it is compared: a UUID's case says nothing (RFC 4122)."""
    return url.lower() if url.lower().startswith("urn:uuid:") else url


def _canonical(system: str, value: str) -> tuple[str, str]:
    canonical = uris.canonical_uri(system)
    return canonical, (nhs_digits(value) or value) if canonical == uris.NHS_NUMBER else value.strip()


def _pair(identifier: Node) -> Iterator[tuple[str, str]]:
    value = identifier.text("value")
    if value is not None:
        yield _canonical(identifier.text("system") or "", value)


def _pairs(resource: Node) -> Iterator[tuple[str, str]]:
    for identifier in resource.many("identifier"):
        yield from _pair(identifier)


def _is_same(resource: Node, ours: set[tuple[str, str]]) -> bool:
    """True for a contained Patient that shares a number with ours and contradicts none."""
    theirs = set(_pairs(resource))
    is_patient = resource.value.get("resourceType") == "Patient" and ".contained[" in resource.path
    return is_patient and bool(theirs & ours) and not any(_contradicts(pair, ours) for pair in theirs)


def _contradicts(named: tuple[str, str] | None, ours: set[tuple[str, str]]) -> bool:
    """True when `named` is another number of a system that ours has a number of."""
    return named is not None and named not in ours and named[0] in {system for system, _ in ours}


def is_ods(identifier: Node) -> bool:
    """True when an Identifier is of one of the systems of ODS codes, whatever its value."""
    return uris.canonical_uri(identifier.text("system") or "") in (uris.ODS_ORGANISATION, uris.ODS_SITE)


def ods_code(identifier: Node) -> str | None:
    """The ODS code in an Identifier, None when it is of another system or has not the form of one."""
    if not is_ods(identifier):
        return None
    value = identifier.text("value")
    return ods.organisation(value) if value else None


BUSINESS_ID_CHARACTERS_MAX = 256


def business_id(node: Node) -> str | None:
    """The value of the first identifier that has one: what the source calls the thing."""
    for identifier in node.many("identifier"):
        value = identifier_value(identifier)
        if value is not None:
            if len(value) > BUSINESS_ID_CHARACTERS_MAX or not value.isprintable():
                identifier.error("value", f"must be printable, at most {BUSINESS_ID_CHARACTERS_MAX} with its system")
                return None
            return value
    return None


def identifier_value(identifier: Node) -> str | None:
    """An identifier as one text: its value, after its system where another issuer than the source's own gave it.

    A UBRN stands for itself, in its one spelling, whatever stands between its digits.
    """
    value, system = identifier.text("value"), uris.canonical_uri(identifier.text("system") or "")
    if value is None or not system or system.startswith(uris.TIERLINK):
        return value
    if system == uris.UBRN:
        return booking_reference(value) or value
    return f"{system}|{value}"
