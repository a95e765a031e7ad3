"""What the references inside one Bundle point at."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas import codes, uris
from schemas.fhir.node import Node


@dataclass(frozen=True, slots=True, repr=False)
class Resolver:
    """Finds the entries of a Bundle by every name a reference may use: fullUrl, `Type/id`, `id`."""

    by_name: Mapping[str, Node]

    @classmethod
    def of(cls, entries: list[tuple[str, Node]]) -> "Resolver":
        """A resolver over (fullUrl or "", resource)."""
        found: dict[str, Node] = {}
        for url, resource in entries:
            kind, identifier = resource.kind, resource.text("id")
            for name in (url, f"{kind}/{identifier}" if identifier else "", identifier or ""):
                if name:
                    found.setdefault(name, resource)
        return cls(found)

    def find(self, reference: Node) -> Node | None:
        """The resource a Reference points at, None when it is not in the Bundle."""
        text = reference.text("reference")
        if text is None:
            return None
        found = self.by_name.get(text)
        if found is None and "/" in text:
            found = self.by_name.get("/".join(text.split("/")[-2:]))  # absolute: the last Type/id counts
        return found

    def points_at(self, reference: Node, patient: Node) -> bool:
        """True when a Reference means `patient`: by name, or by one of its identifiers.

        NHS's own BaRS examples refer to `Patient/<NHS number>`.
        """
        found = self.find(reference)
        if found is not None:
            return found.path == patient.path
        values = {part.text("value") for part in patient.many("identifier")} - {None}
        identifier = reference.first("identifier")
        if identifier is not None:
            return identifier.text("value") in values
        return (reference.text("reference") or "").split("/")[-1] in values

    def organisation(self, reference: Node) -> str | None:
        """The ODS code of the organisation a Reference leads to, through a PractitionerRole where need be."""
        identifier = reference.first("identifier")
        if identifier is not None:
            return ods_code(identifier)
        resource = self.find(reference)
        for step in ("organization", "providedBy", "managingOrganization"):
            onward = resource.first(step) if resource else None
            if onward is not None:
                inside = onward.first("identifier")
                resource = None if inside else self.find(onward)
                if inside:
                    return ods_code(inside)
        if resource is None or resource.kind != "Organization":
            return None
        found = (ods_code(identifier) for identifier in resource.many("identifier"))
        return next((code for code in found if code is not None), None)


def ods_code(identifier: Node) -> str | None:
    """The ODS code in an Identifier, None when it is of another system or has not the shape of one."""
    if uris.canonical_uri(identifier.text("system") or "") not in (uris.ODS_ORGANISATION, uris.ODS_SITE):
        return None
    value = identifier.text("value")
    return codes.organisation(value) if value else None


def business_id(node: Node) -> str | None:
    """The value of the first identifier that has one: what the source calls the thing."""
    for identifier in node.many("identifier"):
        value = identifier.text("value")
        if value is not None:
            if len(value) > 128 or not value.isprintable():
                identifier.error("value", "must be 1 to 128 printable characters")
                return None
            return value
    return None
