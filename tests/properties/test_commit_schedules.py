"""Whatever is fetched, acknowledged in any order, killed and refused: nothing is committed before it is there.

Schedules of several flights in the air at once, against the pure rule `streams.host.commit.Progress`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.host.commit import Flight, NotAssigned, OutOfOrder, Partition, Progress

What = Literal["fetch", "claims", "outputs", "state", "commit", "refused", "killed"]
WHATS: tuple[What, ...] = (
    "fetch",
    "fetch",
    "claims",
    "claims",
    "outputs",
    "outputs",
    "state",
    "state",
    "commit",
    "refused",
    "killed",
)
PARTITIONS: tuple[Partition, ...] = (("a", 0), ("b", 0), ("a", 1))
FLIGHTS_MAX = 4


@dataclass(frozen=True)
class Action:
    """One thing that happens: to which flight in the air (`at`, counted round), or how much is fetched."""

    what: What
    at: int = 0
    rewinds: tuple[int, int, int] = (0, 0, 0)
    lengths: tuple[int, int, int] = (2, 2, 2)


@dataclass
class Broker:
    """What outlives a worker: the log of each partition (with gaps, as compaction leaves), and what is there."""

    logs: dict[Partition, list[int]]
    committed: dict[Partition, int] = field(default_factory=dict)
    claims: set[tuple[Partition, int]] = field(default_factory=set)
    outputs: set[tuple[Partition, int]] = field(default_factory=set)
    state: list[tuple[Partition, int]] = field(default_factory=list)

    def positions(self) -> dict[Partition, int]:
        return {part: self.committed.get(part, log[0]) for part, log in self.logs.items()}

    def check_commits(self) -> None:
        """Everything below a committed offset has left its outputs and its state."""
        there = self.outputs & set(self.state)
        for partition, offset in self.committed.items():
            below = {(partition, earlier) for earlier in self.logs[partition] if earlier < offset}
            assert below <= there, "committed before it was acknowledged"

    def write_outputs(self, batch: list[tuple[Partition, int]], air: Collection["InAir"]) -> None:
        """Outputs are sent: behind the claims of their own flight, and behind the outputs of every earlier one."""
        assert set(batch) <= self.claims, "outputs before claims"
        for earlier in air:
            if earlier.batch is batch:
                break
            assert earlier.flight.outputs_sent, "outputs out of order"

    def write_state(self, batch: list[tuple[Partition, int]], air: Collection["InAir"]) -> None:
        """State is sent: behind the outputs of its own flight and of every earlier one, and behind their state."""
        for earlier in air:
            assert set(earlier.batch) <= self.outputs, "state before outputs"
            if earlier.batch is batch:
                break
            assert set(earlier.batch) <= set(self.state), "state out of order"
        self.state += batch


@dataclass(eq=False)
class InAir:
    """A flight, and the messages it carries."""

    flight: Flight
    batch: list[tuple[Partition, int]]


@dataclass
class Worker:
    """Follows the rule, and starts again from the commits whenever it dies."""

    broker: Broker
    new_progress: Callable[[dict[Partition, int]], Progress]

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.progress = self.new_progress(self.broker.positions())
        self.air: list[InAir] = []

    def take(self, action: Action) -> None:
        progress = self.progress
        if action.what == "fetch" and len(self.air) < FLIGHTS_MAX:
            batch = self.fetched(action)
            assert len(set(batch)) == len(batch)
            self.air.append(InAir(progress.deliver(dict(batch)), batch))
        elif action.what == "claims":
            self.acknowledge_claims(action.at)
        elif action.what == "outputs":
            self.acknowledge_outputs(action.at)
        elif action.what == "state":
            self.acknowledge_state(action.at)
        elif action.what in {"commit", "refused"}:
            self.commit(accepted=action.what == "commit")
        if action.what in {"refused", "killed"}:
            self.begin()
        self.send_outputs()
        self.send_state()
        self.broker.check_commits()

    def acknowledge_claims(self, at: int) -> None:
        """Of any flight, as with outputs."""
        if waiting := [batch for batch in self.air if not batch.flight.claims_acknowledged]:
            batch = waiting[at % len(waiting)]
            self.broker.claims |= set(batch.batch)
            self.progress.acknowledge_claims(batch.flight)

    def send_outputs(self) -> None:
        while (flight := self.progress.may_send_outputs()) is not None:
            batch = next(batch for batch in self.air if batch.flight is flight)
            self.broker.write_outputs(batch.batch, self.air)
            self.progress.send_outputs(flight)

    def acknowledge_outputs(self, at: int) -> None:
        """Of any flight: acknowledgements keep no order between partitions."""
        sent = [batch for batch in self.air if batch.flight.outputs_sent]
        if waiting := [batch for batch in sent if not batch.flight.outputs_acknowledged]:
            batch = waiting[at % len(waiting)]
            self.broker.outputs |= set(batch.batch)
            self.progress.acknowledge_outputs(batch.flight)

    def send_state(self) -> None:
        while (flight := self.progress.may_send_state()) is not None:
            batch = next(batch for batch in self.air if batch.flight is flight)
            self.progress.send_state(flight)
            self.broker.write_state(batch.batch, self.air)

    def acknowledge_state(self, at: int) -> None:
        sent = [batch for batch in self.air if batch.flight.state_sent and not batch.flight.state_acknowledged]
        if sent:
            self.progress.acknowledge_state(sent[at % len(sent)].flight)

    def commit(self, *, accepted: bool) -> None:
        offsets = self.progress.committable(PARTITIONS)
        assert all(offset > self.broker.committed.get(part, -1) for part, offset in offsets.items())
        if accepted:
            self.broker.committed |= offsets
            self.progress.commit(offsets)
        self.air = [batch for batch in self.air if not batch.flight.state_acknowledged]

    def fetched(self, action: Action) -> list[tuple[Partition, int]]:
        """A fetch never skips a message; it may go back behind what was delivered already."""
        batch = []
        for partition, rewind, length in zip(PARTITIONS, action.rewinds, action.lengths, strict=True):
            log = self.broker.logs[partition]
            next_index = sum(offset < self.progress.position(partition) for offset in log)
            start = max(0, next_index - rewind)
            batch += [(partition, offset) for offset in log[start : start + length]]
        return [(part, offset) for part, offset in batch if self.progress.is_new(part, offset)]


def play(broker: Broker, turns: list[Action], new_progress: Callable[[dict[Partition, int]], Progress]) -> None:
    worker = Worker(broker, new_progress)
    for action in turns:
        worker.take(action)


@st.composite
def brokers(draw: st.DrawFn) -> Broker:
    gaps = st.lists(st.integers(1, 3), min_size=1, max_size=25)
    logs = {}
    for partition in PARTITIONS:
        offset, log = draw(st.integers(0, 5)), []
        for gap in draw(gaps):
            log.append(offset)
            offset += gap
        logs[partition] = log
    return Broker(logs)


triples = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
schedules = st.lists(st.builds(Action, st.sampled_from(WHATS), st.integers(0, 3), triples, triples), max_size=40)


@given(brokers(), schedules)
def test_no_offset_is_committed_before_everything_below_it_is_acknowledged(broker: Broker, turns: list[Action]) -> None:
    play(broker, turns, Progress)


@given(brokers(), schedules)
def test_a_worker_left_in_peace_commits_to_the_end(broker: Broker, turns: list[Action]) -> None:
    whats: tuple[What, ...] = ("claims", "outputs", "state", "commit")
    rest = [Action("fetch", lengths=(4, 4, 4)), *map(Action, whats)] * 15
    play(broker, turns + rest, Progress)
    assert broker.committed == {part: log[-1] + 1 for part, log in broker.logs.items()}


# ------------------------------------------------------------ wrong rules, each of which has to be caught


class CommitsTheDelivered(Progress):
    """What was handed to the step counts as done."""

    def committable(self, owned: Collection[Partition]) -> dict[Partition, int]:
        return dict(self._delivered)


class LaterStateFirst(Progress):
    """The newest flight whose outputs are there sends its state before the others."""

    def may_send_state(self) -> Flight | None:
        ready = (flight for flight in reversed(self._flights) if flight.outputs_acknowledged and not flight.state_sent)
        return next(ready, None)


class StateAtOnce(Progress):
    """State does not wait for its outputs."""

    def may_send_state(self) -> Flight | None:
        return next((flight for flight in self._flights if not flight.state_sent), None)


class OutputsAtOnce(Progress):
    """Outputs do not wait for their claims."""

    def may_send_outputs(self) -> Flight | None:
        return next((flight for flight in self._flights if not flight.outputs_sent), None)


class CommitsOverAHole(Progress):
    """A flight that is finished counts for those before it."""

    def acknowledge_state(self, flight: Flight) -> None:
        flight.state_acknowledged = True
        self._acknowledged.update(flight.upto)
        self._flights.remove(flight)


def four() -> Broker:
    return Broker({part: [0, 1, 2, 3] for part in PARTITIONS})


def test_a_rule_that_commits_what_was_only_delivered_is_caught() -> None:
    with pytest.raises(AssertionError, match="committed before it was acknowledged"):
        play(four(), [Action("fetch"), Action("commit")], CommitsTheDelivered)


def test_a_rule_that_sends_outputs_before_the_claims_is_caught() -> None:
    with pytest.raises(AssertionError, match="outputs before claims"):
        play(four(), [Action("fetch")], OutputsAtOnce)


def test_a_rule_that_sends_state_before_the_outputs_is_caught() -> None:
    with pytest.raises(AssertionError, match="state before outputs"):
        play(four(), [Action("fetch")], StateAtOnce)


def test_a_rule_that_sends_the_state_of_a_later_flight_first_is_caught() -> None:
    two = [Action("fetch"), Action("fetch"), Action("claims"), Action("claims"), Action("outputs", 1)]
    with pytest.raises(AssertionError, match="state before outputs"):
        play(four(), two, LaterStateFirst)


class SwapsTheReady(Progress):
    """Waits for the outputs of every flight, and then sends the states backwards."""

    def may_send_state(self) -> Flight | None:
        if not all(flight.outputs_acknowledged for flight in self._flights):
            return None
        return next((flight for flight in reversed(self._flights) if not flight.state_sent), None)


def test_a_rule_that_sends_states_backwards_is_caught() -> None:
    whats: tuple[What, ...] = ("fetch", "fetch", "claims", "claims", "outputs", "outputs")
    two = list(map(Action, whats))
    with pytest.raises(AssertionError, match="state out of order"):
        play(four(), two, SwapsTheReady)


def leave(progress: Progress, flight: Flight) -> None:
    """The flight's claims and outputs are there, and its state is sent."""
    progress.acknowledge_claims(flight)
    progress.send_outputs(flight)
    progress.acknowledge_outputs(flight)
    progress.send_state(flight)


