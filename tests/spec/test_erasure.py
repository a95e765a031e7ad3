"""What an erasure leaves, and what a turn of a bucket leaves alone.

The expectations are reasoned from the promise, not from the code. A record that is erased is to be as one that never
was: so what recipients end with is what they would have had if no entry of it had ever come. Its entries stay accounted
for (promise 1), so each has a disposition, `withdrawn`; its source learns that of what it sends later. Of the record
itself there remains that it was erased: else the next entry would begin it anew. Marks that hold back a message on its
way (`w` at pathway) and ids stay; facts, tokens and identities do not.

A turn wraps the keys of a bucket again. No fact, no identity and no link follows from a wrap: what anybody reads is the
same before and after.
"""

from functools import cache

import pytest
from erasing import ChangingBucketKeys, Intake, entries_of, entries_without, erase, turn
from memory_engine import CRASH_POINTS, Faults, Finals, MemoryEngine, all_keys, differing, record_id
from small_world import COUNCIL, GP, TRUST

from schemas import canonical
from schemas.data_keys import Family, bucket_of
from schemas.envelope import entry_name
from schemas.erasures import erasure_message
from schemas.identity import LocalId
from schemas.naming import local_id_parts
from schemas.topics import (
    DEAD_LETTERS,
    DISPOSITIONS,
    ERASURES,
    EVENTS,
    IDENTITY,
    LINK_MAP,
    PARTITIONS,
    intake_partition,
    pathway_events,
    pathway_state,
)
from streams.steps.outcome import Emit

SOURCES = {"G": GP, "C": COUNCIL, "T": TRUST}
PUBLISHED = (pathway_state("demo"), pathway_events("demo"))
# Ann at all three tiers, the twin without a forename, a record that moved between two persons, one whose attendance was
# taken back, one that is ignored, one that was merged and the one it was merged into
ERASED = ("G1", "C1", "T1", "C4", "T4", "C5", "T5", "T3", "T2")


def named(local_id: str) -> str:
    return record_id(SOURCES[local_id[0]], local_id)


def erase_named(engine: MemoryEngine, local_id: str) -> None:
    erase(engine, SOURCES[local_id[0]], local_id)


def finals(engine: MemoryEngine) -> Finals:
    """The final topics, without what operations asked for: that is no result."""
    return {topic: values for topic, values in engine.finals().items() if topic != ERASURES}


def run(
    intakes: list[Intake], *, seed: int = 0, faults: Faults | None = None, held: ChangingBucketKeys | None = None
) -> MemoryEngine:
    engine = MemoryEngine(seed=seed, faults=faults or Faults(), steps=held.steps if held else {})
    return taking(engine, intakes).run()


def taking(engine: MemoryEngine, intakes: list[Intake]) -> MemoryEngine:
    for intake in intakes:
        engine.take_sealed(*intake)
    return engine


@cache
def undisturbed() -> Finals:
    return finals(run(entries_without(())))


@cache
def erased_afterwards(local_id: str) -> MemoryEngine:
    """Everything came, then the record was erased."""
    engine = run(entries_without(()))
    erase_named(engine, local_id)
    return engine.run()


def published(finals: Finals) -> Finals:
    return {topic: finals[topic] for topic in PUBLISHED}


def state_of(engine: MemoryEngine, topic: str) -> dict[bytes, bytes]:
    tasks = (engine.logs.folded((topic, task)) for task in range(PARTITIONS))
    return {key: value for elements in tasks for key, value in elements.items()}


def about(record: str, elements: dict[bytes, bytes]) -> list[bytes]:
    """The keys of what names the record in key or value."""
    name = record.encode()
    return sorted(key for key, value in elements.items() if name in key or name in value)


def ends(engine: MemoryEngine, intakes: list[Intake]) -> tuple[set[str], set[str]]:
    """The dispositions of these entries, and their receipts."""
    dispositions = engine.latest(DISPOSITIONS)
    names = {(slug, sealed.entry_id): entry_name(all_keys(), slug, sealed.entry_id) for slug, sealed in intakes}
    receipts = {slug: engine.latest(f"receipts.{slug}.v1") for slug, _ in intakes}
    return (
        {dispositions[name]["disposition"] for name in names.values()},
        {receipts[slug][entry]["receipt"] for slug, entry in names},
    )


# ------------------------------------------------------------ erased


@pytest.mark.parametrize("local_id", ERASED)
def test_what_recipients_have_is_that_of_a_world_in_which_the_record_never_was(local_id: str) -> None:
    never = run(entries_without([named(local_id)]))
    assert differing(published(finals(never)), published(finals(erased_afterwards(local_id)))) == {}


