"""A ServiceRequest as a Referral and the milestones under it."""

import re
from collections.abc import Mapping
from datetime import date
from typing import cast

from schemas import codes, uris
from schemas.business_ids import distinguishing
from schemas.facts import (
    Acceptance,
    Body,
    Choice,
    Completion,
    Decline,
    Discharge,
    Eligibility,
    Experience,
    FactBody,
    Medicine,
    Procedure,
    ProgrammeStart,
    Referral,
    RttStatus,
    Suspension,
    Triage,
    Withdrawal,
)
from schemas.fhir.bodies import built, extension_values
from schemas.fhir.context import Context
from schemas.fhir.dates import StatedTime, london_day, when
from schemas.fhir.extensions import hyphened
from schemas.fhir.known_extensions import report_unread_parts
from schemas.fhir.modifiers import is_retracted, is_understood, states_fact
from schemas.fhir.node import Node
from schemas.fhir.read_task import is_rejected, reason_of
from schemas.fhir.references import business_id
from schemas.identity import booking_reference
from schemas.source_message import SourceFact
from schemas.sources import Source

MILESTONES: Mapping[str, type[Body]] = {
    "triage": Triage, "acceptance": Acceptance, "decline": Decline, "choice": Choice,
    "programme_start": ProgrammeStart, "completion": Completion, "discharge": Discharge,
    "withdrawal": Withdrawal, "medicine": Medicine, "procedure": Procedure, "suspension": Suspension,
    "rtt_status": RttStatus, "eligibility": Eligibility, "experience": Experience,
}  # fmt: skip
_ELEMENTS = {
    "referrer_ods": "requester",
    "provider_ods": "performer",
    "reasons": "reasonCode",
    "priority": "priority",
}


def facts(node: Node, context: Context) -> list[SourceFact]:
    """The facts of the ServiceRequest at `node`; reports what refuses it."""
    if not is_understood(node):
        return []
    subject = node.first("subject")
    if not context.about_patient(node, "subject", [subject] if subject else []):
        return []
    if node.truth("doNotPerform"):
        node.information("doNotPerform", "says that this is not asked for; nothing is told")
        return []
    if node.value.get("doNotPerform") not in (None, False):
        node.error("doNotPerform", "is neither true nor false: is this asked for? nothing is told", code="structure")
        return []
    if node.many("replaces"):
        node.warning("replaces", "is not followed: the request that is replaced still stands", code="not-supported")
    if not states_fact(node, "status", "intent"):
        return []
    number = business_id(node)
    found = [] if node.our_flag("carrier") else _referral(node, number, context)
    is_revoked = bool(found) and node.text("status") == "revoked"
    for extension in node.many("extension"):
        if extension.text("url") == uris.extension_url("milestone"):
            found += _milestone(extension, number, context)
    if is_revoked and not is_rejected(number, context) and not any(isinstance(fact.body, Decline) for fact in found):
        found.append(_revocation(node, number, context))  # unless the message says better how it ended
    return found


def requested_tier(node: Node) -> str | None:
    """The tier the request goes to: by our extension, else by its code; None when neither says."""
    place = node.our_extension("to-tier")
    if place is not None:
        return place.text("valueCode") or place.text("valueString")
    known = (codes.REFERRAL_TIER.get(code) for _, code in node.codings("code"))
    return next((tier for tier in known if tier is not None), None)


def report_code(node: Node, source: Source) -> bool:
    """Reports a code that is one slip away from one of our services; True where there is such a one, or none."""
    codings, ours = node.codings("code"), {*codes.REFERRAL_TIER, *source.services}
    if not codings and not states_fact(node, "status", "intent"):
        return True  # a plan or a draft need not say for what
    slips = [code for _, code in codings if not codes.is_sctid(code) and any(_is_slip(code, known) for known in ours)]
    if slips or not codings:
        node.error("code", "is not a code of a terminology: which service is asked for?", code="code-invalid")
        return True
    return False


def _is_slip(code: str, known: str) -> bool:
    """True when one character differs, or two neighbours stand in each other's place."""
    if len(code) != len(known):
        return False
    places = [place for place, pair in enumerate(zip(code, known, strict=True)) if pair[0] != pair[1]]
    if len(places) == 2 and places[1] == places[0] + 1:
        return code[places[0]] == known[places[1]] and code[places[1]] == known[places[0]]
    return len(places) == 1


def _referral(node: Node, number: str | None, context: Context) -> list[SourceFact]:
    """The referral, retracted where it was entered in error."""
    tier = requested_tier(node)
    if tier is None:
        node.information("code", "does not say which tier the referral goes to, nor does the extension to-tier")
        return []
    coded = [system for system, code in node.codings("code") if code in codes.REFERRAL_TIER]
    if coded and uris.SNOMED not in coded:
        node.warning("code", "lacks its system, SNOMED CT; read all the same", code="incomplete")
    moment = when(node, "authoredOn")
    marked = node.our_extension("on")
    on = when(marked, "valueDate") if marked else moment
    if moment is None or on is None:
        if node.text("authoredOn") is None:
            node.error("authoredOn", "is required: the day of the referral", code="required")
        return []
    if not context.span.check(node, "authoredOn", on.on):
        return []
    ours = extension_values(node, Referral)
    if "direction" not in ours and node.our_extension("direction") is not None:
        return []  # reported: neither sent nor received can stand in
    native = _native(node, context)
    values = {"direction": "sent"} | ours | native
    values |= {"to_tier": tier, "on": on.on, "at": moment.at}
    elements = {name: element for name, element in _ELEMENTS.items() if name in native}
    body = built(Referral, values, node, source=context.source, elements=elements)
    if body is None:
        return []
    return [
        SourceFact(
            body,
            business_id=number,
            referral_business_id=context.referral_id(node),
            ubrn=_ubrn(node),
            retracted=node.text("status") == "entered-in-error",
        )
    ]


