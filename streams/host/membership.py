"""Our part of the thread in which aiokafka runs: membership in the group, commits, positions.

What is overridden, and why, is pinned by `tests/contracts/test_faust_hooks.py`.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, GroupLoadInProgressError, NotCoordinatorForGroupError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
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
    _send: Callable[[Any], Awaitable[Any]] | None = None

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

    def refuse_failed_answers(self) -> None:
        """From now on an answer about committed offsets that failed is an error, and is asked for again.

        aiokafka reads the errors of the partitions, not that of the answer: "still loading", as after a restart of
        the broker, names no partition and would mean "never committed", and everything would be read again.
        """
        coordinator = self._ensure_consumer()._coordinator
        send = coordinator._send_req
        if send is self._send:
            return

        async def checked(request: Any) -> Any:
            answer = await send(request)
            if isinstance(request, OffsetFetchRequest):
                try:
                    check_offsets_answer(answer)
                except NotCoordinatorForGroupError:
                    coordinator.coordinator_dead()
                    raise
            return answer

        self._send = coordinator._send_req = checked

    async def seek_to_start(self, bounds: Mapping[Partition, tuple[int, int]]) -> dict[Partition, int]:
        """Every partition stands at its committed offset, or its first. CommittedBeyondEnd, KafkaError."""
        consumer = self._ensure_consumer()
        self.refuse_failed_answers()
        positions = {}
        for partition, (first, end) in bounds.items():
            committed = await consumer.committed(TopicPartition(*partition))
            positions[partition] = start_position(partition, committed, first=first, end=end)
            consumer.seek(TopicPartition(*partition), positions[partition])
        return positions


def check_offsets_answer(answer: Any) -> None:
    """An answer to OffsetFetch without an error, in whole or in part: -1 in it means never committed. KafkaError."""
    codes = [getattr(answer, "error_code", 0), *(code for _, parts in answer.topics for *_, code in parts)]
    if failed := next(filter(None, codes), 0):
        raise for_code(failed)
    if not any(parts for _, parts in answer.topics):
        raise GroupLoadInProgressError  # an answer about nothing: ask again


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
