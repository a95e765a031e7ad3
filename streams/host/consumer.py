"""Faust's consumer without its streams: record batches go from the fetch straight to the batch runner.

What is overridden, and why, is pinned to faust 0.15.3 by `tests/contracts/test_faust_hooks.py`.

An *assignment number* stands for one uninterrupted time of holding partitions; None while they are being revoked or are
known to be lost. Nothing fetched under one number is processed under another. The consumer thread cannot join the next
generation before `on_partitions_revoked` returns, so waiting there for the work in flight is the whole fence.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import ConsumerRecord
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.transports import TPorTopicSet
from mode import ServiceT

from streams.host.batch import BatchRunner
from streams.host.commit import Partition
from streams.host.membership import HostConsumerThread
from streams.host.producer import AwaitedProducer
from streams.host.settings import HostSettings
from streams.host.state import read_bounds, read_changelog, run_in_daemon_thread
from streams.host.watchdog import HostFacts, clock, halt
from streams.steps.outcome import Message, Stage

FETCH_S = 1.0
ACKNOWLEDGEMENT_WAIT_S = 0.002  # at most; it ends with the first acknowledgement
PAUSE_S = 0.05
STOP_DEADLINE_S = 8.0  # a graceful stop ends within 10 s: this, and 2 s to close


class PartitionsDiffer(RuntimeError):
    """A stage's topics were assigned different partitions: its state would be split between workers."""


@dataclass(frozen=True)
class HostParts:
    """What the host of one stage is made of; hangs on the app as `parts`, where Faust's consumer finds it."""

    stage: Stage
    settings: HostSettings
    facts: HostFacts
    runner: BatchRunner[Any]
    producer: AwaitedProducer


