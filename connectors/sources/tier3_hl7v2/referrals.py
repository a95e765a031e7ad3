"""REF^I12: a referral reached this trust."""

from dataclasses import replace

from connectors.sources.tier3_hl7v2.appointments import referral_number
from connectors.sources.tier3_hl7v2.local_codes import (
    PRIORITY,
    PROVIDER_ROLES,
    REFERRAL_ENDED,
    REFERRAL_IN_FORCE,
    UBRN_AUTHORITIES,
)
from connectors.sources.tier3_hl7v2.moments import moment
from connectors.sources.tier3_hl7v2.reading import Reading
from connectors.sources.tier3_hl7v2.structure import Repetition, Segment
from schemas.codes import REASONS_FOR_REFERRAL
from schemas.facts import Referral
from schemas.identity import booking_reference
from schemas.ods import organisation
from schemas.source_message import SourceFact


def received(reading: Reading) -> list[SourceFact]:
    """The referral as received by the source, dated RF1-7 (effective), else RF1-9 (processed), else MSH-7."""
    rf1 = reading.message.first("RF1")
    if rf1 is None:
        reading.error("RF1", "is required", code="required")
        return []
    if not _is_in_force(reading):
        return []
    expires = moment(reading.value("RF1-8"))
    if expires is not None and expires.on < reading.reported_on:
        reading.warn("RF1-8", "lies before the message: the referral has expired; read all the same", code="value")
    number, day = referral_number(reading), reading.moment("RF1-7", "RF1-9", past=True) or reading.reported
    if number is None:
        reading.warn(
            "RF1-6",
            "is missing: a correction of this referral could not be distinguished from another referral",
        )
    body = Referral(
        on=day.on,
        at=day.at,
        direction="received",
        to_tier=reading.source.tier,
        programme=reading.source.programme,
        referrer_ods=_referrer(reading),
        provider_ods=reading.source.ods,
        council=reading.source.council,
        priority=_priority(reading),  # type: ignore[arg-type]  # PRIORITY holds only the five words
        reasons=_reasons(reading, rf1),
        consultant_led=reading.source.consultant_led,
    )
    return [SourceFact(body, business_id=number, ubrn=_ubrn(reading, rf1))]


def cancelled(reading: Reading) -> list[SourceFact]:
    """I14: the referral that RF1-6 names is taken back."""
    if reading.message.first("RF1") is not None and referral_number(reading) is None:
        reading.error("RF1-6", "is missing: nothing says which referral is taken back", code="required")
        return []
    return [replace(fact, retracted=True) for fact in received(reading)]


def _is_in_force(reading: Reading) -> bool:
    """False for a referral that RF1-1 calls rejected or expired (HL7 table 0283): a word of no row changes nothing."""
    status = reading.value("RF1-1").upper()
    if status in REFERRAL_ENDED:
        reading.note("RF1-1", "says that the referral is rejected, expired or ended; nothing is told")
        return False
    if status and status not in REFERRAL_IN_FORCE:
        reading.warn("RF1-1", "is not a status of referrals; read by the event alone", code="code-invalid")
    return True


def _priority(reading: Reading) -> str | None:
    text = reading.value("RF1-2")
    known = reading.source.code("priority", text) or PRIORITY.get(text.upper())
    if text and known is None:
        reading.warn("RF1-2", "is not a referral priority; it was left out", code="code-invalid")
    return known


def _reasons(reading: Reading, rf1: Segment) -> tuple[str, ...]:
    sent = [repetition.value() for repetition in rf1.repetitions(10)]
    known = tuple(dict.fromkeys(code for code in sent if code in REASONS_FOR_REFERRAL))
    if len(known) < len(sent):
        reading.warn("RF1-10", "holds a reason that is not a listed code; it was left out", code="code-invalid")
    return known


def _referrer(reading: Reading) -> str | None:
    """The organisation of the referring provider: PRD with role RP, PRD-7.1, else PRD-10.1."""
    for provider in reading.message.all("PRD"):
        role = provider.value(1).upper()
        if role == "RP":
            sent = provider.value(7) or provider.value(10)
            known = organisation(sent)
            if sent and known is None:
                reading.warn("PRD-7", "is not an ODS code; it was left out", code="code-invalid")
            return known
        if role not in PROVIDER_ROLES:
            reading.warn("PRD-1", "is not a role of a provider; who it is was left out", code="code-invalid")
    return None


def _ubrn(reading: Reading, rf1: Segment) -> str | None:
    for field in (11, 6):
        for repetition in rf1.repetitions(field):
            if _is_ubrn(repetition):
                number = booking_reference(repetition.value())
                if number is not None:
                    return number
                reading.warn(f"RF1-{field}", "is not an e-RS booking reference; it was left out", code="value")
    return None


def _is_ubrn(identifier: Repetition) -> bool:
    return bool({identifier.value(part).upper() for part in (2, 3, 4)} & UBRN_AUTHORITIES)
