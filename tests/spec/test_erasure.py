"""A record that is erased: nobody is shown anything of it any more, and nothing of it can be read anywhere.

UK GDPR, article 17, and the national data opt-out: what was received of a person is taken out of everything that
follows from it, and what comes later of the same record is withdrawn. What stays is a keyed name that says so.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from memory_engine import (
    Faults,
    MemoryEngine,
    all_bucket_keys,
    all_keys,
    intake_keys,
    record_id,
    sources,
    stages,
)
from small_world import ANN, COUNCIL, EVE, GP, TRUST, at_source, attended, message_from, referral, small_world, weight

from linkage.model import parse as parse_model
from ops.lab.memory_engine.engine import finals
from ops.runtime.paths import linkage_model, load_recipients, packaged_all
from schemas import elements, topics
from schemas.data_keys import FAMILIES, BucketKeys, Family, bucket_of
from schemas.definitions import parse
from schemas.erasures import Turn, erasure_message, turn_message
from schemas.errors import Unreadable
from schemas.identity import LocalId
from schemas.naming import local_id_parts
from schemas.record_keys import WrappedKeys
from schemas.sealed_body import open_body, open_padded
from schemas.topics import (
    DEAD_LETTERS,
    ERASURES,
    EVENTS,
    IDENTITY,
    PARTITIONS,
    PATHWAY_IN,
    VAULT,
    intake_partition,
    partition_of,
)
from streams.steps.ingress import IngressStep
from streams.steps.linker import LinkerStep
from streams.steps.outcome import Emit, Step
from streams.steps.pathway import PathwayStep
from streams.steps.vault import identity_sealed_in

RECORD = record_id(TRUST, "T1")
STATES = (topics.RECORDS_STATE, topics.LINKER_STATE, topics.PATHWAY_STATE)
PUBLISHED = (topics.pathway_state("demo"), topics.pathway_events("demo"))


def with_epochs(first: int, last: int) -> BucketKeys:
    """The bucket keys of these epochs of every bucket; of one epoch always the same."""

    def key(family: Family, bucket: int, epoch: int) -> bytes:
        return hashlib.sha256(f"{family} {bucket} {epoch}".encode()).digest()

    buckets = {place[1] for place in all_bucket_keys()}
    return BucketKeys({(f, b, e): key(f, b, e) for f in Family for b in buckets for e in range(first, last + 1)})


@cache
def epochs(first: int, last: int) -> BucketKeys:
    return with_epochs(first, last)


class Keys:
    """The key files of one engine, as operations change them while it runs."""

    def __init__(self) -> None:
        self.now = epochs(1, 1)

    def of(self, zone: str) -> Callable[[], BucketKeys]:
        return lambda: self.now.only(FAMILIES[zone])

    def steps(self) -> dict[str, Step[Any]]:
        zone = all_keys().zone
        agreements, definitions = (
            tuple(load_recipients(None).values()),
            parse(packaged_all("schemas.definitions", ".toml")),
        )
        return {
            "ingress": IngressStep(
                zone("ingress"), sources(), intake=intake_keys, data_keys=self.of("ingress"), test_mode=True
            ),
            "linker": LinkerStep(zone("linker"), parse_model(linkage_model()), data_keys=self.of("linker")),
            "pathway": PathwayStep(zone("pathway"), agreements, definitions, data_keys=self.of("pathway")),
        }


def erase(engine: MemoryEngine, slug: str = TRUST, number: str = "T1") -> None:
    """As operations ask for it: where the entries of that record go."""
    place = intake_partition(local_id_parts(slug, LocalId(number)))
    engine.put(Emit(ERASURES, place, *erasure_message(record_id(slug, number))))


def turn(engine: MemoryEngine, bucket: int, epoch: int) -> None:
    for partition in range(PARTITIONS):
        engine.put(Emit(ERASURES, partition, *turn_message(Turn(bucket, epoch))))


def world(*, without: str | None = None, faults: Faults | None = None, seed: int = 0) -> tuple[MemoryEngine, Keys]:
    """The small world taken in, but for the entries of one record of the trust."""
    keys = Keys()
    engine = MemoryEngine(seed=seed, steps=keys.steps(), faults=faults or Faults())
    for slug, entry in small_world():
        local = entry.person.local_id
        if without is None or local is None or record_id(slug, local.value) != without:
            engine.take(slug, entry)
    return engine, keys


def published(engine: MemoryEngine) -> Mapping[str, Mapping[bytes, object]]:
    found = finals(engine.logs)
    return {topic: found[topic] for topic in PUBLISHED}


def test_what_is_published_is_as_if_the_record_had_never_been() -> None:
    erased, _ = world()
    erased.run()
    before = published(erased)
    erase(erased)
    never, _ = world(without=RECORD)
    after = published(erased.run())
    assert after == published(never.run())
    assert after != before


def test_its_entries_end_withdrawn_and_so_does_what_comes_later() -> None:
    engine, _ = world()
    engine.run()
    mine = [sent.entry_id for sent in engine.journal if _is_mine(engine, sent.entry_id)]
    assert mine
    erase(engine)
    engine.run()
    later = engine.take(*message_from(TRUST, "later", at_source(ANN, "T1"), attended("a9", 9), at=30))
    engine.run()
    ends = engine.dispositions()
    assert {ends[entry] for entry in [*mine, later]} == {"withdrawn"}
    assert engine.latest(sources()[TRUST].receipts_topic)[later]["receipt"] == "withdrawn"
    others = {entry: end for entry, end in ends.items() if entry not in [*mine, later]}
    assert "withdrawn" not in others.values()


def _is_mine(engine: MemoryEngine, entry_id: str) -> bool:
    index = next(place for place, sent in enumerate(engine.journal) if sent.entry_id == entry_id)
    slug, entry = list(small_world())[index]
    local = entry.person.local_id
    return local is not None and record_id(slug, local.value) == RECORD


def test_nothing_of_it_is_left_on_a_compacted_topic_but_the_mark() -> None:
    engine, _ = world()
    erase(engine.run())
    engine.run()
    left = [
        (topic, key)
        for topic in (EVENTS, IDENTITY, VAULT, *STATES)
        for key, value in _compacted(engine, topic).items()
        if RECORD.encode() in key or RECORD.encode() in value
    ]
    merged = [item for item in left if b"/m/" not in item[1]]  # another record may have been merged into it
    marks = {
        (EVENTS, f"{RECORD}/x/".encode()),
        (VAULT, f"{RECORD}/x/".encode()),
        (topics.RECORDS_STATE, f"{RECORD}/x/".encode()),
    }
    withdrawals = {item for item in merged if item[0] == topics.PATHWAY_STATE and item[1].endswith(b"/w")}
    assert set(merged) - withdrawals == marks


def _compacted(engine: MemoryEngine, topic: str) -> dict[bytes, bytes]:
    last: dict[bytes, bytes | None] = {}
    for (name, _), log in engine.logs.partitions.items():
        if name == topic:
            last |= {message.key or b"": message.value for message in log.messages}
    return {key: value for key, value in last.items() if value is not None}


def test_a_record_that_is_erased_before_its_first_entry_never_begins() -> None:
    engine = MemoryEngine(steps=Keys().steps())
    erase(engine)
    engine.run()
    entry = engine.take(*message_from(TRUST, "t1", at_source(ANN, "T1"), attended("a1", 3), at=3))
    engine.run()
    assert engine.dispositions()[entry] == "withdrawn"
    assert published(engine) == {topic: {} for topic in PUBLISHED}


@pytest.mark.parametrize("seed", range(6))
def test_wherever_a_stage_dies_around_an_erasure_and_a_turn_the_end_is_the_same(seed: int) -> None:
    calm, calm_keys = world()
    erase(calm.run())
    calm_keys.now = epochs(1, 2)
    turn(calm, bucket_of(RECORD), 2)
    calm.run()
    engine, keys = world(faults=Faults(crash_share=0.3), seed=seed)
    erase(engine.run())
    keys.now = epochs(1, 2)
    turn(engine, bucket_of(RECORD), 2)
    erase(engine)
    engine.run()
    assert engine.crashes
    assert published(engine) == published(calm)
    assert engine.dispositions() == calm.dispositions()


def test_a_turn_changes_nothing_that_anybody_sees() -> None:
    engine, keys = world()
    before = published(engine.run())
    keys.now = epochs(1, 2)
    for bucket in {bucket_of(record) for record in _records(engine)}:
        turn(engine, bucket, 2)
    engine.run()
    keys.now = epochs(2, 2)
    again = engine.take(*message_from(GP, "g99", at_source(EVE, "G4"), weight("w99", 40, "99"), at=40))
    engine.run()
    assert engine.dispositions()[again] == "linked"
    after = published(engine)
    assert {key: value for key, value in after[PUBLISHED[1]].items() if key in before[PUBLISHED[1]]} == before[
        PUBLISHED[1]
    ]


def test_after_a_turn_a_stage_that_starts_again_reads_everything_with_the_new_keys_alone() -> None:
    engine, keys = world()
    before = published(engine.run())
    keys.now = epochs(1, 2)
    for bucket in {bucket_of(record) for record in _records(engine)}:
        turn(engine, bucket, 2)
    engine.run()
    keys.now = epochs(2, 2)
    engine._states.clear()
    for stage in stages():
        for task in range(stage.partitions):
            step = engine.steps.get(stage.name)
            if step is not None:
                engine._states[stage.name, task] = step.restore(engine.changelog(stage, task).items())
    for record in _records(engine):
        engine.put(Emit(EVENTS, partition_of(record), f"{record}/q/".encode(), None))
    engine.run()
    assert published(engine) == before


def _records(engine: MemoryEngine) -> set[str]:
    return {key.split("/")[0] for key in engine.latest(EVENTS)}


def test_a_turn_to_an_epoch_that_nobody_holds_is_a_dead_letter() -> None:
    engine, _ = world()
    before = finals(engine.run().logs)
    turn(engine, bucket_of(RECORD), 9)
    engine.run()
    after = finals(engine.logs)
    assert after[DEAD_LETTERS] != before[DEAD_LETTERS]
    assert {t: v for t, v in after.items() if t not in (DEAD_LETTERS, ERASURES)} == {
        t: v for t, v in before.items() if t not in (DEAD_LETTERS, ERASURES)
    }


# ------------------------------------------------------------ every disk from before, the keys from after


def sealed_things(engine: MemoryEngine, record: str) -> Iterable[Callable[[BucketKeys], bool]]:
    """Whatever was ever sealed of the record on a topic, old versions too; each says whether these keys open it."""
    wraps = list(_every_wrap(engine, record))

    def opens(held: BucketKeys, family: Family, sealed: bytes, context: bytes, how: Callable[..., bytes]) -> bool:
        found = (w.opened(record, family, held) for w in wraps if family in w.by_family)
        made = (held.made(family, record, e) for f, b, e in held if (f, b) == (family, bucket_of(record)))
        for data_key in [*filter(None, found), *made]:
            try:
                how(data_key, sealed, context=context)
            except Unreadable:
                continue
            return True
        return False

    for family, sealed, context, how in _every_sealed(engine, record):
        yield lambda held, f=family, s=sealed, c=context, h=how: opens(held, f, s, c, h)  # type: ignore[misc]


def _every_wrap(engine: MemoryEngine, record: str) -> Iterable[WrappedKeys]:
    for log in engine.logs.partitions.values():
        for message in log.messages:
            if record.encode() in (message.key or b"") and b'"wrapped"' in (message.value or b""):
                for form in _forms(json.loads(message.value or b"")):
                    yield WrappedKeys.of_form(form, tuple(map(Family, form["wrapped"])))


def _forms(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if "wrapped" in value:
            yield value
        for part in value.values():
            yield from _forms(part)


def _every_sealed(engine: MemoryEngine, record: str) -> Iterable[tuple[Family, bytes, bytes, Callable[..., bytes]]]:

    for (topic, _), log in engine.logs.partitions.items():
        for message in log.messages:
            key, value = (message.key or b"").decode("ascii", "replace"), message.value or b""
            if record not in key or not value.startswith(b"{"):
                continue
            parts = json.loads(value)
            entry = parts.get("entry") if topic in (PATHWAY_IN, topics.PATHWAY_STATE) else parts
            if isinstance(entry, dict) and "body" in entry:
                name = key.split("/", 2)[2]
                context = f"{record}/{elements.ENTRY}/{name}".encode()
                yield Family.BODY, base64.b64decode(entry["body"]), context, open_body
            if isinstance(parts.get("tokens"), str):
                yield Family.TOKENS, base64.b64decode(parts["tokens"]), record.encode(), open_padded
            if topic == VAULT and "sealed" in parts:
                yield Family.IDENTITY, identity_sealed_in(value), key.encode(), open_body


def test_with_every_disk_from_before_and_the_keys_from_after_nothing_of_it_opens_and_everything_of_its_neighbours() -> (
    None
):
    """Also what a backup of the broker holds, and what compaction has not reached."""
    keys = Keys()
    engine = MemoryEngine(steps=keys.steps(), faults=Faults(crash_share=0.1), seed=5)
    numbers = [n for n in range(4_000) if bucket_of(record_id(COUNCIL, f"N{n}")) == bucket_of(record_id(COUNCIL, "N0"))]
    assert len(numbers) >= 4
    people = [replace(ANN, nhs_number=None), EVE, ANN, EVE]
    for number, person in zip(numbers[:4], people, strict=True):
        entry = message_from(
            COUNCIL, f"m{number}", at_source(person, f"N{number}"), weight(f"w{number}", 3, "99"), at=3
        )
        engine.take(*entry)
    engine.take(*message_from(GP, "g", at_source(ANN, "G1"), referral("R", 0), at=0))
    engine.run()
    gone, *neighbours = [record_id(COUNCIL, f"N{number}") for number in numbers[:4]]
    erase(engine, COUNCIL, f"N{numbers[0]}")
    keys.now = epochs(1, 2)
    turn(engine, bucket_of(gone), 2)
    engine.run()
    before, after = epochs(1, 1), epochs(2, 2)
    things = list(sealed_things(engine, gone))
    families = {family for family, *_ in _every_sealed(engine, gone)}
    assert families == set(Family)
    assert all(opens(before) for opens in things), "the control: under the key that was destroyed all of it opens"
    assert not any(opens(after) for opens in things)
    for neighbour in neighbours:
        kept = list(sealed_things(engine, neighbour))
        assert len(kept) >= 5
        assert all(opens(after) for opens in kept)
