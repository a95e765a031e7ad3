"""Referrals and what happened under them, as ServiceRequests.

FHIR has no place for triage, acceptance, completion and the like that every system fills alike, so they are
extensions called `milestone` on the ServiceRequest they belong to. Where a message is only about a referral,
not the referral itself, its ServiceRequest is a *carrier*: it gives the number and is no fact.
"""

from schemas import codes, uris
from schemas.facts import Referral
from schemas.fhir.extensions import extension, fields, without_empty
from schemas.source_message import SourceFact
from schemas.sources import Source

_NATIVE = ("priority", "reasons", "referrer_ods", "provider_ods", "ubrn")


def referral(fact: SourceFact, *, source: Source, subject: dict[str, str], under: str | None) -> dict[str, object]:
    """The ServiceRequest of a Referral; `under` is the fullUrl of the referral it follows from."""
    body = fact.body
    assert isinstance(body, Referral)
    extensions = fields(body, without=_NATIVE)
    if body.priority == "two-week-wait":
        extensions.append(extension("priority", body.priority))
    if body.at is not None and body.at.date() != body.on:
        extensions.append(extension("on", body.on))
    return without_empty(
        {
            "resourceType": "ServiceRequest",
            "extension": extensions,
            "identifier": _identifiers(fact, source),
            "basedOn": [{"reference": under}] if under else None,
            "status": "entered-in-error" if fact.retracted else "active",
            "intent": "order",
            "priority": "urgent" if body.priority == "two-week-wait" else body.priority,
            "code": service(source, body.to_tier),
            "subject": subject,
            "authoredOn": (body.at or body.on).isoformat(),
            "requester": organisation(body.referrer_ods) if body.referrer_ods else None,
            "performer": [organisation(body.provider_ods)] if body.provider_ods else None,
            "reasonCode": [{"coding": [{"system": uris.SNOMED, "code": code}]} for code in body.reasons],
        }
    )


def carrier(business_id: str | None, *, source: Source, subject: dict[str, str]) -> dict[str, object]:
    """A ServiceRequest that only names a referral, or carries what belongs to none."""
    number = {"system": uris.identifier_system("referral", source.slug), "value": business_id}
    return without_empty(
        {
            "resourceType": "ServiceRequest",
            "extension": [extension("carrier", True)],
            "identifier": [number] if business_id else None,
            "status": "active",
            "intent": "order",
            "code": service(source, None),
            "subject": subject,
        }
    )


def milestone(fact: SourceFact) -> dict[str, object]:
    """The extension of one fact that happened under a referral."""
    body = fact.body
    parts: list[dict[str, object]] = [{"url": "type", "valueCode": body.type}]
    if fact.business_id is not None:
        parts.append({"url": "business-id", "valueString": fact.business_id})
    parts.append(extension("on", body.on, url="on"))
    if body.at is not None:
        parts.append(extension("at", body.at, url="at"))
    if fact.retracted:
        parts.append(extension("retracted", True, url="retracted"))
    return {"url": uris.extension_url("milestone"), "extension": parts + fields(body, bare=True)}


def organisation(code: str) -> dict[str, object]:
    """A reference to an organisation by its ODS code alone."""
    return {"identifier": {"system": uris.ODS_ORGANISATION, "value": code}}


def service(source: Source, to_tier: str | None) -> dict[str, object]:
    """The code by which `source` names a service of ours, the one for `to_tier` where it has one."""
    named = sorted(source.services - {"*"}) or sorted(codes.REFERRAL_TIER)
    for_tier = [code for code in named if codes.REFERRAL_TIER.get(code) == to_tier]
    code = (for_tier or named)[0]
    system = uris.SNOMED if codes.is_sctid(code) else f"{uris.TIERLINK}CodeSystem/service/{source.slug}"
    return {"coding": [{"system": system, "code": code}]}


def _identifiers(fact: SourceFact, source: Source) -> list[dict[str, str]]:
    found = []
    if fact.business_id is not None and fact.business_id != fact.ubrn:
        found.append({"system": uris.identifier_system("referral", source.slug), "value": fact.business_id})
    if fact.ubrn is not None:
        found.append({"system": uris.UBRN, "value": fact.ubrn})
    return found
