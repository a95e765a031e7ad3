"""One batch: what is sent, in which order, and what happens when something fails in the middle."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from streams.host.batch import ANSWERS_MAX, BATCH_PHASES, FLIGHTS_MAX, BatchRunner, GenerationTooLow, Pace, Sendable
from streams.host.commit import NotAssigned, Partition
from streams.host.delivered import DeliveredMarker
from streams.metrics import StageMetrics
from streams.steps.outcome import (
    Answer,
    Change,
    Claim,
    Emit,
    Message,
    MessageByMessage,
    Outcome,
    Reject,
    Release,
    Stage,
)

STAGE = Stage(
    name="echo", reads=("in",), changelog="state", partitions=2, dead_letter="dlq", writes=("out",), last=True
)

STAMP_MS = 1_700_000_000_500  # of the last accepted heartbeat
BEGAN = ("began", b"1700000000000")  # the time of the first message is carried to the last stage


class ScriptedStep(MessageByMessage):
    """A step whose answer depends on the value of the message; keeps the values it has seen."""

    answers: Mapping[bytes, tuple[Outcome, ...]] = {
        b"emit": (Emit("out", 1, b"k", b"v", (("kind", b"x"),)), Change(b"element", b"1")),
        b"remove": (Change(b"element", None),),
        b"poison": (Reject("bad-word"),),
        b"value as code": (Reject("Jane Doe"),),
        b"claim": (Claim(b"claim", b"1"), Emit("out", 1, b"k", b"v")),
        b"release": (Emit("out", 1, b"k", b"taken back"), Release(b"claim")),
        b"silent": (),
    }

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        return [value for _, value in elements]

    def advance(self, state: list[bytes], message: Message) -> tuple[list[bytes], tuple[Outcome, ...]]:
        assert message.value is not None
        return [*state, message.value], self.answers[message.value]


class Line:
    """Stands in for broker and clock: writes down, in order, what was asked of it, and fails where told.

    `silent`: shipments, counted from 1, that are not acknowledged before `speak`.
    """

    def __init__(self, fails_at: str = "", *, silent: Sequence[int] = ()) -> None:
        self.sent: list[Emit] = []
        self.happened: list[str] = []
        self._fails_at, self._silent, self._shipments = fails_at, set(silent), 0

    def point(self, name: str) -> None:
        self.happened.append(name)
        if name == self._fails_at:
            raise ConnectionError(name)

    def fence(self) -> None:
        self.happened.append("fence")

    def speak(self, number: int) -> None:
        self._silent.discard(number)

    def send(self, messages: Sequence[Sendable], *, stamp_ms: int) -> None:
        assert stamp_ms == STAMP_MS
        self.sent += [Emit(*where, tuple(headers)) for *where, headers in messages]
        self._shipments += 1

    def is_clear(self) -> bool:
        return not any(number <= self._shipments for number in self._silent)

    def poll(self, wait_s: float) -> None:
        return None


def runner(
    line: Line, directory: Path, registry: CollectorRegistry | None = None, *, generation: int = 0
) -> BatchRunner:
    made = BatchRunner(
        stage=STAGE,
        step=ScriptedStep(),
        seal_dead_letter=lambda message, code: b"sealed " + code.encode(),
        producer=line,
        marker=DeliveredMarker(directory / "delivered.json"),
        metrics=StageMetrics(STAGE, registry or CollectorRegistry()),
        observe=line.point,
        check_fence=line.fence,
        pace=Pace(1.0, 500),
        stamp_ms=lambda: STAMP_MS,
        generation=generation,
    )
    made.begin(made.restore({0: {b"a": b"kept"}, 1: {}}), {("in", 0): 5, ("in", 1): 0})
    return made


def message(value: bytes, offset: int, partition: int = 0) -> Message:
    return Message("in", partition, offset, b"key", value, (), 1_700_000_000_000)


def run(made: BatchRunner, line: Line, *messages: Message) -> dict[Partition, int]:
    """Dispatched, advanced where the line allows it, and committed; returns the offsets committed."""
    made.dispatch(messages)
    made.advance(0)
    offsets = made.committable()
    if offsets:
        line.happened.append("commit")
        made.committed(offsets)
    return offsets


def test_outputs_are_acknowledged_before_state_is_sent_and_state_before_the_commit(tmp_path: Path) -> None:
    line = Line()
    made = runner(line, tmp_path)
    assert run(made, line, message(b"emit", 5), message(b"remove", 6)) == {("in", 0): 7}
    assert [name for name in line.happened if name != "fence"] == [
        "delivered",
        "claims_sent",
        "claims_acknowledged",
        "outputs_sent",
        "outputs_acknowledged",
        "state_sent",
        "state_acknowledged",
        "commit",
        "committed",
    ]
    assert [name for name in line.happened if name in BATCH_PHASES] == list(BATCH_PHASES)
    assert line.happened.count("fence") == 2, "before outputs and state; the consumer asks before a commit"
    assert [emit.topic for emit in line.sent] == ["out", "state", "state"]
    assert made.states == {0: [b"kept", b"emit", b"remove"], 1: []}


@pytest.mark.parametrize("point", BATCH_PHASES[:-1])
def test_nothing_is_committed_when_anything_before_the_commit_fails(point: str, tmp_path: Path) -> None:
    line = Line(point)
    with pytest.raises(ConnectionError):
        run(runner(line, tmp_path), line, message(b"emit", 5))
    assert "commit" not in line.happened


def test_what_was_not_acknowledged_is_neither_committable_nor_counted(tmp_path: Path) -> None:
    for silent in (1, 2):  # the outputs, then the state
        line, registry = Line(silent=[silent]), CollectorRegistry()
        assert run(runner(line, tmp_path, registry), line, message(b"emit", 5)) == {}
        labels = {"stage": "echo", "outcome": "emitted"}
        assert registry.get_sample_value("tierlink_stage_messages_total", labels) == 0


def test_a_later_batch_waits_with_its_state_and_its_offsets_for_an_earlier_one(tmp_path: Path) -> None:
    line = Line(silent=[1])
    made = runner(line, tmp_path)
    assert run(made, line, message(b"emit", 5)) == {}
    assert run(made, line, message(b"remove", 6)) == {}
    assert [item.topic for item in line.sent] == ["out"], "the second has no outputs, and may not send its state"
    line.speak(1)
    made.advance(0)
    assert [(item.topic, item.value) for item in line.sent] == [
        ("out", b"v"),
        ("state", b"1"),
        ("state", None),
    ]
    assert made.committable() == {("in", 0): 7}


def test_no_more_batches_are_in_the_air_than_may_be(tmp_path: Path) -> None:
    line = Line(silent=range(1, 100))
    made = runner(line, tmp_path)
    for offset in range(5, 5 + FLIGHTS_MAX):
        assert not made.is_full()
        run(made, line, message(b"silent", offset))
    assert made.is_full()


def test_no_output_leaves_before_its_claim_is_acknowledged(tmp_path: Path) -> None:
    line = Line(silent=[1])
    made = runner(line, tmp_path)
    assert run(made, line, message(b"claim", 5)) == {}
    assert [(item.topic, item.key) for item in line.sent] == [("state", b"claim")]
    line.speak(1)
    made.advance(0)
    assert [(item.topic, item.key) for item in line.sent] == [("state", b"claim"), ("out", b"k")]
    assert made.committable() == {("in", 0): 6}


def test_the_generation_stands_in_the_changelog_before_the_first_output_under_it(tmp_path: Path) -> None:
    line = Line()
    made = runner(line, tmp_path, generation=2)
    run(made, line, message(b"emit", 5))
    run(made, line, message(b"emit", 6))
    assert [(item.topic, item.key, item.value) for item in line.sent[:2]] == [
        ("state", b"generation", b"2"),
        ("out", b"k", b"v"),
    ]
    assert [item.key for item in line.sent].count(b"generation") == 1
    assert made.restore({0: {b"a": b"kept", b"generation": b"2"}}) == {0: [b"kept"]}, "the step never sees it"


def test_a_worker_of_a_lower_generation_than_its_changelog_does_not_begin(tmp_path: Path) -> None:
    with pytest.raises(GenerationTooLow, match="generation 0, where the changelog has 1"):
        runner(Line(), tmp_path).restore({0: {}, 1: {b"generation": b"1"}})


def test_a_claim_is_removed_with_the_state_after_what_takes_back_what_it_names(tmp_path: Path) -> None:
    line = Line()
    made = runner(line, tmp_path)
    run(made, line, message(b"claim", 5))
    run(made, line, message(b"release", 6))
    assert [(item.topic, item.value) for item in line.sent[2:]] == [("out", b"taken back"), ("state", None)]


def test_a_claim_that_a_later_batch_makes_again_is_not_removed_by_an_earlier_one(tmp_path: Path) -> None:
    """Its claim is on the broker already: to remove it now would leave the later output without one."""
    line = Line(silent=[3])
    made = runner(line, tmp_path)
    run(made, line, message(b"claim", 5))
    assert run(made, line, message(b"release", 6)) == {}
    run(made, line, message(b"claim", 7))
    line.speak(3)
    made.advance(0)
    elements = [item.value for item in line.sent if item.topic == "state"]
    assert elements == [b"1", b"1"]
    assert made.committable() == {("in", 0): 8}


def test_an_output_keeps_its_key_partition_and_headers_and_names_its_cause(tmp_path: Path) -> None:
    line = Line()
    run(runner(line, tmp_path), line, message(b"emit", 5))
    assert line.sent == [
        Emit("out", 1, b"k", b"v", (("kind", b"x"), ("src", b"in/0/5"), BEGAN)),
        Emit("state", 0, b"element", b"1", (("src", b"in/0/5"), BEGAN)),
    ]


def test_a_rejected_message_becomes_a_dead_letter_of_its_own_partition(tmp_path: Path) -> None:
    line = Line()
    run(runner(line, tmp_path), line, message(b"poison", 0, partition=1))
    headers = (("stage", b"echo"), ("code", b"bad-word"), ("src", b"in/1/0"), BEGAN)
    assert line.sent == [Emit("dlq", 1, b"in/1/0", b"sealed bad-word", headers)]


def test_a_reject_code_that_is_not_a_word_of_ours_stops_the_batch(tmp_path: Path) -> None:
    line = Line()
    with pytest.raises(AssertionError, match="is a constant"):
        run(runner(line, tmp_path), line, message(b"value as code", 5))
    assert line.sent == []


def test_what_was_delivered_before_in_this_assignment_is_not_fresh(tmp_path: Path) -> None:
    line = Line()
    made = runner(line, tmp_path)
    first = [message(b"silent", offset) for offset in (4, 5, 6)]
    assert [item.offset for item in made.fresh(first)] == [5, 6], "4 is below the position it was begun at"
    run(made, line, *made.fresh(first))
    assert [item.offset for item in made.fresh([*first, message(b"silent", 9)])] == [9]


def test_after_the_partitions_are_gone_nothing_of_them_is_left(tmp_path: Path) -> None:
    made = runner(Line(), tmp_path)
    made.drop()
    assert made.states == {}
    with pytest.raises(NotAssigned):
        made.fresh([message(b"silent", 5)])


def test_a_batch_is_counted_by_outcome_and_by_reason(tmp_path: Path) -> None:
    line, registry = Line(), CollectorRegistry()
    values = (b"emit", b"remove", b"poison", b"silent", b"silent")
    run(runner(line, tmp_path, registry), line, *(message(value, 5 + at) for at, value in enumerate(values)))

    def count(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"stage": "echo", **labels})

    counts = {name: count("tierlink_stage_messages_total", outcome=name) for name in ("emitted", "changed")}
    assert counts == {"emitted": 1, "changed": 2}
    assert count("tierlink_stage_messages_total", outcome="rejected") == 1
    assert count("tierlink_stage_messages_total", outcome="silent") == 2
    assert count("tierlink_dead_letters_total", code="bad-word") == 1
    assert count("tierlink_last_event_timestamp_seconds") == 1_700_000_000
    assert count("tierlink_end_to_end_seconds_count") == 5
    assert count("tierlink_redelivered_total") == 0


def test_a_slow_step_gets_smaller_batches_and_a_fast_one_larger_up_to_the_limit() -> None:
    pace = Pace(batch_s=1.0, batch_max=500)
    assert pace.size() == 5
    pace.took(5, seconds=0.001)
    assert pace.size() == 10, "at most twofold at a time"
    for _ in range(10):
        pace.took(pace.size(), seconds=0.001)
    assert pace.size() == 500
    pace.took(500, seconds=50.0)
    assert pace.size() == 10
    pace.took(10, seconds=100.0)
    assert pace.size() == 1


def test_a_stage_without_a_changelog_may_not_change_state(tmp_path: Path) -> None:
    line = Line()
    made = runner(line, tmp_path)
    made.stage = dataclasses.replace(STAGE, changelog=None)
    with pytest.raises(AssertionError, match="has a changelog"):
        run(made, line, message(b"emit", 5))
    assert line.sent == []


def test_the_time_something_came_in_is_carried_through_every_stage(tmp_path: Path) -> None:
    line = Line()
    late = message(b"emit", 5)._replace(headers=(("began", b"1600000000000"),))
    run(runner(line, tmp_path), line, late)
    assert {dict(item.headers)["began"] for item in line.sent} == {b"1600000000000"}


class GatheringStep:
    """Each message is about as many people as its value says; they are answered when the batch ends."""

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> int:
        return 0

    def advance(self, state: int, message: Message) -> tuple[int, tuple[Outcome, ...]]:
        return state + int(message.value or b"0"), ()

    def waiting(self, state: int) -> int:
        return state

    def finish(self, state: int) -> tuple[Answer, ...]:
        return ()


def test_a_batch_ends_with_the_message_that_leads_to_enough_answers(tmp_path: Path) -> None:
    """A day is about very many people: all of them in one batch took longer than a worker may be silent."""
    line = Line()
    made = dataclasses.replace(runner(line, tmp_path), step=GatheringStep())
    made.begin({0: 0, 1: 0}, {("in", 0): 0, ("in", 1): 0})
    many = b"%d" % ANSWERS_MAX
    messages = [message(b"1", 0), message(many, 1), message(many, 2), message(b"1", 3), message(many, 0, 1)]
    taken = []
    while messages:
        taken.append(made.dispatch(messages))
        messages = messages[taken[-1] :]
        made.states = {0: 0, 1: 0}
        made.advance(0)
    assert taken == [2, 1, 2]
    assert made.committable() == {("in", 0): 4, ("in", 1): 1}
