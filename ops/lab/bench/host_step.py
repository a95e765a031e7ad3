"""The hop as a stage and a pure step of ours: what our host and the stock one are given to run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ops.lab.bench.host_hop import Hop
from streams.host.settings import HostSettings
from streams.steps.outcome import Change, Emit, Message, MessageByMessage, Outcome, Stage

Counts = dict[bytes, int]


def stage_of(hop: Hop) -> Stage:
    """One input, one output, one changelog."""
    return Stage(
        name=hop.name,
        reads=(hop.reads,),
        changelog=hop.changelog,
        partitions=hop.partitions,
        dead_letter=hop.dead_letter,
        writes=(hop.writes,),
    )


def settings_of(hop: Hop) -> HostSettings:
    """A worker as in production, timings and batches included; its topics are new, so nobody wrote to them before."""
    return HostSettings(
        bootstrap=hop.bootstrap,
        worker_id=f"{hop.name}-1",
        state_directory=Path(hop.directory, "worker"),
        group_prefix="bench",
        no_predecessor=True,
    )


def never_sealed(_message: Message, _code: str) -> bytes:
    """The step rejects nothing."""
    raise AssertionError("nothing is rejected")


@dataclass
class CountingStep(MessageByMessage):
    """How often a key has come. `on_first` is called once, before the first message is answered."""

    writes: str
    on_first: Callable[[], None]
    _begun: bool = field(default=False, init=False)

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> Counts:
        """The counts kept."""
        return {key: int(value) for key, value in elements}

    def advance(self, state: Counts, message: Message) -> tuple[Counts, tuple[Outcome, ...]]:
        """The message again, and the new count of its key."""
        if not self._begun:
            self._begun = True
            self.on_first()
        key = message.key or b""
        state[key] = count = state.get(key, 0) + 1
        return state, (
            Emit(self.writes, message.partition, key, message.value),
            Change(key, b"%d" % count),
        )
