"""The whole engine in memory: the steps of production, a scheduler drawn from a seed, and crashes at every point.

It keeps what the host keeps: order within a partition and nothing beyond it; the claims of a batch, its outputs, its
state, then its commit; a crashed task reads its state back from its changelog and gets again what it had not
committed. Where a crash falls, how large a batch is, and how the partitions of a task interleave are drawn.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ops.admin.topic_reader import TopicMessage
from ops.client.journal import Sent
from ops.lab.memory_engine.logs import Logs
from ops.lab.memory_engine.parts import (
    RECIPIENTS,
    START_MS,
    IntakeMessage,
    all_keys,
    dead_letter_of,
    intake_message,
    published,
    real_step,
    sources,
    stages,
)
from ops.verify.compare import final_topics, final_values
from schemas import canonical
from schemas.envelope import entry_name
from schemas.source_message import SourceMessage
from schemas.topics import DEAD_LETTERS, DISPOSITIONS, LINK_MAP, registry
from streams.host.commit import Partition
from streams.steps.outcome import Answer, Change, Claim, Emit, Message, Reject, Release, Stage, Step

CRASH_POINTS = ("delivered", "claims in part", "claims", "outputs in part", "outputs", "state in part", "state")

Finals = dict[str, dict[bytes, object]]  # topic -> key -> final value, by the definition of `compare`


@dataclass
class Faults:
    """What may go wrong: the share of batches that crash, at which points, how often in all.

    `state_first` is a mutant: a host that writes state before outputs.
    """

    crash_share: float = 0.0
    points: Sequence[str] = CRASH_POINTS
    crashes_max: int = 40
    state_first: bool = False


@dataclass
class MemoryEngine:
    """Topics, committed positions and the state of every task. `steps` replaces the production step of a stage."""

    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    steps: Mapping[str, Step[Any]] = field(default_factory=dict)
    batch_max: int = 6
    now_ms: int = START_MS
    crashes: int = 0
    redelivered: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.logs = Logs()
        self.committed: dict[tuple[str, Partition], int] = defaultdict(int)
        self.journal: list[Sent] = []
        self.message_ids: list[str] = []
        self._states: dict[tuple[str, int], object] = {}
        self._seen: dict[tuple[str, Partition], int] = defaultdict(int)
        self._waiting: set[tuple[int, int]] = set()  # (stage, task) with messages not committed

    # ------------------------------------------------------------ in

    def take(self, slug: str, message: SourceMessage) -> str:
        """A door received this message and the broker acknowledged it. Returns its entry id."""
        self.message_ids.append(message.message_id)
        return self.take_sealed(slug, intake_message(slug, message))

    def take_sealed(self, slug: str, intake: IntakeMessage) -> str:
        """As `take`, of what `intake_message` made: the seal differs each time, a replay's must not."""
        self.put(published(slug, intake))
        self.journal.append(Sent(slug, intake.entry_id, "accepted"))
        return intake.entry_id

    def put(self, emit: Emit) -> None:
        """A message is appended to its partition: an output, but also poison, or a tombstone by hand."""
        self.now_ms += 1
        self.logs.append(emit, stamp_ms=self.now_ms)
        readers = (number for number, stage in enumerate(stages()) if emit.topic in stage.reads)
        self._waiting |= {(number, emit.partition) for number in readers}

    # ------------------------------------------------------------ run

    def run(self) -> "MemoryEngine":
        """Until no stage has anything left to read."""
        while self._waiting:
            self._batch(*self.random.choice(sorted(self._waiting)))
        return self

    def restart(self) -> None:
        """Every task has lost its memory, and reads its state back from its changelog."""
        self._states.clear()

    def _batch(self, number: int, task: int) -> None:
        stage = stages()[number]
        step = self.steps.get(stage.name) or real_step(stage.name)
        if (stage.name, task) not in self._states:
            self._states[stage.name, task] = step.restore(self.changelog(stage, task).items())
        messages, positions = self._fetch(stage, task)
        answers = list[Answer]()
        for message in messages:
            self._states[stage.name, task], outcomes = step.advance(self._states[stage.name, task], message)
            answers.append((message, outcomes))
        answers += step.finish(self._states[stage.name, task])
        if self._deliver(*_sorted_out(stage, task, answers)):
            self.committed.update(positions)
            if not any(self._behind(stage, (topic, task)) for topic in stage.reads):
                self._waiting.discard((number, task))
        else:
            del self._states[stage.name, task]

    def _behind(self, stage: Stage, place: Partition) -> bool:
        return self.committed[stage.name, place] < self.logs.end(place)

    def _fetch(self, stage: Stage, task: int) -> tuple[list[Message], dict[tuple[str, Partition], int]]:
        """Some of what the task has not committed: its partitions in any interleaving, each in order."""
        ahead = {(topic, task): self.committed[stage.name, (topic, task)] for topic in stage.reads}
        messages: list[Message] = []
        for _ in range(self.random.randint(1, self.batch_max)):
            open_places = [place for place in ahead if ahead[place] < self.logs.end(place)]
            if not open_places:
                break
            place = self.random.choice(open_places)
            messages.append(self.logs.messages(place)[ahead[place]])
            self.redelivered += ahead[place] < self._seen[stage.name, place]
            ahead[place] += 1
            self._seen[stage.name, place] = max(self._seen[stage.name, place], ahead[place])
        return messages, {(stage.name, place): offset for place, offset in ahead.items()}

    def _deliver(self, claims: list[Emit], outputs: list[Emit], changes: list[Emit]) -> bool:
        """Claims, outputs, state; False when the task died on the way, before its commit."""
        point = self._crash_point()
        if point == "delivered":
            return False
        waves = {"claims": claims, "outputs": outputs, "state": changes}
        if self.faults.state_first:
            waves["outputs"], waves["state"] = changes, outputs
        for name, emits in waves.items():
            self._send(self._cut(emits) if point == f"{name} in part" else emits)
            if point in (f"{name} in part", name):
                return False
        return True

    def _crash_point(self) -> str | None:
        if self.crashes >= self.faults.crashes_max or self.random.random() >= self.faults.crash_share:
            return None
        self.crashes += 1
        return self.random.choice(list(self.faults.points))

    def _cut(self, emits: list[Emit]) -> list[Emit]:
        """What a dying producer may have got through: of each partition some first messages."""
        by_place: dict[Partition, list[Emit]] = defaultdict(list)
        for emit in emits:
            by_place[emit.topic, emit.partition].append(emit)
        return [emit for queue in by_place.values() for emit in queue[: self.random.randint(0, len(queue))]]

    def _send(self, emits: Iterable[Emit]) -> None:
        for emit in emits:
            self.put(emit)

    # ------------------------------------------------------------ out

    def changelog(self, stage: Stage, task: int) -> dict[bytes, bytes]:
        """The last value of every key of one task's changelog."""
        return self.logs.folded((stage.changelog, task)) if stage.changelog else {}

    def read(self, names: Iterable[str]) -> Iterator[TopicMessage]:
        """Every message of these topics, as the independent reader gives them."""
        return self.logs.read(names)

    def finals(self) -> Finals:
        """The final values of every result topic, by the definition of `compare`."""
        return finals(self.logs)

    def latest(self, name: str) -> dict[str, Any]:
        """Key -> last value of one topic with its history in it; removed keys left out."""
        values: dict[str, Any] = {}
        for message in self.read([name]):
            key = (message.key or b"").decode()
            values.pop(key, None)
            if message.value is not None:
                values[key] = canonical.load(message.value)
        return values

    def dispositions(self) -> dict[str, str]:
        """Entry id -> current disposition, of the entries that were sent and have one."""
        ends = self.latest(DISPOSITIONS)
        names = {sent.entry_id: entry_name(all_keys(), sent.source, sent.entry_id) for sent in self.journal}
        return {entry: ends[name]["disposition"] for entry, name in names.items() if name in ends}

    def clusters(self) -> frozenset[frozenset[str]]:
        """The records of each person."""
        people: dict[str, set[str]] = defaultdict(set)
        for record, link in self.latest(LINK_MAP).items():
            people[link["person_id"]].add(record)
        return frozenset(frozenset(records) for records in people.values())


