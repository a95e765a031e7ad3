"""Published ids: what is one thing of one person keeps its id, and no two people share any.

A source may number two people's referrals alike, and what it sends without a number (a death, demographics) has
the same business id for all its patients. CloudEvents 1.0: "Producers MUST ensure that source + id is unique for each
distinct event"; a consumer drops the second of two, and two people with one id are known to have something in common.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from memory_engine import MemoryEngine
from small_world import ANN, BEA, COUNCIL, FAY, TRUST, at_source, attended, day, message_from, milestone, referral

from schemas.facts import Death
from schemas.identity import LocalId, Person
from schemas.source_message import SourceMessage
from schemas.topics import pathway_events, pathway_state
from streams.steps.publishing import Recipient

SAME_NUMBERS = (referral("R1", 1, sent=False), attended("A1", 20), referral("R2", 30, to="tier3"))


def run(*entries: tuple[str, SourceMessage]) -> MemoryEngine:
    engine = MemoryEngine(seed=3)
    for slug, entry in entries:
        engine.take(slug, entry)
    return engine.run()


def client(person: Person, local: str) -> tuple[str, SourceMessage]:
    """A council's client, numbered as every other one."""
    return message_from(
        COUNCIL, local, at_source(person, local), *SAME_NUMBERS, milestone(Death(on=day(50)), "death", "R1"), at=50
    )


def published(engine: MemoryEngine) -> list[dict[str, Any]]:
    """Every current value."""
    values = [*engine.latest(pathway_events("demo")).values(), *engine.latest(pathway_state("demo")).values()]
    return [value for value in values if value.get("status") != "retracted"]


def ids(value: object) -> Iterator[str]:
    """Every keyed id in a published value."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from ids(part)
    elif isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value):
        yield value


def ids_by_person(engine: MemoryEngine) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for value in published(engine):
        found.setdefault(value["person"], set()).update(ids(value))
    return list(found.values())


def ids_are_shared() -> bool:
    first, second = ids_by_person(run(client(ANN, "C1"), client(BEA, "C2")))
    assert min(len(first), len(second)) > 5  # the person, an episode, a handover, events
    return bool(first & second)


def test_two_clients_whose_council_numbers_their_referrals_alike_share_no_published_id() -> None:
    assert not ids_are_shared()


def test_ids_without_the_person_would_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_the_person(self: Recipient, *parts: str) -> str:
        what, *about = parts
        return self.keys.mac(f"recipient/{self.name}", what, about[-1] if about else "")

    monkeypatch.setattr(Recipient, "_id", without_the_person)
    assert ids_are_shared()


def test_no_two_messages_about_different_people_have_one_cloudevents_id() -> None:
    engine = run(client(ANN, "C1"), client(BEA, "C2"), client(FAY, "C3"))
    people: dict[bytes, set[bytes]] = {}
    for message in engine.read([pathway_events("demo"), pathway_state("demo")]):
        headers = dict(message.headers)
        people.setdefault(headers["ce_id"], set()).add(headers["ce_subject"])
    assert len(people) > 15
    assert {len(subjects) for subjects in people.values()} == {1}


def test_a_correction_under_the_surviving_number_of_a_merge_keeps_the_ids() -> None:
    """HL7 A40: the appointment was sent under the number that ended, and is corrected under the one that goes on."""
    under_the_old = at_source(ANN, "T2")
    merged = replace(at_source(ANN, "T1"), retired_local_ids=(LocalId("T2"),))
    before = [message_from(TRUST, "1", at_source(ANN, "T1"), referral("TR1", 3, to="tier3", sent=False), at=3),
              message_from(TRUST, "2", under_the_old, attended("ta", 30), at=30)]  # fmt: skip
    after = [*before, message_from(TRUST, "3", merged, at=40),
             message_from(TRUST, "4", at_source(ANN, "T1"), attended("ta", 30, "3"), at=41)]  # fmt: skip
    (seen,) = [value["id"] for value in published(run(*before)) if value.get("event") == "attended"]
    corrected = {value["event"]: value["id"] for value in published(run(*after)) if "event" in value}
    assert corrected["not_attended"] == seen
    assert "attended" not in corrected
