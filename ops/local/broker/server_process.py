"""The broker as an operating-system process: ports, the record of who runs it, start and end.

A record (`broker.json` in the data directory) outlives a crash, so every use of it first asks whether the process it
names is alive *and* is the broker of this directory: a process id alone may long belong to another program.
"""

import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.errors import BrokerError
from ops.local.broker.settings import LOOPBACK

# Below the range the kernel gives to outgoing connections (Linux 32768-60999): a client that keeps dialling a
# stopped broker's port would otherwise one day be given that very port as its own, connect to itself and hold
# it.
PORTS = range(20_000, 30_000)
SLOT_PORTS = 100  # each process looks in its own first: two engines that start together must not meet
PORT_TRIES_MAX = 200
STOP_SECONDS_MAX = 30.0  # a clean stop takes 0.3 s; 30 s leaves room for flushing on a slow disk
POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True)
class BrokerRecord:
    """Who runs the broker of a directory, and where it listens."""

    pid: int
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """What a client is given."""
        return f"{LOOPBACK}:{self.port}"


def read_record(directory: Path) -> BrokerRecord | None:
    """The last broker of `directory`, alive or not; None where there is no readable record."""
    try:
        fields = json.loads((directory / "broker.json").read_text())
        return BrokerRecord(int(fields["pid"]), int(fields["port"]), int(fields["controller_port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(directory: Path, record: BrokerRecord) -> None:
    """Replace the record of `directory` in one step."""
    part = directory / "broker.json.part"
    part.write_text(json.dumps(asdict(record)))
    part.replace(directory / "broker.json")


def is_alive(directory: Path, record: BrokerRecord) -> bool:
    """True when the recorded process runs and is the broker of this directory."""
    return str(directory / "server.properties") in command_line(record.pid)


def has_ended(pid: int) -> bool:
    """True when a process is gone, or is a zombie: then its sockets and file locks are free too."""
    try:
        if Path("/proc/self/stat").exists():
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return True
    return False


def command_line(pid: int) -> str:
    """How a process was started; empty when there is none (a zombie has none either)."""
    try:
        if Path("/proc/self/cmdline").exists():
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        asked = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def is_free(port: int) -> bool:
    """True when nothing listens on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(*, but_not: Collection[int] = ()) -> int:
    """A loopback port nothing listens on now, none of `but_not`. Raises BrokerError after PORT_TRIES_MAX."""
    slot = PORTS[os.getpid() * SLOT_PORTS % len(PORTS) :][:SLOT_PORTS]
    for port in (*random.sample(slot, len(slot)), *random.sample(PORTS, PORT_TRIES_MAX)):
        if port not in but_not and is_free(port):
            return port
    raise BrokerError(f"{PORT_TRIES_MAX} ports of {PORTS.start}-{PORTS.stop - 1} were tried and none is free")


def spawn(command: list[str], *, output: Path) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its console appended to `output`.

    A session of its own: Ctrl-C in a terminal reaches us, and we stop workers before the broker. Linux sends it SIGTERM
    when the thread that called this ends, for whatever reason (PR_SET_PDEATHSIG); elsewhere only a clean stop ends it.
    """
    with output.open("ab") as console:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - see _die_with_parent
        )


def terminate(pid: int) -> None:
    """End a process: SIGTERM, and SIGKILL when it has not ended within STOP_SECONDS_MAX."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, order)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while time.monotonic() < deadline:
            if has_ended(pid):
                return
            time.sleep(POLL_SECONDS)
    raise BrokerError(f"process {pid} did not end on SIGKILL")


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does between fork and exec: one system call, loaded before the fork.

    So it is safe beside threads, where anything that allocates or takes a lock is not.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl, getppid, end, parent = ctypes.CDLL(None).prctl, os.getppid, os._exit, os.getpid()

    def ask_for_a_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if getppid() != parent:  # the parent went between fork and prctl
            end(1)

    return ask_for_a_signal
