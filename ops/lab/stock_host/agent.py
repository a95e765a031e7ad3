"""The agent of one stage and the state its step works on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streams.host.batch import lineage
from streams.metrics import SHAPES, StageTally
from streams.steps.outcome import Change, Claim, Emit, Message, Reject, Release, Stage, Step, dead_letter

BYTES: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
    "allow_empty": True,
}


@dataclass
class TaskStates:
    """The step's state per task, made from what Faust's recovery reads of the table's changelog."""

    step: Step[Any]
    states: dict[int, Any] = field(default_factory=dict)
    _elements: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    _read_to: dict[int, int] = field(default_factory=dict)

    async def on_changelog_event(self, event: Any) -> None:
        """Faust gives each record of a changelog partition in order, from where it last stood or the first."""
        task, offset = event.message.partition, event.message.offset
        if offset <= self._read_to.get(task, -1):
            self._elements[task] = {}  # it begins again: what has since been removed may be compacted away
        self._read_to[task] = offset
        elements = self._elements.setdefault(task, {})
        if event.message.value is None:
            elements.pop(event.message.key, None)
        else:
            elements[event.message.key] = event.message.value

    async def on_recover(self) -> None:
        """Recovery has ended, as after every assignment: states are made anew from the elements."""
        self.states.clear()

    def of(self, task: int) -> Any:
        """The state of a task, restored when first asked for after a recovery."""
        if task not in self.states:
            self.states[task] = self.step.restore(self._elements.get(task, {}).items())
        return self.states[task]


@dataclass
class StockStage:
    """One stage as an agent: advance, send the outputs, write the changes into the table."""

    app: Any  # faust's
    stage: Stage
    tasks: TaskStates
    seal_dead_letter: Callable[[Message, str], bytes]
    tally: StageTally
    observe: Callable[[str], None]
    table: Any
    _topics: dict[str, Any] = field(default_factory=dict)

    async def answer(self, stream: Any) -> None:
        """The agent. Faust acknowledges each message when the next is asked for, and also when this raises."""
        async for event in stream.events():
            message = message_of(event.message)
            self.observe("delivered")
            task = message.partition
            self.tasks.states[task], outcomes = self.tasks.step.advance(self.tasks.of(task), message)
            together = self.tasks.step.finish(self.tasks.of(task))
            outcomes += tuple(outcome for _, found in together for outcome in found)
            shape = 0
            for outcome in outcomes:
                shape |= SHAPES[type(outcome)]
                if isinstance(outcome, Emit):
                    await self._send(outcome, message)
                elif isinstance(outcome, Reject):
                    sealed = self.seal_dead_letter(message, outcome.code)
                    await self._send(dead_letter(self.stage, message, outcome.code, sealed), message)
                    self.tally.codes[outcome.code] += 1
            self.observe("outputs_sent")
            for outcome in outcomes:
                if isinstance(outcome, Change | Claim | Release):
                    self._write(outcome)
            self.observe("state_sent")
            self.tally.add([message], [shape])

    async def _send(self, emit: Emit, cause: Message) -> None:
        topic = self._topics.get(emit.topic) or self._topics.setdefault(emit.topic, self.app.topic(emit.topic, **BYTES))
        headers = [*emit.headers, *(lineage(cause) if emit.topic not in self.stage.published else ())]
        await topic.send(key=emit.key, value=emit.value, partition=emit.partition, headers=headers)

    def _write(self, change: Change | Claim | Release) -> None:
        if isinstance(change, Release) or change.value is None:
            self.table.pop(change.key, None)
        else:
            self.table[change.key] = change.value


def message_of(delivered: Any) -> Message:
    """Faust's message as a step expects it."""
    return Message(
        topic=delivered.topic,
        partition=delivered.partition,
        offset=delivered.offset,
        key=delivered.key,
        value=delivered.value,
        headers=tuple(delivered.headers or ()),
        timestamp_ms=round(delivered.timestamp * 1000),
    )
