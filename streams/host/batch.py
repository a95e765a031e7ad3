"""Batches in flight, each in the order that makes loss impossible: claims, outputs, state, commit, each acknowledged.

So what was published is claimed, an element of state that is there proves that its outputs are there, and a committed
offset proves both.
Which flight may take its next step is decided by `commit.Progress`; here it is done. Nothing in this module
waits: `dispatch` and `advance` return, and are called again.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Generic, Protocol

from streams.host.commit import Flight, Partition, Progress
from streams.host.delivered import PARTITION_OF, DeliveredMarker
from streams.host.watchdog import clock
from streams.metrics import BEGAN_HEADER, SHAPES, StageMetrics, StageTally, began_ms
from streams.steps.outcome import (
    Change,
    Claim,
    Emit,
    Message,
    MessageByMessage,
    Outcome,
    Reject,
    Release,
    S,
    Stage,
    Step,
    dead_letter,
    source_of,
)

# What a batch goes through, in this order; `BatchRunner.observe` is called with the name of each as it is reached.
BATCH_PHASES = (
    "delivered",
    "claims_sent",
    "claims_acknowledged",
    "outputs_sent",
    "outputs_acknowledged",
    "state_sent",
    "state_acknowledged",
    "committed",
)
SOURCE_HEADER = "src"  # which message caused this one: topic/partition/offset
GENERATION = b"generation"  # the element of a changelog that is the host's
BATCH_FIRST = 5  # until the pace is known: few enough that the slowest step ends its first batch in time
# People of one batch, 1 to 2 ms each, beyond those of its last message: a tick is about many.
ANSWERS_MAX = 200
FLIGHTS_MAX = 5  # one being answered, one waiting for each acknowledgement, one for the commit

OFFSET_OF = attrgetter("offset")

Advanced = Sequence[tuple[Outcome, ...]]  # what each message led to at once
Headers = list[tuple[str, str | bytes | None]]  # as librdkafka takes them
NO_HEADERS: Headers = []
Sendable = tuple[str, int, bytes | None, bytes | None, Headers]  # topic, partition, key, value


class GenerationTooLow(RuntimeError):
    """The changelog is of a higher generation than the worker's setting: its answers would look older than they are."""


class OutputProducer(Protocol):
    """What a batch needs of a producer."""

    def send(self, messages: Sequence[Sendable], *, stamp_ms: int) -> None:
        """Handed over, in order within a partition."""
        ...

    def is_clear(self) -> bool:
        """Everything handed over is on the broker; raises when something never will be."""
        ...

    def poll(self, wait_s: float) -> None:
        """Acknowledgements that came meanwhile are counted."""
        ...


@dataclass
class Pace:
    """How many messages make a batch of about `batch_s` seconds: a slow step still answers a rebalance."""

    batch_s: float
    batch_max: int
    _size: int = BATCH_FIRST

    def size(self) -> int:
        """At least one, at most `batch_max`."""
        return max(1, min(self._size, self.batch_max))

    def took(self, messages: int, seconds: float) -> None:
        """Measured; grows at most twofold at a time."""
        fitting = int(messages * self.batch_s / max(seconds, 1e-6))
        self._size = min(fitting, 2 * self.size())


@dataclass
class BatchAnswer:
    """What a batch leads to, in the order of its messages. `released`: claims to be removed with the state."""

    claims: list[Sendable] = field(default_factory=list)
    outputs: list[Sendable] = field(default_factory=list)
    changes: list[Sendable] = field(default_factory=list)
    released: list[Sendable] = field(default_factory=list)

    def claim(self, claim: Sendable) -> None:
        """Claims leave first: what was released before in this batch and is claimed again must not be removed after."""
        if self.released:
            self.released = [release for release in self.released if release[:3] != claim[:3]]
        self.claims.append(claim)


@dataclass(eq=False)
class InFlightBatch:
    """What is sent for one flight, and what has become of it."""

    flight: Flight
    answer: BatchAnswer
    tally: StageTally
    since_s: float
    claims_sent: bool = False

    def claimed(self) -> set[tuple[int, bytes | None]]:
        """The claims by task and key."""
        return {(claim[1], claim[2]) for claim in self.answer.claims}


