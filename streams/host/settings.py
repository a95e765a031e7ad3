"""What a host is given by whoever starts it; the host reads no environment itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# By profile: session, heartbeat, rebalance in seconds. Demo and tests see a dead worker after 6 s; production waits
# 45 s, as Kafka's own default, and has chances enough to beat before that. rebalance > the longest batch, so that a
# member is not thrown out while it works.
TIMINGS: Mapping[str, tuple[float, float, float]] = {
    "demo": (6.0, 1.0, 10.0),
    "production": (45.0, 3.0, 60.0),
}


def refused_after_s(session_timeout_s: float) -> float:
    """What a worker of this session stamped longer ago than this, topics refuse: 2/3 of it (decision 0009)."""
    return session_timeout_s * 2 / 3


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """One worker of one stage. Times are seconds; the defaults are for production (6/1/10 in demo and tests).

    `worker_id` names the worker for as long as it exists (static membership): after a kill it is back before
    the session times out; two living workers of a stage never share one. `state_directory` is that worker's
    alone. A batch is at most `batch_max` messages and about `batch_s` seconds of the step's time.
    `generation` stands in the changelog; one that is lower than what stands there ends the worker.
    `no_predecessor`: nobody has worked under this id before; else what a predecessor sent last is waited out.
    """

    bootstrap: str
    worker_id: str
    state_directory: Path
    session_timeout_s: float = 45.0
    heartbeat_s: float = 3.0
    rebalance_timeout_s: float = 60.0
    restore_deadline_s: float = 600.0
    batch_max: int = 2_000
    batch_s: float = 0.25
    no_predecessor: bool = False
    generation: int = 0
    group_prefix: str = "tierlink"

    def group(self, stage_name: str) -> str:
        """The consumer group of a stage: one per stage, whatever the number of workers."""
        return f"{self.group_prefix}-{stage_name}"

    @property
    def request_timeout_s(self) -> float:
        """Above both timeouts: a join waits on the broker for the whole rebalance (60 + 30 = 90 s)."""
        return max(self.session_timeout_s, self.rebalance_timeout_s) + 30.0

    @property
    def fence_s(self) -> float:
        """A pause longer than this may have cost us the partitions: 0.8 x session, before the broker acts."""
        return 0.8 * self.session_timeout_s

    @property
    def refused_after_s(self) -> float:
        """The broker refuses what is stamped longer ago than this (decision 0009)."""
        return refused_after_s(self.session_timeout_s)

    @property
    def delivery_deadline_s(self) -> float:
        """What is not acknowledged by then has failed: past it the partitions may be somebody else's."""
        return 0.8 * self.session_timeout_s

    @property
    def batch_deadline_s(self) -> float:
        """A batch must end, with its commit, before a rebalance gives up waiting for us."""
        return 0.8 * self.rebalance_timeout_s
