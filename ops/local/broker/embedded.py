"""A real Apache Kafka on this machine: one node, loopback only, no docker and no Java to install.

    with EmbeddedBroker(Path("/srv/tierlink/broker")) as broker:
        ...broker.bootstrap...

For the demo, tests and fault injection; never for production (one replica, no authentication, a JRE that
trails security updates). Everything stays in its directory: `log/` the data, `broker.log` Kafka's
warnings, `broker.out` the JVM's console, `broker.json` its process and ports.
"""

import os
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ops.errors import BrokerError, BrokerRunning
from ops.local.broker.java import find_java
from ops.local.broker.kafka_jars import kafka_jars
from ops.local.broker.server_process import (
    POLL_SECONDS,
    BrokerRecord,
    free_port,
    is_alive,
    is_free,
    read_record,
    spawn,
    terminate,
    write_record,
)
from ops.local.broker.settings import HEAP_MAX_MIB, Listener, prepare
from ops.runtime.broker_probe import answers

__all__ = ["EmbeddedBroker", "Listener", "answers", "running_broker"]

READY_SECONDS_MAX = 60.0  # about 3 s when the machine is idle; a busy two-core one was seen to need 12 s
STARTS_MAX = 3  # another program may take a port between our choosing it and Kafka's binding it
# The first compiler tier only: up in 2.6 s instead of 3.3 s (measured), and no compiler threads beside two
# workers.
JVM_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
)


class EmbeddedBroker:
    """One broker and its directory; start, stop and kill it as often as you like, on the same ports and data.

    `port` is kept to exactly; without it the directory's last port is taken again, or a free one. A broker
    that was killed leaves nothing that hinders the next start; one that still runs there raises
    BrokerRunning. Call start() from a thread that lives as long as the broker should: Linux ends it with that thread.
    `listeners` are further ways in, each for one client behind a proxy; their ports, too, are kept to exactly.
    `progress` is called with a line for each jar that is downloaded before the first start.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        environ: Mapping[str, str] | None = None,
        listeners: Sequence[Listener] = (),
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.directory = directory.resolve()
        self.listeners = tuple(listeners)
        self._asked_port = port
        self._environ = os.environ if environ is None else environ
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self._record: BrokerRecord | None = None

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:<port>`, the same over stop, kill and start. BrokerError before the first start."""
        return self._last_record().bootstrap

    @property
    def pid(self) -> int:
        """The process id of the last start, for fault injection. BrokerError before the first start."""
        return self._last_record().pid

    def start(self) -> Self:
        """Start it; on return an admin call has been answered by an unfenced broker.

        Raises BrokerRunning, BrokerError (the message names the log to read), MissingTool or SettingsError.
        """
        if (running := running_broker(self.directory)) is not None:
            raise BrokerRunning(f"a broker runs in this directory already: process {running.pid}, {running.bootstrap}")
        self.directory.mkdir(parents=True, exist_ok=True)
        java, jars = find_java(self._environ), kafka_jars(self._environ, self._progress)
        launch = ["env", "LC_ALL=C.UTF-8", str(java), f"-Xmx{HEAP_MAX_MIB}m", *JVM_OPTIONS, *self._jvm_paths(), "-cp"]
        launch.append(os.pathsep.join(map(str, jars)))
        for starts_left in reversed(range(STARTS_MAX)):
            try:
                self._start_once(launch)
            except _PortTaken:
                if not starts_left:
                    raise
            else:
                break
        return self

    def stop(self) -> None:
        """End it cleanly (SIGTERM, then SIGKILL after 30 s); nothing happens when it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            if process.poll() is None:  # once reaped, its id may be another program's
                terminate(process.pid)
            process.wait()

    def kill(self) -> None:
        """End it by SIGKILL: no flush, no goodbye. The data stay for start()."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()

    def check(self) -> None:
        """BrokerError if it has ended although nobody stopped it."""
        if self._process is None or self._process.poll() is not None:
            raise BrokerError(f"the broker has ended by itself; read {self.directory}/broker.log and broker.out")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _last_record(self) -> BrokerRecord:
        if self._record is None:
            raise BrokerError("the broker has not been started")
        return self._record

    def _jvm_paths(self) -> list[str]:
        scratch = self.directory / "tmp"  # Kafka unpacks native code there; /tmp may be mounted noexec
        scratch.mkdir(exist_ok=True)
        return [
            f"-Djava.io.tmpdir={scratch}",
            f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}",
        ]

    def _start_once(self, launch: list[str]) -> None:
        port, controller_port = self._ports()
        prepare(self.directory, launch, port=port, controller_port=controller_port, listeners=self.listeners)
        console, log = self.directory / "broker.out", self.directory / "broker.log"
        console.unlink(missing_ok=True)
        if log.exists():  # the last run's warnings stay readable, and are not taken for this one's
            log.replace(self.directory / "broker.log.1")
        command = [*launch, "kafka.Kafka", str(self.directory / "server.properties")]
        self._process = spawn(command, output=console)
        self._record = BrokerRecord(self._process.pid, port, controller_port)
        write_record(self.directory, self._record)
        try:
            self._wait_until_ready()
        except BaseException:  # Ctrl-C while it starts, too: nothing we started may stay
            self.kill()
            raise

    def _ports(self) -> tuple[int, int]:
        last, bound = read_record(self.directory), [listener.port for listener in self.listeners]
        given = {
            *bound,
            *(listener.advertised_port for listener in self.listeners),
        }  # a proxy may not listen yet
        port = self._asked_port or _again(last.port if last else None, but_not=given)
        if (taken := next((bind for bind in (port, *bound) if not is_free(bind)), None)) is not None:
            raise BrokerError(f"port {taken} is taken by another program")
        return port, _again(last.controller_port if last else None, but_not={port, *given})

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self._explain_end()
            if answers(self.bootstrap):
                return
            time.sleep(POLL_SECONDS)
        raise BrokerError(f"the broker did not answer in {READY_SECONDS_MAX:.0f} s; read {self.directory}/broker.log")

    def _explain_end(self) -> None:
        texts = ((self.directory / name) for name in ("broker.log", "broker.out"))
        if any(path.exists() and b"Address already in use" in path.read_bytes() for path in texts):
            raise _PortTaken(f"a port was taken while the broker started; read {self.directory}/broker.log")
        self.check()


def _again(last: int | None, *, but_not: Collection[int]) -> int:
    """The port of the last time where it can be had, else another."""
    return last if last and last not in but_not and is_free(last) else free_port(but_not=but_not)


class _PortTaken(BrokerError):
    """Worth another start with other ports."""


def running_broker(directory: Path) -> BrokerRecord | None:
    """The broker that runs in `directory` now, whoever started it; None for a record left by a dead one."""
    record = read_record(directory.resolve())
    return record if record and is_alive(directory.resolve(), record) else None
