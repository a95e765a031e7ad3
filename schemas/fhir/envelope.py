"""The outside of a message Bundle: its entries, its one Patient, its id, its version time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.errors import InvalidField, Issue
from schemas.fhir.dates import LONDON, SKEW, parse_when
from schemas.fhir.modifiers import is_understood
from schemas.fhir.node import Node

ENTRIES_MAX = 500  # one message is about one patient; the largest real one seen has 19 entries
OBJECTS_MAX = 5_000  # JSON objects in all; each costs up to half a millisecond, here and again at ingress
MESSAGE_ID_MAX = 200


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """The entries of a Bundle: (fullUrl or "", resource), those that are resources only.

    `structure` are faults against FHIR's own rules, kept apart from what the readers report.
    """

    bundle: Node
    entries: Sequence[tuple[str, Node]]
    is_too_long: bool = False
    structure: list[Issue] = field(default_factory=list)

    def of_type(self, name: str) -> list[Node]:
        """The resources of one type, in order."""
        return [resource for _, resource in self.entries if resource.kind == name]


def opened(document: Mapping[str, object]) -> Opened:
    """The Bundle and its entries. Reports too many of them and entries that are no resource."""
    bundle = Node(document, "Bundle")
    sent = document.get("entry")
    if isinstance(sent, list) and len(sent) > ENTRIES_MAX:
        bundle.error("entry", f"has over {ENTRIES_MAX} items", code="too-long")
        return Opened(bundle, (), is_too_long=True)
    entries = []
    for place, part in enumerate(sent if isinstance(sent, list) else ()):
        if not isinstance(part, dict):
            bundle.warning(f"entry[{place}]", "is no JSON object; not read", code="structure")
    for entry in bundle.many("entry"):
        resource = entry.first("resource")
        if resource is None or not isinstance(entry.value["resource"], dict):
            entry.warning("resource", "is missing or no JSON object: the entry says nothing", code="structure")
            continue
        if not resource.kind:
            resource.error("resourceType", "is not a type of FHIR resource; not read", code="code-invalid")
            continue
        request = entry.first("request")
        if not is_understood(entry) or (request is not None and not is_understood(request)):
            continue
        if request is not None and request.text("method") == "DELETE":
            request.error("method", "asks to delete, which a message cannot; not read", code="not-supported")
            continue
        entries.append((entry.text("fullUrl") or "", resource))
    return Opened(bundle, entries)


def is_costly(document: object) -> bool:
    """True when the document holds over `OBJECTS_MAX` JSON objects, at whatever depth."""
    open_, objects = [document], 0
    while open_ and objects <= OBJECTS_MAX:
        value = open_.pop()
        if isinstance(value, dict):
            objects += 1
            open_ += value.values()
        elif isinstance(value, list):
            open_ += value
    return objects > OBJECTS_MAX


def patient_of(message: Opened) -> Node | None:
    """The one Patient of the message; reports none, and more than one."""
    patients = message.of_type("Patient")
    if not patients:
        message.bundle.error("entry", "holds no Patient: whom is this about?", code="required")
        return None
    if len(patients) > 1:
        message.bundle.error("entry", "holds more than one Patient", code="multiple-matches")
        return None
    return patients[0]


def header_of(message: Opened) -> Node | None:
    """The MessageHeader. Reports its absence as a warning, because no reader needs it."""
    headers = message.of_type("MessageHeader")
    if not headers:
        message.bundle.warning("entry", "holds no MessageHeader", code="structure")
        return None
    if len(headers) > 1:
        message.bundle.warning("entry", "holds more than one MessageHeader; the first is read", code="structure")
    return headers[0]


def message_id(message: Opened, header: Node | None) -> str | None:
    """What the sender calls the message: Bundle.identifier, else MessageHeader.id, else Bundle.id. Reports none."""
    identifier = message.bundle.first("identifier")
    candidates = ((identifier, "value"), (header, "id"), (message.bundle, "id"))
    for place, name in candidates:
        text = place.text(name) if place else None
        if place is None or text is None:
            continue
        if len(text) > MESSAGE_ID_MAX or not text.isprintable():
            place.error(name, f"must be 1 to {MESSAGE_ID_MAX} printable characters")
            return None
        return text
    message.bundle.error("identifier", "is required: a resend must be known as one", code="required")
    return None


def source_version_at(message: Opened, *, received_at: datetime) -> datetime:
    """The sender's version time in UTC: Bundle.timestamp, else meta.lastUpdated, else the receipt.

    One that is no moment, before 1900, or a day or more after the receipt is left out with a warning: the highest
    version wins, so a time far ahead would win for ever. A clock time without its zone is London's.
    """
    meta = message.bundle.first("meta")
    for place, name in ((message.bundle, "timestamp"), (meta, "lastUpdated")):
        text = place.text(name) if place else None
        if place is None or text is None:
            continue
        try:
            moment = parse_when(text).at or _london_moment(text)
        except InvalidField as failure:
            place.warning(name, f"{failure.rule}; the time of receipt stands in", code="value")
            return received_at
        if moment is None:
            place.warning(name, "must be a moment; the time of receipt stands in", code="value")
        elif moment > received_at + SKEW:
            place.warning(name, "is in the future; the time of receipt stands in", code="value")
        elif moment.year < 1900:
            place.warning(name, "is before 1900; the time of receipt stands in", code="value")
        else:
            if parse_when(text).at is None:
                place.warning(name, "has no time zone; read by the London clock", code="value")
            return moment.astimezone(UTC)
        return received_at
    return received_at


def _london_moment(text: str) -> datetime | None:
    """The moment of a clock time that came without its zone; None for a day alone."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON) if len(text) > 10 else None