@cache
def result_topics() -> tuple[str, ...]:
    """The compacted topics that are results."""
    return tuple(final_topics(registry(sources().values(), RECIPIENTS)))


def finals(logs: Logs) -> Finals:
    """The final values of every result topic, by the definition of `compare`.

    Dead letters are named by their place in the intake, which another order of arrival changes: of them only
    the number counts.
    """
    found: Finals = {name: dict(final_values(logs.read([name]))) for name in result_topics()}
    found[DEAD_LETTERS] = {b"count": len(found[DEAD_LETTERS])}
    return found


def _sorted_out(stage: Stage, task: int, answers: Iterable[Answer]) -> tuple[list[Emit], list[Emit], list[Emit]]:
    """The claims, outputs and changes of a batch; released claims are changes, as one batch at a time is in flight."""
    claims, outputs, changes, released = list[Emit](), list[Emit](), list[Emit](), dict[bytes, Emit]()
    for message, outcomes in answers:
        for outcome in outcomes:
            if isinstance(outcome, Emit):
                assert outcome.topic in stage.writes, f"{stage.name} does not write {outcome.topic}"
                outputs.append(outcome)
            elif isinstance(outcome, Reject):
                outputs.append(dead_letter_of(stage, message, outcome.code))
            else:
                assert stage.changelog is not None, "a stage that changes state has a changelog"
                value = outcome.value if isinstance(outcome, Change | Claim) else None
                element = Emit(stage.changelog, task, outcome.key, value)
                if isinstance(outcome, Release):
                    released[outcome.key] = element
                    continue
                if isinstance(outcome, Claim):  # what is claimed again is not removed after
                    released.pop(outcome.key, None)
                (claims if isinstance(outcome, Claim) else changes).append(element)
    return claims, outputs, [*changes, *released.values()]