def test_a_rule_that_commits_over_a_hole_is_caught() -> None:
    progress = CommitsOverAHole({("a", 0): 0})
    first, second = progress.deliver({("a", 0): 1}), progress.deliver({("a", 0): 3})
    for flight in (first, second):
        leave(progress, flight)
    progress.acknowledge_state(second)
    assert progress.committable(PARTITIONS) == {("a", 0): 4}, "the wrong rule"
    sound = Progress({("a", 0): 0})
    first, second = sound.deliver({("a", 0): 1}), sound.deliver({("a", 0): 3})
    for flight in (first, second):
        leave(sound, flight)
    sound.acknowledge_state(second)
    assert sound.committable(PARTITIONS) == {}
    sound.acknowledge_state(first)
    assert sound.committable(PARTITIONS) == {("a", 0): 4}


# ------------------------------------------------------------ the rule by itself


def test_a_step_out_of_turn_is_refused() -> None:
    progress = Progress({("a", 0): 0})
    first, second = progress.deliver({("a", 0): 1}), progress.deliver({("a", 0): 3})
    progress.acknowledge_claims(second)
    assert progress.may_send_outputs() is None
    assert progress.may_send_state() is None
    for flight in (first, second):
        with pytest.raises(OutOfOrder):
            progress.send_outputs(flight)
        with pytest.raises(OutOfOrder):
            progress.acknowledge_outputs(flight)
        with pytest.raises(OutOfOrder):
            progress.send_state(flight)
    with pytest.raises(OutOfOrder):
        progress.acknowledge_state(first)


def test_a_message_of_a_partition_we_do_not_hold_is_refused() -> None:
    progress = Progress({("a", 0): 0})
    with pytest.raises(NotAssigned, match="a/1"):
        progress.is_new(("a", 1), 0)
    with pytest.raises(NotAssigned):
        progress.deliver({("a", 1): 0})


def test_only_owned_partitions_are_committed() -> None:
    progress = Progress({("a", 0): 0, ("a", 1): 0})
    flight = progress.deliver({("a", 0): 4, ("a", 1): 6})
    assert progress.committable(PARTITIONS) == {}
    leave(progress, flight)
    progress.acknowledge_state(flight)
    assert progress.flights == 0
    assert progress.committable([("a", 1)]) == {("a", 1): 7}
    progress.commit({("a", 1): 7})
    assert progress.committable([("a", 0), ("a", 1)]) == {("a", 0): 5}
