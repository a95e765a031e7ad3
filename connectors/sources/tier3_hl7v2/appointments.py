"""SIU and outpatient ADT: what was booked, moved, cancelled, missed, attended, and the end of care.

The fact is the appointment, so every message about it uses one business id: SCH-2 (the hospital's own number), else
SCH-1; an A04 that carries no SCH says it in PV1-5 or PV1-50, and only a walk-in falls back to its visit, PV1-19.
"""

from collections.abc import Iterator
from dataclasses import replace

from connectors.sources.tier3_hl7v2.local_codes import (
    APPOINTMENT_STATUS,
    ARRIVED_TOO_LATE,
    CANCELLED_BY_NUMBER,
    CANCELLED_BY_WORD,
    NOT_BOOKED,
    PATIENT_CLASS_CODES,
    PATIENT_CLASS_WORDS,
)
from connectors.sources.tier3_hl7v2.moments import Moment, moment
from connectors.sources.tier3_hl7v2.reading import Reading
from schemas.codes import REASONS, canonical
from schemas.facts import Acceptance, Attendance, Discharge
from schemas.source_message import SourceFact

# Tier 3 trusts send no message "referral accepted": the first booking is taken as the acceptance.
ACCEPTED_BY_BOOKING = "tier3-accepted-by-booking/1"
_BOOKING_NUMBER = ("SCH-2", "SCH-1")
_VISIT_NUMBER = (*_BOOKING_NUMBER, "PV1-5", "PV1-50", "PV1-19")
# The start of the appointment; where it has none, of the first of its resources: service, place, thing, person.
_RESOURCE_START = {"AIS": 4, "AIL": 6, "AIG": 8, "AIP": 6}
_START = ("SCH-11.4", "TQ1-7", *(f"{name}-{field}" for name, field in _RESOURCE_START.items()))
# The filler's status of each resource, HL7 table 0278 (2.5.1, chapter 10).
_RESOURCE_STATUS = {"AIS": 10, "AIL": 12, "AIG": 14, "AIP": 12}
_WHO_CANCELLED = ("SCH-6.1", "SCH-7.1", "SCH-25.1", "SCH-6.2", "SCH-7.2")


def booked(reading: Reading) -> list[SourceFact]:
    """S12: the appointment, and the acceptance that this booking is if no earlier one was.

    Every S12 reports `<appointment>/booked`, dated MSH-7; the pathway takes the earliest on or after the referral. It
    is a fact of its own because S13, which replaces the appointment's version, does not say when it was first booked.
    """
    number, reported = _booking_number(reading), reading.reported
    if not _is_booked(reading):
        return []
    appointment = _appointment(reading, number, _by_status(reading), booked=True)
    if number is None or not appointment:
        return appointment
    accepted = Acceptance(on=reported.on, at=reported.at, definition=ACCEPTED_BY_BOOKING)
    under = referral_number(reading)
    return [*appointment, SourceFact(accepted, business_id=f"{number}/booked", referral_business_id=under)]


def moved(reading: Reading) -> list[SourceFact]:
    """S13: the same appointment on another day."""
    if not _is_booked(reading):
        return []
    return _appointment(reading, _booking_number(reading), _by_status(reading))


def deleted(reading: Reading) -> list[SourceFact]:
    """S17: the appointment was never to be: it, and the acceptance that its booking was, are taken back."""
    number, reported = _booking_number(reading), reading.reported
    if number is None:
        return []
    day = next((moment(text) for text in map(reading.value, _START) if text), None) or reported
    appointment = _attendance(reading, number, "0", day)
    accepted = Acceptance(on=reported.on, at=reported.at, definition=ACCEPTED_BY_BOOKING)
    booking = SourceFact(accepted, f"{number}/booked", referral_business_id=referral_number(reading))
    return [replace(fact, retracted=True) for fact in (appointment, booking)]


def cancelled(reading: Reading) -> list[SourceFact]:
    """S15: cancelled by or for the person (2) or by the provider (4), from SCH-6, SCH-7, SCH-25.

    Where none of them says who, it counts as the provider's, whose system cancelled it, with a warning.
    """
    _compare_status(reading, "cancelled")
    return _appointment(reading, _booking_number(reading), _who_cancelled(reading))


def _who_cancelled(reading: Reading) -> str:
    sent = [reading.value(place) for place in _WHO_CANCELLED]
    by = next((code for text in sent if (code := _cancelled_by(reading, text))), None)
    if by is None:
        reading.warn("SCH-6", "does not say who cancelled; read as cancelled by the provider", code="code-invalid")
    return by or "4"


def missed(reading: Reading) -> list[SourceFact]:
    """S26: did not attend (3), or came too late to be seen (7)."""
    _compare_status(reading, "3")
    late = any(reading.value(place).upper() in ARRIVED_TOO_LATE for place in _WHO_CANCELLED)
    return _appointment(reading, _booking_number(reading), "7" if late else "3")


