"""One door process: the sources of its transport, the one way in, and the three pages."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from connectors.doors.door import Door, DoorSetup, open_door
from connectors.intake import Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import Publisher
from connectors.sessions import DoorSessions
from ops.errors import SettingsError
from ops.runtime.broker_probe import answers
from ops.runtime.exposition import Exposition
from ops.runtime.paths import EnginePaths, load_sources
from ops.runtime.safe_logging import configure_logging, no_core_dumps
from schemas.errors import SchemaError
from schemas.sources import Source


@dataclass(frozen=True)
class DoorOptions:
    """What the command line says about one door; `ports` is by source, or by `""` where the sources share one."""

    bootstrap: str
    layout: EnginePaths
    sources: Path | None
    test_mode: bool
    host: str
    allow_remote: bool
    ports: Mapping[str, int]
    pages_host: str
    pages_port: int


class _DoorProcess:
    """What every door process has: sources of its kind, intake, metrics, pages."""

    def __init__(self, options: DoorOptions, name: str) -> None:
        configure_logging()
        no_core_dumps()
        every = load_sources(options.sources, test_mode=options.test_mode)
        self._name, self._options = name, options
        self._sources = {slug: source for slug, source in every.items() if source.door == name}
        if not self._sources:
            raise SettingsError(f"no source has door {name}")
        registry = CollectorRegistry()
        self._metrics = DoorMetrics(registry)
        sessions = DoorSessions(options.layout.intake_keys.seal_of)
        _open_each(sessions, self._sources)
        self._publisher = Publisher(options.bootstrap)
        self._intake = Intake(self._publisher, sessions=sessions, metrics=self._metrics, clock=now)
        self.listening = threading.Event()
        self._pages = Exposition(
            registry,
            live=lambda: {"process": True},
            ready=lambda: {"listening": self.listening.is_set(), "broker": answers(options.bootstrap)},
            host=options.pages_host,
            port=options.pages_port,
        )
        self._pages.start()

    def opened(self) -> Door:
        """The door itself. Raises SettingsError."""
        options = self._options
        setup = DoorSetup(
            sources=self._sources,
            intake=self._intake,
            metrics=self._metrics,
            clock=now,
            test_mode=options.test_mode,
            host=options.host,
            ports=options.ports,
            allow_remote=options.allow_remote,
            drop=options.layout.drop,
        )
        try:
            return open_door(self._name, setup)
        except SchemaError as failure:
            raise SettingsError(str(failure)) from None

    def close(self) -> None:
        """Nothing is taken any more; what was taken has been answered."""
        self._pages.stop()
        self._publisher.close()


def _open_each(sessions: DoorSessions, sources: Mapping[str, Source]) -> None:
    """Raises SettingsError when a key is missing: better before the first entry than with it."""
    for slug in sources:
        try:
            sessions.of(slug, now())
        except SchemaError as failure:
            raise SettingsError(f"source {slug}: {failure}") from None


def now() -> datetime:
    """The doors' clock."""
    return datetime.now(UTC)


def run_door(name: str, options: DoorOptions) -> None:
    """Open the registered transport `name` and serve its sources until SIGTERM.

    Raises SettingsError when an option or a source is not what the transport needs.
    """
    process = _DoorProcess(options, name)
    try:
        process.opened().serve(process.listening.set)
    finally:
        process.close()
