"""A linker that is started with another model: what it says, to whom, and when."""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from linker_alone import identity, rid, tells
from linker_history import identities, standing
from linker_lives import BATCH_RECORDS, LinkerLives, models, step
from memory_engine import START_MS, all_keys

from schemas.linking import RelinkBatch
from schemas.topics import IDENTITY, LINK_MAP, PERSON_CHANGES, REVIEW
from streams.steps.linker import LinkerStep
from streams.steps.model_rollout import ActiveModel, digest_of
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject

LAST = 1  # messages that come after the restart


def emitted(outcomes: Iterable[Outcome], topic: str) -> list[Emit]:
    return [one for one in outcomes if isinstance(one, Emit) and one.topic == topic]


def restarted(first: str, second: str) -> tuple[LinkerLives, list[Outcome]]:
    """Nine people's records under one model, and one message more under another; what was sent under that."""
    lives = LinkerLives(identities(0))
    lives.live(step(first), arriving=len(identities(0)) - LAST)
    return lives, lives.live(step(second))


@cache
def from_the_beginning(model: str) -> dict[str, dict[str, Any]]:
    lives = LinkerLives(identities(0))
    return standing(lives.live(step(model)))


@pytest.mark.parametrize(
    ("first", "second"), [("shipped", "strict"), ("strict", "shipped"), ("careful", "strict")]
)
def test_one_message_later_all_answers_and_reviews_are_those_of_the_new_model(
    first: str, second: str
) -> None:
    lives, _ = restarted(first, second)
    assert standing(lives.sent) == from_the_beginning(second)
    assert from_the_beginning(first) != from_the_beginning(second)


def test_until_a_message_comes_nothing_is_said() -> None:
    lives = LinkerLives(identities(0))
    lives.live(step("shipped"))
    assert lives.live(step("strict")) == []
    assert standing(lives.sent) == from_the_beginning("shipped")


def test_the_same_model_again_costs_no_message_and_no_state() -> None:
    lives = LinkerLives(identities(0))
    lives.live(step("shipped"), arriving=len(identities(0)) - LAST)
    model = Change(b"model", dict(_state(lives))[b"model"])
    again = lives.live(step("shipped"))
    assert emitted(again, IDENTITY) == []
    assert model in lives.written
    assert [one for one in again if isinstance(one, Change) and one.key == b"model"] == []


def _state(lives: LinkerLives) -> list[tuple[bytes, bytes]]:
    return [(one.key, one.value) for one in lives.written if one.value is not None]


def test_a_model_of_other_words_and_the_same_weights_sends_no_answer_again() -> None:
    lives = LinkerLives(identities(0))
    lives.live(step("shipped"))
    renamed = replace(models()["shipped"], name="renamed")
    lives.coming.append(identities(0)[-1])
    again = lives.live(LinkerStep(all_keys().zone("linker"), renamed, batch_records=BATCH_RECORDS))
    assert len(emitted(again, IDENTITY)) > 1, "every record was looked at again"
    assert (emitted(again, LINK_MAP), emitted(again, REVIEW), emitted(again, PERSON_CHANGES)) == ([], [], [])


def test_the_records_are_answered_anew_by_and_by() -> None:
    """Several shares, and each answer under an offset of its own share: newer than whatever was said before."""
    _, again = restarted("shipped", "strict")
    revisions = [json.loads(one.value or b"{}")["revision"] for one in emitted(again, LINK_MAP)]
    assert revisions == sorted(revisions)
    assert len(set(revisions)) >= 3
    assert max(map(revisions.count, revisions)) < len(revisions) / 2


def test_what_is_said_of_another_model_is_removed_when_all_is_done() -> None:
    _, again = restarted("shipped", "strict")
    words = emitted(again, IDENTITY)
    assert {one.key for one in words} == {RelinkBatch(digest_of(models()["strict"]), 0, 1).key()}
    assert [one.value is None for one in words] == [False] * (len(words) - 1) + [True]


def test_what_becomes_of_people_is_told_with_the_new_model_as_the_reason() -> None:
    for first, second, kind in (("shipped", "strict", "split"), ("strict", "shipped", "merged")):
        _, again = restarted(first, second)
        told = [json.loads(one.value or b"{}") for one in emitted(again, PERSON_CHANGES)]
        assert kind in {one["kind"] for one in told}
        assert {one["model"] for one in told if one["kind"] == kind} == {models()[second].name}


# ---------------------------------------------------------------- two records of one person


def message(offset: int, key: bytes, value: bytes | None) -> Message:
    return Message(IDENTITY, 0, offset, key, value, (), START_MS)


def pair() -> list[Message]:
    """One person at two places, without a number: one by the model that ships, two by the strict one."""
    ann = identity("Ann", "Okafor", "1971-03-14")
    return [message(offset, *tells(local, ann)) for offset, local in enumerate(("a", "b", "c"))]


def persons(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {
        one.key.decode(): json.loads(one.value)["person_id"]
        for one in emitted(outcomes, LINK_MAP)
        if one.value is not None
    }


def test_till_its_own_word_has_come_a_restarted_linker_answers_by_the_former_model() -> None:
    told = pair()
    lives = LinkerLives(told[:2])
    lives.live(step("shipped"))
    state = step("strict").restore(_state(lives))
    state, outcomes = step("strict").advance(state, told[2])
    assert len(set(persons(lives.sent + list(outcomes)).values())) == 1
    (word,) = emitted(outcomes, IDENTITY)
    state, outcomes = step("strict").advance(state, message(3, word.key, word.value))
    assert set(persons(outcomes)) == {rid("a"), rid("b"), rid("c")}
    assert len(set(persons(outcomes).values())) == 3


def test_a_message_that_was_answered_before_the_new_model_is_not_answered_again() -> None:
    told = pair()
    lives = LinkerLives(told)
    lives.live(step("shipped"), arriving=2)
    lives.live(step("strict"))
    state = step("strict").restore(_state(lives))
    assert step("strict").advance(state, told[0]._replace(offset=1))[1] == ()


def test_answers_of_which_nobody_knows_the_model_are_given_anew() -> None:
    for known in (None, b'{"v":0}', b"{}", ActiveModel(models()["shipped"], "", 0).change(0, 0).value):
        lives = LinkerLives(pair()[:2])
        lives.live(step("shipped"))
        lives.written = [one for one in lives.written if one.key != b"model"]
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
def test_a_word_the_linker_never_says_is_a_dead_letter(key: str, value: bytes) -> None:
    state = step("shipped").restore([])
    _, outcomes = step("shipped").advance(state, message(0, key.encode(), value))
    assert outcomes == (Reject("unreadable"),)


def test_a_word_about_a_model_nobody_asks_for_any_more_changes_nothing_and_is_removed() -> None:
    lives = LinkerLives(pair())
    lives.live(step("shipped"))
    turn = RelinkBatch(digest_of(models()["strict"]), 0, 1)
    state = step("shipped").restore(_state(lives))
    _, outcomes = step("shipped").advance(state, message(3, turn.key(), turn.value()))
    assert outcomes == (Emit(IDENTITY, 0, turn.key(), None),)
