"""The bench of the host on a real broker, at its smallest: everyone's work is counted, and skipped work is seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.lab.bench.hop_topics import PARTITIONS, Disqualified, HopTopics, keys_of, messages
from ops.lab.bench.host import HostBench, measure
from ops.lab.bench.host_hop import Hop, source_headers
from ops.local.broker.embedded import EmbeddedBroker

EVENTS = 240


@pytest.fixture
def topics(broker: EmbeddedBroker) -> Iterator[HopTopics]:
    """Connected to the session's broker."""
    topics = HopTopics(broker.bootstrap)
    yield topics
    topics.close()


def hop_named(name: str, topics: HopTopics, directory: Path) -> Hop:
    """A run with topics of its own."""
    return Hop(name, topics.bootstrap, f"{name}.in", PARTITIONS, EVENTS, str(directory))


def write_by_hand(hop: Hop, *, outputs: int, count: bytes = b"2", headers: bool = True) -> None:
    """What a contender would leave, done well or badly."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": hop.bootstrap})
    for partition, key, value in list(messages(hop.events))[:outputs]:
        cause = source_headers(hop.reads, partition, 0, 0) if headers else []
        producer.produce(hop.writes, value, key, partition, headers=cause)  # type: ignore[arg-type]
        producer.produce(hop.changelog, count, key, partition)
    producer.flush(30)


def test_our_host_and_the_bare_loop_do_the_same_work(broker: EmbeddedBroker, tmp_path: Path) -> None:
    bench = HostBench(events=2_000, rounds=1, contenders=("host", "bare"))
    figures = measure(bench, broker.bootstrap, scratch=tmp_path, report=print)
    shown = figures.as_json()
    assert shown["ratio_of_bare"] > 0
    assert all(records >= keys_of(2_000) for records in shown["state_records"].values())


def test_the_whole_work_is_accepted_and_then_cleared(topics: HopTopics, tmp_path: Path) -> None:
    hop = hop_named("whole", topics, tmp_path)
    topics.prepare(hop)
    write_by_hand(hop, outputs=EVENTS)
    assert topics.verify(hop) == EVENTS
    topics.clear(hop)


@pytest.mark.parametrize(
    ("name", "badly", "why"),
    [
        ("fewer", {"outputs": EVENTS - 1}, "outputs of"),
        ("bald", {"outputs": EVENTS, "headers": False}, "not the message with its headers"),
        ("forgetful", {"outputs": EVENTS, "count": b"1"}, "not the count of every key"),
    ],
)
def test_a_contender_that_skips_work_is_disqualified(
    topics: HopTopics, tmp_path: Path, name: str, badly: dict[str, int], why: str
) -> None:
    hop = hop_named(name, topics, tmp_path)
    topics.prepare(hop)
    write_by_hand(hop, **badly)  # type: ignore[arg-type]
    with pytest.raises(Disqualified, match=why):
        topics.verify(hop)


def test_a_contender_that_ends_before_its_last_commit_is_disqualified(topics: HopTopics, tmp_path: Path) -> None:
    with pytest.raises(Disqualified, match="before it had committed"):
        topics.until_committed(hop_named("gone", topics, tmp_path), alive=lambda: False, deadline_s=60)
