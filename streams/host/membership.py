"""Our part of the thread in which aiokafka runs: membership in the group, commits, positions.

What is overridden, and why, is pinned by `tests/contracts/test_faust_hooks.py`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.consumer import RecordMap
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.host.commit import Partition
from streams.host.watchdog import now_ms

logger = logging.getLogger(__name__)

FETCH_WAIT_MS = 100


class CommittedBeyondEnd(RuntimeError):
    """The committed offset lies past the end of the partition: the topic was made anew, or lost its tail."""


class HostConsumerThread(driver.AIOKafkaConsumerThread):
    """What runs beside aiokafka, in the thread and loop of its consumer."""

    accepted_ms = 0  # when the group is known to have counted us in: the Kafka time of all we send
    _beat: Callable[[], Awaitable[bool]] | None = None

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        # A fetch waiting on the broker delays every partition asked for after it. Faust waits 1,500 ms a hop.
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - as Faust calls it
        max_records: int | None = None,
    ) -> RecordMap:
        # Faust asks only the fetcher, and never learns what ended the membership (a second worker of its id).
        consumer._coordinator.check_errors()
        return await super()._fetch_records(consumer, active_partitions, timeout, max_records)

    async def commit_owned(self, offsets: Mapping[Partition, int], generation: int) -> bool:
        """Committed as this member of this generation; False when the partitions are not ours. KafkaError."""
        consumer = self._ensure_consumer()
        wanted = {TopicPartition(*part): OffsetAndMetadata(offset, "") for part, offset in offsets.items()}
        if consumer._coordinator.generation != generation or not wanted.keys() <= consumer.assignment():
            return False
        try:
            await consumer.commit(wanted)
        except CommitFailedError:  # only raised for "has already rebalanced"
            return False
        return True

    def watch_heartbeats(self) -> None:
        """From now on `accepted_ms` is when the last heartbeat was sent that the broker plainly accepted.

        "A rebalance is under way" is no such answer: the partitions may go before the session is over.
        """
        coordinator = self._ensure_consumer()._coordinator
        beat = coordinator._do_heartbeat
        if beat is self._beat:
            return

        async def noted() -> bool:
            sent_ms = now_ms()
            accepted = bool(await beat())
            if accepted and not coordinator._rejoin_needed_fut.done():
                self.accepted_ms = sent_ms
            return accepted

        self._beat = coordinator._do_heartbeat = noted

    async def membership_confirmed(self) -> bool:
        """A heartbeat of this moment was accepted: `accepted_ms` belongs to this generation. KafkaError."""
        self.accepted_ms = 0
        self.watch_heartbeats()
        await self._ensure_consumer()._coordinator._do_heartbeat()
        return self.accepted_ms > 0

    async def seek_to_start(self, bounds: Mapping[Partition, tuple[int, int]]) -> dict[Partition, int]:
        """Every partition stands at its committed offset, or its first. CommittedBeyondEnd, KafkaError."""
        consumer = self._ensure_consumer()
        positions = {}
        for partition, (first, end) in bounds.items():
            committed = await consumer.committed(TopicPartition(*partition))
            positions[partition] = start_position(partition, committed, first=first, end=end)
            consumer.seek(TopicPartition(*partition), positions[partition])
        return positions


def start_position(partition: Partition, committed: int | None, *, first: int, end: int) -> int:
    """Where a partition is read from: the committed offset, else its first. Raises CommittedBeyondEnd.

    What was not read below the first offset has expired; nothing brings it back, so it is logged, not fatal.
    """
    if committed is None:
        return first
    if committed > end:
        raise CommittedBeyondEnd(f"{partition[0]}/{partition[1]}")
    if committed < first:
        logger.error("messages expired unread: %s/%s from %s to %s", *partition, committed, first)
    return max(first, committed)
