"""What a run says of itself: the violation of a rule, a line of its trace, and what was drawn for all of it."""

from dataclasses import dataclass
from typing import NamedTuple

from streams.host.commit import Partition


class Violation(AssertionError):
    """The run broke a rule: the kind of violation (one word) and where, without a value."""

    def __init__(self, kind: str, where: str) -> None:
        """Names topics, partitions, offsets and counts only."""
        super().__init__(f"{kind}: {where}")
        self.kind = kind


class TraceLine(NamedTuple):
    """One line of the trace."""

    at_ms: int
    who: str
    what: str
    place: Partition | None
    offset: int | None

    def __str__(self) -> str:
        where = f" {self.place[0]}/{self.place[1]}" if self.place else ""
        offset = f"@{self.offset}" if self.offset is not None else ""
        return f"{self.at_ms:>7} ms  {self.who:<12} {self.what}{where}{offset}"


@dataclass(frozen=True, slots=True)
class RunProfile:
    """Drawn once for a run, so that runs differ more than their steps do."""

    fault_share: float  # of steps
    faults: int
    tick_ms: int  # a step takes up to this
    door_share: float  # of steps, while messages are still to arrive
    duplicate_share: float
