"""What a simulated worker has in flight: batches, and their records on the way to the logs and back."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from streams.host.commit import Flight, Partition
from streams.steps.outcome import Change, Claim, Emit, Message, Outcome, Reject, Release, Stage

DeadLetter = Callable[[Stage, Message, str], Emit]
RecordKind = Literal["claim", "output", "state"]


@dataclass(eq=False, slots=True)
class Batch:
    """One flight with the outcomes of the step. The counts: how much has not landed, or is not known to have landed."""

    flight: Flight
    messages: tuple[Message, ...]
    handed_ms: int
    claims: list[Emit] = field(default_factory=list)
    outputs: list[Emit] = field(default_factory=list)
    changes: list[Emit] = field(default_factory=list)
    released: list[Emit] = field(default_factory=list)
    answered: bool = False
    claims_unlanded: int = 0
    claims_unknown: int = 0
    outputs_unlanded: int = 0
    outputs_unknown: int = 0
    state_unlanded: Counter[int] = field(default_factory=Counter)  # by task
    state_unknown: int = 0

    def note(self, stage: Stage, message: Message, outcomes: Iterable[Outcome], dead_letter: DeadLetter) -> None:
        """Add what the stage's step answered to one message."""
        for outcome in outcomes:
            if isinstance(outcome, Emit):
                self.outputs.append(outcome)
            elif isinstance(outcome, Reject):
                self.outputs.append(dead_letter(stage, message, outcome.code))
            else:
                assert stage.changelog is not None, "a stage that changes state has a changelog"
                value = outcome.value if isinstance(outcome, Change | Claim) else None
                kinds = {Change: self.changes, Claim: self.claims, Release: self.released}
                element = Emit(stage.changelog, message.partition, outcome.key, value)
                if isinstance(outcome, Claim):  # what is claimed again is not removed after
                    self.released = [release for release in self.released if release[:3] != element[:3]]
                kinds[type(outcome)].append(element)

    def answer_ended(self) -> None:
        """Every message has been advanced."""
        self.answered = True
        self.claims_unlanded = self.claims_unknown = len(self.claims)
        self.outputs_unlanded = self.outputs_unknown = len(self.outputs)
        self.state_unlanded = Counter(change.partition for change in self.changes)
        self.state_unknown = len(self.changes)

    def release(self, claimed: Collection[tuple[int, bytes]]) -> None:
        """The released claims are removed with the state, but for those `claimed` again, by task and key."""
        found = [release for release in self.released if (release.partition, release.key) not in claimed]
        self.changes += found
        self.state_unlanded.update(release.partition for release in found)
        self.state_unknown += len(found)
        self.released = []

    @property
    def landed(self) -> bool:
        """Every record is in the logs, whether the worker knows it or not."""
        unlanded = self.claims_unlanded or self.outputs_unlanded or self.state_unlanded.total() or self.released
        return self.answered and not unlanded


@dataclass(eq=False, slots=True)
class ProducedMessage:
    """One record handed to the producer, with the time it was stamped with."""

    emit: Emit
    batch: Batch
    kind: RecordKind
    stamp_ms: int


@dataclass(slots=True)
class Producer:
    """Idempotent: per partition in order, no record twice. What has landed may be acknowledged much later."""

    unlanded: dict[Partition, deque[ProducedMessage]] = field(default_factory=dict)
    unknown: dict[Partition, deque[ProducedMessage]] = field(default_factory=dict)

    def hand_over(self, emits: Iterable[Emit], batch: Batch, kind: RecordKind, stamp_ms: int) -> None:
        """To be sent, in this order within a partition."""
        for emit in emits:
            place = (emit.topic, emit.partition)
            self.unlanded.setdefault(place, deque()).append(ProducedMessage(emit, batch, kind, stamp_ms))

    def landed(self, place: Partition) -> None:
        """The first record under way to `place` is in the log."""
        queue = self.unlanded[place]
        self.unknown.setdefault(place, deque()).append(queue.popleft())
        if not queue:
            del self.unlanded[place]

    def acknowledged(self, place: Partition) -> ProducedMessage:
        """The first record that landed at `place`: its acknowledgement has arrived."""
        queue = self.unknown[place]
        record = queue.popleft()
        if not queue:
            del self.unknown[place]
        return record

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self.unlanded and not self.unknown

    def sizes(self) -> Mapping[Partition, int]:
        """How many records are under way to each partition."""
        return {place: len(queue) for place, queue in self.unlanded.items()}
