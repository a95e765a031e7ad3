"""Which worker is started with an injected fault, until the fault has struck; and on which host workers run."""

from collections.abc import Sequence

from ops.lab.crash_points import EXIT_INJECTED


class FaultSwitches:
    """`program` is the engine's `worker_program`; everything else may be called from any thread."""

    def __init__(self, *, host: str = "ours", mutant: str | None = None) -> None:
        self._host = [] if host == "ours" else ["--host", host]
        self._host += ["--mutant", mutant] if mutant else []
        self._armed: dict[str, tuple[str, int]] = {}  # worker -> its fault, and how often it had ended before

    def arm(self, name: str, fault_at: str, ends: Sequence[int]) -> None:
        """From its next start on a worker has this fault, until it has struck; `ends` are its exit codes so far."""
        self._armed[name] = fault_at, len(ends)

    def disarm(self, name: str) -> None:
        """From its next start on it has none."""
        self._armed.pop(name, None)

    def armed(self, name: str, ends: Sequence[int]) -> str | None:
        """The fault that has not struck yet, for a worker with these exit codes so far."""
        fault_at, before = self._armed.get(name, (None, 0))
        return None if EXIT_INJECTED in ends[before:] else fault_at

    def program(self, name: str, ends: Sequence[int]) -> Sequence[str]:
        """The lab's worker, with what it needs of options; the plain one where it needs none."""
        fault_at = self.armed(name, ends)
        options = [*self._host, *(("--fault-at", fault_at) if fault_at else ())]
        return ("ops.lab.worker", *options) if options else ("ops",)
