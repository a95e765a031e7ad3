"""What the contenders of `tierlink bench host` run on, and what is checked after each run."""

import hashlib
import time
from collections.abc import Callable, Iterator

from confluent_kafka import Consumer, KafkaException, TopicPartition
from kafka import KafkaAdminClient

from ops.admin.bulk_writer import NOW_MS, write_all
from ops.admin.topic_reader import read_topics
from ops.errors import TierlinkError
from ops.lab.bench.host_hop import BEGAN_HEADER, SOURCE_HEADER, Hop

PARTITIONS = 12
VALUE_BYTES = 1_000
KEY_BYTES = 24
OCCURRENCES = 2  # of each key, half the input apart: no batch can fold two of them into one state record
VALUES = 64  # different values are enough; nobody compresses
CALL_S = 10.0
POLL_S = 0.02
DELETE_DELAY_MS = "1000"  # until a deleted segment leaves the disk; a round writes a gigabyte
QUIET = {"log_level": 2}  # librdkafka's own lines: only what is critical


class Disqualified(TierlinkError):
    """A contender did not do the whole work; its speed says nothing."""


class HopTopics:
    """Topics on one broker. Everything it counts, it reads from the broker itself."""

    def __init__(self, bootstrap: str) -> None:
        """Connects. Raises KafkaError."""
        self.bootstrap = bootstrap
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def close(self) -> None:
        """Connections are closed; topics stay."""
        self._admin.close()

    def fill(self, topic: str, events: int) -> None:
        """A new topic that holds `events` messages, the same ones each time, in all partitions alike."""
        self._create({topic: {}})
        write_all(
            self.bootstrap,
            ((topic, partition, key, value, NOW_MS, ()) for partition, key, value in messages(events)),
        )
        if self.count(topic) != events:
            raise Disqualified("the input could not be written")

    def prepare(self, hop: Hop) -> None:
        """The topics of one run exist and are empty."""
        self._create({hop.writes: {}, hop.dead_letter: {}, hop.changelog: {"cleanup.policy": "compact"}})

    def clear(self, hop: Hop) -> None:
        """Every topic that the run has made is gone: a round leaves no room on the disk taken."""
        ours = [name for name in self._admin.list_topics() if belongs(name, hop)]
        self._admin.delete_topics(ours)

    def until_committed(self, hop: Hop, *, alive: Callable[[], bool], deadline_s: float) -> float:
        """Waits for the last commit; the moment it was seen (monotonic, 20 ms late at most).

        Raises Disqualified when the contender ends before, or at the deadline.
        """
        partitions = [TopicPartition(hop.reads, number) for number in range(hop.partitions)]
        end_s = time.monotonic() + deadline_s
        watcher = Consumer({"bootstrap.servers": self.bootstrap, "group.id": hop.group, **QUIET})
        try:
            while time.monotonic() < end_s:
                if committed_count(watcher, partitions) >= hop.events:
                    return time.monotonic()
                if not alive():
                    raise Disqualified(f"{hop.name} ended before it had committed everything")
                time.sleep(POLL_S)
        finally:
            watcher.close()
        raise Disqualified(f"{hop.name} had not committed everything after {deadline_s:.0f} s")

    def count(self, topic: str) -> int:
        """How many records were ever appended to the topic."""
        return sum(self._ends(topic))

    def verify(self, hop: Hop) -> int:
        """The run did all of the work; how many state records it wrote. Raises Disqualified."""
        outputs = self.count(hop.writes)
        if outputs != hop.events:
            raise Disqualified(f"{hop.name}: {outputs} outputs of {hop.events} messages")
        first = next(read_topics(self.bootstrap, [hop.writes]))
        named = {name for name, _ in first.headers}
        if len(first.value or b"") != VALUE_BYTES or not {SOURCE_HEADER, BEGAN_HEADER} <= named:
            raise Disqualified(f"{hop.name}: an output is not the message with its headers")
        changelog = read_topics(self.bootstrap, [self._changelog_of(hop)])
        counts = {record.key: int(record.value or b"0") for record in changelog}
        if sum(counts.values()) != hop.events or len(counts) != keys_of(hop.events):
            raise Disqualified(f"{hop.name}: the state in the changelog is not the count of every key")
        return self.count(self._changelog_of(hop))

    def _changelog_of(self, hop: Hop) -> str:
        """The topic given, or the one that Quix Streams makes for itself."""
        made_by_quix = [name for name in self._admin.list_topics() if name.startswith(f"changelog__{hop.group}-")]
        return made_by_quix[0] if made_by_quix else hop.changelog

    def _create(self, topics: dict[str, dict[str, str]]) -> None:
        specifications = {
            name: {
                "num_partitions": PARTITIONS,
                "replication_factor": 1,
                "configs": {"file.delete.delay.ms": DELETE_DELAY_MS, **configs},
            }
            for name, configs in topics.items()
        }
        self._admin.create_topics(specifications, wait_for_metadata=True)

    def _ends(self, topic: str) -> list[int]:
        settings = {"bootstrap.servers": self.bootstrap, "group.id": "bench-reader", **QUIET}
        reader = Consumer({**settings, "enable.auto.commit": False})
        try:
            numbers = reader.list_topics(topic, CALL_S).topics[topic].partitions
            places = [TopicPartition(topic, number) for number in sorted(numbers)]
            return [reader.get_watermark_offsets(place, CALL_S)[1] for place in places]
        finally:
            reader.close()


def messages(events: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, key and value of every message of the input; the same for the same number, always."""
    keys = keys_of(events)
    names = [hashlib.sha256(b"%d" % number).hexdigest()[:KEY_BYTES].encode() for number in range(keys)]
    values = [_value(number) for number in range(VALUES)]
    for number in range(events):
        key = number % keys
        yield key % PARTITIONS, names[key], values[number % VALUES]


def keys_of(events: int) -> int:
    """How many different keys an input of this size has."""
    return -(-events // OCCURRENCES)


def belongs(topic: str, hop: Hop) -> bool:
    """True when this run has made the topic."""
    return topic.startswith((f"{hop.name}.", f"changelog__{hop.group}-", f"{hop.group}-"))


def _value(number: int) -> bytes:
    text = b'{"number":%d,"text":"' % number
    letters = hashlib.shake_256(text).hexdigest(VALUE_BYTES).encode()
    return text + letters[: VALUE_BYTES - len(text) - 2] + b'"}'


def committed_count(watcher: Consumer, partitions: list[TopicPartition]) -> int:
    """How many messages of these partitions the group of `watcher` has committed."""
    try:
        return sum(max(0, place.offset) for place in watcher.committed(partitions, CALL_S))
    except KafkaException:  # the very first group of a broker waits for its coordinator
        return 0
