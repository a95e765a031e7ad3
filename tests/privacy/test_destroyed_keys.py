"""Every disk from before, every key from after: whoever kept all messages ever written and gets all keys that there are
today reads nothing of an erased record, and everything of its neighbours.

Attacker: has each message of the covered topics, superseded and removed ones too, all bucket keys that exist after the
old epoch was destroyed, and knows how things are derived and sealed. Gain: one clear fact, token or identity of the
erased record. The neighbours are records of the same bucket, whose keys were wrapped under the destroyed key too; they
keep all of it, or an erasure would cost others their care record (decision 0022).
"""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import pytest
from erasing import ChangingBucketKeys, erase, turn
from memory_engine import CRASH_POINTS, Faults, MemoryEngine, intake_message, record_id
from small_world import COUNCIL

from ops.lab.model_check.message_source import at_source, attended, message_from, someone, weight
from schemas.data_keys import BucketKeys, Family, KeyNotHeld, bucket_of
from schemas.errors import Unreadable
from schemas.sealed_body import open_body, open_padded
from streams.steps.linker_state import MEMBER

ANN = someone(100, ("Ann", "Okafor"), date(1971, 3, 14), ("12 Mill Lane", "LS14AP"))
COVERED = (
    "events.v1",
    "state.records.v1",
    "pathway.in.v1",
    "state.pathway.v1",
    "identity.v1",
    "state.linker.v1",
    "vault.v1",
)
SEALED = {"events.v1": {Family.BODY, Family.TOKENS}, "state.records.v1": {Family.BODY, Family.TOKENS},
          "pathway.in.v1": {Family.BODY}, "state.pathway.v1": {Family.BODY}, "identity.v1": {Family.TOKENS},
          "state.linker.v1": {Family.TOKENS}, "vault.v1": {Family.IDENTITY}}  # fmt: skip


class SealedText(NamedTuple):
    """Something sealed that stood on a topic once."""

    topic: str
    record_id: str
    family: Family
    context: bytes
    sealed: bytes


class Disks(NamedTuple):
    """What was ever written: what is sealed, and the wrapped keys by record and family."""

    texts: tuple[SealedText, ...]
    wraps: Mapping[tuple[str, Family], frozenset[tuple[int, bytes]]]


@cache
def neighbours() -> tuple[str, ...]:
    """Local ids of four records of one bucket, found by trying."""
    by_bucket: dict[int, list[str]] = defaultdict(list)
    for number in count():
        local_id = f"C{number}"
        same = by_bucket[bucket_of(record_id(COUNCIL, local_id))]
        same.append(local_id)
        if len(same) == 4:
            return tuple(same)
    raise AssertionError


def erased() -> str:
    return record_id(COUNCIL, neighbours()[0])


def others() -> set[str]:
    return {record_id(COUNCIL, local_id) for local_id in neighbours()[1:]}


