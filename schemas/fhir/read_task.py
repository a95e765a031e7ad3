"""A Task by which a service says that it will not do what a request asks: the referral is declined.

R4 task-status `rejected`: the performer decided not to do it, before anything was done. The other words are about the
task, not about the person, and are not read.
"""

from schemas import codes
from schemas.facts import Decline
from schemas.fhir.bodies import known_code
from schemas.fhir.context import ENTERED_IN_ERROR, Context
from schemas.fhir.dates import london_day, when
from schemas.fhir.modifiers import states_fact
from schemas.fhir.node import Node
from schemas.fhir.references import business_id, identifier_value
from schemas.source_message import SourceFact
from schemas.sources import Source

_ABOUT = ("focus", "basedOn")


def rejection(node: Node, context: Context) -> list[SourceFact]:
    """The decline of the referral that a rejected Task is about; taken back where the Task was entered in error."""
    if not states_fact(node, "status"):
        return []
    subject = node.first("for")
    if subject is not None and not context.about_patient(node, "for", [subject]):
        return []
    number, is_ours = _request(node, context)
    if not is_ours:
        return []
    if number is None:
        node.error("focus", "is required: which request is rejected?", code="required")
        return []
    changed = when(node, "lastModified")
    on = changed.on if changed else london_day(context.source_version_at)
    if not context.span.check(node, "lastModified", on):
        return []
    reason = reason_of(node, "statusReason", context.source)
    by = codes.DECLINED_BY.get(reason or "", "service")
    body = Decline(on=on, at=changed.at if changed else None, declined_by=by, reason=reason)
    retracted = node.text("status") == ENTERED_IN_ERROR
    return [SourceFact(body, f"{number}/decline", referral_business_id=number, retracted=retracted)]


def is_rejected(number: str | None, context: Context) -> bool:
    """True when a Task of this message says that the request of that number is rejected."""
    tasks = (node for _, node in context.resolver.entries.values() if node.kind == "Task")
    return number is not None and any(
        task.text("status") == "rejected" and _request(task, context) == (number, True) for task in tasks
    )


def reason_of(node: Node, element: str, source: Source) -> str | None:
    """The reason in a concept, by our codes or those of e-RS (`RETURN_TO_REFERRER_WITH_ADVICE`); reports any other."""
    words = [code for _, code in node.codings(element)]
    found = (known_code("reason", word.lower().replace("_", "-"), source) for word in words)
    reason = next((code for code in found if code is not None), None)
    if reason is None and node.first(element) is not None:
        node.warning(element, "is not a code of the list; left out", code="code-invalid")
    return reason


def _request(node: Node, context: Context) -> tuple[str | None, bool]:
    """The number of the request that a Task is about, and whether that is one of ours."""
    for reference in (place for element in _ABOUT for place in node.many(element)):
        request = context.resolver.find(reference)
        if request is not None and request.path in context.requests:
            return business_id(request), request.path in context.ours
        identifier = reference.first("identifier")
        if identifier is not None and identifier.text("value"):
            return identifier_value(identifier), True
    return None, True
