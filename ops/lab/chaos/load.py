"""The seeded load: everything `offers` holds, sent through the real doors by providers that do not give up.

Each source is served by several connections that take what comes next from one list, so that order between them
is lost, as between a provider's own servers. A door that is killed, stopped or without a broker gets the same
bytes again until it answers; after `Patience.seconds_max` the journal says `unknown` and the provider goes on.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ops.client.journal import Answer, Journal
from ops.client.senders import FileSender, Hl7Sender, HttpSender, Patience
from ops.lab.chaos.workload import EntryMix, Offer, mixture, offers
from ops.lab.simulator.model import Delivery
from ops.local.broker.server_process import POLL_SECONDS

# Shorter than a process is stopped for (15 s): the entry goes to another connection, and both are answered.
STUBBORN = Patience(answer_seconds_max=12.0, pause_seconds=0.25, tries_max=10_000, seconds_max=120.0)


class Doors(Protocol):
    """Where the doors of an engine are; both stay the same through restarts."""

    def ports(self) -> Mapping[str, int]:
        """The port of each source that has one."""

    def drop_folder(self, source: str) -> Path:
        """The folder of a folder source."""


@dataclass(frozen=True)
class LoadSettings:
    """How much of what, and how fast: `per_second` entries at most, over all sources; None for no limit."""

    seed: int
    events: int
    connections: int = 4  # of each source with a port
    files_at_once: int = 8  # of each folder source, not yet answered
    per_second: float | None = None
    patience: Patience = STUBBORN


@dataclass(frozen=True)
class _Due:
    """A delivery, and how many entries are offered before it: by that it is paced."""

    delivery: Delivery
    after: int


class Load:
    """Start it once; its threads end when everything has been answered or given up, or at `stop`."""

    def __init__(self, engine: Doors, settings: LoadSettings, journal: Journal) -> None:
        """Makes what is to be offered, in memory until it is sent: 100,000 entries in 12 s of one core."""
        self._engine = engine
        self._settings = settings
        self._journal = journal
        offered = offers(settings.seed, settings.events)
        self.mixture: EntryMix = mixture(offered)
        self._due = _by_source(offered)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._answers: Counter[Answer] = Counter()
        self._failures: list[BaseException] = []
        self._started_at = 0.0
        self._threads = list(self._senders())

    def start(self) -> None:
        """Every connection begins; returns at once."""
        self._started_at = time.monotonic()
        for thread in self._threads:
            thread.start()

    def sent(self) -> int:
        """How many of the entries offered have been acknowledged so far: a resend on purpose counts again."""
        answers = self.answers()
        return answers["accepted"] + answers["ignored"]

    def answers(self) -> Counter[Answer]:
        """How the entries offered so far were answered, `unknown` for those given up."""
        with self._lock:
            return self._answers.copy()

    def finished(self) -> bool:
        """True when nothing is under way any more, also after `stop` or a failure (which `join` raises)."""
        return self._started_at > 0 and not any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Returns when finished. Raises what went wrong in a sender, if anything did."""
        for thread in self._threads if self._started_at else ():
            thread.join()
        if self._failures:
            raise self._failures[0]

    def stop(self) -> None:
        """Nothing more is offered and nothing tried again; what has no answer is noted as unknown."""
        self._ended.set()
        self.join()

    def _senders(self) -> list[threading.Thread]:
        settings = self._settings
        by_kind = {"fhir": self._messages, "hl7": self._messages, "csv_file": self._files}
        return [
            threading.Thread(
                target=self._run_sender,
                args=(by_kind[kind], source),
                name=f"load-{source}-{number}",
                daemon=True,
            )
            for source, kind in {source: due[0].delivery.kind for source, due in self._due.items()}.items()
            for number in range(1 if kind == "csv_file" else settings.connections)
        ]

    def _run_sender(self, send: Callable[[str, deque[_Due]], None], source: str) -> None:
        try:
            send(source, self._due[source])
        except BaseException as failure:  # noqa: BLE001 (raised by join, in the thread that asks)
            self._failures.append(failure)
            self._ended.set()

    def _messages(self, source: str, due: deque[_Due]) -> None:
        settings, port = self._settings, self._engine.ports()[source]
        patience, ended = settings.patience, self._ended
        senders: Mapping[str, HttpSender | Hl7Sender] = {
            "fhir": HttpSender(source, port, self._journal, patience=patience, ended=ended),
            "hl7": Hl7Sender(source, port, self._journal, patience=patience, ended=ended),
        }
        try:
            while (delivery := self._next(due)) is not None:
                answered = senders[delivery.kind].send(delivery.content, message_id=delivery.entries[0].message_id)
                self._count(answered.answer, 1)
        finally:
            for sender in senders.values():
                sender.close()

    def _next(self, due: deque[_Due]) -> Delivery | None:
        """What comes next, when its time has come; None when there is nothing or the load has ended."""
        try:
            item = due.popleft()
        except IndexError:
            return None
        ended = self._ended.wait(self._wait_seconds(item)) or self._ended.is_set()
        return None if ended else item.delivery

    def _wait_seconds(self, item: _Due) -> float:
        if self._settings.per_second is None:
            return 0.0
        return max(0.0, self._started_at + item.after / self._settings.per_second - time.monotonic())

    def _files(self, source: str, due: deque[_Due]) -> None:
        folder = FileSender(source, self._engine.drop_folder(source), self._journal)
        waiting, given_up = list[_File](), list[_File]()
        patience_seconds = self._settings.patience.seconds_max
        while (due or waiting) and not self._ended.wait(POLL_SECONDS):
            while due and len(waiting) < self._settings.files_at_once and not self._wait_seconds(due[0]):
                deadline = time.monotonic() + patience_seconds
                waiting.append(_File(folder, due.popleft().delivery, deadline))
            for file in waiting:
                file.dropped = file.dropped or file.drop()
            settled = [file for file in waiting if file.answered() or time.monotonic() >= file.deadline]
            given_up += [file for file in settled if self._count(file.note(), file.rows) == "unknown"]
            waiting = [file for file in waiting if file not in settled]
        for file in waiting:
            self._count(file.note(), file.rows)
        for file in given_up:  # it may have been answered while later ones were waited for
            if file.answered():
                self._count("unknown", -file.rows)
                self._count(file.note(), file.rows)

    def _count(self, answer: Answer, entries: int) -> Answer:
        with self._lock:
            self._answers[answer] += entries
        return answer


