"""The processes of an engine: which there are, how each is started, how it ended."""

import http.client
import itertools
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from subprocess import Popen

from connectors.doors import TRANSPORTS, Ports, command_word
from ops.errors import SettingsError
from ops.local.broker.server_process import free_port, is_free, spawn, terminate
from ops.local.broker.settings import LOOPBACK
from ops.local.engine_settings import EngineSettings, WorkerProgram, plain_program
from ops.runtime.paths import EnginePaths
from schemas.sources import Source
from streams.topology import STAGES

STEADY_SECONDS = 60.0  # who has run this long and then ends is started again at once
DOORS = {door: command_word(door) for door in TRANSPORTS}
DOOR_PREFIX = "door-"


@dataclass
class ChildProcess:
    """One process: how to start it, where its pages are, and whether it should run.

    `wanted`: the supervisor starts it again when it has ended. `program` is asked at each start. `no_predecessor`: no
    worker has had this name before its first start. `ends` are its exit codes so far, negative for a signal.
    """

    name: str
    command: list[str]
    pages_port: int
    ports: Mapping[str, int] = field(default_factory=dict)
    process: Popen[bytes] | None = None
    wanted: bool = True
    program: WorkerProgram = plain_program
    no_predecessor: bool = False
    ends: list[int] = field(default_factory=list)
    restarts: int = 0
    _restarts_in_a_row: int = 0
    _not_again_before: float = 0.0  # monotonic seconds

    @property
    def is_door(self) -> bool:
        """True for a door, False for a worker."""
        return self.name.startswith(DOOR_PREFIX)

    @property
    def runs(self) -> bool:
        """True while its process has not ended; a stopped one (SIGSTOP) has not."""
        return self.process is not None and self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        """True for a worker that has its assignment and the state of it, and for a door that can take entries."""
        return page(self.pages_port, "/readyz") is not None

    @property
    def is_alive(self) -> bool:
        """True when its pages are served and it does not hang; it may not be ready yet."""
        return page(self.pages_port, "/livez") is not None

    @property
    def pid(self) -> int:
        """Its process id. Raises ProcessLookupError when it does not run."""
        process = self.process
        if process is None or process.poll() is not None:
            raise ProcessLookupError(self.name)
        return process.pid

    def start(self, layout: EnginePaths) -> None:
        """It runs, and ends with the thread that called this."""
        arguments = [*self.program(self.name, tuple(self.ends)), *self.command]
        arguments += ["--no-predecessor"] if self.no_predecessor and not self.ends else []
        self.process = spawn([sys.executable, "-m", *arguments], output=layout.logs / f"{self.name}.log")

    def reap(self) -> int | None:
        """The exit code of a process that has ended since this was last asked; None when nothing ended."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        self.ends.append(code)
        return code

    def send(self, order: signal.Signals) -> bool:
        """The signal was sent to a running process; False when there was none."""
        process = self.process  # the supervisor may put another in its place meanwhile
        if process is None or process.poll() is not None:
            return False
        with suppress(ProcessLookupError):
            process.send_signal(order)
            return True
        return False

    def may_start(self, pause_seconds_max: float) -> bool:
        """True when it may be started again now: at once the first time, then after 1, 2, 4 ... seconds.

        Counts as a restart when True.
        """
        now = time.monotonic()
        if now < self._not_again_before:
            return False
        if now > self._not_again_before + STEADY_SECONDS:
            self._restarts_in_a_row = 0
        self._not_again_before = now + min(pause_seconds_max, 2.0**self._restarts_in_a_row)
        self._restarts_in_a_row += 1
        self.restarts += 1
        return True


@dataclass
class ProcessSpecs:
    """How the processes of one engine are started; gives each port to one of them only."""

    layout: EnginePaths
    sources: Mapping[str, Source]
    settings: EngineSettings
    bootstrap: str
    _numbers: Iterator[int] = field(init=False, default_factory=itertools.count)  # of processes with pages

    def __post_init__(self) -> None:
        """No port of a listener, and none that is fixed, is given away."""
        self._given = {port for port, _ in fixed_ports(self.sources, self.settings)}
        for listener in self.settings.listeners.values():
            self._given |= {listener.port, listener.advertised_port}

    def worker(self, stage: str, number: int) -> ChildProcess:
        """One worker of a stage; its name is its identity in its group."""
        name, port = f"{stage}-{number}", self._pages_port()
        command = ["worker", stage, "--worker-id", name, "--profile", self.settings.profile]
        command += ["--generation", str(self.settings.generation)]
        if self.settings.linkage_model is not None:
            command += ["--linkage-model", str(self.settings.linkage_model)]
        if self.settings.deprivation is not None:
            command += ["--deprivation", str(self.settings.deprivation)]
        if self.settings.recipients is not None:
            command += ["--recipients", str(self.settings.recipients)]
        program = self.settings.worker_program
        return ChildProcess(name, [*command, *self._common(name, port)], port, program=program)

    def doors(self) -> Iterator[ChildProcess]:
        """One process for each kind of door that a source has."""
        for kind, door in DOORS.items():
            sources = [source.slug for source in self.sources.values() if source.door == kind]
            if not sources:
                continue
            name, port, ports = f"{DOOR_PREFIX}{door}", self._pages_port(), dict[str, int]()
            command = ["door", door]
            if TRANSPORTS[kind].ports is Ports.SHARED:
                listen = self.settings.port_of(kind) or self._free_port()
                ports = dict.fromkeys(sources, listen)
                command += ["--port", str(listen)]
            elif TRANSPORTS[kind].ports is Ports.PER_SOURCE:
                first = self.settings.port_of(kind)
                for number, slug in enumerate(sources):
                    ports[slug] = first + number if first else self._free_port()
                    command += ["--listen", f"{slug}={ports[slug]}"]
            yield ChildProcess(name, [*command, *self._common(name, port)], port, ports)

    def _common(self, name: str, pages_port: int) -> list[str]:
        listener, sources = self.settings.listeners.get(name), self.settings.sources
        bootstrap = f"{LOOPBACK}:{listener.advertised_port}" if listener else self.bootstrap
        options = ["--bootstrap", bootstrap, "--directory", str(self.layout.root)]
        options += ["--pages-port", str(pages_port), *(["--test-mode"] if self.settings.test_mode else [])]
        return [*options, *(["--sources", str(sources)] if sources else [])]

    def _pages_port(self) -> int:
        first = self.settings.pages_port
        return first + next(self._numbers) if first else self._free_port()

    def _free_port(self) -> int:
        """A port given to nobody else of this engine: until its process listens, it looks free."""
        port = free_port(but_not=self._given)
        self._given.add(port)
        return port


def fixed_ports(sources: Mapping[str, Source], settings: EngineSettings) -> Iterator[tuple[int, str]]:
    """Each port that `settings` fix for a door or for pages, with the option that chooses another."""
    doors = [source.door for source in sources.values() if settings.doors]
    if "fhir_http" in doors and (port := settings.port_of("fhir_http")):
        yield port, "--http-port"
    if first := settings.port_of("hl7_mllp"):
        yield from ((first + number, "--mllp-port") for number in range(doors.count("hl7_mllp")))
    if settings.pages_port:
        workers = settings.workers * (len(STAGES) - 1) + settings.linker_workers
        for number in range(workers + len(DOORS.keys() & set(doors))):
            yield settings.pages_port + number, "--pages-port"


def check_ports(sources: Mapping[str, Source], settings: EngineSettings) -> None:
    """Every fixed port can be had. Raises SettingsError, which names the port and the option."""
    given = set[int]()
    for port, option in fixed_ports(sources, settings):
        if port in given or not is_free(port):
            raise SettingsError(f"port {port} is taken by another program: choose another with {option}")
        given.add(port)


def stage_of(worker: str) -> str:
    """The stage a worker works for.

    >>> stage_of("records-2")
    'records'
    """
    return worker.rpartition("-")[0]


def flow_order(name: str) -> tuple[int, str]:
    """Sorts names of workers in the order the messages flow."""
    return STAGES.index(stage_of(name)), name


def end_all(children: Sequence[ChildProcess]) -> None:
    """All have ended. One that was reaped before is left alone: its id may be another program's."""
    running = [child.process for child in children if child.process is not None and child.runs]
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)  # a stopped process would not get the first
    for process in running:
        if process.poll() is None:
            terminate(process.pid)
        process.wait()


def page(port: int, path: str) -> str | None:
    """The body of a page that answered 200, else None."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, http.client.HTTPException):  # it was killed in the middle of its answer
        return None
