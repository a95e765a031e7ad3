"""A linker that is started with another model: what it sends, to whom, and when."""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from linker_alone import identity, identity_message, rid
from linker_history import final_values, identities
from linker_lives import BATCH_RECORDS, LinkerLives, models, step
from memory_engine import START_MS, all_keys

from ops.lab.memory_engine.parts import bucket_keys_of
from schemas.linking import RelinkBatch
from schemas.topics import IDENTITY, LINK_MAP, PERSON_CHANGES, REVIEW
from streams.steps.linker import LinkerStep
from streams.steps.model_rollout import ActiveModel, digest_of
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject

LAST = 1  # messages that come after the restart


def emitted(outcomes: Iterable[Outcome], topic: str) -> list[Emit]:
    return [outcome for outcome in outcomes if isinstance(outcome, Emit) and outcome.topic == topic]


def restarted(first: str, second: str) -> tuple[LinkerLives, list[Outcome]]:
    """Nine people's records under one model, and one message more under another; what was sent under that."""
    lives = LinkerLives(identities(0))
    lives.live(step(first), arriving=len(identities(0)) - LAST)
    return lives, lives.live(step(second))


@cache
def from_the_beginning(model: str) -> dict[str, dict[str, Any]]:
    lives = LinkerLives(identities(0))
    return final_values(lives.live(step(model)))


@pytest.mark.parametrize(("first", "second"), [("shipped", "strict"), ("strict", "shipped"), ("careful", "strict")])
def test_one_message_later_all_answers_and_reviews_are_those_of_the_new_model(first: str, second: str) -> None:
    lives, _ = restarted(first, second)
    assert final_values(lives.sent) == from_the_beginning(second)
    assert from_the_beginning(first) != from_the_beginning(second)


def test_until_a_message_comes_nothing_is_said() -> None:
    lives = LinkerLives(identities(0))
    lives.live(step("shipped"))
    assert lives.live(step("strict")) == []
    assert final_values(lives.sent) == from_the_beginning("shipped")


def test_the_same_model_again_costs_no_message_and_no_state() -> None:
    lives = LinkerLives(identities(0))
    lives.live(step("shipped"), arriving=len(identities(0)) - LAST)
    model = Change(b"model", dict(_state(lives))[b"model"])
    again = lives.live(step("shipped"))
    assert emitted(again, IDENTITY) == []
    assert model in lives.written
    assert [emit for emit in again if isinstance(emit, Change) and emit.key == b"model"] == []


def _state(lives: LinkerLives) -> list[tuple[bytes, bytes]]:
    return [(change.key, change.value) for change in lives.written if change.value is not None]


def test_a_model_of_other_words_and_the_same_weights_sends_no_answer_again() -> None:
    lives = LinkerLives(identities(0))
    lives.live(step("shipped"))
    renamed = replace(models()["shipped"], name="renamed")
    lives.coming.append(identities(0)[-1])
    again = lives.live(
        LinkerStep(all_keys().zone("linker"), renamed, batch_records=BATCH_RECORDS, data_keys=bucket_keys_of("linker"))
    )
    assert len(emitted(again, IDENTITY)) > 1, "every record was looked at again"
    assert (emitted(again, LINK_MAP), emitted(again, REVIEW), emitted(again, PERSON_CHANGES)) == ([], [], [])


def test_the_records_are_answered_anew_by_and_by() -> None:
    """Several shares, and each answer under an offset of its own share: newer than whatever was said before."""
    _, again = restarted("shipped", "strict")
    revisions = [json.loads(emit.value or b"{}")["revision"] for emit in emitted(again, LINK_MAP)]
    assert revisions == sorted(revisions)
    assert len(set(revisions)) >= 3
    assert max(map(revisions.count, revisions)) < len(revisions) / 2


def test_the_message_about_another_model_is_removed_when_all_is_done() -> None:
    _, again = restarted("shipped", "strict")
    batches = emitted(again, IDENTITY)
    assert {emit.key for emit in batches} == {RelinkBatch(digest_of(models()["strict"]), 0, 1).key()}
    assert [emit.value is None for emit in batches] == [False] * (len(batches) - 1) + [True]