def _revocation(node: Node, number: str | None, context: Context) -> SourceFact:
    """The end of a referral that was revoked: it was made and stands, and nobody is to receive it any more.

    R4 has no day for it: that of the resource's last change, else of the message. Why stands in the extension
    request-statusReason; one that only a service or the person can give says by whom, else the referrer took it back.
    """
    place = node.extension(uris.STATUS_REASON)
    reason = reason_of(place, "valueCodeableConcept", context.source) if place else None
    meta = node.first("meta")
    changed = when(meta, "lastUpdated") if meta else None
    possible = changed is not None and context.span.fault(changed.on) is None
    on = changed.on if changed and possible else london_day(context.source_version_at)
    body = Decline(on=on, declined_by=codes.DECLINED_BY.get(reason or "", "referrer"), reason=reason)
    return SourceFact(body, business_id=f"{number}/decline" if number else None, referral_business_id=number)


def _native(node: Node, context: Context) -> dict[str, object]:
    """The fields FHIR has a place for. An organisation that may be a person is left out."""
    found: dict[str, object] = {"reasons": _reasons(node)}
    if node.our_extension("priority") is None:
        found["priority"] = (node.text("priority") or "").lower() or None
    for name, element in (("referrer_ods", "requester"), ("provider_ods", "performer")):
        organisations = [context.resolver.organisation(reference) for reference in node.many(element)]
        named = dict.fromkeys(code for code in organisations if code is not None)
        found[name] = next(iter(named), None)
        if len(named) > 1:
            node.warning(element, "names several organisations; the first was read", code="multiple-matches")
        if found[name] is None:
            for reference in node.many(element):
                context.resolver.report_unfit(reference)
    return {name: value for name, value in found.items() if value is not None}


def _reasons(node: Node) -> tuple[str, ...]:
    found = []
    for concept in node.many("reasonCode"):
        if not any(coding.text("code") for coding in concept.many("coding")):
            concept.warning("", "holds no code; left out", code="incomplete")
    for system, code in node.codings("reasonCode"):
        if system == uris.SNOMED and (code in codes.REASONS_FOR_REFERRAL or code in codes.COMORBIDITY):
            found.append(code)
        else:
            node.warning("reasonCode", "holds a code that is not of the list; left out", code="code-invalid")
    if node.many("reasonReference"):
        node.warning("reasonReference", "is not read: only reasonCode is; left out", code="not-supported")
    return tuple(dict.fromkeys(found))


_UBRN = re.compile(r"[0-9]{12}")


def _ubrn(node: Node) -> str | None:
    """The e-RS number; one under another system is reported, because sender and receiver meet by it."""
    for identifier in node.many("identifier"):
        if uris.canonical_uri(identifier.text("system") or "") == uris.UBRN:
            if identifier.text("use") == "old":
                identifier.information("use", "is no longer in use; not read")
                continue
            number = booking_reference(identifier.text("value") or "")
            if number is None or not _UBRN.fullmatch(number):
                identifier.warning("value", "is not a UBRN of twelve digits", code="value")
            return number or identifier.text("value")
    for identifier in node.many("identifier"):
        system = identifier.text("system") or ""
        if _UBRN.fullmatch(identifier.text("value") or "") and not system.startswith(uris.TIERLINK):
            identifier.warning("system", "is not that of the UBRN, whose form the value has", code="code-invalid")
    return None


def _milestone(node: Node, number: str | None, context: Context) -> list[SourceFact]:
    place = node.extension("type")
    kind = MILESTONES.get((place.text("valueCode") or place.text("valueString") or "") if place else "")
    if place is None or kind is None:
        node.error("extension('type')", "must be one of the milestones", code="code-invalid")
        return []
    report_unread_parts(node, kind)
    on, retracted = _when(node, context), is_retracted(node.extension("retracted"))
    if on is None or retracted is None:
        return []
    values = extension_values(node, kind, bare=True) | {"on": on.on, "at": on.at}
    body = cast(FactBody | None, built(kind, values, node, source=context.source, elements=_parts(kind)))
    if isinstance(body, Procedure) and not codes.procedure(body.code, body.system):
        node.error("extension('code')", "is not a code of a procedure", code="code-invalid")
        return []
    if body is None:
        return []
    default = "/".join((number, body.type, *distinguishing(body))) if number else None
    return [
        SourceFact(
            body,
            business_id=_number_of(node) or default,
            referral_business_id=number,
            retracted=retracted,
        )
    ]


def _parts(kind: type[Body]) -> Mapping[str, str]:
    return {name: f"extension('{hyphened(name)}')" for name in kind.model_fields}


def _number_of(milestone: Node) -> str | None:
    place = milestone.extension("business-id")
    number = place.text("valueString") if place else None
    if place is not None and number is None:
        place.warning("valueString", "is required: the number of the fact; left out", code="required")
    return number


def _when(node: Node, context: Context) -> StatedTime | None:
    before, day, moment = len(node.issues), node.extension("on"), node.extension("at")
    stated_day = when(day, "valueDate", "valueDateTime") if day else None
    stated_moment = when(moment, "valueDateTime") if moment else None
    on: date | None = stated_day.on if stated_day else stated_moment.on if stated_moment else None
    if on is None:
        if len(node.issues) == before:
            node.error("extension('on')", "is required: the day it happened", code="required")
        return None
    if not context.span.check(node, "extension('on')", on):
        return None
    return StatedTime(on, stated_moment.at if stated_moment else None)