def test_an_erasure_that_takes_nothing_away_would_be_seen() -> None:
    """The control of the test above."""
    never = run(entries_without([named("T1")]))
    assert differing(published(finals(never)), published(undisturbed())) != {}


@pytest.mark.parametrize("local_id", ERASED)
def test_its_entries_end_withdrawn_and_keep_the_receipt_that_they_had(local_id: str) -> None:
    dispositions, receipts = ends(erased_afterwards(local_id), entries_of(named(local_id)))
    assert (dispositions, receipts) == ({"withdrawn"}, {"accepted"})


@pytest.mark.parametrize("local_id", ERASED)
def test_of_the_record_only_its_mark_is_left(local_id: str) -> None:
    engine, record = erased_afterwards(local_id), named(local_id)
    mark = [f"{record}/x/".encode()]
    assert about(record, state_of(engine, "vault.v1")) == mark
    for topic in (EVENTS, "state.records.v1"):
        assert [key for key in state_of(engine, topic) if key.startswith(record.encode())] == mark, topic
    assert record.encode() not in state_of(engine, IDENTITY)
    assert record.encode() not in state_of(engine, LINK_MAP)
    assert not [key for key in state_of(engine, "state.linker.v1") if record.encode() in key]
    kinds = {key.split(b"/")[2] for key in state_of(engine, "state.pathway.v1") if record.encode() in key}
    assert kinds <= {b"w"}


@pytest.mark.parametrize("local_id", ERASED)
def test_what_it_had_in_the_system_of_record_has_a_tombstone_for_each_key(local_id: str) -> None:
    engine, record = erased_afterwards(local_id), named(local_id).encode()
    for topic in (EVENTS, IDENTITY):
        last = {message.key: message.value for message in engine.read([topic])}
        left = {key for key, value in last.items() if key and key.startswith(record) and value is not None}
        assert left <= {record + b"/x/"}, topic


@pytest.mark.parametrize("local_id", ["T1", "T4"])
def test_what_comes_of_it_later_is_withdrawn_and_leaves_nothing(local_id: str) -> None:
    record = named(local_id)
    engine = run(entries_without([record]))
    before = finals(engine)
    erase_named(engine, local_id)
    late = entries_of(record)
    taking(engine.run(), late).run()
    assert ends(engine, late) == ({"withdrawn"}, {"withdrawn"})
    assert about(record, state_of(engine, "vault.v1")) == [f"{record}/x/".encode()]
    after = finals(engine)
    ended = {DISPOSITIONS, *(name for name in after if name.startswith("receipts."))}
    # what the erasure wrote, and where the late entries ended; nothing else
    assert {topic: keys for topic, keys in differing(before, after).items() if topic not in ended} == {
        "vault.v1": [f"{record}/x/"],
        EVENTS: [f"{record}/x/"],
    }


def test_an_entry_that_comes_again_is_withdrawn_too() -> None:
    record = named("T1")
    engine = taking(MemoryEngine(seed=4), entries_without(())).run()
    erase_named(engine, "T1")
    once = finals(engine.run())
    taking(engine, entries_of(record)).run()
    assert ends(engine, entries_of(record)) == ({"withdrawn"}, {"withdrawn"})
    assert differing(published(once), published(finals(engine))) == {}


def test_an_unknown_record_leaves_its_mark_and_nothing_else() -> None:
    engine = run(entries_without(()))
    erase_named(engine, "C99")
    mark = [f"{named('C99')}/x/"]
    assert differing(undisturbed(), finals(engine.run())) == {"vault.v1": mark, EVENTS: mark}


def test_erasing_twice_is_erasing_once() -> None:
    engine = run(entries_without(()))
    for _ in range(2):
        erase_named(engine, "C1")
        engine.run()
    assert differing(finals(erased_afterwards("C1")), finals(engine)) == {}


def test_a_record_erased_before_its_first_entry_never_begins() -> None:
    record = named("T1")
    engine = MemoryEngine(seed=2)
    erase_named(engine, "T1")
    taking(engine.run(), entries_without(())).run()
    assert differing(published(finals(run(entries_without([record])))), published(finals(engine))) == {}
    assert ends(engine, entries_of(record)) == ({"withdrawn"}, {"withdrawn"})


def test_an_erasure_at_a_task_that_does_not_keep_the_record_leaves_no_entry_without_an_end() -> None:
    """It is in no order with the entries then: ingress lets them through, and records takes them back."""
    record = named("T1")
    place = intake_partition(local_id_parts(TRUST, LocalId("T1")))
    engine = MemoryEngine(seed=3)
    engine.put(Emit(ERASURES, (place + 1) % PARTITIONS, *erasure_message(record)))
    taking(engine.run(), entries_without(())).run()
    assert differing(published(finals(run(entries_without([record])))), published(finals(engine))) == {}
    assert ends(engine, entries_of(record))[0] == {"withdrawn"}
    mark = f"{record}/x/".encode()
    assert [key for key in state_of(engine, EVENTS) if key.startswith(record.encode())] == [mark]


