"""What a batch leaves of claims is what its outcomes say in their order, though claims leave before releases.

Ingress releases a record that has waited too long, and claims it anew when an entry of it comes: both in one batch, or
in answer to one message. If the release came last, the record's keys would be gone from the changelog and stand in
memory only: the next turn after a restart would pass it over, and what destroys its neighbour would destroy it too.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ops.lab.memory_engine.engine import _sorted_out
from ops.lab.model_check.batches import Batch
from streams.host.batch import BatchRunner, Pace, Sendable
from streams.host.commit import Flight
from streams.host.delivered import DeliveredMarker
from streams.metrics import StageMetrics
from streams.steps.outcome import Claim, Message, MessageByMessage, Outcome, Release, Stage, keep

STAGE = Stage(name="echo", reads=("in",), changelog="state", partitions=1, dead_letter="dlq", last=True)
CLAIM, RELEASE, OTHER = Claim(b"record/k", b"1"), Release(b"record/k"), Release(b"other/k")
ORDERS: Sequence[tuple[Outcome, ...]] = (
    (CLAIM, RELEASE),
    (RELEASE, CLAIM),
    (OTHER, RELEASE, CLAIM),
    (CLAIM, RELEASE, CLAIM),
    (RELEASE, CLAIM, RELEASE),
)
MESSAGE = Message("in", 0, 5, b"key", b"value", (), 1_700_000_000_000)


class GivenStep(MessageByMessage):
    """Answers every message with what it was given."""

    def __init__(self, outcomes: tuple[Outcome, ...]) -> None:
        self._outcomes = outcomes

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> int:
        return len(list(elements))

    def advance(self, state: int, message: Message) -> tuple[int, tuple[Outcome, ...]]:
        return state, self._outcomes


class Kept:
    """A producer whose broker has everything at once."""

    def __init__(self) -> None:
        self.elements: dict[bytes, bytes] = {b"record/k": b"0", b"other/k": b"0"}

    def send(self, messages: Sequence[Sendable], *, stamp_ms: int) -> None:
        for topic, _, key, value, _ in messages:
            if topic == "state" and key is not None and b"/" in key:
                self.elements.pop(key, None)
                self.elements |= {key: value} if value is not None else {}

    def is_clear(self) -> bool:
        return True

    def poll(self, wait_s: float) -> None:
        return None


def wanted(outcomes: tuple[Outcome, ...]) -> dict[bytes, bytes]:
    elements = Kept().elements
    keep(elements, outcomes)
    return elements


@pytest.mark.parametrize("outcomes", ORDERS)
def test_the_host_keeps_what_was_said_last(tmp_path: Path, outcomes: tuple[Outcome, ...]) -> None:
    broker = Kept()
    runner = BatchRunner(
        stage=STAGE,
        step=GivenStep(outcomes),
        seal_dead_letter=lambda message, code: b"",
        producer=broker,
        marker=DeliveredMarker(tmp_path / "delivered.json"),
        metrics=StageMetrics(STAGE, CollectorRegistry()),
        observe=lambda phase: None,
        check_fence=lambda: None,
        pace=Pace(1.0, 500),
        stamp_ms=lambda: 1,
        generation=0,
    )
    runner.begin(runner.restore({0: {}}), {("in", 0): 5})
    runner.dispatch([MESSAGE])
    runner.advance(0)
    assert runner.committable() == {("in", 0): 6}
    assert broker.elements == wanted(outcomes)


@pytest.mark.parametrize("outcomes", ORDERS)
def test_the_engines_of_the_lab_keep_it_too(outcomes: tuple[Outcome, ...]) -> None:
    claims, _, changes = _sorted_out(STAGE, 0, [(MESSAGE, outcomes)])
    batch = Batch(Flight({("in", 0): 6}), (MESSAGE,), 0)
    batch.note(STAGE, MESSAGE, outcomes, lambda stage, message, code: claims[0])
    batch.answer_ended()
    batch.release(())
    for waves in ((*claims, *changes), (*batch.claims, *batch.changes)):
        elements = Kept().elements
        for emit in waves:
            elements.pop(emit.key, None)
            elements |= {emit.key: emit.value} if emit.value is not None else {}
        assert elements == wanted(outcomes)