class HostConsumer(driver.Consumer):
    """One worker's consumer. Faust calls `_drain_messages`, the revoke and assign hooks and `wait_empty`."""

    _thread: HostConsumerThread

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As Faust makes it; what it works with hangs on the app."""
        super().__init__(*arguments, **options)
        parts: HostParts = self.app.parts  # type: ignore[attr-defined]  # it is a HostApp
        self._stage, self._settings, self._facts = parts.stage, parts.settings, parts.facts
        self._runner, self._producer = parts.runner, parts.producer
        self._runner.stamp_ms = lambda: self._thread.accepted_ms
        self._numbers = itertools.count(1)
        self._assignment_number: int | None = None
        self._ready_number: int | None = None
        self._generation = 0
        self._fetching: asyncio.Future[Mapping[TP, list[ConsumerRecord]]] | None = None
        self._committing: asyncio.Future[None] | None = None
        self._preparing: asyncio.Future[None] | None = None
        self._seeking = False
        wait_s = 0.0 if self._settings.no_predecessor else self._settings.refused_after_s
        self._send_not_before_s = clock() + wait_s

    def _new_consumer_thread(self) -> HostConsumerThread:
        return HostConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # --- what Faust asks

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Fetch and answer until stopped. Every error ends the process; Faust would stop, and commit."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._run_once()
        except asyncio.CancelledError:
            raise  # Faust stops its fetcher by cancelling it; what is in flight stays in the runner
        except ConsumerStoppedError as error:
            if not self.app.should_stop:
                halt(self._stage.name, at="fetch", error=error)
        except BaseException as error:  # noqa: BLE001  whatever it is, it must not become a graceful stop
            halt(self._stage.name, at="batch", error=error)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Fence, finish and commit what is in flight, only then give the partitions up."""
        self._lose()
        await self._drain(self._settings.batch_deadline_s)
        await super().on_partitions_revoked(revoked)
        self._runner.drop()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """A new assignment, even of the same partitions: state and positions are read again before a fetch."""
        self._assignment_number = next(self._numbers)
        self._facts.assign(recovered=False)
        await super().on_partitions_assigned(assigned, generation_id)

    async def wait_empty(self) -> None:
        """Called on revoke and on stop; Faust would return with our batches in flight."""
        await self._drain(STOP_DEADLINE_S)

    async def perform_seek(self) -> None:
        """Nothing: Faust skips partitions without a commit. `_prepare` seeks every one before a fetch."""

    async def commit(self, topics: TPorTopicSet | None = None, start_new_transaction: bool = True) -> bool:
        """Nothing: offsets are committed by the batch they belong to, and by nobody else."""
        return False

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would report stalled streams, and there are none. The watchdog sees batches."""

    async def on_start(self) -> None:
        """The producer is there before anything is fetched."""
        self._producer.start()
        await super().on_start()

    async def on_stop(self) -> None:
        """What was in flight is finished before this returns, and the producer is closed."""
        await super().on_stop()
        self._producer.stop()

    # --- one round

    async def _run_once(self) -> None:
        number = self._assignment_number
        if number is None or not self.flow_active:
            await asyncio.sleep(PAUSE_S)
        elif number != self._ready_number:
            await self._no_fetch()
            await self._prepared(number)
        elif active := set(self._get_active_partitions()):
            await self._pump(active, number)
        else:
            await asyncio.sleep(PAUSE_S)  # more workers than partitions; max_poll_interval is out of reach

    def _holds(self, number: int) -> bool:
        """The partitions are still held under this number, and flow is on; checked after every wait."""
        return number == self._assignment_number and self.flow_active and not self.app.should_stop

    async def _pump(self, active: set[TP], number: int) -> None:
        """One round: what was fetched is dispatched, what is in flight advances, more is fetched meanwhile."""
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._getmany(active, FETCH_S))
        if self._is_idle():
            await asyncio.wait({self._fetching}, timeout=FETCH_S)
        if self._fetching.done() and not self._holds(number):
            await asyncio.sleep(PAUSE_S)  # `_no_fetch` drops it: its error may be of positions not sought yet
        elif self._fetching.done() and not self._runner.is_full():
            fetched, self._fetching = self._fetching.result(), None
            if fetched:
                await self._dispatch(fetched, number)
            return
        await self._advance()

    def _is_idle(self) -> bool:
        """Nothing is in flight or being sought, and all that was acknowledged is committed, or lost to us."""
        runner = self._runner
        return not (runner.progress.flights or self._committing or self._seeking or runner.committable())

    async def _no_fetch(self) -> None:
        """No fetch is under way: it would take the first messages of the positions sought next."""
        if self._fetching is not None:
            await asyncio.wait({self._fetching})
            fetch, self._fetching = self._fetching, None
            if not fetch.cancelled():
                fetch.exception()  # whatever it was, the next fetch meets it too

    async def _dispatch(self, fetched: Mapping[TP, list[ConsumerRecord]], number: int) -> None:
        """The fetched messages, task by task, in the order of their offsets, in batches of about `batch_s`."""
        in_order = sorted(fetched, key=lambda part: (part.partition, self._stage.reads.index(part.topic)))
        messages = self._runner.fresh(_message(record) for part in in_order for record in fetched[part])
        while messages and self._holds(number):
            if self._runner.is_full():
                await self._advance()
                continue
            self._facts.in_flight_since(self._runner.since_s() or clock())
            messages = messages[self._runner.dispatch(messages[: self._runner.pace.size()]) :]
            await self._advance()
        self._report_lag()

    async def _advance(self) -> None:
        """Acknowledgements that have come are acted upon; one commit at a time follows them."""
        runner = self._runner
        runner.advance(ACKNOWLEDGEMENT_WAIT_S if runner.is_full() or self._fetching else 0.0)
        self._facts.in_flight_since(runner.since_s())
        if self._committing is None and (offsets := runner.committable()):
            self._committing = asyncio.ensure_future(self._to_its_end(self._commit_owned(offsets)))
        await asyncio.sleep(0)

    async def _drain(self, deadline_s: float) -> None:
        """Returns when nothing is left to wait for; past the deadline, or on any error, the process ends."""
        ends_s = clock() + deadline_s
        while not self._is_idle():
            if clock() > ends_s:
                halt(self._stage.name, at="drain")
            if self._seeking and self._preparing is not None:
                await asyncio.wait({self._preparing}, timeout=PAUSE_S)
            await self._to_its_end(self._advance())

    async def _to_its_end(self, work: Coroutine[object, object, None]) -> None:
        """Not to be cancelled with the fetcher; whatever it raises ends the process."""
        try:
            await work
        except asyncio.CancelledError:
            raise  # the loop is being closed: nothing comes after
        except BaseException as error:  # noqa: BLE001  whatever it is, nothing may be committed after it
            halt(self._stage.name, at="batch", error=error)

    async def _prepared(self, number: int) -> None:
        """One preparation at a time, which outlives the fetcher: state is read to the end, or given up."""
        if self._preparing is None:
            self._facts.begin_restore()
            self._preparing = asyncio.ensure_future(self._to_its_end(self._prepare(number)))
        await asyncio.wait({self._preparing})
        self._preparing = None
        self._facts.end_restore()

    async def _prepare(self, number: int) -> None:
        """State of every task read back, every partition at its committed offset: only then a fetch."""
        self._generation = self.app.consumer_generation_id
        tasks = assigned_tasks(self._stage, ensure_TPset(self.assignment()))
        elements = await self._elements(tasks, number)
        if elements is None:
            return
        states = await run_in_daemon_thread(lambda: self._runner.restore(elements))
        if not await self._may_send(number):
            return
        self._seeking = True
        bounds = await read_bounds(self.assignment(), settings=self._settings)
        positions = await self._thread.call_thread(self._thread.seek_to_start, bounds)
        self._runner.begin(states, positions)
        self._ready_number = number
        self._seeking = False
        if self._holds(number):
            self._facts.assign(recovered=True)

    async def _may_send(self, number: int) -> bool:
        """True once nothing of a killed predecessor can arrive any more, and the broker counts us in.

        Whatever a process of this id had sent before it was killed has arrived by then, or is refused: if it arrived
        after our messages, it would be the last value. False when the partitions are no longer held.
        """
        await asyncio.sleep(max(0.0, self._send_not_before_s - clock()))
        while self._holds(number):
            if await self._thread.call_thread(self._thread.membership_confirmed):
                return self._holds(number)
            await asyncio.sleep(PAUSE_S)
        return False

    async def _elements(self, tasks: set[int], number: int) -> Mapping[int, Mapping[bytes, bytes]] | None:
        if self._stage.changelog is None:
            return {task: {} for task in tasks}
        return await read_changelog(
            self._stage.changelog,
            tasks,
            settings=self._settings,
            given_up=lambda: not self._holds(number),
        )

    async def _commit_owned(self, offsets: Mapping[Partition, int]) -> None:
        thread, number = self._thread, self._ready_number
        self._runner.check_fence()
        owned = await thread.call_thread(thread.commit_owned, offsets, self._generation)
        self._committing = None
        if number != self._ready_number:
            return
        if not owned and self._runner.progress.flights:
            halt(self._stage.name, at="lost")  # what is in flight must not arrive after the new owner's
        if not owned:
            self._lose()
            self._runner.drop()
            return
        self._runner.committed(offsets)
        committed = {TP(*partition): offset for partition, offset in offsets.items()}
        self._committed_offset.update(committed)
        self.app.monitor.on_tp_commit(committed)

    def _lose(self) -> None:
        self._assignment_number = None
        self._facts.revoke()

    def _report_lag(self) -> None:
        lag: Counter[str] = Counter()
        for partition in self._get_active_partitions():
            end = self.highwater(partition)
            if end is not None:
                lag[partition.topic] += max(
                    0, end - self._runner.progress.position((partition.topic, partition.partition))
                )
        for topic, messages in lag.items():
            self._runner.metrics.lag(topic, messages)


def assigned_tasks(stage: Stage, assignment: Collection[Partition]) -> set[int]:
    """The tasks of an assignment. Raises PartitionsDiffer unless all topics of the stage have the same."""
    held = {topic: {number for name, number in assignment if name == topic} for topic in stage.reads}
    tasks = set().union(*held.values())
    if any(numbers != tasks for numbers in held.values()):
        raise PartitionsDiffer(stage.name)
    return tasks


def _message(record: ConsumerRecord) -> Message:
    """Made as `Message(...)` makes it, without the call of Python in between: half the time."""
    fields = (
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        record.headers,
        record.timestamp,
    )
    return tuple.__new__(Message, fields)
