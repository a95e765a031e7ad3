"""One run of one contender: started as a process, clocked from outside, checked, ended."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ops
from ops.lab.bench.hop_topics import Disqualified, HopTopics
from ops.lab.bench.host_hop import FIRST_MESSAGE, Hop
from ops.lab.bench.host_sampling import Spent, read_spent

ROOT = Path(ops.__file__).parents[1]
# Our folder comes last on the path: the environment of Quix Streams keeps its own versions of everything.
LAUNCH = """
import runpy, sys
module, root = sys.argv[1:3]
del sys.argv[1:3]
sys.path.append(root)
runpy.run_module(module, run_name="__main__")
"""
RUN_S_MAX = 300.0
END_S_MAX = 20.0
PROFILE_S_MAX = 10.0


@dataclass(frozen=True)
class Clocked:
    """What one run came to: messages a second from the first in hand to the last commit.

    `cpu_us` is the process's own CPU time a message in microseconds, None where the system does not show it.
    """

    events_per_s: float
    cpu_us: float | None
    state_records: int
    spent: Spent | None = None


def run_once(topics: HopTopics, hop: Hop, module: str, *, python: Path) -> Clocked:
    """The contender in `ops.lab.bench.<module>` does the whole hop. Raises Disqualified."""
    Path(hop.directory).mkdir(parents=True)
    topics.prepare(hop)
    log = Path(hop.directory, "log")
    command = [str(python), "-c", LAUNCH, f"ops.lab.bench.{module}", str(ROOT), hop.as_argument()]
    with log.open("wb") as out:
        contender = subprocess.Popen(command, cwd=hop.directory, stdout=out, stderr=out, env=_environ(os.environ))
    try:
        ended_s = topics.until_committed(hop, alive=lambda: contender.poll() is None, deadline_s=RUN_S_MAX)
        cpu_s = cpu_seconds(contender.pid)
        spent = read_spent(hop.directory, within_s=PROFILE_S_MAX) if hop.profile else None
    except Disqualified as error:
        raise Disqualified(f"{error}; the last line of its log: {_last_line(log)}") from None
    finally:
        _end(contender)
    first = json.loads(Path(hop.directory, FIRST_MESSAGE).read_text())
    state_records = topics.verify(hop)
    topics.clear(hop)
    used_s = None if cpu_s is None else cpu_s - first["cpu_s"]
    return Clocked(
        events_per_s=hop.events / (ended_s - first["monotonic_s"]),
        cpu_us=None if used_s is None else used_s / hop.events * 1e6,
        state_records=state_records,
        spent=spent,
    )


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a living process, all threads; None where there is no /proc."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(("PYTHON", "Quix__"))}


def _end(contender: "subprocess.Popen[bytes]") -> None:
    contender.terminate()
    try:
        contender.wait(END_S_MAX)
    except subprocess.TimeoutExpired:
        contender.kill()
        contender.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing"


def this_python() -> Path:
    """The Python that runs us, with our dependencies."""
    return Path(sys.executable)
