"""What the readers of one Bundle share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.facts import FactBody
from schemas.fhir.dates import Span
from schemas.fhir.node import Node
from schemas.fhir.references import Resolver, business_id, identifier_value
from schemas.source_message import SourceFact
from schemas.sources import Source

ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True, repr=False)
class Context:
    """One message Bundle while it is read: whose it is, its version time, and what points where.

    `requests` are the ServiceRequests by path; `ours` the paths of those that name a service of the source.
    """

    source: Source
    source_version_at: datetime
    patient: Node
    resolver: Resolver
    span: Span
    requests: Mapping[str, Node]
    ours: frozenset[str]

    def about_patient(self, node: Node, element: str, references: list[Node]) -> bool:
        """True when one of `references` means the Bundle's patient; otherwise reports `element`."""
        if not references:
            node.error(element, "is required: whom is this about?", code="required")
            return False
        if any(self.resolver.points_at(reference, self.patient) for reference in references):
            return True
        node.error(element, "is not the Patient of this Bundle", code="business-rule")
        return False

    def foreign(self, node: Node) -> bool:
        """True when the resource is based on a request in this Bundle that names another service."""
        request = self._request(node)
        return request is not None and request.path not in self.ours

    def referral_id(self, node: Node) -> str | None:
        """The business id of the referral that the resource is based on, in the source's words."""
        request = self._request(node)
        if request is not None:
            return business_id(request)
        for reference in node.many("basedOn"):
            identifier = reference.first("identifier")
            if identifier is not None and identifier.text("value"):
                return identifier_value(identifier)
        if node.first("basedOn") is not None:
            node.information("basedOn", "leads to no request of this message; told without its referral")
        return None

    def fact(self, node: Node, body: FactBody | None, *, retracted: bool) -> list[SourceFact]:
        """The fact of a resource with its own business id and its referral's; none where there is no body."""
        if body is None:
            return []
        named, referral = business_id(node), self.referral_id(node)
        return [SourceFact(body, business_id=named, referral_business_id=referral, retracted=retracted)]

    def _request(self, node: Node) -> Node | None:
        for reference in node.many("basedOn"):
            found = self.resolver.find(reference)
            if found is not None and found.path in self.requests:
                return found
        return None
