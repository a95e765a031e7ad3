"""An intake as an attacker fills it: a door that seals whatever it likes, and what ingress answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from memory_engine import (
    RECEIVED_AT,
    START_MS,
    IntakeMessage,
    all_keys,
    door_session,
    intake_keys,
    intake_message,
    published,
    sealed_envelope,
    sources,
)
from small_world import ANN, GP, at_source, message_from, referral, weight

from connectors.entry import SourceEntry
from connectors.intake import envelope_of
from linkage.record_name import record_parts
from ops.lab.memory_engine.parts import bucket_keys_of
from schemas import canonical
from schemas.check import check
from schemas.door_session import Session
from schemas.envelope import Envelope
from schemas.fhir import write
from schemas.intake_keys import IntakeKeys
from schemas.source_message import SourceMessage
from schemas.topics import intake_partition
from streams.steps.ingress import IngressStep
from streams.steps.outcome import Message, Outcome, Reject
from streams.steps.vault import VaultState

_, TOLD = message_from(GP, "m1", at_source(ANN, "G1"), referral("R", 0), weight("w1", 0, "120"), at=0)
RECORD = record_parts(GP, TOLD.person, "")


def ingress(keys: Callable[[], IntakeKeys] = intake_keys, *, recheck: bool = False) -> IngressStep:
    return IngressStep(
        all_keys().zone("ingress"),
        sources(),
        intake=keys,
        data_keys=bucket_keys_of("ingress"),
        test_mode=True,
        recheck=recheck,
    )


def message(intake: IntakeMessage, slug: str = GP, *, stamp_ms: int = START_MS, **changes: Any) -> Message:
    emit = published(slug, intake)
    return Message(emit.topic, emit.partition, 7, emit.key, emit.value, emit.headers, stamp_ms)._replace(**changes)


def answer(found: Message, keys: Callable[[], IntakeKeys] = intake_keys) -> tuple[Outcome, ...]:
    return ingress(keys).advance(VaultState(), found)[1]


def refused(found: Message, keys: Callable[[], IntakeKeys] = intake_keys) -> str:
    """The code of the dead letter; nothing else may leave."""
    (outcome,) = answer(found, keys)
    assert isinstance(outcome, Reject)
    return outcome.code


def envelope_of_door(sent: SourceMessage = TOLD, slug: str = GP, **changes: Any) -> Envelope:
    """What an honest door seals about `sent`, with these parts of the envelope changed."""
    document = write.bundle(sent, source=sources()[slug])
    checked, known = check(document, source=sources()[slug], test_mode=True, received_at=RECEIVED_AT)
    entry = SourceEntry(sent.message_id, 0, "fhir", b"as sent", document, known, checked)
    return replace(envelope_of(sources()[slug], entry, RECEIVED_AT), **changes)


def hostile(envelope: Envelope, session: Session | None = None, *, partition: int | None = None) -> IntakeMessage:
    """What a door with a key of its own can put there: it seals whatever it likes."""
    place = intake_partition(RECORD) if partition is None else partition
    return sealed_envelope(envelope, session or door_session(envelope.source), place)


GOOD = intake_message(GP, TOLD)


def typed_with(edit: Callable[[Any], None]) -> bytes:
    parts = canonical.load(envelope_of_door().typed)
    edit(parts)
    return canonical.dump(parts)


def body_of(parts: Any, kind: str) -> Any:
    return next(fact["body"] for fact in parts["facts"] if fact["body"]["type"] == kind)


KEYED = "v1:" + "0" * 32
EDITS: dict[str, Callable[[Any], None]] = {
    "a keyed reference to anybody's referral": lambda p: body_of(p, "measurement").update(referral=KEYED),
    "a keyed UBRN": lambda p: body_of(p, "referral").update(ubrn=KEYED),
    "a number as a programme": lambda p: body_of(p, "referral").update(programme="9434765919"),
    "a name as a council": lambda p: body_of(p, "referral").update(council="Okonkwo"),
    "a name as a reason": lambda p: body_of(p, "referral").update(reasons=["Okonkwo"]),
    "a number as a practice": lambda p: body_of(p, "referral").update(practice_ods="9434765919"),
    "a unit that is none": lambda p: body_of(p, "measurement").update(unit_given="Okonkwo"),
    "free text": lambda p: body_of(p, "measurement").update(note="Okonkwo"),
    "a field of the envelope": lambda p: p.update(record_id=KEYED),
    "a number for a text": lambda p: p["person"].update(sex=5),
    "a sex that is none": lambda p: p["person"].update(sex="Okonkwo"),
    "an NHS number that fails its check": lambda p: p["person"].update(nhs_number="9434765918"),
    "an NHS number in another spelling": lambda p: p["person"].update(nhs_number="943 476 5919"),
    "a local id with white space": lambda p: p["person"]["local_id"].update(value=" G1"),
    "no mailbox": lambda p: p["person"].update(emails=["Okonkwo"]),
    "a birth in the year 1": lambda p: p["person"].update(birth_date="0001-01-01"),
    "a birth tomorrow": lambda p: p["person"].update(birth_date="2027-01-01"),
    "nobody": lambda p: p.update(person={}),
    "a fact in the year 9999": lambda p: body_of(p, "measurement").update(on="9999-12-31"),
    "a moment that has no UTC": lambda p: body_of(p, "measurement").update(at="0001-01-01T00:00:00+14:00"),
    "a weight of a trillion": lambda p: body_of(p, "measurement").update(value="1" + "0" * 12),
    "a weight that is no number": lambda p: body_of(p, "measurement").update(value="NaN"),
    "a thousand facts": lambda p: p.update(facts=p["facts"] * 500),
    "a text of a megabyte": lambda p: p["facts"][0].update(business_id="x" * 2**20),
    "another version": lambda p: p.update(v=2),
    "an UBRN of a weight": lambda p: p["facts"][-1].update(ubrn="000000000001"),
}
