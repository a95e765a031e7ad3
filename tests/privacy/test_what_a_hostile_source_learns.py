"""A council with its files and every linkage topic, and a source with its receipts: what do they learn of others?

The full figures are those of `tierlink measure joins` and `measure receipts`; here are short forms, with the controls
that show that a leak would be counted.
"""

import hashlib
import uuid
from dataclasses import replace

import pytest

from ops.lab.measure import joins
from ops.lab.measure.council_world import CouncilWorld, council_world
from ops.lab.measure.joins import Traits, named_by, words_in
from ops.lab.measure.receipts import ACCURACY_MAX, Probe, accuracy
from ops.lab.measure.receipts import measure as measure_receipts
from schemas import canonical
from schemas.envelope import entry_id
from schemas.topics import LINK_MAP
from streams.steps.outcome import Emit


@pytest.fixture(scope="module")
def world() -> CouncilWorld:
    return council_world(8, 7)


def planted(world: CouncilWorld, key: bytes, value: bytes | None) -> joins.JoinFigures:
    """The figures with one more message on a linkage topic, which is taken away again."""
    logs, place = world.run.engine.logs, (LINK_MAP, 0)
    before = logs.messages(place)[:]
    world.run.engine.put(Emit(LINK_MAP, 0, key, value))
    try:
        return joins.measure(world)
    finally:
        logs.partitions[place].messages[:] = before


def test_no_record_is_named_by_an_id_or_a_hash(world: CouncilWorld) -> None:
    found = joins.measure(world)
    assert found.records > 5
    assert found.messages > 1_000
    assert (found.by_id, found.by_hash) == (0, 0)


def test_ids_and_hashes_that_stand_there_are_counted(world: CouncilWorld) -> None:
    entry = next(iter(world.copy.entries.values()))[0]
    assert entry.message is not None
    assert entry.message.person.local_id is not None
    local = entry.message.person.local_id.value
    identifier = entry_id("council-east", entry.message_id, entry.position)
    for word in (local, identifier):
        assert planted(world, b"k", canonical.dump({"a": word})).by_id == 1, "in a value"
        assert planted(world, f"x/{word}".encode(), None).by_id == 1, "in a key"
    for hashed in (hashlib.sha256(local.encode()).hexdigest()[:32], hashlib.md5(local.encode()).hexdigest(),
                   str(uuid.uuid5(uuid.NAMESPACE_URL, local))):  # fmt: skip
        assert planted(world, hashed.encode(), None).by_hash == 1
    raw = hashlib.sha512(entry.original).digest()
    assert planted(world, b"k", canonical.dump({"a": joins.base64.b64encode(raw).decode()})).by_hash == 1


def test_what_its_copy_makes_without_a_key_is_a_hash_it_can_compute(world: CouncilWorld) -> None:
    mine = next(iter(world.copy.entries))
    assert planted(world, mine.encode(), None).by_hash == 1


def test_a_trait_names_a_record_only_when_it_is_its_alone() -> None:
    bare = Traits([], [], [], [], set(), set())
    copy = {"a": replace(bare, sizes=[10]), "b": replace(bare, sizes=[20]), "c": replace(bare, sizes=[20])}
    run = {"A": replace(bare, sizes=[10]), "B": replace(bare, sizes=[20]), "C": replace(bare, sizes=[20])}
    truth = {"a": "A", "b": "B", "c": "C"}
    assert named_by(lambda found: tuple(found.sizes), copy, run, truth) == {"a"}
    assert named_by(lambda found: tuple(found.sizes), copy, run | {"D": run["A"]}, truth) == set()
    padded = {name: replace(bare, sizes=[32]) for name in "ABC"}
    assert (
        named_by(lambda found: tuple(found.sizes), dict(zip("abc", padded.values(), strict=True)), padded, truth)
        == set()
    )


def test_receipts_do_not_tell_whether_somebody_else_knows_a_person_and_the_former_ones_did() -> None:
    found = measure_receipts(800, 11)
    assert 300 < found.known < 500
    assert found.accuracy <= ACCURACY_MAX + 0.05  # of 400; of 5,000 the command holds 0.55
    assert found.control > 0.9


def test_the_classifier_finds_a_weak_sign_among_noise() -> None:
    """A number that is above its middle in three of four: no rule does better than 0.75."""
    numbers = [hashlib.sha256(str(place).encode()).digest() for place in range(2_000)]
    probes = [
        Probe((1.0, 1.0 if (text[0] < 192) == (text[1] < 128) else -1.0, text[2] / 255), text[1] < 128)
        for text in numbers
    ]
    assert 0.7 < accuracy(probes) < 0.8


def test_words_are_found_in_keys_values_and_headers(world: CouncilWorld) -> None:
    assert {"council-east"} <= words_in(world.run.messages())
