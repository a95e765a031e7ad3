"""What a step receives and what it may answer: values only, so that a step can be tested without Kafka.

Named tuples, because the host makes three of them per message: 0.3 microseconds each, a frozen dataclass 1.2.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

S = TypeVar("S")

Headers = tuple[tuple[str, bytes], ...]
_CODE = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")  # fit for a header and a metric label


class Message(NamedTuple):
    """One message as Kafka delivered it. Key and value stay out of the repr: it may be about a person."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int

    def __repr__(self) -> str:
        return f"Message({self.topic}/{self.partition}/{self.offset})"


class Emit(NamedTuple):
    """Send this message, to exactly this partition. A value of None is a tombstone: it removes the key."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers = ()

    def __repr__(self) -> str:
        return f"Emit({self.topic}/{self.partition})"


class Change(NamedTuple):
    """One element of the state was written; None = removed. Becomes one record of the stage's changelog."""

    key: bytes
    value: bytes | None

    def __repr__(self) -> str:
        return "Change()"


class Claim(NamedTuple):
    """One element of the state that is on the broker before any output of its batch leaves.

    It names what is going to be published and may have to be taken back: a process that dies in between finds it
    again, whatever became of the messages that led to it.
    """

    key: bytes
    value: bytes

    def __repr__(self) -> str:
        return "Claim()"


class Release(NamedTuple):
    """What the claim under `key` names is taken back by this batch: the claim is removed with the batch's state.

    Not when a later batch, already answered, claims it again.
    """

    key: bytes

    def __repr__(self) -> str:
        return "Release()"


class Reject(NamedTuple):
    """Dead-letter the message being answered. `code` is a constant of the program, never a value."""

    code: str


Outcome = Emit | Change | Claim | Release | Reject
Answer = tuple[Message, tuple[Outcome, ...]]  # what follows, and the message it is answered to


class Step(Protocol[S]):
    """A pure function with state. A *task* is one partition number of a stage; each has its own state."""

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> S:
        """The state of one task from its changelog: the last value of every key, removed keys left out."""
        ...

    def advance(self, state: S, message: Message) -> tuple[S, tuple[Outcome, ...]]:
        """The state after `message`, and what follows from it; the same for the same arguments, always.

        The state passed in is not used again, so it may be changed in place. A message that comes again has the
        same outputs, unless its effect is in the state, which proves that its outputs are on the broker. Raising is a
        bug, never a rejection.
        """
        ...

    def finish(self, state: S) -> tuple[Answer, ...]:
        """What follows from the messages of the task since the last `finish` together: the batch ends here.

        `state` may be changed in place. Where a batch ends differs from one life to the next.
        """
        ...

    def waiting(self, state: S) -> int:
        """How much `finish` has to do: the answers it will give. One message may lead to very many."""
        ...


class MessageByMessage:
    """A step whose messages lead to nothing together that they do not lead to singly."""

    def finish(self, _: object) -> tuple[Answer, ...]:
        """Nothing more."""
        return ()

    def waiting(self, _: object) -> int:
        """Nothing."""
        return 0


@dataclass(frozen=True)
class Stage:
    """What one stage reads and writes. The host does not start when a topic is absent or does not fit.

    All of `reads` and the changelog have `partitions` partitions and are co-partitioned: partition p of each
    belongs to task p. `dead_letter` has at least as many. `writes` (checked for presence only) names the
    topics its step emits to. `last`: a message answered here has arrived; its age is measured.
    """

    name: str
    reads: tuple[str, ...]
    changelog: str | None
    partitions: int
    dead_letter: str
    writes: tuple[str, ...] = ()
    published: frozenset[str] = frozenset()
    last: bool = False


def source_of(message: Message) -> bytes:
    """topic/partition/offset: names a message for ever."""
    return f"{message.topic}/{message.partition}/{message.offset}".encode()


def dead_letter(stage: Stage, message: Message, code: str, sealed: bytes) -> Emit:
    """The dead letter of a rejected message: named after its place, in the same partition, with stage and code."""
    assert _CODE.fullmatch(code), "a reject code is a constant"
    headers = (("stage", stage.name.encode()), ("code", code.encode()))
    return Emit(stage.dead_letter, message.partition, source_of(message), sealed, headers)


def keep(elements: dict[bytes, bytes], outcomes: Iterable[Outcome]) -> None:
    """Apply the changes, claims and releases among `outcomes` to `elements`, the content of a changelog.

    The last written come last.
    """
    for outcome in outcomes:
        if isinstance(outcome, Change | Claim | Release):
            elements.pop(outcome.key, None)
            if not isinstance(outcome, Release) and outcome.value is not None:
                elements[outcome.key] = outcome.value
