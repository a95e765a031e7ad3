"""Reading a task's state back from its changelog partition, to the end offset of that moment."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.host.commit import Partition
from streams.host.settings import HostSettings

POLL_MS = 250
RECORDS_MAX = 2_000
FETCH_BYTES_MAX = 4 * 2**20

Elements = dict[bytes, bytes]


async def read_bounds(
    partitions: Iterable[Partition], *, settings: HostSettings
) -> dict[Partition, tuple[int, int]]:
    """First and end offset of each partition, now. Asked over a connection of its own. Raises KafkaError.

    On the connection of the group's consumer each question would wait behind its running fetch.
    """
    asked = [TopicPartition(*partition) for partition in partitions]
    if not asked:
        return {}
    consumer = _reader(settings)
    await consumer.start()
    try:
        firsts = await consumer.beginning_offsets(asked)
        ends = await consumer.end_offsets(asked)
    finally:
        await consumer.stop()
    return {(one.topic, one.partition): (firsts[one], ends[one]) for one in asked}


async def read_changelog(
    topic: str, tasks: Collection[int], *, settings: HostSettings, given_up: Callable[[], bool]
) -> dict[int, Elements] | None:
    """The last value per key of each task's partition, removed keys left out; None once `given_up` is true.

    Ends by *position* reaching the end offset read at the start, never by seeing a certain record: the last
    one may have been a tombstone compacted away, a transaction marker, or retention may have emptied the
    partition. Raises KafkaError.
    """
    bounds = await read_bounds([(topic, task) for task in tasks], settings=settings)
    unread = {TopicPartition(*part): end for part, (first, end) in bounds.items() if first < end}
    elements: dict[int, Elements] = {task: {} for task in tasks}
    if not unread:
        return elements
    consumer = _reader(settings)
    await consumer.start()
    try:
        return elements if await _read(consumer, unread, elements, given_up) else None
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer,
    unread: Mapping[TopicPartition, int],
    elements: Mapping[int, Elements],
    given_up: Callable[[], bool],
) -> bool:
    consumer.assign(list(unread))
    await consumer.seek_to_beginning(*unread)
    while unread:
        if given_up():
            return False
        fetched = await consumer.getmany(*unread, timeout_ms=POLL_MS, max_records=RECORDS_MAX)
        for partition, records in fetched.items():
            _fold(elements[partition.partition], records)
        unread = {part: end for part, end in unread.items() if await consumer.position(part) < end}
    return True


def _fold(elements: Elements, records: Sequence[Any]) -> None:
    for record in records:
        assert record.key is not None, "a state element has a key"
        if record.value is None:
            elements.pop(record.key, None)
        else:
            elements[record.key] = record.value


def _reader(settings: HostSettings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        request_timeout_ms=int(settings.request_timeout_s * 1000),
    )
