"""The whole engine without Kafka: partitioned logs in memory, the real steps, a scheduler drawn from a seed.

It keeps what the host keeps: order within a partition and nothing beyond it; the outputs of a batch, then its
state, then its commit; a crashed task reads its state back from its changelog and is given again what it had
not committed. Where a crash falls, how large a batch is, and how the partitions of a task interleave are
drawn.
"""

import base64
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.admin.topic_reader import TopicMessage
from ops.client.journal import Sent
from ops.lab.model_check.arrivals import (
    RECEIVED_AT,
    RECIPIENTS,
    START_MS,
    Finals,
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
from schemas.envelope import record_id as record_id_of
from schemas.identity import LocalId
from schemas.source_message import SourceMessage
from schemas.topics import DEAD_LETTERS, LINK_MAP, registry
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject, Stage, Step

__all__ = [
    "RECEIVED_AT",
    "RECIPIENTS",
    "START_MS",
    "Faults",
    "MemoryEngine",
    "all_keys",
    "intake_message",
    "real_step",
    "sources",
]
CRASH_POINTS = ("delivered", "outputs in part", "outputs", "state in part", "state")
Place = tuple[str, int]  # topic, partition


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
    """Topics, committed positions and the state of every task. `steps` replaces a real step by a mutant."""

    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    steps: Mapping[str, Step[Any]] = field(default_factory=dict)
    batch_max: int = 6
    now_ms: int = START_MS
    crashes: int = 0
    redelivered: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.logs: dict[Place, list[Message]] = defaultdict(list)
        self.committed: dict[tuple[str, Place], int] = defaultdict(int)
        self.journal: list[Sent] = []
        self.message_ids: list[str] = []
        self._states: dict[tuple[str, int], Any] = {}
        self._stages = stages()
        self._seen: dict[tuple[str, Place], int] = defaultdict(int)
        self._waiting = self._unread()

    # ------------------------------------------------------------ in

    def take(self, slug: str, told: SourceMessage) -> str:
        """A door heard this and the broker acknowledged it. Returns its entry id."""
        self.message_ids.append(told.message_id)
        return self.take_sealed(slug, intake_message(slug, told))

    def take_sealed(self, slug: str, intake: tuple[str, bytes, bytes]) -> str:
        """As `take`, of what `intake_message` made: the seal differs at every making, a replay's must not."""
        self._append(published(slug, intake))
        self.journal.append(Sent(slug, intake[0], "accepted"))
        return intake[0]

    def put(self, emit: Emit) -> None:
        """Any message at all: poison, a tombstone by hand."""
        self._append(emit)

    # ------------------------------------------------------------ run

    def run(self) -> "MemoryEngine":
        """Until no stage has anything left to read."""
        while self._waiting:
            self._batch(*self.random.choice(sorted(self._waiting)))
        return self

    def _unread(self) -> set[tuple[int, int]]:
        """(stage, task) with messages not committed."""
        return {
            (number, task)
            for number, one in enumerate(self._stages)
            for task in range(one.partitions)
            if any(self._behind(one, (topic, task)) for topic in one.reads)
        }

    def _behind(self, of: Stage, place: Place) -> bool:
        return self.committed[of.name, place] < len(self.logs[place])

    def _batch(self, number: int, task: int) -> None:
        of = self._stages[number]
        step: Step[Any] = self.steps.get(of.name) or real_step(of.name)
        if (of.name, task) not in self._states:
            self._states[of.name, task] = step.restore(self.changelog(of, task).items())
        messages, positions = self._fetch(of, task)
        state, outputs, changes = self._states[of.name, task], list[Emit](), list[Emit]()
        for message in messages:
            state, outcomes = step.advance(state, message)
            outputs += self._outputs(of, message, outcomes)
            changes += _changes(of, task, outcomes)
        self._states[of.name, task] = state
        if self._deliver(outputs, changes):
            self.committed.update(positions)
            if not any(self._behind(of, (topic, task)) for topic in of.reads):
                self._waiting.discard((number, task))
        else:
            del self._states[of.name, task]

    def _fetch(self, of: Stage, task: int) -> tuple[list[Message], dict[tuple[str, Place], int]]:
        """Some of what the task has not committed: its partitions in any interleaving, each in order."""
        ahead = {(topic, task): self.committed[of.name, (topic, task)] for topic in of.reads}
        messages: list[Message] = []
        for _ in range(self.random.randint(1, self.batch_max)):
            open_places = [place for place in ahead if ahead[place] < len(self.logs[place])]
            if not open_places:
                break
            place = self.random.choice(open_places)
            messages.append(self.logs[place][ahead[place]])
            self.redelivered += ahead[place] < self._seen[of.name, place]
            ahead[place] += 1
            self._seen[of.name, place] = max(self._seen[of.name, place], ahead[place])
        return messages, {(of.name, place): offset for place, offset in ahead.items()}

    def _deliver(self, outputs: list[Emit], changes: list[Emit]) -> bool:
        """Outputs, then state; False when the task died on the way, before its commit."""
        point = self._crash_point()
        first, second = (changes, outputs) if self.faults.state_first else (outputs, changes)
        if point == "delivered":
            return False
        self._send(self._cut(first) if point == "outputs in part" else first)
        if point in ("outputs in part", "outputs"):
            return False
        self._send(self._cut(second) if point == "state in part" else second)
        return point is None

    def _crash_point(self) -> str | None:
        if self.crashes >= self.faults.crashes_max or self.random.random() >= self.faults.crash_share:
            return None
        self.crashes += 1
        return self.random.choice(list(self.faults.points))

    def _cut(self, emits: list[Emit]) -> list[Emit]:
        """What a dying producer may have got through: of each partition some first ones."""
        by_place: dict[Place, list[Emit]] = defaultdict(list)
        for one in emits:
            by_place[one.topic, one.partition].append(one)
        return [one for own in by_place.values() for one in own[: self.random.randint(0, len(own))]]

    def _send(self, emits: Iterable[Emit]) -> None:
        for one in emits:
            self._append(one)

    def _append(self, emit: Emit) -> None:
        log = self.logs[emit.topic, emit.partition]
        self.now_ms += 1
        log.append(
            Message(emit.topic, emit.partition, len(log), emit.key, emit.value, emit.headers, self.now_ms)
        )
        readers = (n for n, one in enumerate(self._stages) if emit.topic in one.reads)
        self._waiting |= {(number, emit.partition) for number in readers}

    def _outputs(self, of: Stage, message: Message, outcomes: Iterable[Outcome]) -> Iterator[Emit]:
        for one in outcomes:
            if isinstance(one, Emit):
                assert one.topic in of.writes, f"{of.name} does not write {one.topic}"
                yield one
            elif isinstance(one, Reject):
                yield dead_letter_of(of, message, one.code)

    # ------------------------------------------------------------ out

    def changelog(self, of: Stage, task: int) -> dict[bytes, bytes]:
        """The last value of every key of one task's changelog."""
        log = self.logs[of.changelog, task] if of.changelog else []
        kept: dict[bytes, bytes] = {}
        for one in log:
            assert one.key is not None
            if one.value is None:
                kept.pop(one.key, None)
            else:
                kept[one.key] = one.value
        return kept

    def read(self, names: Iterable[str]) -> Iterator[TopicMessage]:
        """Every message of these topics, partition by partition in order, as the independent reader gives
        them.
        """
        for name in names:
            for topic, partition in sorted(place for place in self.logs if place[0] == name):
                for one in self.logs[topic, partition]:
                    yield TopicMessage(
                        topic, partition, one.offset, one.key, one.value, one.headers, one.timestamp_ms
                    )

    def finals(self) -> Finals:
        """Topic -> key -> final value by the definition of `compare`.

        Dead letters are named by their place in the intake, which another order of arrival changes: of them
        only the number is kept.
        """
        found = {name: final_values(self.read([name])) for name in self.compacted()}
        found[DEAD_LETTERS] = {b"count": len(found[DEAD_LETTERS])}
        return found

    def compacted(self) -> list[str]:
        """The topics that are results."""
        return final_topics(registry(sources().values(), RECIPIENTS))

    def latest(self, name: str) -> dict[str, Any]:
        """Key -> last value of one topic with its history in it; removed keys left out."""
        found: dict[str, Any] = {}
        for one in self.read([name]):
            key = (one.key or b"").decode()
            found.pop(key, None)
            if one.value is not None:
                found[key] = canonical.load(one.value)
        return found

    def receipts(self) -> dict[str, str]:
        """Entry id -> current disposition."""
        return {
            entry: value["disposition"]
            for source in sources().values()
            for entry, value in self.latest(source.receipts_topic).items()
        }

    def clusters(self) -> frozenset[frozenset[str]]:
        """The records of each person."""
        people: dict[str, set[str]] = defaultdict(set)
        for record, link in self.latest(LINK_MAP).items():
            people[link["person_id"]].add(record)
        return frozenset(frozenset(one) for one in people.values())

    def everything(self) -> bytes:
        """Every key, value and header of every topic in one text, base64 within JSON not opened."""
        parts = []
        for log in self.logs.values():
            for one in log:
                parts += [one.key or b"", one.value or b"", *(value for _, value in one.headers)]
        return b"\n".join(parts)


def _changes(of: Stage, task: int, outcomes: Iterable[Outcome]) -> Iterator[Emit]:
    for one in outcomes:
        if isinstance(one, Change):
            assert of.changelog is not None
            yield Emit(of.changelog, task, one.key, one.value)


def record_id(slug: str, local_id: str) -> str:
    """The id under which the engine keeps the record of one patient of one source."""
    return record_id_of(all_keys(), slug, LocalId(local_id))


def differing(one: Finals, other: Finals) -> dict[str, list[str]]:
    """Topic -> keys whose final values differ; empty when two runs ended in the same."""
    found = {}
    for name in one.keys() | other.keys():
        left, right = one.get(name, {}), other.get(name, {})
        keys = [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
        if keys:
            found[name] = sorted(key.decode() for key in keys)
    return found


def base64_parts(text: bytes) -> bytes:
    """What stands in base64 in any JSON value of `text`, opened."""
    found = []
    for word in text.replace(b'"', b" ").split():
        try:
            found.append(base64.b64decode(word, validate=True))
        except ValueError:
            continue
    return b"\n".join(found)