@pytest.mark.parametrize("seed", range(4))
def test_an_erasure_between_the_entries_ends_in_the_same_pathways(seed: int) -> None:
    """Whether an entry came before it or after it: no order of arrival and no batching brings anything back."""
    record = named("T1")
    intakes = entries_without(())
    engine = MemoryEngine(seed=seed, faults=Faults(0.3))
    taking(engine, intakes[: 5 + 6 * seed])
    erase_named(engine, "T1")
    taking(engine, intakes[5 + 6 * seed :]).run()
    assert differing(published(finals(run(entries_without([record])))), published(finals(engine))) == {}
    assert ends(engine, entries_of(record))[0] == {"withdrawn"}
    assert about(record, state_of(engine, "vault.v1")) == [f"{record}/x/".encode()]


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_crashes_around_erasure_and_turn_end_in_the_same_topics(point: str) -> None:
    for seed in (CRASH_POINTS.index(point), 7 + CRASH_POINTS.index(point)):
        without, crashed = (_erased_and_turned(seed, faults) for faults in (Faults(), Faults(0.6, points=[point])))
        assert crashed.crashes >= 3
        assert differing(finals(without), finals(crashed)) == {}, seed


def _erased_and_turned(seed: int, faults: Faults) -> MemoryEngine:
    """All but the erasure and the turn runs undisturbed: what an erasure overtakes has another receipt."""
    record, held = named("T1"), ChangingBucketKeys()
    bucket = bucket_of(record)
    engine = run(entries_without(()), seed=seed, held=held)
    engine.faults = faults
    erase_named(engine, "T1")
    turn(engine, bucket, held.add(bucket))
    return engine.run()


# ------------------------------------------------------------ turned


@pytest.mark.parametrize("seed", range(3))
def test_a_turn_keeps_everything_that_is_read(seed: int) -> None:
    """Also after it: what comes then is sealed under the data key that its record has."""
    held = ChangingBucketKeys()
    engine = run(entries_without(())[::2], seed=seed, held=held)
    buckets = _buckets()
    for bucket in buckets:
        turn(engine, bucket, held.add(bucket))
    engine.run()
    for bucket in buckets:
        held.destroy(bucket, below=2)
    engine.restart()
    taking(engine, entries_without(())[1::2]).run()
    found = differing(undisturbed(), finals(engine))
    assert {topic for topic in found if topic not in ("vault.v1", EVENTS, IDENTITY)} == set()


def _buckets() -> set[int]:
    records = (named(f"{letter}{number}") for letter in "GCT" for number in range(1, 8))
    return {bucket_of(record) for record in records}


def test_a_turn_to_an_epoch_that_is_not_held_is_a_dead_letter_of_each_partition_and_changes_nothing() -> None:
    engine = run(entries_without(()))
    turn(engine, bucket_of(named("T1")), 2)
    found = differing(undisturbed(), finals(engine.run()))
    assert found == {DEAD_LETTERS: ["count"]}
    before = finals(run(entries_without(())))[DEAD_LETTERS][b"count"]
    assert finals(engine)[DEAD_LETTERS][b"count"] == before + PARTITIONS


def test_a_turn_given_twice_is_given_once() -> None:
    held, bucket = ChangingBucketKeys(), bucket_of(named("T1"))
    engine = run(entries_without(()), held=held)
    epoch = held.add(bucket)
    turn(engine, bucket, epoch)
    once = finals(engine.run())
    written = len(engine.logs.messages((EVENTS, bucket % PARTITIONS)))
    turn(engine, bucket, epoch)
    assert differing(once, finals(engine.run())) == {}
    assert len(engine.logs.messages((EVENTS, bucket % PARTITIONS))) == written


def test_a_record_that_comes_after_a_turn_is_put_under_the_new_epoch() -> None:
    """Else the key that destroys its erased neighbour would destroy it too."""
    record, held = named("T1"), ChangingBucketKeys()
    engine = run([], held=held)
    turn(engine, bucket_of(record), held.add(bucket_of(record)))
    taking(engine.run(), entries_of(record)).run()
    held.destroy(bucket_of(record), below=2)
    key = state_of(engine, "vault.v1")[f"{record}/k".encode()]
    assert canonical.read_object(key)["epoch"] == held.keys.oldest(Family.BODY, bucket_of(record)) == 2