def test_changes_of_persons_name_the_new_model() -> None:
    for first, second, kind in (("shipped", "strict", "split"), ("strict", "shipped", "merged")):
        _, again = restarted(first, second)
        sent = [json.loads(emit.value or b"{}") for emit in emitted(again, PERSON_CHANGES)]
        assert kind in {entry["kind"] for entry in sent}
        assert {entry["model"] for entry in sent if entry["kind"] == kind} == {models()[second].name}


# ---------------------------------------------------------------- two records of one person


def message(offset: int, key: bytes, value: bytes | None) -> Message:
    return Message(IDENTITY, 0, offset, key, value, (), START_MS)


def pair() -> list[Message]:
    """One person at two places, without a number: one by the model that ships, two by the strict one."""
    ann = identity("Ann", "Okafor", "1971-03-14")
    return [message(offset, *identity_message(local, ann)) for offset, local in enumerate(("a", "b", "c"))]


def persons(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {
        outcome.key.decode(): json.loads(outcome.value)["person_id"]
        for outcome in emitted(outcomes, LINK_MAP)
        if outcome.value is not None
    }


def test_until_its_message_has_come_a_restarted_linker_answers_by_the_former_model() -> None:
    messages = pair()
    lives = LinkerLives(messages[:2])
    lives.live(step("shipped"))
    state = step("strict").restore(_state(lives))
    state, outcomes = step("strict").advance(state, messages[2])
    assert len(set(persons(lives.sent + list(outcomes)).values())) == 1
    (batch,) = emitted(outcomes, IDENTITY)
    state, outcomes = step("strict").advance(state, message(3, batch.key, batch.value))
    assert set(persons(outcomes)) == {rid("a"), rid("b"), rid("c")}
    assert len(set(persons(outcomes).values())) == 3


def test_a_message_that_was_answered_before_the_new_model_is_not_answered_again() -> None:
    messages = pair()
    lives = LinkerLives(messages)
    lives.live(step("shipped"), arriving=2)
    lives.live(step("strict"))
    state = step("strict").restore(_state(lives))
    assert step("strict").advance(state, messages[0]._replace(offset=1))[1] == ()


def test_answers_of_which_nobody_knows_the_model_are_given_anew() -> None:
    for known in (None, b'{"v":0}', b"{}", ActiveModel(models()["shipped"], "", 0).change(0, 0).value):
        lives = LinkerLives(pair()[:2])
        lives.live(step("shipped"))
        lives.written = [change for change in lives.written if change.key != b"model"]
        if known is not None:
            lives.written.append(Change(b"model", known.replace(b"linkage-model/2", b"linkage-model/1")))
        lives.coming.append(pair()[2])
        again = lives.live(step("strict"))
        assert len(set(persons(lives.sent).values())) == 3, known
        assert set(persons(again)) == {rid("b"), rid("c")} | ({rid("a")} & set(persons(again)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model/" + "0" * 32, b"x"),
        ("model/" + "0" * 32, b'{"v":2,"batch":0,"batches":1}'),
        ("model/" + "0" * 32, b'{"v":1,"batch":1,"batches":1}'),
        ("model/" + "0" * 32, b'{"v":1,"batch":"0","batches":1}'),
        ("model/strict", b'{"v":1,"batch":0,"batches":1}'),
    ],
)
def test_a_batch_message_the_linker_never_writes_is_a_dead_letter(key: str, value: bytes) -> None:
    state = step("shipped").restore([])
    _, outcomes = step("shipped").advance(state, message(0, key.encode(), value))
    assert outcomes == (Reject("unreadable"),)


def test_a_batch_of_a_model_nobody_requests_any_more_changes_nothing_and_is_removed() -> None:
    lives = LinkerLives(pair())
    lives.live(step("shipped"))
    batch = RelinkBatch(digest_of(models()["strict"]), 0, 1)
    state = step("shipped").restore(_state(lives))
    _, outcomes = step("shipped").advance(state, message(3, batch.key(), batch.value()))
    assert outcomes == (Emit(IDENTITY, 0, batch.key(), None),)
