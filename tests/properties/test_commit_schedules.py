"""Whatever is fetched, refetched, killed and refused: nothing is committed before it is acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.host.commit import NotAssigned, Overlapping, Partition, Progress

Fate = Literal["committed", "refused", "killed before the acknowledgement", "killed before the commit"]
FATES: tuple[Fate, ...] = (
    "committed",
    "refused",
    "killed before the acknowledgement",
    "killed before the commit",
)
PARTITIONS: tuple[Partition, ...] = (("a", 0), ("b", 0), ("a", 1))


@dataclass(frozen=True)
class Turn:
    """One fetch of some partitions, from at or before where reading had come to, and its fate."""

    rewinds: tuple[int, int, int]
    lengths: tuple[int, int, int]
    fate: Fate


@dataclass
class Broker:
    """What outlives a worker: the log of each partition (with gaps, as compaction leaves) and the commits."""

    logs: dict[Partition, list[int]]
    committed: dict[Partition, int] = field(default_factory=dict)
    acknowledged: set[tuple[Partition, int]] = field(default_factory=set)

    def positions(self) -> dict[Partition, int]:
        return {part: self.committed.get(part, log[0]) for part, log in self.logs.items()}

    def check(self) -> None:
        """Everything below a committed offset has been acknowledged."""
        for partition, offset in self.committed.items():
            below = {(partition, one) for one in self.logs[partition] if one < offset}
            assert below <= self.acknowledged, "committed before it was acknowledged"


def play(broker: Broker, turns: list[Turn], new_progress: Callable[[dict[Partition, int]], Progress]) -> None:
    """A worker that follows the rules of `Progress`, and starts again from the commits whenever it dies."""
    progress = new_progress(broker.positions())
    for turn in turns:
        batch = fetched(broker, progress, turn)
        fresh = [(part, offset) for part, offset in batch if progress.is_new(part, offset)]
        assert len(set(fresh)) == len(fresh)
        progress.deliver(dict(fresh))
        if turn.fate != "killed before the acknowledgement":
            broker.acknowledged |= set(fresh)
            progress.acknowledge()
        if turn.fate in {"committed", "refused"}:
            offsets = progress.committable(PARTITIONS)
            assert all(offset > broker.committed.get(part, -1) for part, offset in offsets.items())
            if turn.fate == "committed":
                broker.committed |= offsets
                progress.commit(offsets)
        broker.check()
        if turn.fate != "committed":
            progress = new_progress(broker.positions())


def fetched(broker: Broker, progress: Progress, turn: Turn) -> list[tuple[Partition, int]]:
    """A fetch never skips a message; it may go back behind what was delivered already."""
    batch = []
    for partition, rewind, length in zip(PARTITIONS, turn.rewinds, turn.lengths, strict=True):
        log = broker.logs[partition]
        next_index = sum(offset < progress.position(partition) for offset in log)
        start = max(0, next_index - rewind)
        batch += [(partition, offset) for offset in log[start : start + length]]
    return batch


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
schedules = st.lists(st.builds(Turn, triples, triples, st.sampled_from(FATES)), max_size=15)


@given(brokers(), schedules)
def test_no_offset_is_committed_before_everything_below_it_is_acknowledged(
    broker: Broker, turns: list[Turn]
) -> None:
    play(broker, turns, Progress)


@given(brokers(), schedules)
def test_a_worker_left_in_peace_commits_to_the_end(broker: Broker, turns: list[Turn]) -> None:
    rest = [Turn((0, 0, 0), (4, 4, 4), "committed")] * 10
    play(broker, turns + rest, Progress)
    assert broker.committed == {part: log[-1] + 1 for part, log in broker.logs.items()}


class CommitsTheDelivered(Progress):
    """A wrong rule: what was handed to the step counts as done."""

    def committable(self, owned: object) -> dict[Partition, int]:
        return dict(self._delivered)


def test_a_rule_that_commits_what_was_only_delivered_is_caught() -> None:
    broker = Broker({part: [0, 1, 2, 3] for part in PARTITIONS})

    class Hasty(CommitsTheDelivered):
        def deliver(self, last_offsets: object) -> None:
            super().deliver(last_offsets)  # type: ignore[arg-type]
            broker.committed |= self.committable(PARTITIONS)

    with pytest.raises(AssertionError, match="committed before it was acknowledged"):
        play(broker, [Turn((0, 0, 0), (2, 2, 2), "killed before the acknowledgement")], Hasty)


def test_a_second_batch_cannot_begin_while_one_is_in_flight() -> None:
    progress = Progress({("a", 0): 0})
    progress.deliver({("a", 0): 4})
    with pytest.raises(Overlapping):
        progress.deliver({("a", 0): 9})


def test_a_message_of_a_partition_we_do_not_hold_is_refused() -> None:
    progress = Progress({("a", 0): 0})
    with pytest.raises(NotAssigned, match="a/1"):
        progress.is_new(("a", 1), 0)
    with pytest.raises(NotAssigned):
        progress.deliver({("a", 1): 0})


def test_only_owned_partitions_are_committed() -> None:
    progress = Progress({("a", 0): 0, ("a", 1): 0})
    progress.deliver({("a", 0): 4, ("a", 1): 6})
    assert progress.committable(PARTITIONS) == {}
    progress.acknowledge()
    assert progress.committable([("a", 1)]) == {("a", 1): 7}
    progress.commit({("a", 1): 7})
    assert progress.committable([("a", 0), ("a", 1)]) == {("a", 0): 5}
