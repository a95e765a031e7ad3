"""Which messages are read, and what each reports besides who the person is.

One message is one entry, with one answer, one entry id and one sealed original, and an entry is about one person. A
merge (A40 and its kin) may repeat its group of PID and MRG: such a message is refused, and the reason names what to
send, each pair in a message of its own; under one answer half of its pairs could be told and the other half not.
"""

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

# (MSH-9.1, MSH-9.2) as trusts send them in HL7 2.3 to 2.5.1: chapters 3, 7, 10 and 11 of HL7 2.4 and 2.5.1, read
# November 2026. What is here neither nor in NOT_READ (MDM, ORM, ...) is ignored as a type of message that is not read.
EVENTS: Mapping[tuple[str, str], TriggerEvent] = {
    ("REF", "I12"): TriggerEvent(referrals.received),
    ("REF", "I13"): TriggerEvent(referrals.received),  # modified: the same referral, anew
    ("REF", "I14"): TriggerEvent(referrals.cancelled),
    ("SIU", "S12"): TriggerEvent(appointments.booked),
    ("SIU", "S13"): TriggerEvent(appointments.moved),
    ("SIU", "S15"): TriggerEvent(appointments.cancelled),
    ("SIU", "S16"): TriggerEvent(appointments.cancelled),  # discontinued: what is left of it will not happen
    ("SIU", "S17"): TriggerEvent(appointments.deleted),
    ("SIU", "S26"): TriggerEvent(appointments.missed),
    ("ADT", "A04"): TriggerEvent(appointments.attended),
    ("ADT", "A03"): TriggerEvent(appointments.discharged),
    ("ADT", "A11"): TriggerEvent(appointments.visit_cancelled),
    ("ADT", "A13"): TriggerEvent(appointments.discharge_cancelled),
    ("ORU", "R01"): TriggerEvent(measurements.measured),
    ("ADT", "A01"): _IDENTITY,
    ("ADT", "A05"): _IDENTITY,
    ("ADT", "A08"): _IDENTITY,
    ("ADT", "A28"): _IDENTITY,
    ("ADT", "A31"): _IDENTITY,
    ("ADT", "A18"): _MERGE,
    ("ADT", "A30"): _MERGE,
    ("ADT", "A34"): _MERGE,
    ("ADT", "A36"): _MERGE,
    ("ADT", "A39"): _MERGE,
    ("ADT", "A40"): _MERGE,
    ("ADT", "A46"): _MERGE,
    ("ADT", "A47"): _MERGE,
}
TYPES_READ = frozenset(kind for kind, _ in EVENTS)
# What these say is not used, and what they undo was never a fact here; the message is ignored, and says so.
NOT_READ: Mapping[tuple[str, str], str] = {
    ("ADT", "A12"): "cancels a transfer, and transfers are not read",
    ("ADT", "A23"): "deletes a visit; only A11 and A13 take back what was read",
    ("ADT", "A24"): "links two patients without merging them, which is not read",
    ("ADT", "A29"): "deletes a person's record, which a message does not do here",
    ("ADT", "A35"): "merges accounts, not patients, which is not read",
    ("ADT", "A37"): "unlinks two patients; links are not read",
    ("ADT", "A38"): "cancels a pre-admission, and pre-admissions are not read as visits",
    ("ADT", "A41"): "merges accounts, not patients, which is not read",
    ("ADT", "A42"): "merges visits, not patients, which is not read",
    ("ADT", "A43"): "moves a number to another patient, which is not read",
    ("ADT", "A44"): "moves an account to another patient, which is not read",
    ("ADT", "A45"): "moves a visit to another patient, which is not read",
    ("ADT", "A49"): "changes an account's number, which is not read",
    ("ADT", "A52"): "cancels a leave, and leaves are not read",
    ("SIU", "S14"): "changes details of an appointment that are not read",
    ("SIU", "S18"): "adds to an appointment what is not read",
    ("SIU", "S19"): "changes of an appointment what is not read",
    ("SIU", "S20"): "cancels a part of an appointment that is not read",
    ("SIU", "S21"): "discontinues a part of an appointment that is not read",
    ("SIU", "S22"): "deletes a part of an appointment that is not read",
    ("SIU", "S23"): "blocks a schedule, which is no appointment",
    ("SIU", "S24"): "opens a schedule, which is no appointment",
    ("ORU", "R30"): "is a result at the bedside without an order, which is not read",
    ("ORU", "W01"): "is a waveform, which is not read",
}  # fmt: skip


def event_of(reading: Reading) -> TriggerEvent | None:
    """How the message is read; None when its type is not.

    A test feed of every service keeps whatever names a patient: of a type that is not read, the identity, and says so.
    """
    known = EVENTS.get(reading.message.kind)
    if known is None and reading.source.every_service and reading.message.first("PID"):
        reading.note("MSH-9", f"{why_not_read(reading)}; only who the person is was read")
        return _IDENTITY
    return known


def why_not_read(reading: Reading) -> str:
    """What the event is, as the reason to ignore it."""
    return NOT_READ.get(reading.message.kind, "is a type of message that is not read")


# Where a message names the service it is about: hospital service, appointment service, referral type.
SERVICE_FIELDS = (("PV1", 10), ("AIS", 3), ("RF1", 3))


def services_of(reading: Reading) -> tuple[str, ...]:
    """The codes of PV1-10.1, every AIS-3.1 and RF1-3.1 that stand in the message."""
    named = (segment.value(field) for name, field in SERVICE_FIELDS for segment in reading.message.all(name))
    return tuple(dict.fromkeys(code for code in named if code))
