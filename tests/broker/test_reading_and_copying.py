"""What the independent reader gives of a real topic, and that a copy of it is the same message by message."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ops.admin.topic_reader import TopicMessage, read_topics
from ops.errors import TierlinkError
from ops.local.broker.embedded import EmbeddedBroker
from ops.verify.copying import copy

NewTopic = Callable[..., str]


def made(topic: str, count: int) -> list[TopicMessage]:
    """Messages over three partitions: no key, no value, headers, each at its own moment."""
    return [
        TopicMessage(
            topic=topic,
            partition=number % 3,
            offset=number // 3,
            key=None if number % 5 == 0 else f"k{number % 7}".encode(),
            value=None if number % 4 == 0 else number.to_bytes(4),
            headers=(("entry_id", b"e"), ("entry_id", str(number).encode()), ("empty", b"")),
            timestamp_ms=1_780_000_000_000 + number,
        )
        for number in range(count)
    ]


def in_order(messages: list[TopicMessage]) -> list[TopicMessage]:
    return sorted(messages, key=lambda message: (message.partition, message.offset))


def test_a_topic_is_read_whole_partition_by_partition_in_order(broker: EmbeddedBroker, new_topic: NewTopic) -> None:
    topic, empty = new_topic("events.v1", partitions=3), new_topic("empty.v1", partitions=3)
    written = made(topic, 5_000)  # more than is fetched at once
    assert copy(written, broker.bootstrap) == 5_000
    assert list(read_topics(broker.bootstrap, [empty, topic, "no.such.topic"])) == in_order(written)


def test_a_copy_is_the_same_message_by_message(broker: EmbeddedBroker, new_topic: NewTopic) -> None:
    items, other = new_topic("a.v1", partitions=3), new_topic("b.v1", partitions=3)
    copy(made(items, 100), broker.bootstrap)
    copy((replace(read, topic=other) for read in read_topics(broker.bootstrap, [items])), broker.bootstrap)
    assert list(read_topics(broker.bootstrap, [other])) == in_order(made(other, 100))


def test_reading_stops_where_the_topic_ended_when_it_began(broker: EmbeddedBroker, new_topic: NewTopic) -> None:
    topic = new_topic("growing.v1", partitions=3)
    copy(made(topic, 9), broker.bootstrap)
    reading = read_topics(broker.bootstrap, [topic])
    next(reading)
    copy(made(topic, 9), broker.bootstrap)
    assert len(list(reading)) == 8


def test_a_message_the_broker_does_not_take_is_no_silent_loss(broker: EmbeddedBroker, new_topic: NewTopic) -> None:
    topic = new_topic("small.v1", partitions=3, **{"max.message.bytes": "1000"})
    with pytest.raises(TierlinkError, match=r"did not take \d of 4"):
        copy([*made(topic, 3), replace(made(topic, 1)[0], value=b"x" * 5_000)], broker.bootstrap)
