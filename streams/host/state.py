"""Reading a task's state back from its changelog partition, to the end offset of that moment."""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from confluent_kafka import Message as Record

from schemas.topics import MESSAGE_BYTES_MAX
from streams.host.commit import Partition
from streams.host.settings import HostSettings

POLL_S = 0.25
RECORDS_MAX = 10_000
QUEUED_KIB_MAX = 64 * 1024
BOUNDS_S = 10.0

Elements = dict[bytes, bytes]
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class StateUnreadable(RuntimeError):
    """A changelog partition gave an error."""

    def __init__(self, error: KafkaError) -> None:
        self.kafka_error = str(error.name())
        super().__init__(self.kafka_error)


async def read_bounds(partitions: Iterable[Partition], *, settings: HostSettings) -> dict[Partition, tuple[int, int]]:
    """First and end offset of each partition, now. Asked over a connection of its own. Raises KafkaException.

    On the connection of the group's consumer each question would wait behind its running fetch.
    """
    return await run_in_daemon_thread(lambda: _bounds(sorted(partitions), settings))


async def read_changelog(
    topic: str, tasks: Collection[int], *, settings: HostSettings, given_up: Callable[[], bool]
) -> dict[int, Elements] | None:
    """The last value per key of each task's partition, removed keys left out; None once `given_up` is true.

    Ends when reading has come to the end offset asked at the start, never by seeing a certain record: the
    last one may have been a tombstone compacted away, a transaction marker, or retention may have emptied the
    partition. Raises KafkaException, StateUnreadable.
    """
    bounds = await read_bounds([(topic, task) for task in tasks], settings=settings)
    unread = {task: bounds[topic, task][1] for task in tasks if bounds[topic, task][0] < bounds[topic, task][1]}
    elements: dict[int, Elements] = {task: {} for task in tasks}
    if not unread:
        return elements
    done = await run_in_daemon_thread(lambda: _read(topic, unread, elements, settings, given_up))
    return elements if done else None


def _bounds(partitions: Sequence[Partition], settings: HostSettings) -> dict[Partition, tuple[int, int]]:
    if not partitions:
        return {}
    consumer = Consumer(reader_settings(settings), logger=logger)
    try:
        return {partition: _watermarks(consumer, partition) for partition in partitions}
    finally:
        consumer.close()


def _watermarks(consumer: Consumer, partition: Partition) -> tuple[int, int]:
    first, end = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=BOUNDS_S, cached=False)
    return int(first), int(end)


def _read(
    topic: str,
    unread: dict[int, int],
    elements: dict[int, Elements],
    settings: HostSettings,
    given_up: Callable[[], bool],
) -> bool:
    """On a thread of its own: two million elements take seconds, and the loop has to tick meanwhile."""
    consumer = Consumer(reader_settings(settings), logger=logger)
    try:
        consumer.assign([TopicPartition(topic, task, OFFSET_BEGINNING) for task in unread])
        while unread:
            if given_up():
                return False
            for record in consumer.consume(RECORDS_MAX, POLL_S):
                _fold(record, elements, unread)
    finally:
        consumer.close()
    return True


def _fold(record: Record, elements: dict[int, Elements], unread: dict[int, int]) -> None:
    task, error = record.partition(), record.error()
    assert task is not None, "assigned by number"
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:
            raise StateUnreadable(error)
        unread.pop(task, None)  # nothing is left to read, whatever the last offsets once held
        return
    key, value, offset = record.key(), record.value(), record.offset()
    assert isinstance(key, bytes), "a state element has a key"
    if value is None:
        elements[task].pop(key, None)
    else:
        elements[task][key] = value  # bytes: no deserialiser was given
    if offset is not None and offset + 1 >= unread.get(task, 0):
        unread.pop(task, None)


def reader_settings(settings: HostSettings) -> dict[str, str | int | bool]:
    """A consumer without a group: librdkafka wants a name, and neither joins nor commits under it."""
    return {
        "bootstrap.servers": settings.bootstrap,
        "group.id": f"{settings.worker_id}.state",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "isolation.level": "read_uncommitted",
        "queued.max.messages.kbytes": QUEUED_KIB_MAX,
        "fetch.message.max.bytes": 4 * 2**20,
        "receive.message.max.bytes": 8 * MESSAGE_BYTES_MAX,
        "reconnect.backoff.max.ms": 1_000,
    }


async def run_in_daemon_thread(work: Callable[[], Result]) -> Result:
    """What `work` returns, or the error it raises; the loop ticks meanwhile.

    Not `asyncio.to_thread`: its threads are joined at exit, and a worker that gets SIGTERM while it
    reads a million elements has ten seconds.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  raised again where it was asked for
            errors.append(error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=run, name="daemon-work", daemon=True).start()
    await ended.wait()
    if errors:
        raise errors[0]
    return results[0]
