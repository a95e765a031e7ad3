"""Every topic is there once, has a key and a clean-up; and everything about one thing is in one partition."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from memory_engine import sources

from schemas import topics
from schemas.topics import PARTITIONS, intake_partition, partition_of, registry
from streams.topology import STAGES, stage

ALL = registry(sources().values(), ("demo", "research"))


def test_every_topic_stands_in_the_registry_once() -> None:
    assert [name for name, count in Counter(path.name for path in ALL).items() if count > 1] == []


def test_every_topic_a_stage_reads_or_writes_is_in_the_registry() -> None:
    known = {path.name for path in ALL}
    for name in STAGES:
        row = stage(name, sources=sources().values(), recipients=("demo", "research"))
        assert {*row.reads, *row.writes, row.dead_letter} <= known
        assert row.changelog is None or row.changelog in known


def test_what_a_stage_reads_together_has_the_same_partitions() -> None:
    partitions = {path.name: path.partitions for path in ALL}
    for name in STAGES:
        row = stage(name, sources=sources().values(), recipients=("demo",))
        read = [*row.reads, row.changelog] if row.changelog else list(row.reads)
        assert {partitions[topic] for topic in read} == {row.partitions}


def test_the_system_of_record_is_compacted_and_never_deleted() -> None:
    (events,) = [path for path in ALL if path.name == topics.EVENTS]
    assert events.config["cleanup.policy"] == "compact"
    assert "retention.ms" not in events.config


def test_clear_text_dies_even_when_nobody_asks() -> None:
    for item in ALL:
        if item.name in (topics.VAULT, topics.ERASURES):
            continue  # no clear text: identities under keys that can be destroyed, and names of records
        if item.zone == "intake" or item.name == topics.DEAD_LETTERS:
            assert "delete" in item.config["cleanup.policy"]
            assert int(item.config["retention.ms"]) <= 90 * topics.DAY_MS


def test_nobody_sees_another_recipients_topics_under_his_name() -> None:
    assert topics.pathway_state("demo") != topics.pathway_state("research")


def test_a_partition_is_the_same_for_ever() -> None:
    """Golden: a change of the function would send a record's next message to another worker's state."""
    assert [partition_of(f"v1:{number:032x}") for number in range(8)] == [9, 2, 0, 4, 8, 10, 1, 1]
    assert intake_partition(("gp-hub", "local", "G1")) == partition_of("6:gp-hub5:local2:G1") == 7


@given(st.text(), st.integers(1, 50))
def test_a_partition_exists(identifier: str, partitions: int) -> None:
    assert 0 <= partition_of(identifier, partitions) < partitions


def test_partitions_fill_evenly() -> None:
    sizes = Counter(partition_of(f"v1:{number:032x}") for number in range(12_000))
    assert len(sizes) == PARTITIONS
    assert max(sizes.values()) < 1.2 * min(sizes.values())
