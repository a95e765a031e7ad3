"""An independent reader of topics: plain kafka-python, no group, no step, no linkage."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ops.errors import TierlinkError

IDLE_SECONDS_MAX = 30.0  # between two answers of a broker that has more to give
BOOTSTRAP_MS_MAX = 60_000  # a two-core machine that starts ten processes answers late


@dataclass(frozen=True, slots=True)
class Read:
    """One message as it stands in a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


def read_topics(bootstrap: str, topics: Iterable[str]) -> Iterator[Read]:
    """Every message of `topics` up to the end offsets seen at the start, partition by partition in order."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        bootstrap_timeout_ms=BOOTSTRAP_MS_MAX,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=16 * 1024 * 1024,
        max_poll_records=5_000,
    )
    try:
        places = [
            TopicPartition(t, p) for t in topics for p in sorted(consumer.partitions_for_topic(t) or ())
        ]
        yield from _read(consumer, places)
    finally:
        consumer.close()


def read_partition(bootstrap: str, topic: str, partition: int) -> list[Read]:
    """Every message of one partition."""
    return [one for one in read_topics(bootstrap, [topic]) if one.partition == partition]


def last_values(messages: Iterable[Read]) -> dict[bytes, Read]:
    """The last message per key, removed keys left out: what compaction will leave."""
    latest: dict[bytes, Read] = {}
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


def _read(consumer: KafkaConsumer, places: list[TopicPartition]) -> Iterator[Read]:
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    open_places = {one for one in places if ends[one] > 0}
    consumer.seek_to_beginning(*places)
    open_places = {one for one in open_places if consumer.position(one) < ends[one]}
    while open_places:
        batch = consumer.poll(timeout_ms=int(IDLE_SECONDS_MAX * 1000))
        if not batch:
            raise TierlinkError("the broker stopped answering while a topic was read")
        for place, messages in batch.items():
            for one in messages:
                if one.offset < ends[place]:
                    headers = tuple((name, value or b"") for name, value in one.headers)
                    yield Read(
                        one.topic, one.partition, one.offset, one.key, one.value, headers, one.timestamp
                    )
        open_places = {one for one in open_places if consumer.position(one) < ends[one]}


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


def as_json(message: Read) -> dict[str, Any]:
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
