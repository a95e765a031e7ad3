"""One door process: its sources, the one way in, and the three pages.

A door is imported where it is opened, so that a folder's process does not load a web server.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from connectors import mapping as mappings
from connectors.intake import Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import Publisher
from ops.errors import SettingsError
from ops.runtime.broker_probe import answers
from ops.runtime.exposition import Exposition
from ops.runtime.paths import EnginePaths, load_sources, packaged
from ops.runtime.safe_logging import configure_logging, no_core_dumps
from schemas.errors import SchemaError
from schemas.sources import Source

if TYPE_CHECKING:
    from connectors.doors.folder import Folder


@dataclass(frozen=True)
class DoorOptions:
    """What the command line says about one door; `ports` is by source for MLLP, `""` for HTTP."""

    bootstrap: str
    layout: EnginePaths
    sources: Path | None
    test_mode: bool
    host: str
    allow_remote: bool
    ports: Mapping[str, int]
    pages_host: str
    pages_port: int


class _Door:
    """What every door process has: sources of its kind, intake, metrics, pages."""

    def __init__(self, options: DoorOptions, kind: str) -> None:
        configure_logging()
        no_core_dumps()
        every = load_sources(options.sources, test_mode=options.test_mode)
        self.sources = {slug: source for slug, source in every.items() if source.door == kind}
        if not self.sources:
            raise SettingsError(f"no source has door {kind}")
        self.options = options
        registry = CollectorRegistry()
        self.metrics = DoorMetrics(registry)
        self.publisher = Publisher(options.bootstrap)
        keys = options.layout.keyring("connector")
        self.intake = Intake(self.publisher, keys=keys, metrics=self.metrics, clock=now)
        self.listening = threading.Event()
        self.pages = Exposition(
            registry,
            live=lambda: {"process": True},
            ready=lambda: {"listening": self.listening.is_set(), "broker": answers(options.bootstrap)},
            host=options.pages_host,
            port=options.pages_port,
        )
        self.pages.start()

    def close(self) -> None:
        """Nothing is taken any more; what was taken has been answered."""
        self.pages.stop()
        self.publisher.close()


def now() -> datetime:
    """The doors' clock."""
    return datetime.now(UTC)


def run_http(options: DoorOptions) -> None:
    """Serve POST /fhir until SIGTERM."""
    from connectors.doors import fhir_http

    door = _Door(options, "fhir_http")
    app = fhir_http.create_app(
        sources=door.sources, intake=door.intake, test_mode=options.test_mode, metrics=door.metrics, clock=now
    )
    door.listening.set()  # the port is bound within milliseconds of serve(); senders try again until it is
    try:
        fhir_http.serve(app, options.host, options.ports[""], allow_remote=options.allow_remote)
    finally:
        door.close()


def run_mllp(options: DoorOptions) -> None:
    """Listen for HL7v2, one port a source, until SIGTERM."""
    door = _Door(options, "hl7_mllp")
    unknown = options.ports.keys() - door.sources.keys()
    if unknown:
        raise SettingsError("--listen names a source that is not an MLLP source")
    try:
        asyncio.run(_listen(door))
    finally:
        door.close()


def run_folder(options: DoorOptions) -> None:
    """Watch the folders below drop/ until SIGTERM."""
    from connectors.doors.folder import FolderDoor

    door = _Door(options, "folder")
    folders = [_folder(source, options.layout) for source in door.sources.values()]
    watcher = FolderDoor(
        folders, intake=door.intake, metrics=door.metrics, clock=now, test_mode=options.test_mode
    )
    watcher.poll_once()  # makes the folders
    door.listening.set()
    stop = threading.Event()
    _on_signal(stop.set)
    try:
        watcher.run(stop)
    finally:
        door.close()


async def _listen(door: _Door) -> None:
    from connectors.doors.hl7_mllp import MllpServer

    options, stop = door.options, asyncio.Event()
    loop = asyncio.get_running_loop()
    for order in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(order, stop.set)
    async with MllpServer(
        door.intake, metrics=door.metrics, clock=now, test_mode=options.test_mode
    ) as server:
        ports = {door.sources[slug]: port for slug, port in options.ports.items()}
        await server.start(ports, host=options.host, allow_remote=options.allow_remote)
        door.listening.set()
        await stop.wait()


def _folder(source: Source, layout: EnginePaths) -> "Folder":
    from connectors.doors.folder import Folder

    assert source.mapping is not None
    try:
        text = packaged("connectors.mappings", f"{source.mapping}.toml")
        return Folder(source, mappings.parse(text), layout.drop / source.slug)
    except FileNotFoundError:
        raise SettingsError(f"source {source.slug}: its mapping does not exist") from None
    except SchemaError as failure:
        raise SettingsError(f"mapping of source {source.slug}: {failure}") from None


def _on_signal(then: Callable[[], None]) -> None:
    for order in (signal.SIGTERM, signal.SIGINT):
        signal.signal(order, lambda *_: then())
