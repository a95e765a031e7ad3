"""An independent reader of topics: librdkafka without a group, kafka-python for lag; no step, no linkage."""

import base64
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from confluent_kafka import Consumer, KafkaException, Message
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import TopicPartition as Place
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ops.errors import BrokerError, MissingInput

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


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages of a topic: all, or only those with this key, this old or newer, there, from there on."""

    key: bytes | None = None
    since_ms: int | None = None
    partition: int | None = None
    offset: int | None = None

    def takes(self, message: TopicMessage) -> bool:
        """True for a message that is wanted."""
        return self.key in (None, message.key) and message.timestamp_ms >= (self.since_ms or 0)


def read_topics(bootstrap: str, topics: Iterable[str]) -> Iterator[TopicMessage]:
    """Every message of `topics` up to the end offsets seen at the start, partition by partition in order.

    Topics in the order given; one that does not exist has no messages. Memory stays bounded however long they
    are. Raises BrokerError when the broker does not answer.
    """
    with _reader(bootstrap) as consumer:
        spans = [span for name in topics for span in _spans(consumer, name, Selection())]
        for start, end in spans:
            yield from _read(consumer, start, end)


def read_topic(bootstrap: str, topic: str, selection: Selection, *, follow: bool = False) -> Iterator[TopicMessage]:
    """The messages of one topic that `selection` takes; with `follow` also all that come later, without end.

    Raises MissingInput when there is no such topic or partition, BrokerError as `read_topics`.
    """
    with _reader(bootstrap) as consumer:
        spans = list(_spans(consumer, topic, selection))
        if not spans:
            partition = "" if selection.partition is None else f", partition {selection.partition}"
            raise MissingInput(f"there is no topic {topic}{partition} at {bootstrap}")
        for start, end in spans:
            yield from filter(selection.takes, _read(consumer, start, end))
        if follow:
            consumer.assign([Place(topic, start.partition, max(start.offset, end)) for start, end in spans])
            while True:
                batch = consumer.consume(FETCHED_AT_ONCE, POLL_SECONDS)
                yield from filter(selection.takes, (_as_read(message) for message in batch if message.error() is None))


@contextmanager
def _reader(bootstrap: str) -> Iterator[Consumer]:
    consumer = Consumer({**_READER, "bootstrap.servers": bootstrap})
    try:
        yield consumer
    except KafkaException:
        raise BrokerError("the broker did not answer while a topic was read") from None
    finally:
        consumer.close()


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
            places = [TopicPartition(t, p) for t in topics for p in self._consumer.partitions_for_topic(t) or ()]
            ends, starts = self._consumer.end_offsets(places), self._consumer.beginning_offsets(places)
            written += sum(ends.values())
            committed = self._committed(group)
            behind[group] = sum(max(0, ends[place] - max(committed.get(place, 0), starts[place])) for place in places)
        self.written = written
        return behind

    def ends(self, topics: Iterable[str]) -> dict[str, int]:
        """`topic/partition` -> end offset, of every partition that holds a message."""
        places = [TopicPartition(t, p) for t in topics for p in self._consumer.partitions_for_topic(t) or ()]
        ends, starts = self._consumer.end_offsets(places), self._consumer.beginning_offsets(places)
        return {f"{place.topic}/{place.partition}": ends[place] for place in places if ends[place] > starts[place]}

    def committed(self, group: str) -> dict[str, int]:
        """`topic/partition` -> next offset, for every partition the group has committed."""
        committed = self._committed(group)
        return {f"{place.topic}/{place.partition}": offset for place, offset in committed.items()}

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
        return {place: commit.offset for place, commit in offsets.items() if commit.offset >= 0}


def _spans(consumer: Consumer, topic: str, selection: Selection) -> Iterator[tuple[Place, int]]:
    """Of each partition the place of the first message to read, and its end offset."""
    seconds = BOOTSTRAP_MS_MAX / 1000
    for partition in sorted(consumer.list_topics(topic, timeout=seconds).topics[topic].partitions):
        if selection.partition in (None, partition):
            first, end = _watermarks(consumer, Place(topic, partition), time.monotonic() + seconds)
            start = max(first, selection.offset or 0)
            if selection.since_ms is not None:
                (found,) = consumer.offsets_for_times([Place(topic, partition, selection.since_ms)], seconds)
                start = max(start, found.offset if found.offset >= 0 else end)
            yield Place(topic, partition, start), end


def _watermarks(consumer: Consumer, place: Place, deadline: float) -> tuple[int, int]:
    """First and end offset. A broker that has just started knows its partitions before it leads them."""
    while True:
        try:
            found = consumer.get_watermark_offsets(place, timeout=max(POLL_SECONDS, deadline - time.monotonic()))
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
            continue
        if found is not None:
            return int(found[0]), int(found[1])


def _read(consumer: Consumer, place: Place, end: int) -> Iterator[TopicMessage]:
    if place.offset >= end:
        return
    consumer.assign([place])
    position, idle_seconds = place.offset, 0.0
    while position < end:
        batch = consumer.consume(min(FETCHED_AT_ONCE, end - position), POLL_SECONDS)
        idle_seconds = 0.0 if batch else idle_seconds + POLL_SECONDS
        if idle_seconds > IDLE_SECONDS_MAX:
            raise BrokerError("the broker stopped answering while a topic was read")
        for message in batch:
            error = message.error()
            if error is None:
                position = _offset(message) + 1
                if position <= end:
                    yield _as_read(message)
            elif error.code() == ClientError._PARTITION_EOF:
                position = max(position, _offset(message))  # any other error the client mends, or it stays idle


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None, "what was fetched has an offset"
    return offset


def _as_read(message: Message) -> TopicMessage:
    pairs = cast("Iterable[tuple[str, str | bytes | None]]", message.headers() or ())  # always pairs when read
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
    with _reader(bootstrap) as consumer:
        spans = {topic: list(_spans(consumer, topic, Selection())) for topic in topics}
    return {topic: sum(end - start.offset for start, end in found) for topic, found in spans.items() if found}


def as_json(message: TopicMessage) -> dict[str, object]:
    """One message for a line of output: a JSON value unchanged, a sealed one in base64, a tombstone as null."""
    value: object = None
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
