"""A whole engine on this machine: broker, topics, keys, doors, workers, each a process of its own.

The supervisor starts them, waits until each is ready, starts again what has ended, the broker too (a worker that
meets anything unexpected ends itself without committing), and stops everything it started.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from ops.admin.bucket_keys import make as make_bucket_keys
from ops.admin.intake_keys import add_doors, turn
from ops.admin.keys import make_keys
from ops.admin.topic_admin import Replication, create
from ops.errors import BrokerError, TierlinkError
from ops.local.broker.embedded import EmbeddedBroker
from ops.local.broker.server_process import POLL_SECONDS
from ops.local.engine_lock import EngineLock
from ops.local.engine_settings import EngineSettings
from ops.local.processes import (
    ChildProcess,
    ProcessSpecs,
    check_ports,
    end_all,
    flow_order,
    page,
)
from ops.runtime.paths import Addresses, EnginePaths, load_recipients, load_sources
from schemas import topics
from schemas.keyring import OPERATIONS_ZONE, Keyring
from schemas.recipients import Agreement
from schemas.sources import Source
from schemas.topics import Topic, registry
from streams.topology import STAGES

__all__ = ["Engine", "EngineSettings"]

READY_SECONDS_MAX = 120.0
STATE_TOPICS = {topics.RECORDS_STATE, topics.LINKER_STATE, topics.PATHWAY_STATE}


class Engine:
    """Start with `with Engine(...) as engine:`; everything is stopped at the end, whatever happened.

    `progress` is called with a line for each step of the start that may take longer than a moment.
    """

    def __init__(
        self,
        layout: EnginePaths,
        settings: EngineSettings,
        *,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.layout = layout
        self.settings = settings
        self.sources: Mapping[str, Source] = load_sources(settings.sources, test_mode=settings.test_mode)
        self.recipients: Mapping[str, Agreement] = load_recipients(settings.recipients)
        self._progress = progress
        self._broker = None
        if settings.bootstrap is None:
            self._broker = EmbeddedBroker(
                layout.broker, listeners=tuple(settings.listeners.values()), progress=progress
            )
        self._lock = EngineLock(layout.root)
        self._children: dict[str, ChildProcess] = {}
        self._specs: ProcessSpecs | None = None  # once the broker's address is known
        self._broker_guard = threading.Lock()  # of starting and ending the broker
        self._guard = threading.Lock()  # of starting and ending the others
        self._turned_on: date | None = None
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
        return registry(self.sources.values(), self.recipients)

    @property
    def keys(self) -> Keyring:
        """Every key, for reports and evaluation."""
        return self.layout.keyring(OPERATIONS_ZONE)

    # --- start and stop

    def start(self) -> Self:
        """Everything is up and ready on return; raises what made it impossible, with nothing left running.

        Raises BrokerRunning, and touches nothing, when another engine runs in this directory; SettingsError when a
        fixed port is taken.
        """
        self._lock.take()
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        try:
            if not self.settings.broker_only:
                check_ports(self.sources, self.settings)
            if self._broker is not None:
                self._progress("starting Apache Kafka")
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
        with self._broker_guard, self._guard:
            children = list(self._children.values())
            end_all([child for child in children if child.is_door])
            end_all([child for child in children if not child.is_door])
            if self._broker is not None:
                self._broker.stop()
        self._stopped.set()
        self.layout.up.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- its processes

    def ports(self) -> dict[str, int]:
        """The port of each source that has one (HTTP and MLLP)."""
        return {slug: port for child in self._all() for slug, port in child.ports.items()}

    def drop_folder(self, source: str) -> Path:
        """The folder of a folder source."""
        return self.layout.drop / source

    def workers(self) -> Sequence[str]:
        """Names of the workers, in the order the data flows."""
        names = (child.name for child in self._all() if child.wanted and not child.is_door)
        return sorted(names, key=flow_order)

    def child(self, name: str) -> ChildProcess:
        """One worker or door, to ask or to signal; whatever is `wanted` is started again when it has ended."""
        return self._children[name]

    def pages(self) -> Iterator[tuple[str, str]]:
        """Process name -> the text of its /metrics."""
        for child in self._all():
            answer = page(child.pages_port, "/metrics")
            if answer is not None:
                yield child.name, answer

    def _all(self) -> list[ChildProcess]:
        return list(self._children.values())

    def _start_processes(self) -> None:
        if not any(self.layout.keys.glob("*.json")):
            make_keys(self.layout.keys, recipients=self.recipients)
        make_bucket_keys(self.layout.keys)
        self._turn_keys()
        add_doors(self.layout.keys, self.sources, datetime.now(UTC))
        self._progress("making topics")
        made = create(
            self.bootstrap,
            self.topics,
            replication=Replication(),
            session_s=self.settings.session_s,
            original_times=not self.settings.doors,
        )
        nobody_before = {*made} >= STATE_TOPICS
        self._specs = ProcessSpecs(self.layout, self.sources, self.settings, self.bootstrap)
        for name in STAGES:
            many = self.settings.linker_workers if name == "linker" else self.settings.workers
            for number in range(many):
                worker = self._add(self._specs.worker(name, number))
                worker.no_predecessor = nobody_before
                worker.start(self.layout)
        for door in self._specs.doors() if self.settings.doors else ():
            self._add(door).start(self.layout)
        self._wait_until_ready()

    def _add(self, child: ChildProcess) -> ChildProcess:
        self._children[child.name] = child
        return child

    def _wait_until_ready(self) -> None:
        deadline, waiting, shown = time.monotonic() + READY_SECONDS_MAX, self._all(), ""
        while waiting:
            if shown != (names := ", ".join(child.name for child in waiting)):
                self._progress(f"waiting for {names}")
                shown = names
            for child in waiting:
                if not child.runs:
                    raise TierlinkError(f"{child.name} ended while starting; read {self.layout.logs}/{child.name}.log")
            if time.monotonic() > deadline:
                raise TierlinkError(f"{waiting[0].name} is not ready after {READY_SECONDS_MAX:.0f} s")
            waiting = [child for child in waiting if not child.is_ready]
            time.sleep(POLL_SECONDS)

    def _watch(self) -> None:
        # What is spawned dies with the thread that spawned it: restarts come from this one, which stays until
        # everything has been stopped in its order.
        while not self._stopping.wait(POLL_SECONDS * 2):
            for guard, restart in (
                (self._broker_guard, self._restart_broker),
                (self._guard, self._restart_what_has_ended),
                (self._guard, self._turn_keys),
            ):
                self._unless_stopping(guard, restart)
        self._stopped.wait()

    def _unless_stopping(self, guard: threading.Lock, restart: Callable[[], None]) -> None:
        with guard:
            if not self._stopping.is_set():
                with suppress(TierlinkError, OSError):  # no memory, no port: the next round tries again
                    restart()

    def _turn_keys(self) -> None:
        """Once a day: keys of the days ahead are made, those past day 15 destroyed."""
        today = datetime.now(UTC).date()
        if today != self._turned_on and not self.settings.broker_only:
            turn(self.layout.keys, today)
            self._turned_on = today

    def _restart_broker(self) -> None:
        if self._broker is not None:
            try:
                self._broker.check()
            except BrokerError:
                _log.warning("the broker has ended and is started again")
                self._broker.start()

    def _restart_what_has_ended(self) -> None:
        for child in self._all():
            code = child.reap()
            if code is not None:
                again = " and is started again" if child.wanted else ""
                _log.warning("%s has ended%s: exit %s", child.name, again, code)
            if child.process is None and child.wanted:
                self._restart(child)

    def _restart(self, child: ChildProcess) -> None:
        if not child.ends or child.may_start(self.settings.restart_pause_seconds_max):
            child.start(self.layout)

    def _write_addresses(self) -> None:
        text: Addresses = {
            "pid": os.getpid(),
            "bootstrap": self.bootstrap,
            "test_mode": self.settings.test_mode,
            "sources": str(self.settings.sources.resolve()) if self.settings.sources else None,
            "recipients": str(self.settings.recipients.resolve()) if self.settings.recipients else None,
            "doors": self.ports(),
            "drop": {
                source.slug: str(self.drop_folder(source.slug))
                for source in self.sources.values()
                if source.door == "folder"
            },
            "pages": {child.name: child.pages_port for child in self._all()},
        }
        part = self.layout.up.with_suffix(".part")
        part.write_text(json.dumps(text, indent=1))
        part.replace(self.layout.up)


_log = logging.getLogger(__name__)
