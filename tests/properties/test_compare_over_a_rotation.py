"""Runs are compared by what is sealed, not by the text of the seal; and after old intake is gone."""

import base64
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest
from memory_engine import (
    RECIPIENTS,
    IntakeMessage,
    MemoryEngine,
    all_bucket_keys,
    all_keys,
    intake_message,
    result_topics,
    sources,
)
from small_world import small_world

from ops.admin.topic_reader import TopicMessage, last_values
from ops.lab.known_keys import known_bucket_keys, known_keys
from ops.lab.memory_engine.parts import step_with
from ops.verify.compare import Comparison, OpenedValue, compare_topics, finals_of, rebuilt_topics
from schemas import canonical, topics
from schemas.data_keys import FAMILIES, BucketKeys, Family
from schemas.erasures import Turn, turn_message
from schemas.keyring import Keyring, Purpose
from schemas.record_keys import WrappedKeys
from schemas.sealed_body import IDENTITY_PAD_BYTES, open_body, open_padded, seal_body, seal_padded
from schemas.topics import ERASURES, EVENTS, IDENTITY, VAULT
from streams.steps.outcome import Emit
from streams.topology import STAGES

Intake = Iterable[tuple[str, IntakeMessage]]
REBUILT = rebuilt_topics(topics.registry(sources().values(), RECIPIENTS))
COMPARED = sorted({*result_topics(), VAULT} - {ERASURES})  # that one is an input
OTHERS = known_bucket_keys("of the replay")


@cache
def turned_keys() -> BucketKeys:
    """The bucket keys after a turn of every bucket: all of epoch 1, and others of epoch 2."""
    held, newer = all_bucket_keys(), known_bucket_keys("turned")
    return BucketKeys({at: held.key(at) for at in held} | {(*at[:2], 2): newer.key(at) for at in newer})


def run(held: BucketKeys, intake: Intake, *, kept: Iterable[TopicMessage] = ()) -> MemoryEngine:
    """An engine with these keys at rest: what is `kept` of another's topics was there first."""

    def held_by(zone: str) -> BucketKeys:
        return held.only(FAMILIES.get(zone, ()))

    keys_of = {name: held_by(name) for name in STAGES}
    steps = {name: step_with(name, all_keys().zone, lambda zone: lambda: keys_of[zone]) for name in STAGES}
    engine = MemoryEngine(seed=3, steps=steps)
    for message in kept:
        engine.put(Emit(message.topic, message.partition, message.key or b"", message.value, message.headers))
    for slug, sealed in intake:
        engine.take_sealed(slug, sealed)
    return engine.run()


def turned(engine: MemoryEngine) -> MemoryEngine:
    """The engine after a turn of every bucket to epoch 2."""
    for bucket in sorted({bucket for _, bucket, _ in all_bucket_keys()}):
        turn = Turn(bucket, 2)
        engine.put(Emit(ERASURES, turn.partition, *turn_message(turn)))
    return engine.run()


def compared(
    first: MemoryEngine,
    other: MemoryEngine,
    *held: BucketKeys,
    names: Iterable[str] = COMPARED,
) -> Comparison:
    here, there = held if len(held) == 2 else (all_bucket_keys(), all_bucket_keys())
    return compare_topics(
        lambda name: first.read([name]),
        lambda name: other.read([name]),
        names,
        keys=all_keys(),
        held=(here, there),
    )


def differing(found: Comparison) -> dict[str, int]:
    return {name: count for name, (_, count) in found.by_topic.items() if count}


@cache
def sealed_world() -> tuple[tuple[str, IntakeMessage], ...]:
    return tuple((slug, intake_message(slug, sent)) for slug, sent in small_world())


@cache
def first() -> MemoryEngine:
    return run(turned_keys(), sealed_world())


def test_a_replay_under_other_bucket_keys_equals_the_run_whose_buckets_were_all_turned() -> None:
    before, after = first(), turned(run(turned_keys(), sealed_world()))
    epochs = {message.key.rpartition(b"/")[2] for message in after.read([EVENTS]) if b"/k/" in (message.key or b"")}
    assert epochs == {b"1", b"2"}, "every record's keys were wrapped again"
    replay = run(OTHERS, sealed_world())
    for engine in (before, after):
        found = compared(engine, replay, turned_keys(), OTHERS)
        assert found.keys > 250
        assert differing(found) == {}
    # the control: every body, token and identity is another text, so under the other side's keys they all differ
    assert differing(compared(after, replay, turned_keys(), turned_keys())).keys() == {EVENTS, IDENTITY, VAULT}


