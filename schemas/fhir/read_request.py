"""A ServiceRequest as a Referral and the milestones under it."""

from collections.abc import Mapping
from datetime import date
from typing import cast

from schemas import codes, uris
from schemas.facts import (
    Acceptance,
    Body,
    Choice,
    Completion,
    Decline,
    Discharge,
    FactBody,
    Medicine,
    Procedure,
    ProgrammeStart,
    Referral,
    Triage,
    Withdrawal,
)
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.context import Context
from schemas.fhir.dates import StatedTime, when
from schemas.fhir.node import Node
from schemas.fhir.references import business_id
from schemas.source_message import SourceFact

MILESTONES: Mapping[str, type[Body]] = {
    "triage": Triage, "acceptance": Acceptance, "decline": Decline, "choice": Choice,
    "programme_start": ProgrammeStart, "completion": Completion, "discharge": Discharge,
    "withdrawal": Withdrawal, "medicine": Medicine, "procedure": Procedure,
}  # fmt: skip
_ELEMENTS = {
    "referrer_ods": "requester",
    "provider_ods": "performer",
    "reasons": "reasonCode",
    "priority": "priority",
}
_NOT_A_REFERRAL = frozenset({"draft", "unknown"})


def facts(node: Node, context: Context) -> list[SourceFact]:
    """The facts of the ServiceRequest at `node`; reports what refuses it."""
    subject = node.first("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    number = business_id(node)
    found = [] if node.our_flag("carrier") else _referral(node, number, context)
    for extension in node.many("extension"):
        if extension.text("url") == uris.extension_url("milestone"):
            found += _milestone(extension, number, context)
    return found


def requested_tier(node: Node) -> str | None:
    """The tier the request goes to: by our extension, else by its code; None when neither says."""
    place = node.our_extension("to-tier")
    if place is not None:
        return place.text("valueCode") or place.text("valueString")
    known = (codes.REFERRAL_TIER.get(code) for _, code in node.codings("code"))
    return next((tier for tier in known if tier is not None), None)


def _referral(node: Node, number: str | None, context: Context) -> list[SourceFact]:
    """The referral, retracted where its sender revoked it: nobody is to receive it, so it is no gap."""
    tier = requested_tier(node)
    if tier is None:
        node.information("code", "does not say which tier the referral goes to, nor does the extension to-tier")
        return []
    status = node.text("status")
    if status in _NOT_A_REFERRAL:
        node.information("status", "is not yet a referral")
        return []
    moment = when(node, "authoredOn")
    marked = node.our_extension("on")
    on = when(marked, "valueDate") if marked else moment
    if moment is None or on is None:
        if node.text("authoredOn") is None:
            node.error("authoredOn", "is required: the day of the referral", code="required")
        return []
    if not context.span.check(node, "authoredOn", on.on):
        return []
    values = {"direction": "sent"} | extension_values(node, Referral) | _native(node, context)
    values |= {"to_tier": tier, "on": on.on, "at": moment.at}
    body = built(Referral, values, node, source=context.source, elements=_ELEMENTS)
    if body is None:
        return []
    return [
        SourceFact(
            body,
            business_id=number,
            referral_business_id=context.referral_id(node),
            ubrn=_ubrn(node),
            retracted=status == "entered-in-error" or (status == "revoked" and body.direction == "sent"),
        )
    ]


def _native(node: Node, context: Context) -> dict[str, object]:
    """The fields FHIR has a place for. An organisation that may be a person is left out."""
    found: dict[str, object] = {"reasons": _reasons(node)}
    if node.our_extension("priority") is None:
        found["priority"] = (node.text("priority") or "").lower() or None
    for name, element in (("referrer_ods", "requester"), ("provider_ods", "performer")):
        organisations = (context.resolver.organisation(reference) for reference in node.many(element))
        found[name] = next((code for code in organisations if code is not None), None)
    return {name: value for name, value in found.items() if value is not None}


def _reasons(node: Node) -> tuple[str, ...]:
    found = []
    for system, code in node.codings("reasonCode"):
        if system == uris.SNOMED and (code in codes.REASONS_FOR_REFERRAL or code in codes.COMORBIDITY):
            found.append(code)
        else:
            node.warning("reasonCode", "holds a code that is not of the list; left out", code="code-invalid")
    return tuple(dict.fromkeys(found))


def _ubrn(node: Node) -> str | None:
    for identifier in node.many("identifier"):
        if uris.canonical_uri(identifier.text("system") or "") == uris.UBRN:
            return identifier.text("value")
    return None


def _milestone(node: Node, number: str | None, context: Context) -> list[SourceFact]:
    place = node.extension("type")
    kind = MILESTONES.get((place.text("valueCode") or place.text("valueString") or "") if place else "")
    if place is None or kind is None:
        node.error("extension('type')", "must be one of the milestones", code="code-invalid")
        return []
    on = _when(node, context)
    if on is None:
        return []
    values = extension_values(node, kind, bare=True) | {"on": on.on, "at": on.at}
    if kind is Procedure and not codes.procedure(str(values.get("code")), str(values.get("system"))):
        node.error("extension('code')", "is not a code of a procedure", code="code-invalid")
        return []
    body = cast(FactBody | None, built(kind, values, node, source=context.source, elements={}))
    if body is None:
        return []
    named = node.extension("business-id")
    default = f"{number}/{body.type}" if number else None
    retracted = node.extension("retracted")
    return [
        SourceFact(
            body,
            business_id=(named.text("valueString") if named else None) or default,
            referral_business_id=number,
            retracted=retracted is not None and retracted.truth("valueBoolean") is True,
        )
    ]


def _when(node: Node, context: Context) -> StatedTime | None:
    day, moment = node.extension("on"), node.extension("at")
    stated_day = when(day, "valueDate", "valueDateTime") if day else None
    stated_moment = when(moment, "valueDateTime") if moment else None
    on: date | None = stated_day.on if stated_day else stated_moment.on if stated_moment else None
    if on is None:
        if day is None and moment is None:
            node.error("extension('on')", "is required: the day it happened", code="required")
        return None
    if not context.span.check(node, "extension('on')", on):
        return None
    return StatedTime(on, stated_moment.at if stated_moment else None)