@dataclass
class BatchRunner(Generic[S]):
    """Holds the state of the tasks of one assignment, answers batches and sees them through.

    `generation` is noted in the changelog of each task before its first output. `stamp_ms` gives the Kafka time
    of what is sent. `observe` is called with each of BATCH_PHASES. Whatever a method raises, nothing that was not
    acknowledged has become committable, and the caller ends the process.
    """

    stage: Stage
    step: Step[S]
    seal_dead_letter: Callable[[Message, str], bytes]
    producer: OutputProducer
    marker: DeliveredMarker
    metrics: StageMetrics
    observe: Callable[[str], None]
    check_fence: Callable[[], None]
    pace: Pace
    stamp_ms: Callable[[], int] = lambda: 0  # 0: not counted in yet
    generation: int = 0
    states: dict[int, S] = field(default_factory=dict)
    progress: Progress = field(default_factory=lambda: Progress({}))
    _in_flight: deque[InFlightBatch] = field(default_factory=deque)
    _acknowledged: StageTally = field(default_factory=StageTally)
    _of_generation: set[int] = field(default_factory=set)  # tasks whose changelog says so

    def restore(self, elements: Mapping[int, Mapping[bytes, bytes]]) -> dict[int, S]:
        """Each task's state from its elements. May run on a thread while nothing is assigned to this runner.

        A million long-lived objects are made: the collector of cycles would walk them again and again. Raises
        GenerationTooLow.
        """
        self._of_generation = {task for task, by_key in elements.items() if self._is_noted(by_key)}
        gc.unfreeze()
        gc.disable()
        try:
            return {task: self.step.restore(_of_step(by_key)) for task, by_key in elements.items()}
        finally:
            gc.enable()
            gc.freeze()

    def _is_noted(self, elements: Mapping[bytes, bytes]) -> bool:
        noted = int(elements.get(GENERATION, b"0"))
        if noted > self.generation:
            raise GenerationTooLow(f"generation {self.generation}, where the changelog has {noted}")
        return noted == self.generation

    def begin(self, states: dict[int, S], positions: Mapping[Partition, int]) -> None:
        """A new assignment with the state of each task; input begins at the positions."""
        self.drop()
        self.states = states
        self.progress = Progress(dict(positions))

    def drop(self) -> None:
        """The assignment is over: nothing of it may be used again."""
        self.states, self.progress = {}, Progress({})
        self._in_flight, self._acknowledged = deque(), StageTally()

    def fresh(self, messages: Iterable[Message]) -> list[Message]:
        """Those not delivered before in this assignment. Raises NotAssigned."""
        is_new = self.progress.is_new
        return [message for message in messages if is_new((message.topic, message.partition), message.offset)]

    def is_full(self) -> bool:
        """As many batches are in flight as may be."""
        return self.progress.flights >= FLIGHTS_MAX

    def since_s(self) -> float | None:
        """When the oldest batch in flight was dispatched; None when there is none."""
        return self._in_flight[0].since_s if self._in_flight else None

    def dispatch(self, messages: Sequence[Message]) -> int:
        """The messages have been answered, and their outputs sent unless something before them is waited for.

        Returns how many: not all where the first lead to ANSWERS_MAX answers; the caller gives the others again.
        """
        since_s = clock()
        advanced = self._advanced(messages)
        messages = messages[: len(advanced)]
        last_offsets = dict(zip(map(PARTITION_OF, messages), map(OFFSET_OF, messages), strict=True))
        self.metrics.redelivered(self.marker.mark(messages))
        flight = self.progress.deliver(last_offsets)
        self.observe("delivered")
        self._in_flight.append(InFlightBatch(flight, *self._answer(messages, advanced), since_s))
        self.pace.took(len(messages), clock() - since_s)
        if self.producer.is_clear():
            self._send_claims()
        return len(messages)

    def advance(self, wait_s: float) -> None:
        """Every flight has taken the steps it may take; waits so long for acknowledgements to come."""
        self.producer.poll(wait_s)
        while self.producer.is_clear() and self._wave():
            pass

    def committable(self) -> dict[Partition, int]:
        """The offsets that may be committed now; empty when there is nothing new."""
        return self.progress.committable(self.progress.partitions())

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """The broker has accepted these offsets."""
        self.progress.commit(offsets)
        self.observe("committed")
        self.metrics.answered(self._acknowledged)
        self._acknowledged = StageTally()

    def _advanced(self, messages: Sequence[Message]) -> list[tuple[Outcome, ...]]:
        """What the step makes of each message, up to the one with which enough waits to be answered together."""
        outcomes, waiting = list[tuple[Outcome, ...]](), dict[int, int]()
        states, advance, gathers = self.states, self.step.advance, not isinstance(self.step, MessageByMessage)
        for message in messages:
            task = message.partition
            states[task], found = advance(states[task], message)
            outcomes.append(found)
            if gathers:
                waiting[task] = self.step.waiting(states[task])
                if sum(waiting.values()) >= ANSWERS_MAX:
                    break
        return outcomes

    def _answer(self, messages: Sequence[Message], advanced: Advanced) -> tuple[BatchAnswer, StageTally]:
        """What the step made of each message, then what it makes of those of each task together."""
        answer, tally, states = BatchAnswer(), StageTally(ages=self.stage.last), self.states
        shapes = [
            self._note(answer, tally, message, outcomes) if outcomes else 0
            for message, outcomes in zip(messages, advanced, strict=True)
        ]
        tasks = {message.partition: None for message in messages}
        if self.stage.changelog is not None and not self._of_generation.issuperset(tasks):
            answer.claims[:0] = self._notes(self.stage.changelog, tasks.keys() - self._of_generation)
        together = [found for task in tasks for found in self.step.finish(states[task])]
        if together:
            numbers = {message[:3]: number for number, message in enumerate(messages)}  # by topic, partition, offset
            for message, outcomes in together:
                shapes[numbers[message[:3]]] |= self._note(answer, tally, message, outcomes)
        tally.add(messages, shapes)
        return answer, tally

    def _notes(self, changelog: str, tasks: Set[int]) -> list[Sendable]:
        self._of_generation |= tasks
        return [(changelog, task, GENERATION, b"%d" % self.generation, NO_HEADERS) for task in sorted(tasks)]

    def _note(self, answer: BatchAnswer, tally: StageTally, message: Message, outcomes: Iterable[Outcome]) -> int:
        """Add what follows from `message` to the answer, with its lineage. Returns the shape of the outcomes.

        Lineage is for an independent checker; never where recipients read, who could join their feeds by it.
        """
        shape, task, cause = 0, message.partition, lineage(message)
        changelog, published = self.stage.changelog, self.stage.published
        for outcome in outcomes:
            shape |= SHAPES[type(outcome)]
            if type(outcome) is Emit:
                answer.outputs.append(sendable(outcome, NO_HEADERS if outcome.topic in published else cause))
            elif type(outcome) is Reject:
                sealed = self.seal_dead_letter(message, outcome.code)
                answer.outputs.append(sendable(dead_letter(self.stage, message, outcome.code, sealed), cause))
                tally.codes[outcome.code] += 1
            else:
                assert changelog is not None, "a stage that changes state has a changelog"
                if type(outcome) is Change:
                    answer.changes.append((changelog, task, outcome.key, outcome.value, cause))
                elif type(outcome) is Claim:
                    answer.claim((changelog, task, outcome.key, outcome.value, cause))
                elif type(outcome) is Release:
                    answer.released.append((changelog, task, outcome.key, None, cause))
        return shape

    def _wave(self) -> bool:
        """What was sent has arrived: what that allows to be sent is the next wave. True when something moved."""
        moved = self._arrived()
        self._send_state()
        self._send_outputs()
        self._send_claims()
        while self._in_flight and self._in_flight[0].flight.state_acknowledged:
            self._acknowledged.merge(self._in_flight.popleft().tally)
        return moved

    def _arrived(self) -> bool:
        moved = False
        for batch in self._in_flight:
            flight = batch.flight
            if flight.state_sent and not flight.state_acknowledged:
                self.progress.acknowledge_state(flight)
                self.observe("state_acknowledged")
            elif flight.outputs_sent and not flight.outputs_acknowledged:
                self.progress.acknowledge_outputs(flight)
                self.observe("outputs_acknowledged")
            elif batch.claims_sent and not flight.claims_acknowledged:
                self.progress.acknowledge_claims(flight)
                self.observe("claims_acknowledged")
            else:
                continue
            moved = True
        return moved

    def _send_state(self) -> None:
        while (flight := self.progress.may_send_state()) is not None:
            batch = self._batch_of(flight)
            self._send([*batch.answer.changes, *self._releasable(batch)])
            self.progress.send_state(flight)
            self.observe("state_sent")

    def _releasable(self, batch: InFlightBatch) -> list[Sendable]:
        """The released claims that no later batch has claimed again: its claim may be on the broker already."""
        if not batch.answer.released:
            return []
        later = list(self._in_flight)[self._in_flight.index(batch) + 1 :]
        claimed = set[tuple[int, bytes | None]]().union(*(other.claimed() for other in later))
        return [release for release in batch.answer.released if (release[1], release[2]) not in claimed]

    def _send_outputs(self) -> None:
        while (flight := self.progress.may_send_outputs()) is not None:
            self._send(self._batch_of(flight).answer.outputs)
            self.progress.send_outputs(flight)
            self.observe("outputs_sent")

    def _send_claims(self) -> None:
        """A batch without claims has none to wait for: its outputs leave at once."""
        for batch in self._in_flight:
            if batch.claims_sent:
                continue
            if batch.answer.claims:
                self._send(batch.answer.claims)
            batch.claims_sent = True
            self.observe("claims_sent")
            if not batch.answer.claims:
                self.progress.acknowledge_claims(batch.flight)
                self.observe("claims_acknowledged")
                self._send_outputs()

    def _batch_of(self, flight: Flight) -> InFlightBatch:
        return next(batch for batch in self._in_flight if batch.flight is flight)

    def _send(self, messages: Sequence[Sendable]) -> None:
        self.check_fence()
        stamp_ms = self.stamp_ms()
        assert stamp_ms > 0, "nothing is sent before the broker has counted us in"
        self.producer.send(messages, stamp_ms=stamp_ms)


def _of_step(elements: Mapping[bytes, bytes]) -> Iterable[tuple[bytes, bytes]]:
    return (item for item in elements.items() if item[0] != GENERATION)


def sendable(emit: Emit, headers: Headers) -> Sendable:
    """What `emit` sends, with these headers beside those it has."""
    topic, partition, key, value, extra = emit
    return topic, partition, key, value, [*extra, *headers] if extra else headers


def lineage(message: Message) -> Headers:
    """The headers of what follows from `message`."""
    return [(SOURCE_HEADER, source_of(message)), (BEGAN_HEADER, b"%d" % began_ms(message))]
