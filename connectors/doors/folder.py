"""The drop folder: a council puts a CSV or .xlsx into `inbox/`; it is acknowledged when it stands in `done/`.

    inbox/x.csv --claim--> work/<moment>-x.csv --read, publish, wait for the broker--> report --> done/x.csv
                                           \\--refused as a whole--------------------> report --> failed/x.csv

A file is taken when its name neither starts with `.` nor ends in `.part`, `.tmp` or `.filepart`, and size,
time and inode were the same at two polls a second or more apart. Whoever may pause longer while writing
writes `x.csv.part` and renames it. Beside the file, in `done/` or `failed/`, stands `x.csv.report.csv`.

After a crash whatever is in `work/` is taken again: entry ids come from the content, so what was published
before is a duplicate. File names may hold a person's name: they stay in the source's own folder and are
never logged.
"""

import hashlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import islice
from pathlib import Path

from connectors import mapping as mappings
from connectors.doors.door import DoorSetup
from connectors.doors.drop_directories import BYTES_MAX, DropDirectories, Irregular, StillChanging
from connectors.entry import SourceEntry
from connectors.mapping import FileMapping
from connectors.metrics import BROKER_UNAVAILABLE
from connectors.publisher import BrokerUnavailable
from connectors.sources.tier2_csv import FileContext, entries_of, open_sheet
from connectors.sources.tier2_csv.report import FileReport
from schemas.errors import InvalidField, SchemaError, Severity, error
from schemas.sources import Source

__all__ = ["BYTES_MAX", "Folder", "FolderDoor", "Polled"]

log = logging.getLogger(__name__)

ROWS_A_BATCH = 500  # of about 20 KB sealed: 10 MB on its way at once
STABLE_FOR = timedelta(seconds=1)
BACKOFF_SECONDS_MAX = 60
FILES_A_POLL_MAX = 1_000
_UNFINISHED = (".part", ".tmp", ".filepart")


