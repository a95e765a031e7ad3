"""One batch, in the order that makes loss impossible: outputs, state, commit, each acknowledged in turn.

So an element of state that is there proves that its outputs are there, and a committed offset proves both.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from streams.host.commit import Partition, Progress
from streams.host.delivered import DeliveredMarker
from streams.host.watchdog import clock
from streams.metrics import BEGAN_HEADER, StageMetrics, began_ms
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject, Stage, Step

SOURCE_HEADER = "src"  # which message caused this one: topic/partition/offset
BATCH_FIRST = 5  # until the pace is known: few enough that the slowest step ends its first batch in time
_CODE = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")  # a word of ours, fit for a header and a metric label

Answered = tuple[Message, tuple[Outcome, ...]]
Commit = Callable[[Mapping[Partition, int]], Awaitable[bool]]


class Delivery(Protocol):
    """What a batch needs of a producer."""

    async def send(self, emits: Sequence[Emit]) -> list[asyncio.Future[object]]:
        """Handed over, in order within a partition."""
        ...

    async def acknowledged(self, sent: Sequence[asyncio.Future[object]]) -> None:
        """Returns when every one is on the broker, raises otherwise."""
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
class BatchRunner:
    """Holds the state of the tasks of one assignment and answers batches of their messages."""

    stage: Stage
    step: Step[Any]
    seal_dead_letter: Callable[[Message, str], bytes]
    producer: Delivery
    marker: DeliveredMarker
    metrics: StageMetrics
    crash_point: Callable[[str], None]
    check_fence: Callable[[], None]
    pace: Pace
    states: dict[int, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=lambda: Progress({}))

    def begin(
        self, elements: Mapping[int, Mapping[bytes, bytes]], positions: Mapping[Partition, int]
    ) -> None:
        """A new assignment: each task's state from its elements; input begins at the positions."""
        self.states = {task: self.step.restore(kept.items()) for task, kept in elements.items()}
        self.progress = Progress(dict(positions))

    def drop(self) -> None:
        """The assignment is over: nothing of it may be used again."""
        self.states, self.progress = {}, Progress({})

    def fresh(self, messages: Iterable[Message]) -> list[Message]:
        """Those not delivered before in this assignment. Raises NotAssigned."""
        return [one for one in messages if self.progress.is_new((one.topic, one.partition), one.offset)]

    async def run(self, messages: Sequence[Message], commit: Commit) -> bool:
        """Answer, send, await, commit. False: the partitions are lost, nothing was committed.

        Whatever it raises, nothing was committed; the caller ends the process.
        """
        self.metrics.redelivered(self.marker.mark(messages))
        self.progress.deliver({(one.topic, one.partition): one.offset for one in messages})
        self.crash_point("delivered")
        answers = self._advance(messages)
        await self._deliver(self._outputs(answers), "outputs")
        await self._deliver(self._changes(answers), "state")
        self.progress.acknowledge()
        return await self._commit(answers, commit)

    def _advance(self, messages: Sequence[Message]) -> list[Answered]:
        answers: list[Answered] = []
        started = clock()
        for message in messages:
            task = message.partition
            self.states[task], outcomes = self.step.advance(self.states[task], message)
            answers.append((message, outcomes))
        self.pace.took(len(messages), clock() - started)
        return answers

    async def _deliver(self, emits: Sequence[Emit], kind: str) -> None:
        self.check_fence()
        sent = await self.producer.send(emits)
        self.crash_point(f"{kind}_sent")
        await self.producer.acknowledged(sent)
        self.crash_point(f"{kind}_acknowledged")

    async def _commit(self, answers: Sequence[Answered], commit: Commit) -> bool:
        self.check_fence()
        offsets = self.progress.committable({(one.topic, one.partition) for one, _ in answers})
        if not await commit(offsets):
            return False
        self.progress.commit(offsets)
        self.crash_point("committed")
        for message, outcomes in answers:
            self.metrics.answered(message, outcomes)
        return True

    def _outputs(self, answers: Sequence[Answered]) -> list[Emit]:
        outputs = []
        for message, outcomes in answers:
            for outcome in outcomes:
                if isinstance(outcome, Emit):
                    outputs.append(_with_source(outcome, message, self.stage))
                elif isinstance(outcome, Reject):
                    outputs.append(
                        _with_source(self._dead_letter(message, outcome.code), message, self.stage)
                    )
        return outputs

    def _dead_letter(self, message: Message, code: str) -> Emit:
        assert _CODE.fullmatch(code), "a reject code is a fixed word"
        headers = (("stage", self.stage.name.encode()), ("code", code.encode()))
        sealed = self.seal_dead_letter(message, code)
        return Emit(self.stage.dead_letter, message.partition, source_of(message), sealed, headers)

    def _changes(self, answers: Sequence[Answered]) -> list[Emit]:
        changes = []
        for message, outcomes in answers:
            for outcome in outcomes:
                if isinstance(outcome, Change):
                    assert self.stage.changelog is not None, "a stage that changes state has a changelog"
                    record = Emit(self.stage.changelog, message.partition, outcome.key, outcome.value)
                    changes.append(_with_source(record, message, self.stage))
        return changes


def source_of(message: Message) -> bytes:
    """topic/partition/offset: names a message for ever."""
    return f"{message.topic}/{message.partition}/{message.offset}".encode()


def _with_source(emit: Emit, cause: Message, stage: Stage) -> Emit:
    """Lineage for an independent checker; never where recipients read, who could join their feeds by it."""
    if emit.topic in stage.published:
        return emit
    began = (BEGAN_HEADER, str(began_ms(cause)).encode())
    headers = (*emit.headers, (SOURCE_HEADER, source_of(cause)), began)
    return Emit(emit.topic, emit.partition, emit.key, emit.value, headers)
