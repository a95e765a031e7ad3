"""The records step alone, between the real ingress and answers given by hand in the linker's place."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from memory_engine import START_MS, MemoryEngine, real_step, record_id
from small_world import ANN, TRUST, at_source, attended, day, message_from

from schemas.facts import Demographics
from schemas.linking import Link
from schemas.source_message import SourceFact
from schemas.topics import DISPOSITIONS, EVENTS, LINK_MAP, PATHWAY_IN
from streams.steps.outcome import Emit, Message, Outcome, keep
from streams.steps.records import RecordsState, RecordsStep
from streams.steps.vault import VaultState

NO_FACTS: dict[str, list[Any]] = {"facts": []}  # of a key
A, B, C = (letter * 32 for letter in "abc")  # three people
RECORD = record_id(TRUST, "T1")
LETTER = message_from(TRUST, "t1", at_source(ANN, "T1"), attended("a1", 3), at=3)
SLICES = SourceFact(Demographics(on=day(1), sex="female", birth_year=1971), "demographics")
IDENTITY_ONLY = message_from(TRUST, "t0", at_source(ANN, "T1"), SLICES, at=1, ours=False)


class Records:
    """The records step alone: told elements by the real ingress, answered by hand in the linker's place."""

    def __init__(self, *, generation: int = 0) -> None:
        self.step = RecordsStep(generation=generation)
        self.state: RecordsState = self.step.restore([])
        self.changelog: dict[bytes, bytes] = {}
        self.offset, self.now_ms = 0, START_MS
        self.written: set[bytes] = set()  # keys that ingress put into events.v1

    def give(self, key: bytes, value: bytes | None, topic: str = EVENTS, headers: Any = ()) -> list[Emit]:
        message = Message(topic, 0, self.offset, key, value, headers, self.now_ms)
        self.offset += 1
        self.state, outcomes = self.step.advance(self.state, message)
        return self.keep(outcomes)

    def keep(self, outcomes: Sequence[Outcome]) -> list[Emit]:
        keep(self.changelog, outcomes)
        return [outcome for outcome in outcomes if isinstance(outcome, Emit)]

    def hear(self, *entries: Any) -> list[Emit]:
        emits = []
        for slug, entry in entries:
            door = MemoryEngine()
            door.take(slug, entry)
            (sealed,) = [message for log in door.logs.partitions.values() for message in log.messages]
            assert sealed.key
            for outcome in real_step("ingress").advance(VaultState(), sealed)[1]:
                if isinstance(outcome, Emit) and outcome.topic == EVENTS:
                    self.written.add(outcome.key)
                    emits += self.give(outcome.key, outcome.value)
        return emits

    def link(self, person: str, revision: int, *formerly: str, status: Any = "linked") -> list[Emit]:
        answer = Link(person, status, (), (), formerly, revision).value()
        return self.give(RECORD.encode(), answer, LINK_MAP)

    def restart(self) -> None:
        self.state = self.step.restore(self.changelog.items())


def on(topic: str, emits: Iterable[Emit]) -> list[Any]:
    return [json.loads(emit.value or b"null") for emit in emits if emit.topic == topic]


def ends(emits: Iterable[Emit]) -> list[str]:
    return [emit["disposition"] for emit in on(DISPOSITIONS, emits)]


def told_to(emits: Iterable[Emit]) -> list[tuple[str, str, int]]:
    """(kind, person, link revision) of what pathway is told, entries without care left out."""
    sent = [
        (emit.key.decode().split("/")[0], json.loads(emit.value or b"")) for emit in emits if emit.topic == PATHWAY_IN
    ]
    return [
        (value["kind"], person, value["link_revision"])
        for person, value in sent
        if value["kind"] == "withdrawal" or any(of_care for _, _, of_care, _ in value.get("entry", NO_FACTS)["facts"])
    ]
