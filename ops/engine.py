"""A whole engine on this machine: broker, topics, keys, doors, workers, each a process of its own.

The supervisor starts them, waits until each says it is ready, starts again what has ended, the broker too (a
worker that meets anything unexpected ends itself without committing), and stops everything it started.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any, Self

from ops.broker import EmbeddedBroker
from ops.broker_process import POLL_SECONDS, free_port, is_free, spawn, terminate
from ops.claim import Claim
from ops.errors import BrokerError, TierlinkError
from ops.keys import OPERATIONS_ZONE, make_keys
from ops.layout import Layout, load_sources
from ops.topic_admin import Replication, create
from ops.topic_reader import LagReader
from schemas.keyring import Keyring
from schemas.sources import Source
from schemas.topics import Topic, registry
from streams.topology import STAGES, stage

HTTP_PORT, MLLP_PORT = 8080, 2575  # 2575 is registered for HL7 over MLLP
READY_SECONDS_MAX = 120.0
DRAIN_SECONDS_MAX = 600.0
RESTART_PAUSE_SECONDS_MAX = 30.0  # a process that cannot start must not take the machine from those that can
STEADY_SECONDS = 60.0  # who has run this long and then ends is started again at once
DOORS = {"fhir_http": "http", "hl7_mllp": "mllp", "folder": "folder"}


@dataclass(frozen=True)
class EngineSettings:
    """What kind of engine: `bootstrap` names an outside broker; `workers` is their number per stage."""

    test_mode: bool
    recipients: tuple[str, ...] = ("demo",)
    workers: int = 1
    bootstrap: str | None = None
    sources: Path | None = None
    doors: bool = True
    broker_only: bool = False
    usual_ports: bool = False  # 8080 and 2575 where they are free, for people who type them


@dataclass
class Child:
    """One process: how to start it, and where its pages are."""

    name: str
    command: list[str]
    pages_port: int
    ports: Mapping[str, int] = field(default_factory=dict)
    process: Popen[bytes] | None = None
    restarts: int = 0
    restarts_in_a_row: int = 0
    not_again_before: float = 0.0  # monotonic seconds


class Engine:
    """Start with `with Engine(...) as engine:`; everything is stopped at the end, whatever happened."""

    def __init__(self, layout: Layout, settings: EngineSettings) -> None:
        self.layout = layout
        self.settings = settings
        self.sources: Mapping[str, Source] = load_sources(settings.sources, test_mode=settings.test_mode)
        self._broker = None if settings.bootstrap else EmbeddedBroker(layout.broker)
        self._claim = Claim(layout.root)
        self._children: dict[str, Child] = {}
        self._guard = threading.Lock()
        self._ports: set[int] = set()
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    @property
    def bootstrap(self) -> str:
        """Where the broker is."""
        if self._broker is None:
            assert self.settings.bootstrap is not None
            return self.settings.bootstrap
        return self._broker.bootstrap

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The registry of this engine."""
        return registry(self.sources.values(), self.settings.recipients)

    @property
    def keys(self) -> Keyring:
        """Every key, for reports and evaluation."""
        return self.layout.keyring(OPERATIONS_ZONE)

    def start(self) -> Self:
        """Everything is up and ready on return; raises what made it impossible, with nothing left running.

        Raises BrokerRunning, and touches nothing, when another engine runs in this directory.
        """
        self._claim.take()
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        try:
            if self._broker is not None:
                self._broker.start()
            if not self.settings.broker_only:
                self._start_processes()
            self._watcher.start()
            self._write_addresses()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Doors first, then workers, then the broker: nothing is acknowledged that nobody will process."""
        self._stopping.set()
        with self._guard:
            doors = [one for one in self._children.values() if one.name.startswith("door-")]
            workers = [one for one in self._children.values() if not one.name.startswith("door-")]
            for group in (doors, workers):
                _end_all([one.process for one in group if one.process is not None])
        if self._broker is not None:
            self._broker.stop()
        self._stopped.set()
        self.layout.up.unlink(missing_ok=True)
        self._claim.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ports(self) -> dict[str, int]:
        """The port of each source that has one (HTTP and MLLP)."""
        return {slug: port for child in self._children.values() for slug, port in child.ports.items()}

    def drop_folder(self, source: str) -> Path:
        """The folder of a folder source."""
        return self.layout.drop / source

    def workers(self) -> Sequence[str]:
        """Names of the workers, in the order the data flows."""
        return [name for name in self._children if not name.startswith("door-")]

    def stage_of(self, worker: str) -> str:
        """The stage a worker works for."""
        return worker.rpartition("-")[0]

    def kill(self, worker: str) -> None:
        """kill -9. The supervisor starts it again."""
        process = self._children[worker].process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)

    def is_ready(self, worker: str) -> bool:
        """True when it has its assignment and the state of it."""
        return _fetch(self._children[worker].pages_port, "/readyz") is not None

    def uncommitted(self, worker: str, reader: LagReader) -> int:
        """How many messages the worker has been given and not committed."""
        marker = self.layout.workers / worker / "delivered.json"
        delivered = json.loads(marker.read_text())["offsets"] if marker.exists() else {}
        committed = reader.committed(f"tierlink-{self.stage_of(worker)}")
        return sum(max(0, int(last) + 1 - committed.get(place, 0)) for place, last in delivered.items())

    def lag(self) -> dict[str, int]:
        """Stage -> messages not yet committed."""
        reader = LagReader(self.bootstrap)
        try:
            return self._lag(reader)
        finally:
            reader.close()

    def drain(self) -> None:
        """Returns when no stage has anything left to do, seen twice with nothing written in between.

        Stages are asked one after the other, and a later one may feed an earlier one.

        Raises TierlinkError after DRAIN_SECONDS_MAX.
        """
        deadline, seen, reader = time.monotonic() + DRAIN_SECONDS_MAX, -1, LagReader(self.bootstrap)
        try:
            while True:
                behind = self._lag(reader)
                if not any(behind.values()):
                    if reader.written == seen:
                        return
                    seen = reader.written
                elif time.monotonic() > deadline:
                    raise TierlinkError(
                        f"messages are still waiting after {DRAIN_SECONDS_MAX:.0f} s: {behind}"
                    )
                time.sleep(POLL_SECONDS * 4)
        finally:
            reader.close()

    def pages(self) -> Iterator[tuple[str, str]]:
        """Process name -> the text of its /metrics."""
        for child in list(self._children.values()):
            answer = _fetch(child.pages_port, "/metrics")
            if answer is not None:
                yield child.name, answer

    def redelivered(self) -> int:
        """How many messages workers were given again, over all their lives."""
        total = 0
        for worker in self.workers():
            marker = self.layout.workers / worker / "delivered.json"
            if marker.exists():
                total += int(json.loads(marker.read_text()).get("redelivered", 0))
        return total

    def _lag(self, reader: LagReader) -> dict[str, int]:
        groups = {f"tierlink-{name}": self._reads(name) for name in STAGES}
        return {name.removeprefix("tierlink-"): count for name, count in reader.lag(groups).items()}

    def _reads(self, name: str) -> tuple[str, ...]:
        return stage(name, sources=self.sources.values(), recipients=self.settings.recipients).reads

    def _start_processes(self) -> None:
        if not any(self.layout.keys.glob("*.json")):
            make_keys(self.layout.keys, recipients=self.settings.recipients)
        create(self.bootstrap, self.topics, replication=Replication())
        for child in (*self._worker_children(), *(self._door_children() if self.settings.doors else ())):
            self._children[child.name] = child
            self._spawn(child)
        self._wait_until_ready()

    def _worker_children(self) -> Iterator[Child]:
        for name in STAGES:
            for number in range(1 if name == "linker" else self.settings.workers):
                worker, port = f"{name}-{number}", self._free_port()
                words = [
                    "worker",
                    name,
                    "--worker-id",
                    worker,
                    "--pages-port",
                    str(port),
                    "--profile",
                    "demo",
                ]
                yield Child(worker, [*words, *self._common()], port)

    def _door_children(self) -> Iterator[Child]:
        for kind, word in DOORS.items():
            sources = [source.slug for source in self.sources.values() if source.door == kind]
            if not sources:
                continue
            port, words, ports = self._free_port(), ["door", word], {}
            if kind == "fhir_http":
                listen = self._door_port(HTTP_PORT)
                ports = dict.fromkeys(sources, listen)
                words += ["--port", str(listen)]
            elif kind == "hl7_mllp":
                for number, slug in enumerate(sources):
                    ports[slug] = self._door_port(MLLP_PORT + number)
                    words += ["--listen", f"{slug}={ports[slug]}"]
            yield Child(f"door-{word}", [*words, "--pages-port", str(port), *self._common()], port, ports)

    def _door_port(self, usual: int) -> int:
        return usual if self.settings.usual_ports and is_free(usual) else self._free_port()

    def _free_port(self) -> int:
        """A port given to nobody else of this engine: until its process listens, it looks free."""
        while (port := free_port()) in self._ports:
            continue
        self._ports.add(port)
        return port

    def _common(self) -> list[str]:
        words = ["--bootstrap", self.bootstrap, "--directory", str(self.layout.root)]
        if self.settings.test_mode:
            words.append("--test-mode")
        if self.settings.sources is not None:
            words += ["--sources", str(self.settings.sources)]
        return words

    def _spawn(self, child: Child) -> None:
        log = self.layout.logs / f"{child.name}.log"
        child.process = spawn(
            [sys.executable, "-m", "ops", *child.command], output=log, outlives_parent=False
        )

    def _wait_until_ready(self) -> None:
        deadline, waiting = time.monotonic() + READY_SECONDS_MAX, list(self._children.values())
        while waiting:
            for child in waiting:
                assert child.process is not None
                if child.process.poll() is not None:
                    raise TierlinkError(
                        f"{child.name} ended while starting; read {self.layout.logs}/{child.name}.log"
                    )
            if time.monotonic() > deadline:
                raise TierlinkError(f"{waiting[0].name} is not ready after {READY_SECONDS_MAX:.0f} s")
            waiting = [one for one in waiting if _fetch(one.pages_port, "/readyz") is None]
            time.sleep(POLL_SECONDS)

    def _watch(self) -> None:
        # What is spawned dies with the thread that spawned it: restarts come from this one, which stays until
        # everything has been stopped in its order.
        while not self._stopping.wait(POLL_SECONDS * 2):
            with self._guard:
                if not self._stopping.is_set():
                    with suppress(TierlinkError, OSError):  # no memory, no port: the next round tries again
                        self._restart_what_has_ended()
        self._stopped.wait()

    def _restart_what_has_ended(self) -> None:
        if self._broker is not None:
            try:
                self._broker.check()
            except BrokerError:
                _log.warning("the broker has ended and is started again")
                self._broker.start()
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._restart(child)

    def _restart(self, child: Child) -> None:
        """At once the first time, then after 1, 2, 4 ... seconds, until it has run steadily."""
        now = time.monotonic()
        if now < child.not_again_before:
            return
        if now > child.not_again_before + STEADY_SECONDS:
            child.restarts_in_a_row = 0
        _log.warning("%s has ended and is started again", child.name)
        child.not_again_before = now + min(RESTART_PAUSE_SECONDS_MAX, 2.0**child.restarts_in_a_row)
        child.restarts_in_a_row += 1
        child.restarts += 1
        self._spawn(child)

    def _write_addresses(self) -> None:
        text: dict[str, Any] = {
            "pid": os.getpid(),
            "bootstrap": self.bootstrap,
            "test_mode": self.settings.test_mode,
        }
        text["doors"] = {
            slug: port for child in self._children.values() for slug, port in child.ports.items()
        }
        text["drop"] = {
            s.slug: str(self.drop_folder(s.slug)) for s in self.sources.values() if s.door == "folder"
        }
        text["pages"] = {child.name: child.pages_port for child in self._children.values()}
        part = self.layout.up.with_suffix(".part")
        part.write_text(json.dumps(text, indent=1))
        part.replace(self.layout.up)


_log = logging.getLogger(__name__)


def _end_all(processes: Sequence[Popen[bytes]]) -> None:
    """All have ended. One that was reaped before is left alone: its id may be another program's."""
    running = [one for one in processes if one.poll() is None]
    for one in running:
        one.send_signal(signal.SIGTERM)
    for one in running:
        if one.poll() is None:
            terminate(one.pid)
        one.wait()


def _fetch(port: int, path: str) -> str | None:
    """The body of a page that answered 200, else None."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None
