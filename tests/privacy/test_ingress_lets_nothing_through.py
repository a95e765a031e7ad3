"""After ingress no name exists: whatever stands in a field of an entry, none of it comes out in any form."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from memory_engine import (
    RECEIVED_AT,
    START_MS,
    IntakeMessage,
    all_keys,
    base64_parts,
    door_session,
    intake_keys,
    intake_message,
    published,
    real_step,
    sealed_entry,
    sealed_envelope,
    sources,
)
from small_world import GP, TRUST, attended, canary, referral

from connectors.sources import primary_care_fhir
from ops.lab.demo.canary_messages import fhir
from ops.lab.memory_engine.parts import all_bucket_keys
from ops.verify.leak_search import seen
from ops.verify.nobodies import NOBODIES, Nobody
from schemas import canonical
from schemas.data_keys import Family
from schemas.elements import stored_facts
from schemas.envelope import Envelope, IntakePlace, IntakeReader
from schemas.facts import StoredFact
from schemas.identity import LocalId, NHSNumber, Person
from schemas.source_message import SourceFact, SourceMessage
from streams.settings import seal_dead_letter
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject
from streams.steps.vault import VaultState

NOBODY: Nobody = NOBODIES[TRUST]
PERSON = canary(NOBODY)
FACTS = (
    referral(NOBODY.business_id, 3, to="tier3", ubrn="000000000001"),
    attended(NOBODY.business_id, 9),
    SourceFact(attended("x", 9).body, NOBODY.local_id, NOBODY.business_id),
)


def message(intake: IntakeMessage, slug: str = TRUST) -> Message:
    emit = published(slug, intake)
    return Message(emit.topic, emit.partition, 5, emit.key, emit.value, emit.headers, START_MS)


def text_of(outcomes: tuple[Outcome, ...], cause: Message) -> bytes:
    """Everything that would be sent, dead letters too, and again what stands in it in base64."""
    parts: list[bytes] = [cause.key or b"", cause.value or b"", *(part for _, part in cause.headers)]
    for outcome in outcomes:
        assert not isinstance(outcome, Change)
        if isinstance(outcome, Emit):
            parts += [
                outcome.topic.encode(),
                outcome.key,
                outcome.value or b"",
                *(part for _, part in outcome.headers),
            ]
        if isinstance(outcome, Reject):
            parts += [
                outcome.code.encode(),
                seal_dead_letter(all_keys().zone("ingress"), cause, outcome.code),
            ]
        parts.append(repr(outcome).encode())
    whole = b"\n".join([*parts, repr(cause).encode()])
    return whole + b"\n" + base64_parts(whole)


def ingested(intake: IntakeMessage, slug: str = TRUST) -> tuple[tuple[Outcome, ...], bytes]:
    cause = message(intake, slug)
    outcomes = real_step("ingress").advance(VaultState(), cause)[1]
    return outcomes, text_of(outcomes, cause)


def test_nothing_of_a_full_identity_comes_out() -> None:
    value = SourceMessage(NOBODY.local_id, datetime(2026, 1, 20, tzinfo=UTC), PERSON, FACTS)
    outcomes, text = ingested(intake_message(TRUST, value))
    assert len(outcomes) >= 4
    assert seen(NOBODY.values(), text) == set()


def test_the_same_search_finds_all_of_it_before_ingress() -> None:
    _, body = fhir(NOBODIES[GP], good=True)
    assert seen(NOBODIES[GP].values(), body) == set(NOBODIES[GP].values())


def _facts_in(entry: Emit) -> tuple[StoredFact, ...]:
    record, _, name = entry.key.decode().split("/", 2)
    data_key = all_bucket_keys().made(Family.BODY, record, 1)
    return stored_facts(record, name, canonical.load(entry.value or b""), data_key)


@pytest.mark.parametrize("name", [field.name for field in fields(Person) if field.name != "sex"])
def test_two_people_who_differ_in_one_field_cannot_be_told_apart_by_their_facts(name: str) -> None:
    """What depends on identity is keyed or sealed: the rest of an entry is the same whoever it is about."""
    at = datetime(2026, 1, 20, tzinfo=UTC)
    other: Any = {
        "nhs_number": NHSNumber("9990000018"), "local_id": LocalId("Z1"), "nhs_number_claimed": "12345",
        "birth_date": date(1902, 1, 1),
    }.get(name, ())  # fmt: skip
    changed = replace(PERSON, **{name: other})

    def shape(person: Person) -> list[Any]:
        outcomes, _ = ingested(intake_message(TRUST, SourceMessage("m", at, person, (FACTS[1],))))
        entries = [each for each in outcomes if isinstance(each, Emit) and b"/n/" in each.key]
        facts = [fact for each in entries for fact in _facts_in(each)]
        return [fact.body for fact in facts if fact.body.type == "attendance"]

    assert shape(PERSON) == shape(changed) != []


@pytest.mark.parametrize("good", [True, False])
def test_nothing_of_a_fhir_message_comes_out_accepted_or_not(good: bool) -> None:
    nobody = NOBODIES[GP]
    message_id, body = fhir(nobody, good=good)
    (entry,) = primary_care_fhir.read(body, source=sources()[GP], test_mode=True, received_at=RECEIVED_AT)
    outcomes, text = ingested(sealed_entry(GP, replace(entry, message_id=message_id)), GP)
    assert any(isinstance(outcome, Reject) for outcome in outcomes) != good
    assert seen(nobody.values(), text) == set()


def test_the_dead_letter_holds_the_sealed_original_and_opens_with_two_keys_only() -> None:
    nobody = NOBODIES[GP]
    message_id, body = fhir(nobody, good=False)
    envelope = Envelope(GP, message_id, 0, "fhir", RECEIVED_AT, b"", b"", body)
    intake = sealed_envelope(envelope, door_session(GP), 3)
    cause, value = message(intake, GP), intake.value
    letter = seal_dead_letter(all_keys().zone("ingress"), cause, "rejected")
    assert letter == seal_dead_letter(all_keys().zone("ingress"), cause, "rejected")
    assert value not in letter
    place = IntakePlace.of(GP, (cause.topic, 3), (cause.key, value, cause.headers), timestamp_ms=START_MS)
    assert IntakeReader(intake_keys).open(place).original == body
