"""Which messages are read, and what each reports besides who the person is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.sources.tier3_hl7v2 import appointments, measurements, referrals
from connectors.sources.tier3_hl7v2.reading import Reading
from schemas.source_message import SourceFact


def _nothing_more(_: Reading) -> list[SourceFact]:
    return []


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """`facts` reads what happened; `merge`: MRG retires an id; `identity`: may come without naming a service."""

    facts: Callable[[Reading], list[SourceFact]]
    identity: bool = False
    merge: bool = False


_IDENTITY = TriggerEvent(_nothing_more, identity=True)
_MERGE = TriggerEvent(_nothing_more, identity=True, merge=True)

# (MSH-9.1, MSH-9.2) as trusts send them in HL7 2.3 to 2.5.1. Everything else (MDM, ORM, S14, ...) is ignored.
EVENTS: Mapping[tuple[str, str], TriggerEvent] = {
    ("REF", "I12"): TriggerEvent(referrals.received),
    ("SIU", "S12"): TriggerEvent(appointments.booked),
    ("SIU", "S13"): TriggerEvent(appointments.moved),
    ("SIU", "S15"): TriggerEvent(appointments.cancelled),
    ("SIU", "S26"): TriggerEvent(appointments.missed),
    ("ADT", "A04"): TriggerEvent(appointments.attended),
    ("ADT", "A03"): TriggerEvent(appointments.discharged),
    ("ORU", "R01"): TriggerEvent(measurements.measured),
    ("ADT", "A01"): _IDENTITY,
    ("ADT", "A05"): _IDENTITY,
    ("ADT", "A08"): _IDENTITY,
    ("ADT", "A28"): _IDENTITY,
    ("ADT", "A31"): _IDENTITY,
    ("ADT", "A34"): _MERGE,
    ("ADT", "A40"): _MERGE,
}


def event_of(reading: Reading) -> TriggerEvent | None:
    """How the message is read; None when its type is not.

    A test feed of every service keeps whatever names a patient: of a type that is not read, the identity.
    """
    known = EVENTS.get(reading.message.kind)
    if known is None and reading.source.every_service and reading.message.first("PID"):
        return _IDENTITY
    return known


# Where a message names the service it is about: hospital service, appointment service, referral type.
SERVICE_FIELDS = (("PV1", 10), ("AIS", 3), ("RF1", 3))


def services_of(reading: Reading) -> tuple[str, ...]:
    """The codes of PV1-10.1, every AIS-3.1 and RF1-3.1 that stand in the message."""
    named = (segment.value(field) for name, field in SERVICE_FIELDS for segment in reading.message.all(name))
    return tuple(dict.fromkeys(code for code in named if code))