SEALED = {
    "body": (EVENTS, Family.BODY),
    "tokens": (IDENTITY, Family.TOKENS),
    "sealed": (VAULT, Family.IDENTITY),
}


@pytest.mark.parametrize("part", SEALED)
def test_one_sealed_part_that_holds_something_else_is_seen_under_any_key(part: str) -> None:
    """Sealed anew as it was, under another data key's wrap, it is the same; with one byte changed it is not."""
    name, family = SEALED[part]
    engine = first()
    value_of = OpenedValue.of(lambda at: engine.read([at]), all_keys(), turned_keys())
    finals = {key: message.value or b"" for key, message in last_values(engine.read([name])).items()}
    key, parts = next(
        (key, parts)
        for key, value in finals.items()
        if isinstance((parts := canonical.read_object(value)).get(part), str)
    )
    record = key.partition(b"/")[0].decode()
    data_key = value_of.wrapped[record].opened(record, family, turned_keys())
    assert data_key is not None
    context = record.encode() if part == "tokens" else key
    opening = open_padded if part == "tokens" else open_body
    plain = opening(data_key, base64.b64decode(parts[part]), context=context)
    other_key = bytes(reversed(data_key))
    wrapped = WrappedKeys.of(record, dict.fromkeys(Family, other_key), 1, turned_keys())
    there = replace(value_of, wrapped={**value_of.wrapped, record: wrapped})
    for changed, differs in ((plain, False), (plain[:-1] + bytes([plain[-1] ^ 1]), True)):
        if part == "tokens":
            sealed = seal_padded(other_key, changed, context=context, pad_bytes=IDENTITY_PAD_BYTES)
        else:
            sealed = seal_body(other_key, changed, context=context)
        value = canonical.dump(parts | {part: base64.b64encode(sealed).decode()})
        assert value != finals[key]
        left, right = value_of(key, finals[key]), there(key, value)
        assert (left != right) is differs


def test_a_dead_letter_is_compared_by_what_it_holds() -> None:
    before, after = (known_keys("rotated", recipients=(), versions=versions) for versions in (1, 2))
    at, opened = b"events.v1/3/7", OpenedValue(after)

    def digest(keys: Keyring, text: bytes) -> int:
        value = keys.seal(Purpose.DEAD_LETTER, text, context=at)
        (found,) = finals_of([TopicMessage("dlq.v1", 3, 0, at, value, (), 0)], opened).digests().values()
        return found

    assert finals_of([TopicMessage(EVENTS, 3, 0, b"r/i/h", b'{"tokens":"!"}', (), 0)], opened).digests()
    assert digest(before, b"{") == digest(after, b"{") != digest(after, b"}")


def test_a_replay_after_a_rotation_equals_the_run_before_it() -> None:
    """Its letters are sealed with the newest version, and hold what they held."""
    before, after = all_keys(), known_keys("simulation", recipients=RECIPIENTS, versions=2)
    engine = first()

    def sealed_again(message: TopicMessage) -> TopicMessage:
        key = message.key or b""
        letter = before.unseal(Purpose.DEAD_LETTER, message.value or b"", context=key)
        return replace(message, value=after.seal(Purpose.DEAD_LETTER, letter, context=key))

    def replayed(name: str) -> Iterable[TopicMessage]:
        return map(sealed_again, engine.read([name])) if name == topics.DEAD_LETTERS else engine.read([name])

    def found(keys: Keyring) -> Comparison:
        held = turned_keys(), turned_keys()
        return compare_topics(lambda name: engine.read([name]), replayed, COMPARED, keys=keys, held=held)

    assert found(after).by_topic[topics.DEAD_LETTERS][0] > 0
    assert differing(found(after)) == {}
    assert differing(found(before)).keys() == {topics.DEAD_LETTERS}, "the control: the new version is not held"


def test_what_is_left_of_the_intake_replayed_over_the_system_of_record_ends_in_the_same() -> None:
    """Intake dies after 15 days: names must not depend on what came first, or on who has read it."""
    intake = sealed_world()
    whole = run(all_bucket_keys(), intake)
    for expired in (0, len(intake) // 3, len(intake) - 1, len(intake)):
        rest = run(all_bucket_keys(), intake[expired:], kept=whole.read([EVENTS]))
        found = compared(whole, rest, names=[EVENTS, *REBUILT])
        assert found.keys > 150
        assert differing(found) == {}, expired
    gone = run(all_bucket_keys(), intake[len(intake) // 3 :])
    assert differing(compared(whole, gone, names=REBUILT)) != {}, "the intake alone no longer says all"
