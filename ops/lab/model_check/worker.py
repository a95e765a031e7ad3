"""One simulated worker: fetch, advance, append, acknowledge, commit, one atomic step at a time.

Between any two of them the scheduler may kill it, freeze it, cut it off from its coordinator or move its
partitions. What may be sent and committed when is decided by production's `Progress`, called as the host calls it.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ops.lab.memory_engine.logs import Logs
from ops.lab.model_check.batches import Batch, DeadLetter, ProducedMessage, Producer
from ops.lab.model_check.groups import Group
from ops.lab.model_check.rules import Rules
from streams.host.commit import Flight, Partition
from streams.steps.outcome import Message, Outcome, Stage, Step, keep

Choice = tuple[str, Partition | None]


class RunObserver(Protocol):
    """Observes all workers of a run, and sees more than a worker may know."""

    now_ms: int

    def answered(self, worker: "Worker", batch: Batch) -> None:
        """What the batch leaves behind is known: all but its state at first, then its state."""

    def appended(self, worker: "Worker", record: ProducedMessage, message: Message) -> None:
        """A record has landed."""

    def committed(self, worker: "Worker", offsets: dict[Partition, int]) -> None:
        """The broker accepts a commit: not applied yet."""

    def note(self, worker: str, what: str, place: Partition | None = None, offset: int | None = None) -> None:
        """One line of the trace."""

    def ended(self, worker: "Worker", why: str) -> None:
        """The worker died or ended itself."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a worker works with, and what outlives it."""

    stage: Stage
    step: Step[object]
    other_step: Step[object] | None  # of another build
    dead_letter: DeadLetter
    logs: Logs
    group: Group
    rules: Rules
    chance: random.Random
    observer: RunObserver


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Drawn once for a run: how large a batch is and how many are in flight."""

    batch_max: int = 4
    in_flight_max: int = 3
    commit_share: float = 1.0  # of the turns at which it could commit; else it rather does something else
    zombie_steps_max: int = 8  # what a worker does after a long pause before its own fence strikes


class Worker:
    """A process, born anew by `start` after every death."""

    def __init__(self, name: str, context: WorkerContext, limits: BatchLimits) -> None:
        """Not started."""
        self.name, self.context, self.limits = name, context, limits
        self.alive = self.ready = False
        self.paused_until_ms: int | None = None
        self.cut_until_ms: int | None = None  # until then nothing comes back from the coordinator
        self.mute = False  # and nothing gets there either
        self.held: dict[Partition, int] = {}  # connections that are slow until then
        self.restart_ms: int | None = None
        self.other_build = False  # the next life is of another build
        self.step = context.step
        self._reset()

    def _reset(self) -> None:
        self.phase = "joining"  # then synced, restoring, working
        self.generation = -1
        self.tasks: tuple[int, ...] = ()
        self.draining_since_ms: int | None = None
        self.leaving = False
        self.steps_left: int | None = None  # before the fence of a thawed worker strikes
        self.frozen_ms = 0
        self.on_wire: dict[Partition, int] = {}
        self.producer = Producer()
        self.heartbeat_ms = self.context.observer.now_ms + self.context.rules.timings.heartbeat_ms
        self.stamp_ms = self.context.observer.now_ms
        self._drop()

    def _drop(self) -> None:
        self.progress = self.context.rules.progress({})
        self.states: dict[int, object] = {}
        self.elements: dict[int, dict[bytes, bytes]] = {}
        self.pending: deque[Message] = deque()
        self.in_flight: dict[Flight, Batch] = {}  # by flight, in the order of their delivery
        self.ends: dict[int, int] = {}
        self.places: list[Partition] = []
        self._written: list[Partition] = []  # of them, those that exist, as of so many partitions of the cluster
        self._written_of = -1
        self._may_commit = False

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """A new process under its old name."""
        self.alive, self.restart_ms, self.paused_until_ms, self.cut_until_ms = True, None, None, None
        self.held = {}
        other = self.context.other_step if self.other_build else None
        self.step, self.other_build = other or self.context.step, False
        self._reset()
        self.context.group.rejoin(self.name, self.context.observer.now_ms)

    def freeze(self, until_ms: int) -> None:
        """Stopped in the middle of whatever it does; of each partition a first part is on the wire already."""
        self.paused_until_ms, self.frozen_ms = until_ms, self.context.observer.now_ms
        chance = self.context.chance
        self.on_wire = {place: chance.randint(0, n) for place, n in self.producer.sizes().items()}

    def thaw(self) -> None:
        """It goes on, and does not know that time has passed; after a long pause its fence strikes, late."""
        assert self.paused_until_ms is not None
        self.paused_until_ms, self.on_wire = None, {}
        if self.context.observer.now_ms - self.frozen_ms > self.context.rules.timings.self_fence_ms:
            self.steps_left = self.context.chance.randint(0, self.limits.zombie_steps_max)

    def heartbeat(self) -> bool:
        """Ask whether the partitions are still held. Only a plain yes moves the stamp. True: it may have to act."""
        now_ms = self.context.observer.now_ms
        self.heartbeat_ms = now_ms + self.context.rules.timings.heartbeat_ms
        if self.phase in ("joining", "synced") or (self.cut_until_ms is not None and self.mute):
            return bool(self.in_flight)
        answer = self.context.group.heartbeat(self.name, self.generation, now_ms)
        if self.cut_until_ms is not None:
            return bool(self.in_flight)
        if answer == "ok" or (answer == "rejoin" and self.context.rules.stamp_in_rebalance):
            self.stamp_ms = now_ms
        if answer != "ok" and self.draining_since_ms is None:
            self.draining_since_ms = now_ms
        return bool(self.in_flight) or self.draining_since_ms is not None

    @property
    def late(self) -> bool:
        """It has waited for an acknowledgement, or has drained, longer than it may."""
        now_ms, timings = self.context.observer.now_ms, self.context.rules.timings
        first = next(iter(self.in_flight.values()), None)
        waited = first is not None and now_ms - first.handed_ms > timings.self_fence_ms and not self.producer.idle
        drained = self.draining_since_ms is not None and now_ms - self.draining_since_ms > timings.drain_ms
        return waited or drained

    # ------------------------------------------------------------ one step

    def act(self) -> bool:
        """Take one step out of those possible; False when there is none."""
        if not self.alive:
            return False
        if self.paused_until_ms is None and (self.late or self.steps_left == 0):
            self.context.observer.ended(self, "fence" if self.steps_left == 0 else "deadline")
            return True
        choices = self.choices()
        if not choices:
            return False
        if self.steps_left is not None and self.paused_until_ms is None:
            self.steps_left -= 1
        what, place = choices[int(self.context.chance.random() * len(choices))]
        if what == "commit" and self.context.chance.random() > self.limits.commit_share:
            what, place = choices[int(self.context.chance.random() * len(choices))]
        getattr(self, "_" + what)(place)
        return True

    def choices(self) -> list[Choice]:
        """Every step it could take now."""
        if self.paused_until_ms is not None:
            return [("append", p) for p, n in self.on_wire.items() if n and p not in self.held]
        if self.phase != "working":
            return [(self.phase, None)] if self._may_go_on() else []
        found: list[Choice] = [("append", place) for place in self.producer.unlanded if place not in self.held]
        found += [("acknowledge", place) for place in self.producer.unknown if place not in self.held]
        if self.pending:
            found.append(("advance", None))
        elif self.draining_since_ms is None and len(self.in_flight) < self.limits.in_flight_max and self._behind():
            found.append(("fetch", None))
        if self.cut_until_ms is None:
            if self._may_commit:
                found.append(("commit", None))
            elif self.draining_since_ms is not None and not self.in_flight:
                found.append(("rejoin", None))
        return found

    def _may_go_on(self) -> bool:
        if self.phase == "joining":
            return self.context.group.stable and not (self.cut_until_ms is not None and self.mute)
        return self.phase != "synced" or self.cut_until_ms is None

    def _behind(self) -> list[Partition]:
        logs, position = self.context.logs.partitions, self.progress.position
        if self._written_of != len(logs):
            self._written, self._written_of = [place for place in self.places if place in logs], len(logs)
        return [place for place in self._written if position(place) < logs[place].end]

    # ------------------------------------------------------------ assignment

    def _joining(self, _: Partition | None) -> None:
        answer = self.context.group.sync(self.name, self.context.observer.now_ms)
        if answer is None:
            return
        self.generation, self.tasks = answer
        self.stamp_ms = self.context.observer.now_ms  # when it asked
        self.phase = "synced"

    def _synced(self, _: Partition | None) -> None:
        """The answer has arrived."""
        if self.context.rules.stamp_at_assignment:
            self.stamp_ms = self.context.observer.now_ms
        self.heartbeat_ms = self.context.observer.now_ms + self.context.rules.timings.heartbeat_ms
        if not self.leaving:
            self.draining_since_ms = None
        changelog = self.context.stage.changelog
        self.ends = {task: self.context.logs.end((changelog, task)) for task in self.tasks} if changelog else {}
        self.phase = "restoring"
        self.context.observer.note(self.name, f"assigned, generation {self.generation}")

    def _restoring(self, _: Partition | None) -> None:
        """State up to the end seen at the assignment; then every partition from its commit."""
        changelog = self.context.stage.changelog
        for task, end in self.ends.items():
            self.elements[task] = self.context.logs.folded((changelog or "", task), end=end)
        committed = self.context.group.committed
        self.places = [(topic, task) for topic in self.context.stage.reads for task in self.tasks]
        self.progress = self.context.rules.progress({place: committed.get(place, 0) for place in self.places})
        self.phase = "working"
        self._written_of = -1
        self.context.observer.note(self.name, "restored")

    def _rejoin(self, _: Partition | None) -> None:
        self._drop()
        if self.leaving:
            self.alive = False
            self.context.group.leave(self.name, self.context.observer.now_ms)
            self.context.observer.note(self.name, "left")
            return
        self.phase = "joining"
        self.context.group.join(self.name, self.context.observer.now_ms)
        self.context.observer.note(self.name, "gave its partitions up")

    # ------------------------------------------------------------ a batch

    def _fetch(self, _: Partition | None) -> None:
        """Some of what is there: partitions in any interleaving, each in order."""
        chance, logs = self.context.chance, self.context.logs
        ahead = {place: logs.partitions[place].since(self.progress.position(place)) for place in self._behind()}
        messages: list[Message] = []
        for _fetched in range(chance.randint(1, self.limits.batch_max)):
            if not ahead:
                break
            place = list(ahead)[int(chance.random() * len(ahead))]
            log = logs.partitions[place]
            messages.append(log.messages[ahead[place]])
            ahead[place] += 1
            if ahead[place] == len(log.messages):
                del ahead[place]
        flight = self.progress.deliver({(message.topic, message.partition): message.offset for message in messages})
        self.in_flight[flight] = Batch(flight, tuple(messages), self.context.observer.now_ms)
        self.pending.extend(messages)
        self._may_commit = bool(self.progress.committable(self.places))
        for message in messages:
            self.context.observer.note(self.name, "fetched", (message.topic, message.partition), message.offset)

    def _advance(self, _: Partition | None) -> None:
        message, batch = self.pending.popleft(), next(reversed(self.in_flight.values()))
        task = message.partition
        if task not in self.states:
            self.states[task] = self.step.restore(self.elements.get(task, {}).items())
        self.states[task], outcomes = self.step.advance(self.states[task], message)
        self._note(batch, message, outcomes)
        if not self.pending:
            for ending in {message.partition: None for message in batch.messages}:
                for cause, found in self.step.finish(self.states[ending]):
                    self._note(batch, cause, found)
            self._answered(batch)

    def _note(self, batch: Batch, message: Message, outcomes: Sequence[Outcome]) -> None:
        batch.note(self.context.stage, message, outcomes, self.context.dead_letter)
        keep(self.elements.setdefault(message.partition, {}), outcomes)

    def _answered(self, batch: Batch) -> None:
        if self.context.rules.coalesce:
            last = {(change.partition, change.key): number for number, change in enumerate(batch.changes)}
            batch.changes = [batch.changes[number] for number in sorted(last.values())]
        batch.answer_ended()
        batch.handed_ms = self.context.observer.now_ms
        self.context.observer.answered(self, batch)
        self.producer.hand_over(batch.claims, batch, "claim", self.stamp_ms)
        if not batch.claims:
            self.progress.acknowledge_claims(batch.flight)
        self._send_on()

    def _send_on(self) -> None:
        """Outputs whose claims are there, and state whose outputs are there."""
        while (flight := self.progress.may_send_outputs()) is not None and self.in_flight[flight].answered:
            batch = self.in_flight[flight]
            self.progress.send_outputs(flight)
            batch.handed_ms = self.context.observer.now_ms
            self.producer.hand_over(batch.outputs, batch, "output", self.stamp_ms)
            if not batch.outputs:
                self.progress.acknowledge_outputs(flight)
        while (flight := self.progress.may_send_state()) is not None and self.in_flight[flight].answered:
            batch = self.in_flight[flight]
            self.progress.send_state(flight)
            batch.release(self._claimed_after(flight))
            self.context.observer.answered(self, batch)
            batch.handed_ms = self.context.observer.now_ms
            self.producer.hand_over(batch.changes, batch, "state", self.stamp_ms)
            if not batch.changes:
                self._state_acknowledged(batch)

    def _claimed_after(self, flight: Flight) -> set[tuple[int, bytes]]:
        """What later batches claim, by task and key."""
        if self.context.rules.release_all:
            return set()
        flights = list(self.in_flight)
        later = [self.in_flight[later] for later in flights[flights.index(flight) + 1 :]]
        return {(claim.partition, claim.key) for batch in later for claim in batch.claims}

    def _state_acknowledged(self, batch: Batch) -> None:
        self.progress.acknowledge_state(batch.flight)
        del self.in_flight[batch.flight]
        self._may_commit = bool(self.progress.committable(self.places))

    def _append(self, place: Partition | None) -> None:
        assert place is not None
        record = self.producer.unlanded[place][0]
        if not self.lands(record):
            self.context.observer.note(self.name, "refused, stamped too long ago", place)
            if self.paused_until_ms is None:
                self.context.observer.ended(self, "refused")
            else:
                self.on_wire[place] = 0  # it will learn of it when it thaws
            return
        self.producer.landed(place)
        if place in self.on_wire:
            self.on_wire[place] -= 1

    def lands(self, record: ProducedMessage) -> bool:
        """The record is in the log; False when the broker refuses it."""
        context = self.context
        if context.rules.fence and context.observer.now_ms - record.stamp_ms > context.rules.timings.fence_ms:
            return False
        message = context.logs.append(record.emit, stamp_ms=record.stamp_ms)
        context.observer.appended(self, record, message)
        return True

    def _acknowledge(self, place: Partition | None) -> None:
        assert place is not None
        record = self.producer.acknowledged(place)
        self.context.observer.note(self.name, "acknowledged", place)
        batch = record.batch
        if batch.flight not in self.in_flight:
            return  # of an assignment that is over
        if record.kind == "claim":
            batch.claims_unknown -= 1
            if not batch.claims_unknown:
                self.progress.acknowledge_claims(batch.flight)
        elif record.kind == "output":
            batch.outputs_unknown -= 1
            if not batch.outputs_unknown:
                self.progress.acknowledge_outputs(batch.flight)
        else:
            batch.state_unknown -= 1
            if not batch.state_unknown:
                self._state_acknowledged(batch)
        self._send_on()

    def _commit(self, _: Partition | None) -> None:
        context = self.context
        offsets = self.progress.committable(self.places)
        if self.name in context.group.members and self.generation == context.group.generation:
            context.observer.committed(self, offsets)
        if context.group.commit(self.name, self.generation, offsets):
            self.progress.commit(offsets)
            self._may_commit = False
            for place, offset in offsets.items():
                context.observer.note(self.name, "committed", place, offset)
            return
        context.observer.note(self.name, "commit refused")
        self._drop()
        self.draining_since_ms = context.observer.now_ms
