"""An independent reader of topics: librdkafka without a group, kafka-python for lag; no step, no linkage."""

import base64
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import TopicPartition as Place
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ops.errors import TierlinkError

IDLE_SECONDS_MAX = 30.0  # between two answers of a broker that has more to give
BOOTSTRAP_MS_MAX = 60_000  # a two-core machine that starts ten processes answers late
FETCHED_AT_ONCE = 2_000  # messages
POLL_SECONDS = 0.1
_READER = {
    "group.id": "tierlink-reader",  # the client wants a name; nobody joins and nothing is committed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,  # the last offset of a compacted partition may hold no message
    "fetch.wait.max.ms": 10,
    "queued.max.messages.kbytes": 32 * 1024,
    "log_level": 0,  # librdkafka prints keys and addresses
}


@dataclass(frozen=True, slots=True)
class TopicMessage:
    """One message as it stands in a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


def read_topics(bootstrap: str, topics: Iterable[str]) -> Iterator[TopicMessage]:
    """Every message of `topics` up to the end offsets seen at the start, partition by partition in order.

    Topics in the order given; one that does not exist has no messages. Memory stays bounded however long they
    are. Raises TierlinkError when the broker does not answer.
    """
    consumer = Consumer({**_READER, "bootstrap.servers": bootstrap})
    try:
        ends = {place: end for name in topics for place, end in _ends(consumer, name)}
        for (topic, partition), end in ends.items():
            yield from _read(consumer, Place(topic, partition, OFFSET_BEGINNING), end)
    except KafkaException:
        raise TierlinkError("the broker did not answer while a topic was read") from None
    finally:
        consumer.close()


def read_partition(bootstrap: str, topic: str, partition: int) -> list[TopicMessage]:
    """Every message of one partition."""
    return [one for one in read_topics(bootstrap, [topic]) if one.partition == partition]


def last_values(messages: Iterable[TopicMessage]) -> dict[bytes, TopicMessage]:
    """The last message per key, removed keys left out: what compaction will leave."""
    latest: dict[bytes, TopicMessage] = {}
    for message in messages:
        if message.key is None:
            continue
        if message.value is None:
            latest.pop(message.key, None)
        else:
            latest[message.key] = message
    return latest


class LagReader:
    """Asks again and again how far consumer groups are behind, over one connection. Close it."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, bootstrap_timeout_ms=BOOTSTRAP_MS_MAX
        )
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=BOOTSTRAP_MS_MAX)
        self.written = 0  # sum of all end offsets that the last lag() saw

    def lag(self, reads: Mapping[str, Iterable[str]]) -> dict[str, int]:
        """Group -> messages of its topics not yet committed; a partition without a commit from its beginning on."""
        behind, written = {}, 0
        for group, topics in reads.items():
            places = [
                TopicPartition(t, p) for t in topics for p in self._consumer.partitions_for_topic(t) or ()
            ]
            ends, starts = self._consumer.end_offsets(places), self._consumer.beginning_offsets(places)
            written += sum(ends.values())
            committed = self._committed(group)
            behind[group] = sum(max(0, ends[one] - max(committed.get(one, 0), starts[one])) for one in places)
        self.written = written
        return behind

    def committed(self, group: str) -> dict[str, int]:
        """`topic/partition` -> next offset, for every partition the group has committed."""
        return {f"{one.topic}/{one.partition}": offset for one, offset in self._committed(group).items()}

    def close(self) -> None:
        """End both connections."""
        self._admin.close()
        self._consumer.close()

    def _committed(self, group: str) -> dict[TopicPartition, int]:
        try:
            offsets = self._admin.list_group_offsets([group]).get(group, {})
        except KafkaError as failure:
            if not failure.retriable:
                raise
            return {}  # the coordinator is still loading: as long as nothing is known, everything counts as waiting
        return {place: one.offset for place, one in offsets.items() if one.offset >= 0}


def _ends(consumer: Consumer, topic: str) -> Iterator[tuple[tuple[str, int], int]]:
    """(topic, partition) -> end offset, for partitions that hold anything."""
    seconds = BOOTSTRAP_MS_MAX / 1000
    for partition in sorted(consumer.list_topics(topic, timeout=seconds).topics[topic].partitions):
        first, end = _watermarks(consumer, Place(topic, partition), time.monotonic() + seconds)
        if first < end:
            yield (topic, partition), end


def _watermarks(consumer: Consumer, place: Place, deadline: float) -> tuple[int, int]:
    """First and end offset. A broker that has just started knows its partitions before it leads them."""
    while True:
        try:
            found = consumer.get_watermark_offsets(
                place, timeout=max(POLL_SECONDS, deadline - time.monotonic())
            )
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
            continue
        if found is not None:
            return int(found[0]), int(found[1])


def _read(consumer: Consumer, place: Place, end: int) -> Iterator[TopicMessage]:
    consumer.assign([place])
    position, idle_seconds = 0, 0.0
    while position < end:
        batch = consumer.consume(min(FETCHED_AT_ONCE, end - position), POLL_SECONDS)
        idle_seconds = 0.0 if batch else idle_seconds + POLL_SECONDS
        if idle_seconds > IDLE_SECONDS_MAX:
            raise TierlinkError("the broker stopped answering while a topic was read")
        for one in batch:
            error = one.error()
            if error is None:
                position = _offset(one) + 1
                if position <= end:
                    yield _as_read(one)
            elif error.code() == ClientError._PARTITION_EOF:
                position = max(position, _offset(one))  # any other error the client mends, or it stays idle


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None, "what was fetched has an offset"
    return offset


def _as_read(message: Message) -> TopicMessage:
    pairs = cast(
        "Iterable[tuple[str, str | bytes | None]]", message.headers() or ()
    )  # always pairs when read
    headers = tuple((name, _bytes(value)) for name, value in pairs)
    key, value = message.key(), message.value()
    topic, partition = message.topic(), message.partition()
    assert topic is not None
    assert partition is not None
    return TopicMessage(topic, partition, _offset(message), key, value, headers, message.timestamp()[1])


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def message_counts(bootstrap: str, topics: Iterable[str]) -> dict[str, int]:
    """Topic -> end offset minus beginning offset over its partitions; absent topics are left out."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        counts = {}
        for topic in topics:
            places = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic) or ()]
            if places:
                ends, starts = consumer.end_offsets(places), consumer.beginning_offsets(places)
                counts[topic] = sum(ends[one] - starts[one] for one in places)
        return counts
    finally:
        consumer.close()


def as_json(message: TopicMessage) -> dict[str, Any]:
    """One message for a line of output: JSON values as they are, sealed ones in base64, a tombstone as null."""
    value: Any = None
    if message.value is not None:
        try:
            value = json.loads(message.value)
        except ValueError:
            value = {"base64": base64.b64encode(message.value).decode()}
    return {
        "partition": message.partition,
        "offset": message.offset,
        "key": (message.key or b"").decode("utf-8", "replace"),
        "headers": {name: part.decode("utf-8", "replace") for name, part in message.headers},
        "value": value,
    }
