"""SIU and outpatient ADT: what was booked, moved, cancelled, missed, attended, and the end of care.

The fact is the appointment, so every message about it uses one business id: SCH-2 (the hospital's own number), else
SCH-1; an A04 that carries no SCH says it in PV1-5 or PV1-50, and only a walk-in falls back to its visit, PV1-19.
"""

from connectors.sources.tier3_hl7v2.local_codes import (
    ARRIVED_TOO_LATE,
    CANCELLED_BY_NUMBER,
    CANCELLED_BY_WORD,
)
from connectors.sources.tier3_hl7v2.moments import Moment
from connectors.sources.tier3_hl7v2.reading import Reading
from schemas.codes import REASONS
from schemas.facts import Acceptance, Attendance, Discharge
from schemas.source_message import SourceFact

# Tier 3 trusts send no message "referral accepted": the first booking is taken as the acceptance.
ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"
_BOOKING_NUMBER = ("SCH-2", "SCH-1")
_START = ("SCH-11.4", "TQ1-7", "AIS-4")
_WHO_CANCELLED = ("SCH-6.1", "SCH-7.1", "SCH-25.1", "SCH-6.2", "SCH-7.2")


def booked(reading: Reading) -> list[SourceFact]:
    """S12: the appointment, and the acceptance that this booking is if no earlier one was.

    Every S12 reports `<appointment>/booked`, dated MSH-7; the pathway takes the earliest on or after the referral. It
    is a fact of its own because S13, which replaces the appointment's version, does not say when it was first booked.
    """
    number, reported = _booking_number(reading), reading.reported
    appointment = _appointment(reading, number, "0", booked=True)
    if number is None or not appointment:
        return appointment
    accepted = Acceptance(on=reported.on, at=reported.at, definition=ACCEPTED_BY_BOOKING)
    under = referral_number(reading)
    return [*appointment, SourceFact(accepted, business_id=f"{number}/booked", referral_business_id=under)]


def moved(reading: Reading) -> list[SourceFact]:
    """S13: the same appointment on another day."""
    return _appointment(reading, _booking_number(reading), "0")


def cancelled(reading: Reading) -> list[SourceFact]:
    """S15: cancelled by or for the person (2) or by the provider (4), from SCH-6, SCH-7, SCH-25.

    Where none of them says who, it counts as the provider's, whose system cancelled it, with a warning.
    """
    by = next((code for place in _WHO_CANCELLED if (code := _cancelled_by(reading.value(place)))), None)
    if by is None:
        reading.warn("SCH-6", "does not say who cancelled; read as cancelled by the provider", code="code-invalid")
    return _appointment(reading, _booking_number(reading), by or "4")


def missed(reading: Reading) -> list[SourceFact]:
    """S26: did not attend (3), or came too late to be seen (7)."""
    late = any(reading.value(place).upper() in ARRIVED_TOO_LATE for place in _WHO_CANCELLED)
    return _appointment(reading, _booking_number(reading), "7" if late else "3")


def attended(reading: Reading) -> list[SourceFact]:
    """A04 of an outpatient (PV1-2 O): seen. An A04 of any other class says only who the person is."""
    if not is_outpatient(reading):
        return []
    number = reading.first_value(*_BOOKING_NUMBER, "PV1-5", "PV1-50", "PV1-19") or None
    if number is None:
        reading.warn("PV1-19", "is missing: a correction of this visit could not be distinguished from another visit")
    day = reading.moment("PV1-44", "EVN-6", "EVN-2", *_START) or reading.reported
    return [_attendance(reading, number, "5", day)]


def discharged(reading: Reading) -> list[SourceFact]:
    """A03 of an outpatient (PV1-2 O): the service closed the episode. PV1-36 gives the reason where it is a listed
    one."""
    if not is_outpatient(reading):
        return []
    reason = reading.value("PV1-36").lower()
    if reason and reason not in REASONS:
        reading.note("PV1-36", "is not a listed reason for discharge; it was left out")
    day = reading.moment("PV1-45", "EVN-6", "EVN-2") or reading.reported
    body = Discharge(on=day.on, at=day.at, reason=reason if reason in REASONS else None)
    number = reading.value("PV1-19") or None
    return [SourceFact(body, business_id=number, referral_business_id=referral_number(reading))]


def is_outpatient(reading: Reading) -> bool:
    """True when PV1-2 says outpatient. HL7 table 0004."""
    return reading.value("PV1-2").upper() == "O"


def referral_number(reading: Reading) -> str | None:
    """The referral this message names, RF1-6, where it does."""
    return reading.value("RF1-6") or None


def _booking_number(reading: Reading) -> str | None:
    number = reading.first_value(*_BOOKING_NUMBER)
    if not number:
        reading.refuse("SCH-2", "is missing, and SCH-1 too: the appointment has no number", code="required")
    return number or None


def _appointment(reading: Reading, number: str | None, attendance: str, *, booked: bool = False) -> list[SourceFact]:
    day = reading.moment(*_START)
    if day is None:
        reading.refuse("SCH-11.4", "is missing, and AIS-4 too: the appointment has no start", code="required")
        return []
    return [_attendance(reading, number, attendance, day, booked=booked)]


def _attendance(
    reading: Reading, number: str | None, attendance: str, day: Moment, *, booked: bool = False
) -> SourceFact:
    body = Attendance(
        on=day.on,
        at=day.at,
        attendance=attendance,  # type: ignore[arg-type]  # one of the seven codes, from the callers above
        booked_on=reading.reported_on if booked else None,
    )
    return SourceFact(body, business_id=number, referral_business_id=referral_number(reading))


def _cancelled_by(text: str) -> str | None:
    status = text.upper()
    if status in CANCELLED_BY_NUMBER:
        return CANCELLED_BY_NUMBER[status]
    return next((code for start, code in CANCELLED_BY_WORD if status.startswith(start)), None)