def attended(reading: Reading) -> list[SourceFact]:
    """A04 of an outpatient (PV1-2 O): seen. An A04 of any other class says only who the person is."""
    if not is_outpatient(reading):
        return []
    number = next(iter(reading.numbers(*_VISIT_NUMBER)), None)
    if number is None:
        reading.warn("PV1-19", "is missing: a correction of this visit could not be distinguished from another visit")
    day = reading.moment("PV1-44", "EVN-6", "EVN-2", *_START, past=True) or reading.reported
    return [_attendance(reading, number, "5", day)]


def visit_cancelled(reading: Reading) -> list[SourceFact]:
    """A11 of an outpatient: the A04 of any number that it names is taken back.

    An A04 is known by one of its numbers, and what this message names may be another one of them.
    """
    if not is_outpatient(reading):
        return []
    numbers = reading.numbers(*_VISIT_NUMBER)
    if not numbers:
        reading.error("PV1-19", "is missing: nothing says which visit is taken back", code="required")
    elif not reading.numbers(*_VISIT_NUMBER[:-1]):
        reading.note("PV1-19", "alone names the visit: one that came with PV1-5 or PV1-50 is not taken back")
    return [replace(_attendance(reading, number, "5", reading.reported), retracted=True) for number in numbers]


def discharge_cancelled(reading: Reading) -> list[SourceFact]:
    """A13 of an outpatient: the A03 of the same PV1-19 is taken back."""
    if not is_outpatient(reading):
        return []
    number, reported = reading.number("PV1-19"), reading.reported
    if not number:
        reading.error("PV1-19", "is missing: nothing says which discharge is taken back", code="required")
        return []
    under = referral_number(reading)
    body = Discharge(on=reported.on, at=reported.at)
    return [SourceFact(body, business_id=number, referral_business_id=under, retracted=True)]


def discharged(reading: Reading) -> list[SourceFact]:
    """A03 of an outpatient (PV1-2 O): the service closed the episode. PV1-36 gives the reason where it is a listed
    one."""
    if not is_outpatient(reading):
        return []
    sent = reading.value("PV1-36")
    reason = canonical("reason", reading.source.code("discharge_reason", sent) or sent.lower())
    if reason and reason not in REASONS:
        reading.warn("PV1-36", "is not a listed reason for discharge; it was left out", code="code-invalid")
    day = reading.moment("PV1-45", "EVN-6", "EVN-2", past=True) or reading.reported
    admitted = moment(reading.value("PV1-44"))
    if admitted is not None and day.on < admitted.on:
        reading.warn("PV1-45", "lies before the beginning in PV1-44; read all the same", code="value")
    body = Discharge(on=day.on, at=day.at, reason=reason if reason in REASONS else None)
    number = reading.number("PV1-19") or None
    if number is None:
        reading.warn(
            "PV1-19",
            "is missing: a correction of this discharge could not be distinguished from another discharge",
        )
    return [SourceFact(body, business_id=number, referral_business_id=referral_number(reading))]


def is_outpatient(reading: Reading) -> bool:
    """True when PV1-2 says outpatient, by HL7 table 0004, in words, or in the source's own words.

    What is in none of them is reported: the visit is then nobody's.
    """
    sent = reading.value("PV1-2")
    code = reading.source.code("patient_class", sent) or PATIENT_CLASS_WORDS.get(_folded(sent), sent.upper())
    if code not in PATIENT_CLASS_CODES:
        rule = "is not a patient class" if sent else "does not say the patient class"
        reading.warn("PV1-2", f"{rule}; no visit was read", code="code-invalid" if sent else "required")
    return code == "O"


def _folded(text: str) -> str:
    return " ".join(text.replace("-", " ").casefold().split())


def referral_number(reading: Reading) -> str | None:
    """The referral this message names, RF1-6, where it does."""
    return reading.number("RF1-6") or None


def _booking_number(reading: Reading) -> str | None:
    number = next(iter(reading.numbers(*_BOOKING_NUMBER)), None)
    if number is None:
        reading.error("SCH-2", "is missing, and SCH-1 too: the appointment has no number", code="required")
    return number


def _appointment(reading: Reading, number: str | None, attendance: str, *, booked: bool = False) -> list[SourceFact]:
    day = reading.moment(*_START)
    if day is None:
        reading.error("SCH-11.4", "is missing, and AIS-4 too: the appointment has no start", code="required")
        return []
    booking = reading.message.first("SCH")
    if booking is not None and sum(1 for _ in booking.repetitions(11)) > 1:
        reading.warn("SCH-11", "holds several times; the first is read, the others were left out")
    _note_other_starts(reading, day)
    _note_actions(reading)
    if number is None:
        return []
    return [_attendance(reading, number, attendance, day, booked=booked)]