def world(local_ids: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for place, local_id in enumerate(local_ids):
        person = at_source(
            someone(110 + place, (f"Ann{place}", "Okafor"), date(1971, 3, 1 + place), ("12 Mill Lane", "LS14AP")),
            local_id,
        )
        moved = replace(person, phones=("07700900123",))
        yield message_from(COUNCIL, f"m{place}", person, attended("a", 9), weight("w", 9, "121"), at=9)
        yield message_from(COUNCIL, f"n{place}", moved, weight("w", 9, "119"), at=16)


def lived_through(faults: Faults, *, seed: int = 0) -> tuple[Disks, BucketKeys, BucketKeys]:
    """Four records of one bucket came, one was erased, the bucket was turned, its old key destroyed.

    What was on the disks, and the keys before and after.
    """
    held = ChangingBucketKeys()
    engine = MemoryEngine(seed=seed, faults=faults, steps=held.steps)
    for slug, message in world(neighbours()):
        engine.take_sealed(slug, intake_message(slug, message))
    engine.run()
    bucket = bucket_of(erased())
    erase(engine, COUNCIL, neighbours()[0])
    turn(engine, bucket, held.add(bucket))
    engine.run()
    before = held.keys
    held.destroy(bucket, below=2)
    return disks(engine), before, held.keys


def disks(engine: MemoryEngine) -> Disks:
    texts, wraps = set[SealedText](), defaultdict[tuple[str, Family], set[tuple[int, bytes]]](set)
    for message in engine.read(COVERED):
        key, value = message.key or b"", _object(message.value)
        record, place, value = _inside(key.decode(), value)
        for name, wrapped in _wrapped(value):
            wraps[record, name].add(wrapped)
        texts |= {SealedText(message.topic, record, *found) for found in _sealed(record, place, value)}
    return Disks(tuple(texts), {name: frozenset(found) for name, found in wraps.items()})


def _object(value: bytes | None) -> Mapping[str, Any]:
    parsed = json.loads(value) if value else {}
    return parsed if isinstance(parsed, dict) else {}


def _inside(key: str, value: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    """The record, the place that was sealed for, and the element; under a person and in a state it is wrapped once."""
    first, _, rest = key.partition("/")
    if first == MEMBER:
        return rest, rest, value
    if "entry" in value and isinstance(value["entry"], dict):
        record, _, name = rest.partition("/")
        return record, f"{record}/n/{name}", value["entry"]
    if "link_revision" in value:
        return rest.partition("/")[0], "", value
    return first, key, value


def _wrapped(value: Mapping[str, Any]) -> Iterator[tuple[Family, tuple[int, bytes]]]:
    for form in (value, value.get("key")):
        if isinstance(form, dict) and isinstance(form.get("wrapped"), dict):
            for name, text in form["wrapped"].items():
                yield Family(name), (form["epoch"], base64.b64decode(text))


def _sealed(record: str, place: str, value: Mapping[str, Any]) -> Iterator[tuple[Family, bytes, bytes]]:
    for name, family, context in (
        ("body", Family.BODY, place),
        ("tokens", Family.TOKENS, record),
        ("sealed", Family.IDENTITY, place),
    ):
        if isinstance(value.get(name), str):
            yield family, context.encode(), base64.b64decode(value[name])


def opens(text: SealedText, found: Disks, keys: BucketKeys) -> bool:
    """Whether any data key of any record of that family opens it: one that is made, or that a wrap gives."""
    opening: Callable[..., bytes] = open_padded if text.family is Family.TOKENS else open_body
    for data_key in data_keys(text.record_id, text.family, found, keys):
        try:
            opening(data_key, text.sealed, context=text.context)
        except Unreadable:
            continue
        return True
    return False


def data_keys(record: str, family: Family, found: Disks, keys: BucketKeys) -> Iterator[bytes]:
    bucket = bucket_of(record)
    for epoch in range(keys.oldest(family, bucket), keys.newest(family, bucket) + 1):
        yield keys.made(family, record, epoch)
    for epoch, wrapped in sorted(found.wraps.get((record, family), ())):
        for trial in {epoch, *range(keys.oldest(family, bucket), keys.newest(family, bucket) + 1)}:
            try:
                data_key = keys.opened(family, record, trial, wrapped)
            except (Unreadable, KeyNotHeld):
                continue
            if data_key is not None:
                yield data_key


def opened(found: Disks, keys: BucketKeys) -> tuple[set[SealedText], set[SealedText]]:
    """What opens, and what does not."""
    can = {text for text in found.texts if opens(text, found, keys)}
    return can, set(found.texts) - can


PARTS = [Faults(), *(Faults(0.3, points=[point]) for point in CRASH_POINTS)]


@pytest.mark.parametrize("faults", PARTS, ids=["undisturbed", *CRASH_POINTS])
def test_nothing_of_an_erased_record_opens_anywhere_and_all_of_its_neighbours_does(faults: Faults) -> None:
    """Also when ingress dies between what it sealed and what it keeps: that a key was lost would show here."""
    found, _, after = lived_through(faults, seed=3)
    can, cannot = opened(found, after)
    assert {text.record_id for text in cannot} == {erased()}
    assert {text.record_id for text in can} == others()


def test_the_disks_hold_each_record_sealed_on_every_covered_topic() -> None:
    """Else the test above would look at nothing."""
    found, _, _ = lived_through(Faults())
    counts = Counter((text.record_id, text.topic, text.family) for text in found.texts)
    for record in {erased(), *others()}:
        assert {(topic, family) for name, topic, family in counts if name == record} == {
            (topic, family) for topic, families in SEALED.items() for family in families
        }


def test_with_the_destroyed_key_all_of_it_would_open() -> None:
    """The control: it is the key that is gone, not the text."""
    found, before, _ = lived_through(Faults())
    assert opened(found, before)[1] == set()


def test_without_a_turn_the_neighbours_would_be_lost_too() -> None:
    """A control of the other side: what keeps them is that they were wrapped again."""
    held = ChangingBucketKeys()
    engine = MemoryEngine(steps=held.steps)
    for slug, message in world(neighbours()):
        engine.take_sealed(slug, intake_message(slug, message))
    engine.run()
    bucket = bucket_of(erased())
    held.destroy(bucket, below=held.add(bucket))
    assert opened(disks(engine), held.keys)[0] == set()