@dataclass(frozen=True, slots=True)
class Folder:
    """One source's folder; `inbox`, `work`, `done` and `failed` are made in `path` where they are missing."""

    source: Source
    mapping: FileMapping
    path: Path


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll did: files moved to `done` and to `failed`, files left for later, rows acknowledged."""

    done: int = 0
    failed: int = 0
    waiting: int = 0
    rows: int = 0

    def __add__(self, other: "Polled") -> "Polled":
        return Polled(
            self.done + other.done,
            self.failed + other.failed,
            self.waiting + other.waiting,
            self.rows + other.rows,
        )


class _Stopped(Exception):
    """The door is to stop between two batches of a file; the file stays in `work`."""


class FolderDoor:
    """Polls the folders of its sources. One door a folder; two would only publish duplicates."""

    def __init__(self, folders: Sequence[Folder], setup: DoorSetup) -> None:
        self._folders, self._test_mode = folders, setup.test_mode
        self._intake, self._metrics, self._clock = setup.intake, setup.metrics, setup.clock
        self._seen: dict[tuple[str, str], tuple[object, datetime]] = {}
        # (source, file) -> rows that a retry need not publish again
        self._acknowledged: dict[tuple[str, str], int] = {}
        self._stop = threading.Event()
        self._failures = 0
        self._retry_at: datetime | None = None

    def serve(self, listening: Callable[[], None]) -> None:
        """See `Door`."""
        self.poll_once()  # makes the directories
        stop = threading.Event()
        for order in (signal.SIGTERM, signal.SIGINT):
            signal.signal(order, lambda *_: stop.set())
        listening()
        self.run(stop)

    def run(self, stop: threading.Event, *, poll_seconds: float = 1.0) -> None:
        """Polls until `stop` is set; returns between two batches at the latest."""
        self._stop = stop
        while not stop.is_set():
            self.poll_once()
            stop.wait(poll_seconds)

    def poll_once(self) -> Polled:
        """Reads every folder once: each finished file then stands in `done` or `failed`, or waits in `work`.

        While the broker is unavailable nothing is moved on; the next tries come after 1, 2, 4 … 60 seconds.
        """
        polled = Polled()
        if self._retry_at is not None and self._clock() < self._retry_at:
            return polled
        for folder in self._folders:
            try:
                with DropDirectories(folder.path) as directories:
                    for outcome in self._poll(folder, directories):
                        polled += outcome
            except BrokerUnavailable:
                self._back_off(folder)
                return polled + Polled(waiting=1)
            except _Stopped:
                return polled + Polled(waiting=1)
            except OSError as failure:
                log.error("source %s: the folder cannot be used (errno %s)", folder.source.slug, failure.errno)
        self._failures, self._retry_at = 0, None
        return polled

    def _back_off(self, folder: Folder) -> None:
        seconds = min(2**self._failures, BACKOFF_SECONDS_MAX)
        self._failures = min(self._failures + 1, 16)
        self._retry_at = self._clock() + timedelta(seconds=seconds)
        self._metrics.refused(folder.source.slug, BROKER_UNAVAILABLE)
        log.warning("source %s: no broker; files wait, next try in %d s", folder.source.slug, seconds)

    def _poll(self, folder: Folder, directories: DropDirectories) -> Iterator[Polled]:
        for name in sorted(directories.names("work")):
            yield self._settle_file(folder, directories, name)
        for name in self._ready(folder, directories):
            if (reason := directories.irregular("inbox", name)) is not None:
                yield self._refuse_file(folder, directories, "inbox", name, reason)
            else:
                yield self._settle_file(folder, directories, directories.claim(name, self._clock()))

    def _ready(self, folder: Folder, directories: DropDirectories) -> list[str]:
        """Names in the inbox whose file has not changed for long enough."""
        now, seen, ready = self._clock(), {}, []
        names = [n for n in directories.names("inbox") if not n.startswith(".") and not n.endswith(_UNFINISHED)]
        for name in sorted(names)[:FILES_A_POLL_MAX]:
            stamp = directories.stamp("inbox", name)
            before, since = self._seen.get((folder.source.slug, name), (None, now))
            since = since if stamp == before and since <= now else now
            seen[folder.source.slug, name] = (stamp, since)
            if stamp is not None and now - since >= STABLE_FOR:
                ready.append(name)
        others = {key: value for key, value in self._seen.items() if key[0] != folder.source.slug}
        self._seen = {**others, **seen}
        return ready

    def _settle_file(self, folder: Folder, directories: DropDirectories, name: str) -> Polled:
        """One file of `work` to `done` or `failed`; left where it is while it changes or cannot be moved."""
        try:
            return self._take_file(folder, directories, name)
        except Irregular as irregular:
            return self._refuse_file(folder, directories, "work", name, irregular.rule)
        except StillChanging:
            return Polled(waiting=1)
        except OSError as failure:
            log.error("source %s: a file cannot be read or moved (errno %s)", folder.source.slug, failure.errno)
            return Polled(waiting=1)

    def _take_file(self, folder: Folder, directories: DropDirectories, name: str) -> Polled:
        received_at = directories.claimed_at(name) or self._clock()
        raw, stamp = directories.read("work", name)
        file_id = hashlib.sha256(raw).hexdigest()
        context = FileContext(folder.source, folder.mapping, file_id, self._test_mode, received_at)
        report = FileReport(folder.source.slug)
        sheet, issues = open_sheet(raw, folder.mapping)
        report.of_file(issues)
        if sheet is None:
            first = next(issue for issue in issues if issue.severity is Severity.ERROR)
            self._metrics.refused(folder.source.slug, first.code)
            directories.settle("work", name, into="failed", report=report.text(taken=False))
            return Polled(failed=1)
        rows = self._publish_rows(context, entries_of(sheet, context), report)
        if directories.stamp("work", name) != stamp:
            self._acknowledged.pop((folder.source.slug, file_id), None)
            raise StillChanging  # written to meanwhile: what was read is published, the rest comes next time
        directories.settle("work", name, into="done", report=report.text(taken=True))
        self._acknowledged.pop((folder.source.slug, file_id), None)
        log.info("source %s: a file of %d rows is done", folder.source.slug, rows)
        return Polled(done=1, rows=rows)

    def _publish_rows(self, context: FileContext, entries: Iterable[SourceEntry], report: FileReport) -> int:
        """The number of rows, all of them acknowledged by the broker and counted in the report."""
        source, rows, rest = context.source, 0, iter(entries)
        while batch := list(islice(rest, ROWS_A_BATCH)):
            if self._stop.is_set():
                raise _Stopped
            if rows >= self._acknowledged.get((source.slug, context.file_id), 0):
                self._intake.take(source, batch, whole=True)
                self._acknowledged[source.slug, context.file_id] = rows + len(batch)
            report.of_rows(batch)
            rows += len(batch)
        return rows

    def _refuse_file(
        self, folder: Folder, directories: DropDirectories, directory: str, name: str, rule: str
    ) -> Polled:
        """Moves something that is not a plain file to `failed`, unread."""
        report = FileReport(folder.source.slug)
        report.of_file([error("file", rule, code="structure")])
        try:
            directories.settle(directory, name, into="failed", report=report.text(taken=False))
        except OSError as failure:
            log.error("source %s: something cannot be moved to failed (errno %s)", folder.source.slug, failure.errno)
            return Polled(waiting=1)
        self._metrics.refused(folder.source.slug, "structure")
        return Polled(failed=1)


def open_door(setup: DoorSetup) -> FolderDoor:
    """The door of every source's folder `<drop>/<source>`. Raises InvalidField for a mapping that cannot be used."""
    sources = setup.sources.values()
    return FolderDoor([Folder(source, mapping_of(source), setup.drop / source.slug) for source in sources], setup)


def mapping_of(source: Source) -> FileMapping:
    """The mapping that a folder source names. Raises InvalidField when it does not exist or cannot be used."""
    path = files("connectors.mappings").joinpath(f"{source.mapping}.toml")
    try:
        return mappings.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidField(f"source {source.slug}", rule="its mapping does not exist") from None
    except SchemaError as failure:
        raise InvalidField(f"mapping of source {source.slug}", rule=str(failure)) from None
