"""State read back from a changelog equals what anybody else reads there, and reading always ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from eventually import eventually
from kafka import KafkaProducer, TopicPartition

from ops.local.broker.embedded import EmbeddedBroker
from streams.host.settings import HostSettings
from streams.host.state import read_bounds, read_changelog

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

NewTopic = Callable[..., str]
Elements = dict[int, dict[bytes, bytes]]


def recovered(broker: EmbeddedBroker, topic: str, tasks: set[int]) -> Elements | None:
    settings = HostSettings(bootstrap=broker.bootstrap, worker_id="w1", state_directory=Path())
    return asyncio.run(read_changelog(topic, tasks, settings=settings, given_up=lambda: False))


def write(broker: EmbeddedBroker, topic: str, records: list[tuple[int, bytes, bytes | None]]) -> None:
    with KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as producer:
        for partition, key, value in records:
            producer.send(topic, key=key, value=value, partition=partition)
        producer.flush()


def test_the_last_value_of_every_key_is_kept_and_a_removed_key_is_not(
    broker: EmbeddedBroker, new_topic: NewTopic
) -> None:
    topic = new_topic("state", partitions=3)
    many = [(0, b"k%d" % (number % 700), b"v%d" % number) for number in range(3_000)]
    write(broker, topic, [*many, (0, b"k1", None), (2, b"gone", b"1"), (2, b"gone", None)])
    expected = {key: value for _, key, value in many}
    del expected[b"k1"]
    assert recovered(broker, topic, {0, 2}) == {0: expected, 2: {}}


def test_an_empty_changelog_is_an_empty_state(broker: EmbeddedBroker, new_topic: NewTopic) -> None:
    assert recovered(broker, new_topic("state", partitions=2), {0, 1}) == {0: {}, 1: {}}
    assert recovered(broker, new_topic("state"), set()) == {}


def test_a_changelog_emptied_by_the_broker_does_not_hang(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", new_topic: NewTopic
) -> None:
    topic = new_topic("state", partitions=2)
    write(broker, topic, [(0, b"a", b"1"), (0, b"b", b"1"), (1, b"c", b"1"), (1, b"d", b"2")])
    broker_admin.delete_records({TopicPartition(topic, 0): 2, TopicPartition(topic, 1): 1})
    assert recovered(broker, topic, {0, 1}) == {0: {}, 1: {b"d": b"2"}}


def test_a_changelog_whose_last_record_is_not_a_message_does_not_hang(
    broker: EmbeddedBroker, new_topic: NewTopic
) -> None:
    """The marker of a transaction takes an offset no reader is given; so may a compacted tombstone."""
    topic = new_topic("state")

    async def write_in_a_transaction() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=topic)
        await producer.start()
        async with producer.transaction():
            await producer.send_and_wait(topic, key=b"a", value=b"1", partition=0)
        await producer.stop()

    asyncio.run(write_in_a_transaction())
    settings = HostSettings(bootstrap=broker.bootstrap, worker_id="w1", state_directory=Path())
    with_marker = {(topic, 0): (0, 2)}  # the broker writes it after it has answered
    eventually(lambda: asyncio.run(read_bounds([(topic, 0)], settings=settings)) == with_marker, why="the marker")
    assert recovered(broker, topic, {0}) == {0: {b"a": b"1"}}


def test_reading_is_given_up_when_the_partitions_are_lost(broker: EmbeddedBroker, new_topic: NewTopic) -> None:
    topic = new_topic("state")
    write(broker, topic, [(0, b"a", b"1")])
    settings = HostSettings(bootstrap=broker.bootstrap, worker_id="w1", state_directory=Path())
    assert asyncio.run(read_changelog(topic, {0}, settings=settings, given_up=lambda: True)) is None