def _note_other_starts(reading: Reading, used: Moment) -> None:
    """An appointment of several resources has one start; the others' are not used."""
    for name, field in _RESOURCE_START.items():
        for place, segment in enumerate(reading.message.all(name), start=1):
            start = moment(segment.value(field))
            if start is not None and start != used:
                reading.note(f"{name}[{place}]-{field}", "is another start than the appointment's; not used")


def _note_actions(reading: Reading) -> None:
    """What AIS-2 and its kin say is done with a resource (HL7 table 0206): the appointment is read all the same."""
    for name in _RESOURCE_START:
        for place, segment in enumerate(reading.message.all(name), start=1):
            action = segment.value(2).upper()
            if action == "D":
                reading.note(f"{name}[{place}]-2", "takes a resource away; the appointment is read all the same")
            elif action not in ("", "A", "U", "X"):
                rule = "is not an action code; the appointment is read all the same"
                reading.warn(f"{name}[{place}]-2", rule, code="code-invalid")


def _is_booked(reading: Reading) -> bool:
    """False where SCH-25 says that somebody only waits for a slot, or that it is blocked."""
    status = _folded(reading.value("SCH-25") or reading.value("SCH-25.2"))
    if status in NOT_BOOKED:
        reading.warn("SCH-25", "says that no appointment was made; nothing is told")
    return status not in NOT_BOOKED


def _by_status(reading: Reading) -> str:
    """The attendance that SCH-25 makes of a booking or a move: booked, unless it says otherwise.

    Where SCH-25 is empty the services (AIS-10) say it, if they agree: an appointment none of whose services will take
    place does not. A place, a thing or a person that falls away does not cancel the appointment.
    """
    sent = reading.value("SCH-25") or reading.value("SCH-25.2")
    statuses = {place: _status(reading, word) for place, word in _resource_statuses(reading)}
    of_services = {status for place, status in statuses.items() if place.startswith("AIS")}
    if sent:
        meaning, place = _status(reading, sent), "SCH-25"
    else:
        meaning, place = of_services.pop() if len(of_services) == 1 else "0", "AIS-10"
    for resource, status in statuses.items():
        if status is None:
            rule = "is not a status of appointments; the appointment is read without it"
            reading.warn(resource, rule, code="code-invalid")
        elif status != meaning:
            reading.warn(resource, "says otherwise than the appointment, which is read without it")
    if meaning is None:
        if sent:
            reading.warn("SCH-25", "is not a status of appointments; read by the event alone", code="code-invalid")
        return "0"
    if meaning != "0":
        reading.warn(place, "says otherwise than the event; the status was read")
    return _who_cancelled(reading) if meaning == "cancelled" else meaning


def _compare_status(reading: Reading, expected: str) -> None:
    """Reports a status of the appointment or of its services that the event, by which it is read, contradicts."""
    sent = reading.value("SCH-25") or reading.value("SCH-25.2")
    also_known = _cancelled_by(reading, sent) is not None or sent.upper() in ARRIVED_TOO_LATE
    words = [("SCH-25", sent)] if sent and not also_known else []
    for place, word in (*words, *_resource_statuses(reading)):
        status = _status(reading, word)
        if status is None:
            reading.warn(place, "is not a status of appointments; read by the event alone", code="code-invalid")
        elif status != expected:
            reading.warn(place, "says otherwise than the event, by which the appointment was read")


def _status(reading: Reading, sent: str) -> str | None:
    return APPOINTMENT_STATUS.get(_folded(reading.source.code("appointment_status", sent) or sent))


def _resource_statuses(reading: Reading) -> Iterator[tuple[str, str]]:
    """Place and word of what the filler says of each resource."""
    for name, field in _RESOURCE_STATUS.items():
        for place, segment in enumerate(reading.message.all(name), start=1):
            word = segment.value(field) or segment.value(field, 2)
            if word:
                yield f"{name}[{place}]-{field}", word


def _attendance(
    reading: Reading, number: str | None, attendance: str, day: Moment, *, booked: bool = False
) -> SourceFact:
    body = Attendance(
        on=day.on,
        at=day.at,
        attendance=attendance,  # type: ignore[arg-type]  # one of the seven codes, from the callers above
        booked_on=reading.reported_on if booked else None,
        medium=reading.local("medium"),  # type: ignore[arg-type]  # of the list, as is the purpose
        group={"yes": True, "no": False}.get(reading.local("group") or ""),
        purpose=reading.local("purpose"),  # type: ignore[arg-type]
    )
    return SourceFact(body, business_id=number, referral_business_id=referral_number(reading))


def _cancelled_by(reading: Reading, text: str) -> str | None:
    status = text.upper()
    known = reading.source.code("cancelled_by", text)
    if known:
        return known
    if status in CANCELLED_BY_NUMBER:
        return CANCELLED_BY_NUMBER[status]
    return next((code for start, code in CANCELLED_BY_WORD if status.startswith(start)), None)