@dataclass(eq=False)
class _File:
    """One file on its way."""

    folder: FileSender
    delivery: Delivery
    deadline: float
    dropped: bool = False

    @property
    def rows(self) -> int:
        """How many entries it holds."""
        return len(self.delivery.entries)

    @property
    def _name(self) -> str:
        assert self.delivery.file_name is not None
        return self.delivery.file_name

    @property
    def _positions(self) -> list[int]:
        return [entry.position for entry in self.delivery.entries]

    def drop(self) -> bool:
        """True when it stands in the inbox; where there is no folder or no space, another try may come."""
        try:
            self.folder.drop(self._name, self.delivery.content, rows=self._positions)
        except OSError:
            return False
        return True

    def answered(self) -> bool:
        """It stands in done/ or failed/."""
        return self.folder.answered_in(self._name) is not None

    def note(self) -> Answer:
        """Its rows are in the journal with its answer, `unknown` where it has none."""
        directory = self.folder.answered_in(self._name)
        return self.folder.note(directory, self._name, self.delivery.content, rows=self._positions).answer


def _by_source(offered: tuple[Offer, ...]) -> dict[str, deque[_Due]]:
    due: dict[str, deque[_Due]] = {}
    entries = 0
    for offer in offered:
        due.setdefault(offer.delivery.source, deque()).append(_Due(offer.delivery, entries))
        entries += len(offer.delivery.entries)
    return due
