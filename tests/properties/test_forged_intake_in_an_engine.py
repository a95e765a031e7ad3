"""Forged entries and garbage on the intake of a whole engine change nothing that anybody reads."""

import os
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from forged_intake import (
    EDITS,
    GOOD,
    TOLD,
    envelope_of_door,
    hostile,
    typed_with,
)
from memory_engine import (
    RECEIVED_AT,
    IntakeMessage,
    MemoryEngine,
    differing,
    door_seal,
    intake_message,
    published,
    sealed_entry,
    sources,
)
from small_world import COUNCIL, GP, TRUST, small_world

from connectors.entry import SourceEntry
from schemas import typed_message
from schemas.check import check
from schemas.door_session import open_session
from schemas.envelope import entry_id
from schemas.fhir import write
from schemas.intake_keys import DoorSeal, new_door_key
from schemas.topics import DEAD_LETTERS
from streams.steps.outcome import Emit

YEAR = b'"source_version_at":"2026'


def forgeries() -> list[Emit]:
    """Of each kind one, about people of the small world."""
    emit = published(GP, GOOD)
    stolen = DoorSeal(new_door_key(), RECEIVED_AT.date(), door_seal(GP).ingress_public)
    session = open_session(stolen, GP, now=RECEIVED_AT, random=os.urandom)
    other = open_session(door_seal(TRUST), GP, now=RECEIVED_AT, random=os.urandom)
    return [
        published(GP, hostile(envelope_of_door(), session)),
        published(GP, hostile(envelope_of_door(), other)),
        emit._replace(partition=(emit.partition + 1) % 12),
        emit._replace(topic=sources()[COUNCIL].intake_topic),
        emit._replace(key=entry_id(GP, "m-other").encode()),
        emit._replace(value=emit.value[:-1] if emit.value else None),
        emit._replace(headers=()),
        *(published(GP, hostile(envelope_of_door(typed=typed_with(edit)))) for edit in EDITS.values()),
        published(GP, hostile(envelope_of_door(received_at=RECEIVED_AT - timedelta(days=16)))),
        published(GP, hostile(envelope_of_door(typed=typed_message.dump(TOLD).replace(YEAR, YEAR[:-4] + b"9999")))),
        *(Emit(sources()[GP].intake_topic, place, b"\xff\x00", os.urandom(300)) for place in range(12)),
        Emit(sources()[GP].intake_topic, 0, b"", None),
    ]


@cache
def sealed_world() -> tuple[tuple[str, IntakeMessage], ...]:
    return tuple((slug, intake_message(slug, sent)) for slug, sent in small_world())


def finals(forged: list[Emit]) -> Any:
    engine = MemoryEngine(seed=4)
    for number, (slug, intake) in enumerate(sealed_world()):
        for emit in forged[number::10] if number < 10 else ():
            engine.put(emit)
        engine.take_sealed(slug, intake)
    found = engine.run().finals()
    assert found.pop(DEAD_LETTERS)[b"count"] >= len(forged)
    return found


def test_forged_entries_and_garbage_change_no_final_byte_and_no_receipt_appears() -> None:
    assert differing(finals([]), finals(forgeries())) == {}


def test_the_same_comparison_sees_one_entry_that_was_taken() -> None:
    taken = published(GP, sealed_entry(GP, _another()))
    engine = MemoryEngine(seed=4)
    for slug, intake in sealed_world():
        engine.take_sealed(slug, intake)
    engine.put(taken)
    found = engine.run().finals()
    found.pop(DEAD_LETTERS)
    assert differing(finals([]), found) != {}


def _another() -> SourceEntry:
    sent = replace(TOLD, message_id="another")
    document = write.bundle(sent, source=sources()[GP])
    checked, known = check(document, source=sources()[GP], test_mode=True, received_at=RECEIVED_AT)
    return SourceEntry("another", 0, "fhir", b"", document, known, checked)
