"""The seeded scheduler: who takes the next step, when time passes, and which fault strikes where.

Everything is drawn from one `random.Random(seed)`: the same seed, world and rules are the same run.
"""

import random

from ops.lab.memory_engine.logs import Logs
from ops.lab.memory_engine.parts import START_MS, dead_letter_of, pathway_step, quick_step, stages
from ops.lab.model_check.arrivals import Arrival, ArrivalWorld
from ops.lab.model_check.batches import Batch, ProducedMessage
from ops.lab.model_check.groups import NEVER_MS, Group
from ops.lab.model_check.rules import OtherBuild, Rules, SkipsTheSeen
from ops.lab.model_check.run_trace import RunProfile, TraceLine, Violation
from ops.lab.model_check.worker import BatchLimits, Worker, WorkerContext
from schemas.topics import EVENTS, LINK_MAP
from streams.host.commit import Partition
from streams.steps.outcome import Message

STEPS_MAX = 60_000
WORKERS = 2  # of each stage at the start
WORKERS_MAX = 4
COMPACTED = (EVENTS, LINK_MAP)  # what a stage reads that compaction may thin out before it was read


class ScheduledRun:
    """One run of one world."""

    def __init__(self, world: ArrivalWorld, seed: int, rules: Rules) -> None:
        """Everybody has joined; nothing has arrived."""
        self.world, self.seed, self.rules = world, seed, rules
        self.chance = chance = random.Random(seed)
        self.now_ms = START_MS
        self.trace: list[TraceLine] = []
        self.faults: dict[str, int] = {}
        self.steps = self.redelivered = 0
        self.logs = Logs(chance)
        self.profile = RunProfile(
            fault_share=chance.choice((0.01, 0.03, 0.1)),
            faults=chance.randint(1, rules.faults_max),
            tick_ms=chance.choice((2, 10, 60)),
            door_share=chance.choice((0.02, 0.1, 0.4)),
            duplicate_share=chance.choice((0.0, 0.3)),
        )
        self._faults_left = self.profile.faults
        self._to_arrive = self._drawn_arrivals()
        self._done: dict[str, set[tuple[str, int, int]]] = {}
        self._in_transit: list[
            tuple[int, Worker, list[ProducedMessage]]
        ] = []  # of the dead: when it lands, worker, messages
        self._timer_ms = 0
        self._to_rebuild = False  # another build has published
        self.workers: list[Worker] = []
        self._contexts = self._drawn_contexts()
        self._ready: list[Worker] = []
        for worker in self.workers:
            self._wake(worker)

    def _drawn_arrivals(self) -> list[Arrival]:
        arrivals = list(self.world.arrivals)
        arrivals += [
            arrival for arrival in arrivals if arrival.again and self.chance.random() < self.profile.duplicate_share
        ]
        self.chance.shuffle(arrivals)
        return arrivals

    def _drawn_contexts(self) -> dict[str, WorkerContext]:
        contexts: dict[str, WorkerContext] = {}
        chance = self.chance
        limits = BatchLimits(chance.randint(1, 8), chance.randint(1, 4), chance.choice((1.0, 0.3, 0.05)))
        for stage in stages():
            group = Group(stage.partitions, self.rules.timings, chance)
            is_last = stage.name == "pathway"
            step = pathway_step(self.rules.pathway) if is_last else quick_step(stage.name)
            if stage.name in self.rules.skips:
                step = SkipsTheSeen(step)
            other = pathway_step(OtherBuild) if is_last else None
            contexts[stage.name] = context = WorkerContext(
                stage, step, other, dead_letter_of, self.logs, group, self.rules, chance, self
            )
            self._done[stage.name] = set()
            for number in range(WORKERS):
                self._add_worker(context, number, limits)
            group.tick(self.now_ms)
        self._limits = limits
        return contexts

    def _add_worker(self, context: WorkerContext, number: int, limits: BatchLimits) -> None:
        worker = Worker(f"{context.stage.name}-{number}", context, limits)
        self.workers.append(worker)
        worker.start()

    # ------------------------------------------------------------ the run

    def run(self) -> "ScheduledRun":
        """Until everything has arrived, nothing is in flight and nobody is behind. Raises Violation."""
        while self.steps < STEPS_MAX:
            self.steps += 1
            self._advance_clock(int(self.chance.random() * self.profile.tick_ms))
            if self._to_arrive and self.chance.random() < self.profile.door_share:
                self._arrive()
            elif self._faults_left and self.chance.random() < self.profile.fault_share:
                self._inject_fault()
            elif self._ready:
                place = int(self.chance.random() * len(self._ready))
                if not self._ready[place].act():
                    self._ready[place].ready = False
                    self._ready[place] = self._ready[-1]
                    self._ready.pop()
            elif self._to_arrive:
                self._arrive()
            elif self.settled():
                if not self._to_rebuild:
                    return self
                self._rebuild()
            else:
                self._advance_clock(max(1, self._timer_ms - self.now_ms))
        raise Violation("stuck", f"after {self.steps} steps")

    def _arrive(self) -> None:
        arrival = self._to_arrive.pop()
        message = self.logs.append(arrival.emit, stamp_ms=self.now_ms)
        self.note("door", "sent", (message.topic, message.partition), message.offset)
        self._wake_readers(message)

    def settled(self) -> bool:
        """Nobody is frozen, dead, joining or has anything in flight, and every group has read to the end."""
        if self._in_transit or not all(context.group.stable for context in self._contexts.values()):
            return False
        for worker in self.workers:
            if worker.restart_ms is not None or worker.paused_until_ms is not None:
                return False
            if worker.alive and not (worker.phase == "working" and worker.producer.idle and self._holds(worker)):
                return False
        return not any(self.lag().values())

    def _holds(self, worker: Worker) -> bool:
        return worker.generation == worker.context.group.generation and worker.draining_since_ms is None

    def lag(self) -> dict[Partition, int]:
        """Input partition -> offsets not committed."""
        found = {}
        for context in self._contexts.values():
            for place, log in self.logs.partitions.items():
                if place[0] in context.stage.reads:
                    found[place] = log.end - context.group.committed.get(place, 0)
        return found

    def owners(self) -> dict[tuple[str, int], Worker]:
        """Stage and task -> the worker that holds it."""
        return {
            (worker.context.stage.name, task): worker
            for worker in self.workers
            if worker.alive
            for task in worker.tasks
        }

    def _wake(self, worker: Worker) -> None:
        if not worker.ready:
            worker.ready = True
            self._ready.append(worker)

    def _wake_readers(self, message: Message) -> None:
        for worker in self.workers:
            if message.partition in worker.tasks and message.topic in worker.context.stage.reads:
                self._wake(worker)

    # ------------------------------------------------------------ time

    def _advance_clock(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        if self.now_ms >= self._timer_ms:
            self._timers()

    def _timers(self) -> None:
        now_ms, due_ms = self.now_ms, NEVER_MS
        for worker in self.workers:
            due_ms = min(due_ms, self._worker_timers(worker))
        for context in self._contexts.values():
            if now_ms >= context.group.due_ms:
                context.group.tick(now_ms)
                for worker in self.workers:
                    if worker.context is context:
                        self._wake(worker)
            due_ms = min(due_ms, context.group.due_ms)
        for landing in [landing for landing in self._in_transit if landing[0] <= now_ms]:
            self._in_transit.remove(landing)
            self._land_all(landing[1], landing[2])
        self._timer_ms = max(now_ms + 1, min([due_ms, *(landing[0] for landing in self._in_transit)]))

    def _worker_timers(self, worker: Worker) -> int:
        """What is due has happened; when the next is."""
        now_ms = self.now_ms
        if worker.restart_ms is not None and worker.restart_ms <= now_ms:
            worker.start()
            self._wake(worker)
            self.note(worker.name, "started again")
        if not worker.alive:
            return worker.restart_ms if worker.restart_ms is not None else NEVER_MS
        if worker.paused_until_ms is not None and worker.paused_until_ms <= now_ms:
            worker.thaw()
            self._wake(worker)
            self.note(worker.name, "thawed")
        if worker.cut_until_ms is not None and worker.cut_until_ms <= now_ms:
            worker.cut_until_ms = None
            worker.heartbeat_ms = now_ms + int(self.chance.random() * self.rules.timings.heartbeat_ms)
            self._wake(worker)
        if worker.held and min(worker.held.values()) <= now_ms:
            self._wake(worker)
            worker.held = {place: until for place, until in worker.held.items() if until > now_ms}
        if worker.paused_until_ms is None and worker.heartbeat_ms <= now_ms and worker.heartbeat():
            self._wake(worker)
        waits = [until_ms for until_ms in (worker.paused_until_ms, worker.cut_until_ms) if until_ms is not None]
        waits += worker.held.values()
        return min([worker.heartbeat_ms, *waits] if worker.paused_until_ms is None else waits)

    # ------------------------------------------------------------ faults

    def _inject_fault(self) -> None:
        awake = [worker for worker in self.workers if worker.alive and worker.paused_until_ms is None]
        busy = [worker for worker in awake if worker.in_flight]
        pool = busy if busy and self.chance.random() < 0.8 else awake
        if not pool:
            return
        self._faults_left -= 1
        what = self.chance.choice(self.rules.faults)
        if getattr(self, "_" + what)(self.chance.choice(pool)):
            self.faults[what] = self.faults.get(what, 0) + 1

    def _crash(self, worker: Worker) -> bool:
        self.ended(worker, "killed")
        return True

    def _pause(self, worker: Worker) -> bool:
        for_ms = self.chance.choice((300, 2_000, 5_000, 8_000, 14_000)) + self.chance.randint(0, 1_500)
        worker.freeze(self.now_ms + for_ms)
        self._timer_ms = self.now_ms
        self.note(worker.name, f"frozen for {for_ms} ms")
        return True

    def _cut_off(self, worker: Worker) -> bool:
        for_ms = self.chance.randint(1_000, 14_000)
        worker.cut_until_ms, worker.mute = self.now_ms + for_ms, self.chance.random() < 0.5
        self._timer_ms = self.now_ms
        self.note(worker.name, f"cut off from its coordinator for {for_ms} ms")
        return True

    def _hold(self, worker: Worker) -> bool:
        under_way = [*worker.producer.unlanded, *worker.producer.unknown]
        if not under_way:
            return False
        place, for_ms = self.chance.choice(under_way), self.chance.choice((200, 2_000, 6_000))
        worker.held[place] = self.now_ms + self.chance.randint(1, for_ms)
        self._timer_ms = self.now_ms
        self.note(worker.name, f"waits up to {for_ms} ms", place)
        return True

    def _join(self, worker: Worker) -> bool:
        group_workers = [member for member in self.workers if member.context is worker.context]
        if len(group_workers) >= WORKERS_MAX:
            return False
        self._add_worker(worker.context, len(group_workers), self._limits)
        self._wake(self.workers[-1])
        self.note(self.workers[-1].name, "joins")
        self._timer_ms = self.now_ms
        return True

    def _leave(self, worker: Worker) -> bool:
        staying = [member for member in self.workers if member.alive and not member.leaving]
        if sum(member.context is worker.context for member in staying) < 2 or worker.leaving:
            return False
        worker.leaving = True
        if worker.draining_since_ms is None:
            worker.draining_since_ms = self.now_ms
        self._wake(worker)
        self.note(worker.name, "is asked to go")
        return True

    def _compact(self, _worker: Worker) -> bool:
        """The cleaner of the broker runs over one partition of what records reads."""
        places = [place for place in self.logs.partitions if place[0] in COMPACTED]
        if not places:
            return False
        place = self.chance.choice(places)
        removed = self.logs.compact(place, self.chance.randint(0, self.logs.end(place)))
        self.note("cleaner", f"removed {removed}", place)
        return removed > 0

    def _other_build(self, _worker: Worker) -> bool:
        """A worker of the pathway dies, and is of another build in its next life."""
        pool = [worker for worker in self.workers if worker.context.other_step and worker.alive]
        if not pool:
            return False
        worker = self.chance.choice(pool)
        self.ended(worker, "killed for another build")
        worker.other_build = self._to_rebuild = True
        return True

    def _forget(self, worker: Worker) -> bool:
        """The broker forgets how far a worker had come, which dies: its partitions are read from their beginning."""
        committed = worker.context.group.committed
        forgotten = [committed.pop(place) for place in list(committed) if place[1] in worker.tasks]
        self.ended(worker, "killed, and its positions are forgotten")
        return bool(forgotten)

    def _rebuild(self) -> None:
        """Everything is answered once more by the right build, from the first message on."""
        self._to_rebuild = False
        for worker in self.workers:
            if worker.context.other_step and worker.alive:
                self.ended(worker, "killed to rebuild")
        for context in self._contexts.values():
            if context.other_step:
                context.group.committed.clear()

    # ------------------------------------------------------------ what the workers' watch sees

    def note(self, worker: str, what: str, place: Partition | None = None, offset: int | None = None) -> None:
        """One line of the trace."""
        self.trace.append(TraceLine(self.now_ms - START_MS, worker, what, place, offset))

    def answered(self, worker: Worker, batch: Batch) -> None:
        """A batch that leaves nothing behind is done at once."""
        if batch.landed:
            self._batch_done(worker, batch)

    def appended(self, worker: Worker, record: ProducedMessage, message: Message) -> None:
        """A record has landed; state only where all its outputs are, batch after batch."""
        batch = record.batch
        self.note(worker.name, f"{record.kind} landed", (message.topic, message.partition), message.offset)
        if record.kind == "claim":
            batch.claims_unlanded -= 1
        elif record.kind == "output":
            if self.rules.check_steps and batch.claims_unlanded:
                raise Violation("outputs before claims", f"{message.topic}/{message.partition}@{message.offset}")
            batch.outputs_unlanded -= 1
        else:
            if self.rules.check_steps and batch.flight in worker.in_flight:
                self._check_order(worker, batch, message)
            batch.state_unlanded[message.partition] -= 1
        if batch.landed:
            self._batch_done(worker, batch)
        self._wake_readers(message)

    def committed(self, worker: Worker, offsets: dict[Partition, int]) -> None:
        """Every message below a committed offset has left all it leaves in the logs."""
        if not self.rules.check_steps:
            return
        done, before = self._done[worker.context.stage.name], worker.context.group.committed
        for place, offset in offsets.items():
            log = self.logs.partitions[place]
            for message in log.messages[log.since(before.get(place, 0)) : log.since(offset)]:
                if (message.topic, message.partition, message.offset) not in done:
                    raise Violation("committed too early", f"{message.topic}/{message.partition}@{message.offset}")

    def ended(self, worker: Worker, why: str) -> None:
        """Of what was under way to each partition, a first part arrives."""
        self.note(worker.name, why)
        frozen = worker.paused_until_ms is not None
        for place, queue in list(worker.producer.unlanded.items()):
            most = min(worker.on_wire.get(place, 0), len(queue)) if frozen else len(queue)
            arriving = list(queue)[: self.chance.randint(0, max(0, most))]
            if arriving and self.rules.posthumous and self.chance.random() < 0.5:
                at_ms = self.now_ms + self.chance.randint(1, self.rules.timings.session_ms)
                self._in_transit.append((at_ms, worker, arriving))
            else:
                self._land_all(worker, arriving)
        worker.alive = False
        wait_ms = self.chance.randint(200, 3_000) if self.chance.random() < 0.8 else 9_000
        if self.rules.restart_waits:
            wait_ms = max(wait_ms, self.rules.timings.fence_ms)
        worker.restart_ms = self.now_ms + wait_ms
        self._timer_ms = self.now_ms

    def _land_all(self, worker: Worker, records: list[ProducedMessage]) -> None:
        for record in records:
            if not worker.lands(record):
                self.note(worker.name, "refused, stamped too long ago", (record.emit.topic, record.emit.partition))
                return

    def _batch_done(self, worker: Worker, batch: Batch) -> None:
        done = self._done[worker.context.stage.name]
        places = {(message.topic, message.partition, message.offset) for message in batch.messages}
        self.redelivered += len(places & done)
        done |= places

    def _check_order(self, worker: Worker, batch: Batch, message: Message) -> None:
        where = f"{message.topic}/{message.partition}@{message.offset}"
        for earlier in worker.in_flight.values():
            if earlier.outputs_unlanded or not earlier.answered:
                raise Violation("state before outputs", where)
            if earlier is batch:
                return
            if earlier.state_unlanded[message.partition]:
                raise Violation("state out of order", where)
