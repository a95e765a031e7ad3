"""Every modifier element of every resource we read, and what we do: acted on, or the fact is not told and an issue
says so.

A modifier changes the meaning of the element that holds it, up to its opposite; who does not understand one must not
process the element. Source: HL7 FHIR R4 (4.0.1), the elements marked `?!`, read November 2026.

| element | what we do |
|---|---|
| implicitRules of Bundle, MessageHeader, Patient | error, the message is refused |
| implicitRules of another resource | error, nothing of the resource is told |
| modifierExtension of MessageHeader, Patient | error, the message is refused: no extension of that kind is known |
| modifierExtension of another resource, of an entry | error, nothing of the resource is told |
| modifierExtension of Patient.link, Appointment.participant, Observation.component, Timing, Bundle.entry.request, |
| of a data type that R4 gives none | error, that part is not read |
| modifierExtension of MessageHeader.response | error, the message is refused |
| Organization.active, HealthcareService.active, Location.status | not in use: information, its number is read |
| Patient.active | false: information |
| Patient.deceased[x] | a death |
| Patient.link | its type replaces: a merge; refer, seealso: information; replaced-by, another word: warning |
| Identifier.use, HumanName.use, Address.use, ContactPoint.use | old: superseded; anonymous: no name |
| Identifier.use of a resource or an organisation | old: information, another number is read where there is one |
| ServiceRequest.status | active, completed: told; revoked: told, and declined; entered-in-error: taken back; |
| | draft, on-hold, unknown: information |
| ServiceRequest.intent | order, original-order, instance-order: told; the others: information |
| ServiceRequest.doNotPerform | true: information; neither true nor false: error, not told |
| Observation.status | final, amended, corrected: told; preliminary: told, warning; entered-in-error: taken back; |
| | registered, cancelled, unknown: information |
| our extensions `retracted`, `demographics-retracted`, `death-retracted` | true: taken back; neither true nor false: |
| | error, the fact is not told |
| Quantity.comparator | error: a bound is not a measured value |
| Appointment.status | see `codes.ATTENDANCE_OF_STATUS`; proposed, waitlist: information |
| Encounter.status | finished: told; entered-in-error: taken back; the others: information |
| Organization.active, HealthcareService.active, Location.status | not used: its code names it, closed or not |
| Task.status | rejected: the referral is declined; entered-in-error: taken back; the others: information |
| QuestionnaireResponse.status | completed, amended: told; entered-in-error: taken back; the others: information |

A status, intent or comparator that is in no list of R4 is an error: the fact is not told.
"""

from collections.abc import Mapping

from schemas.fhir.node import Node

# element of a resource -> words of R4 that mean "there is no such fact (yet)"
_NO_FACT: Mapping[tuple[str, str], frozenset[str]] = {
    ("ServiceRequest", "status"): frozenset({"draft", "on-hold", "unknown"}),
    ("ServiceRequest", "intent"): frozenset(
        {"proposal", "plan", "directive", "reflex-order", "filler-order", "option"}
    ),
    ("Observation", "status"): frozenset({"registered", "cancelled", "unknown"}),
    ("Appointment", "status"): frozenset({"proposed", "waitlist"}),
    ("Encounter", "status"): frozenset(
        {"planned", "arrived", "triaged", "in-progress", "onleave", "cancelled", "unknown"}
    ),
    ("QuestionnaireResponse", "status"): frozenset({"in-progress", "stopped"}),
    ("Task", "status"): frozenset(
        {
            "draft", "requested", "received", "accepted", "ready", "cancelled", "in-progress", "on-hold", "failed",
            "completed",
        }
    ),
}  # fmt: skip
_FACT: Mapping[tuple[str, str], frozenset[str]] = {
    ("ServiceRequest", "status"): frozenset({"active", "completed", "revoked", "entered-in-error"}),
    ("ServiceRequest", "intent"): frozenset({"order", "original-order", "instance-order"}),
    ("Observation", "status"): frozenset(
        {"preliminary", "final", "amended", "corrected", "entered-in-error"}
    ),
    ("Appointment", "status"): frozenset(
        {
            "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error", "checked-in",
        }
    ),
    ("Encounter", "status"): frozenset({"finished", "entered-in-error"}),
    ("QuestionnaireResponse", "status"): frozenset({"completed", "amended", "entered-in-error"}),
    ("Task", "status"): frozenset({"rejected", "entered-in-error"}),
}  # fmt: skip


def is_understood(node: Node) -> bool:
    """True when nothing at `node` changes its meaning in a way we do not know; otherwise reports what does."""
    understood = True
    if node.value.get("implicitRules") is not None:
        node.error("implicitRules", "asks for rules that are not known; not read", code="not-supported")
        understood = False
    sent = node.value.get("modifierExtension") or []
    for place, _ in enumerate(sent if isinstance(sent, list) else [sent]):
        rule = "changes the meaning in a way that is not known; not read"
        node.error(f"modifierExtension[{place}]", rule, code="not-supported")
        understood = False
    return understood


def is_followed(node: Node) -> bool:
    """True when what a reference leads to may be read; one that is no longer in use is reported and read."""
    if not is_understood(node):
        return False
    for element, in_use in _IN_USE.get(node.kind, {}).items():
        if node.value.get(element) not in (None, in_use):
            node.information(element, "says that this is no longer in use; its number is read all the same")
    return True


_IN_USE: Mapping[str, Mapping[str, object]] = {
    "Organization": {"active": True},
    "HealthcareService": {"active": True},
    "Location": {"status": "active"},
}


def identifiers_in_use(node: Node) -> list[Node]:
    """The identifiers of a resource, without those whose use is `old` where there are others; reports these."""
    identifiers = [identifier for identifier in node.many("identifier") if is_understood(identifier)]
    in_use = []
    for identifier in identifiers:
        if identifier.text("use") == "old":
            identifier.information("use", "is no longer in use; read only where there is no other")
        else:
            in_use.append(identifier)
    return in_use or identifiers


def is_retracted(place: Node | None) -> bool | None:
    """What an extension of ours says that takes a fact back; None, with an error, where it is neither true nor false.

    Absent, the fact stands.
    """
    if place is None:
        return False
    retracted = place.value.get("valueBoolean")
    if isinstance(retracted, bool):
        return retracted
    place.error("valueBoolean", "is neither true nor false: does the fact stand? nothing is told", code="structure")
    return None


def states_fact(node: Node, *elements: str) -> bool:
    """True when the status (and intent) of a resource say that something is or was; otherwise reports which does not.

    An element that is absent is left to the check of structure, which names it; one that is no word, or says that it is
    not known, may deny the fact.
    """
    for element in elements:
        word = node.text(element)
        if word is None:
            if node.value.get(element) is None and node.value.get(f"_{element}") is None:
                continue
            node.error(element, "is no word: does the fact stand? nothing is told", code="structure")
            return False
        if word in _NO_FACT[node.kind, element]:
            node.information(element, "says that there is no such fact, or not yet; nothing is told")
            return False
        if word not in _FACT[node.kind, element]:
            node.error(element, "is not a code of R4; nothing is told", code="code-invalid")
            return False
    return True
