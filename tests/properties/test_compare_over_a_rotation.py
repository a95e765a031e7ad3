"""Runs are compared by what is sealed, not by the text of the seal; and after old intake is gone."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from memory_engine import IntakeMessage, MemoryEngine, intake_message, result_topics, sources
from small_world import small_world

from ops.admin.keys import make_keys, rotate
from ops.admin.topic_reader import TopicMessage
from ops.lab.known_keys import known_bucket_keys
from ops.lab.memory_engine.parts import step_with
from ops.runtime.key_files import read_keyring
from ops.verify.compare import Comparison, OpenedValue, Side, compare_topics, finals_of, rebuilt_topics
from schemas import canonical, topics
from schemas.data_keys import FAMILIES, BucketKeys, Family
from schemas.keyring import OPERATIONS_ZONE, Keyring, Purpose
from schemas.sealed_body import open_body, open_padded, seal_body, seal_padded
from schemas.topics import EVENTS, IDENTITY, VAULT
from streams.steps.outcome import Emit
from streams.topology import STAGES

Intake = Iterable[tuple[str, IntakeMessage]]


def run(keys: Keyring, intake: Intake, *, seed: str = "one", kept: Iterable[TopicMessage] = ()) -> MemoryEngine:
    """An engine with these keys, and the bucket keys of this seed, at rest: what is `kept` of a system of record was
    there first.
    """
    held = known_bucket_keys(seed)

    def held_by(zone: str) -> Callable[[], BucketKeys]:
        return lambda: held.only(FAMILIES.get(zone, ()))

    engine = MemoryEngine(seed=3, steps={name: step_with(name, keys.zone, held_by) for name in STAGES})
    for message in kept:
        engine.put(Emit(message.topic, message.partition, message.key or b"", message.value, message.headers))
    for slug, sealed in intake:
        engine.take_sealed(slug, sealed)
    return engine.run()


def side(engine: MemoryEngine, seed: str = "one") -> Side:
    return Side(lambda name: engine.read([name]), known_bucket_keys(seed))


def compared(first: Side, other: Side, keys: Keyring, names: Iterable[str] | None = None) -> Comparison:
    return compare_topics(first, other, names or result_topics(), keys=keys)


def differing(found: Comparison) -> dict[str, int]:
    return {name: count for name, (_, count) in found.by_topic.items() if count}


def keys_in(directory: Path) -> Keyring:
    return read_keyring(directory, OPERATIONS_ZONE)


def sealed_world() -> list[tuple[str, IntakeMessage]]:
    return [(slug, intake_message(slug, sent)) for slug, sent in small_world()]


def test_a_replay_under_other_bucket_keys_equals_the_run_before(tmp_path: Path) -> None:
    """As after the buckets were turned and the old keys destroyed: every body, token and identity is another text."""
    make_keys(tmp_path, recipients=["demo"])
    keys, intake = keys_in(tmp_path), sealed_world()
    first, replay = run(keys, intake), run(keys, intake, seed="another")
    found = compared(side(first), side(replay, "another"), keys)
    assert found.keys > 150
    assert differing(found) == {}
    # the control: without the keys of the replay the texts differ, and nothing else does
    assert differing(compared(side(first), side(replay), keys)).keys() == {VAULT, EVENTS, IDENTITY}


def test_one_token_and_one_body_that_are_others_are_seen(tmp_path: Path) -> None:
    make_keys(tmp_path, recipients=["demo"])
    keys, held = keys_in(tmp_path), known_bucket_keys("one")
    engine = run(keys, sealed_world())
    opened = OpenedValue.of(side(engine), keys)
    for topic, name, family, opening in (
        (IDENTITY, "tokens", Family.TOKENS, open_padded),
        (EVENTS, "body", Family.BODY, open_body),
    ):
        read = list(engine.read([topic]))
        at = next(n for n, message in enumerate(read) if canonical.load(message.value or b"{}").get(name))
        at = max(n for n, message in enumerate(read) if message.key == read[at].key)
        parts, key = canonical.load(read[at].value or b""), read[at].key or b""
        record = key.decode().split("/")[0]
        data_key = held.made(family, record, 1)
        context = key if topic == EVENTS else record.encode()
        plain = opening(data_key, base64.b64decode(parts[name]), context=context)
        for changed, expected in ((plain, 0), (plain[:-1] + bytes([plain[-1] ^ 1]), 1)):
            sealed = seal_padded(data_key, changed, context=context, pad_bytes=64)
            if topic == EVENTS:
                sealed = seal_body(data_key, changed, context=context, pad_bytes=64)
            value = canonical.dump(parts | {name: base64.b64encode(sealed).decode()})
            other = [*read[:at], replace(read[at], value=value), *read[at + 1 :]]
            assert value != read[at].value
            left, right = finals_of(read, opened).digests(), finals_of(other, opened).digests()
            assert sum(left[where] != right[where] for where in left) == expected


def test_a_dead_letter_is_compared_by_what_it_holds(tmp_path: Path) -> None:
    make_keys(tmp_path, recipients=["demo"])
    before, at = keys_in(tmp_path), b"events.v1/3/7"
    rotate(tmp_path, Purpose.DEAD_LETTER.value)
    after = keys_in(tmp_path)

    def digest(keys: Keyring, text: bytes) -> int:
        value = keys.seal(Purpose.DEAD_LETTER, text, context=at)
        (found,) = finals_of([TopicMessage("dlq.v1", 3, 0, at, value, (), 0)], OpenedValue(after)).digests().values()
        return found

    assert finals_of([TopicMessage(EVENTS, 3, 0, b"r/i/h", b'{"tokens":"!"}', (), 0)], OpenedValue(after)).digests()
    assert digest(before, b"{") == digest(after, b"{") != digest(after, b"}")


def test_what_is_left_of_the_intake_replayed_over_the_system_of_record_ends_in_the_same(tmp_path: Path) -> None:
    """Intake dies after 15 days: names must not depend on what came first, or on who has read it."""
    make_keys(tmp_path, recipients=["demo"])
    keys, intake = keys_in(tmp_path), sealed_world()
    whole, names = run(keys, intake), rebuilt_topics(topics.registry(sources().values(), ("demo",)))
    for expired in (0, len(intake) // 3, len(intake) - 1, len(intake)):
        rest = run(keys, intake[expired:], kept=whole.read([EVENTS]))
        found = compared(side(whole), side(rest), keys, [EVENTS, *names])
        assert found.keys > 150
        assert differing(found) == {}, expired
    gone = run(keys, intake[len(intake) // 3 :])
    assert differing(compared(side(whole), side(gone), keys, names)) != {}, "the intake alone no longer says all"
