"""The memory and restart benches, small: a real worker comes back to its state, and answers what it is fed."""

from pathlib import Path

from ops.lab.bench.memory import MemoryBench
from ops.lab.bench.memory import run as memory
from ops.lab.bench.restart import RestartBench
from ops.lab.bench.restart import run as restart


def silent(_: str) -> None:
    """Says nothing."""


def test_a_killed_worker_comes_back_to_its_state_and_is_ready(tmp_path: Path) -> None:
    figures = restart(RestartBench(elements=1_000, stages=("linker",), directory=tmp_path), report=silent)
    assert figures["linker"]["elements"] >= 1_000
    assert figures["linker"]["ready_s"] > 0
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_memory_is_sampled_until_every_event_is_answered(tmp_path: Path) -> None:
    figures = memory(
        MemoryBench(events=3_000, entries=500, stages=("pathway",), people=5, directory=tmp_path), report=silent
    )
    assert figures["pathway"]["samples"][-1][0] == 3_000
    assert figures["pathway"]["memory_mb_at_end"] > 0
