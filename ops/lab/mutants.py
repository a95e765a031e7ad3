"""Hosts that are wrong on purpose. A harness that cannot tell them from the right one proves nothing.

Chosen by `python -m ops.lab.worker --mutant NAME` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.host.batch import Advanced, BatchAnswer, BatchRunner, InFlightBatch, Sendable
from streams.host.commit import Partition
from streams.metrics import StageTally
from streams.steps.outcome import Message, S


@dataclass
class CommitFirst(BatchRunner[S]):
    """Commits what has only been delivered: a crash before the acknowledgement loses it."""

    _held: Sequence[Message] = ()
    _ahead: dict[Partition, int] = field(default_factory=dict)

    def dispatch(self, messages: Sequence[Message]) -> int:
        """Nothing is answered before the offsets are committed."""
        self._held = messages
        self._ahead = {(message.topic, message.partition): message.offset + 1 for message in messages}
        return len(messages)

    def is_full(self) -> bool:
        """One batch at a time."""
        return bool(self._held) or super().is_full()

    def committable(self) -> dict[Partition, int]:
        """What has been delivered."""
        return self._ahead

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Only now the batch is answered."""
        self.observe("committed")
        messages, self._held, self._ahead = self._held, (), {}
        while messages:
            messages = messages[super().dispatch(messages) :]


class StateFirst(BatchRunner[S]):
    """Sends state before outputs: a crash in between leaves a state that says they were sent."""

    def _answer(self, messages: Sequence[Message], advanced: Advanced) -> tuple[BatchAnswer, StageTally]:
        answer, tally = super()._answer(messages, advanced)
        return BatchAnswer(answer.claims, [*answer.changes, *answer.released], answer.outputs), tally


class ClaimsLast(BatchRunner[S]):
    """Sends claims with the state: what was published before a crash is not known afterwards."""

    def _answer(self, messages: Sequence[Message], advanced: Advanced) -> tuple[BatchAnswer, StageTally]:
        answer, tally = super()._answer(messages, advanced)
        return BatchAnswer([], answer.outputs, [*answer.claims, *answer.changes], answer.released), tally


class ReleasesOverClaims(BatchRunner[S]):
    """Removes a claim that a later batch has made again."""

    def _releasable(self, batch: InFlightBatch) -> list[Sendable]:
        return batch.answer.released


MUTANTS: Mapping[str, type[BatchRunner[object]]] = {
    "commit_first": CommitFirst,
    "state_first": StateFirst,
    "claims_last": ClaimsLast,
    "releases_over_claims": ReleasesOverClaims,
}
