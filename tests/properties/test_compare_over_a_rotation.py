"""Runs are compared by what is sealed, not by the text of the seal; and after old intake is gone."""

import base64
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from memory_engine import IntakeMessage, MemoryEngine, intake_message, result_topics, sources
from small_world import small_world

from ops.admin.keys import make_keys, rotate
from ops.admin.topic_reader import TopicMessage
from ops.lab.memory_engine.parts import step_with
from ops.runtime.key_files import read_keyring
from ops.verify.compare import Comparison, compare_topics, finals_of, rebuilt_topics
from schemas import canonical, topics
from schemas.keyring import OPERATIONS_ZONE, Keyring, Purpose
from schemas.topics import EVENTS, IDENTITY
from streams.steps.outcome import Emit
from streams.topology import STAGES

Intake = Iterable[tuple[str, IntakeMessage]]


def run(keys: Keyring, intake: Intake, *, kept: Iterable[TopicMessage] = ()) -> MemoryEngine:
    """An engine with these keys at rest: what is `kept` of a system of record was there first."""
    engine = MemoryEngine(seed=3, steps={name: step_with(name, keys.zone) for name in STAGES})
    for message in kept:
        engine.put(Emit(message.topic, message.partition, message.key or b"", message.value, message.headers))
    for slug, sealed in intake:
        engine.take_sealed(slug, sealed)
    return engine.run()


def compared(first: MemoryEngine, other: MemoryEngine, keys: Keyring, names: Iterable[str] | None = None) -> Comparison:
    return compare_topics(
        lambda name: first.read([name]), lambda name: other.read([name]), names or result_topics(), keys=keys
    )


def differing(found: Comparison) -> dict[str, int]:
    return {name: count for name, (_, count) in found.by_topic.items() if count}


def keys_in(directory: Path) -> Keyring:
    return read_keyring(directory, OPERATIONS_ZONE)


def sealed_world() -> list[tuple[str, IntakeMessage]]:
    return [(slug, intake_message(slug, sent)) for slug, sent in small_world()]


def test_a_replay_after_a_rotation_equals_the_run_before_it(tmp_path: Path) -> None:
    make_keys(tmp_path, recipients=["demo"])
    before, intake = keys_in(tmp_path), sealed_world()
    first = run(before, intake)
    rotate(tmp_path, Purpose.LINK_SEAL.value)
    after = keys_in(tmp_path)
    replay = run(after, intake)
    assert compared(first, replay, after).keys > 200
    assert differing(compared(first, replay, after)) == {}
    # the control: every identity is sealed anew, so without the new key the texts differ, and nothing else does
    assert differing(compared(first, replay, before)).keys() == {EVENTS, IDENTITY}
    mixed = run(after, intake[20:], kept=run(before, intake[:20]).read([EVENTS]))
    names = rebuilt_topics(topics.registry(sources().values(), ("demo",)))
    assert differing(compared(first, mixed, after, names)) == {}, "rotated between two entries"


def test_one_token_that_is_another_is_seen_under_any_version(tmp_path: Path) -> None:
    make_keys(tmp_path, recipients=["demo"])
    engine = run(keys_in(tmp_path), sealed_world())
    rotate(tmp_path, Purpose.LINK_SEAL.value)
    keys, read = keys_in(tmp_path), list(engine.read([IDENTITY]))
    at = next(number for number, message in enumerate(read) if b'"tokens":"' in (message.value or b""))
    at = max(number for number, message in enumerate(read) if message.key == read[at].key)
    parts, record = canonical.load(read[at].value or b""), read[at].key or b""
    tokens = keys.unseal(Purpose.LINK_SEAL, base64.b64decode(parts["tokens"]), context=record)
    for changed, expected in ((tokens, 0), (tokens[:-1] + bytes([tokens[-1] ^ 1]), 1)):
        sealed = keys.seal(Purpose.LINK_SEAL, changed, context=record)
        value = canonical.dump(parts | {"tokens": base64.b64encode(sealed).decode()})
        other = [*read[:at], replace(read[at], value=value), *read[at + 1 :]]
        assert value != read[at].value
        left, right = finals_of(read, keys).digests(), finals_of(other, keys).digests()
        assert sum(left[key] != right[key] for key in left) == expected


def test_a_dead_letter_is_compared_by_what_it_holds(tmp_path: Path) -> None:
    make_keys(tmp_path, recipients=["demo"])
    before, at = keys_in(tmp_path), b"events.v1/3/7"
    rotate(tmp_path, Purpose.DEAD_LETTER.value)
    after = keys_in(tmp_path)

    def digest(keys: Keyring, text: bytes) -> int:
        value = keys.seal(Purpose.DEAD_LETTER, text, context=at)
        (found,) = finals_of([TopicMessage("dlq.v1", 3, 0, at, value, (), 0)], after).digests().values()
        return found

    assert finals_of([TopicMessage(EVENTS, 3, 0, b"r/i/h", b'{"tokens":"!"}', (), 0)], after).digests()
    assert digest(before, b"{") == digest(after, b"{") != digest(after, b"}")


def test_what_is_left_of_the_intake_replayed_over_the_system_of_record_ends_in_the_same(tmp_path: Path) -> None:
    """Intake dies after 15 days: names must not depend on what came first, or on who has read it."""
    make_keys(tmp_path, recipients=["demo"])
    keys, intake = keys_in(tmp_path), sealed_world()
    whole, names = run(keys, intake), rebuilt_topics(topics.registry(sources().values(), ("demo",)))
    for expired in (0, len(intake) // 3, len(intake) - 1, len(intake)):
        rest = run(keys, intake[expired:], kept=whole.read([EVENTS]))
        found = compared(whole, rest, keys, [EVENTS, *names])
        assert found.keys > 150
        assert differing(found) == {}, expired
    gone = run(keys, intake[len(intake) // 3 :])
    assert differing(compared(whole, gone, keys, names)) != {}, "the intake alone no longer says all"
