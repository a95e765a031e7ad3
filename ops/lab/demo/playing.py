"""Plays a simulation through the real doors, one thread a source, every answer in the journal; and kills workers."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ops.admin.topic_reader import LagReader
from ops.client.journal import Journal
from ops.client.senders import FileSender, Hl7Sender, HttpSender
from ops.errors import TierlinkError
from ops.lab.consumer_lag import consumer_lag
from ops.lab.simulator.model import Delivery
from ops.local.broker.server_process import POLL_SECONDS
from ops.local.engine import Engine

Progress = Callable[[str, int], None]  # source, deliveries made


def play(engine: Engine, deliveries: Sequence[Delivery], journal: Journal, progress: Progress) -> None:
    """Every delivery has been made and answered on return; order is kept within a source, not between them.

    When one player fails, or at Ctrl-C, the others make no further delivery.
    """
    by_source: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        by_source.setdefault(delivery.source, []).append(delivery)
    playing = _Playing(engine, journal, progress)
    with ThreadPoolExecutor(max_workers=max(1, len(by_source))) as pool:
        try:
            running = [pool.submit(_play, playing, source, queue) for source, queue in by_source.items()]
            for player in running:
                player.result()
        except BaseException:
            playing.ended.set()
            raise


@dataclass(frozen=True)
class _Playing:
    """What every player needs; once `ended` is set, they stop."""

    engine: Engine
    journal: Journal
    progress: Progress
    ended: threading.Event = field(default_factory=threading.Event)

    def until_ended(self, queue: Iterable[Delivery]) -> Iterator[Delivery]:
        """The deliveries of `queue` until the play has ended."""
        for delivery in queue:
            if self.ended.is_set():
                return
            yield delivery


def _play(playing: _Playing, source: str, queue: Sequence[Delivery]) -> None:
    (_play_files if queue[0].kind == "csv_file" else _play_messages)(playing, source, queue)


def _play_messages(playing: _Playing, source: str, queue: Sequence[Delivery]) -> None:
    port = playing.engine.ports()[source]
    sender = _SENDERS[queue[0].kind](source, port, playing.journal)
    for delivery in playing.until_ended(queue):
        sender.send(delivery.content, message_id=delivery.entries[0].message_id if delivery.entries else "")
        playing.progress(source, 1)
    sender.close()


def _play_files(playing: _Playing, source: str, queue: Sequence[Delivery]) -> None:
    sender = FileSender(source, playing.engine.drop_folder(source), playing.journal)
    for delivery in queue:  # all at once: councils do not wait for each other's files either
        sender.drop(delivery.file_name or "", delivery.content, rows=[entry.position for entry in delivery.entries])
    for delivery in playing.until_ended(queue):
        sender.wait(delivery.file_name or "", delivery.content, rows=[entry.position for entry in delivery.entries])
        playing.progress(source, 1)


_SENDERS: Mapping[str, type[HttpSender] | type[Hl7Sender]] = {"fhir": HttpSender, "hl7": Hl7Sender}


KILLS = 3
KILL_SECONDS_MAX = 120.0


class WorkerKiller:
    """Kills KILLS times, each time a ready worker that has been given messages it has not committed.

    `start`, then `finish` once there is no more input to come. The supervisor starts the killed ones again.
    """

    def __init__(self, engine: Engine, seed: int) -> None:
        self._engine = engine
        self._random = random.Random(seed)  # chooses victims, not keys
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self.kills = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Every kill has been made. Raises TierlinkError when no worker could be caught at work in time."""
        self._thread.join()
        if self.kills < KILLS:
            raise TierlinkError(f"only {self.kills} workers were caught with uncommitted input")

    def _run(self) -> None:
        reader, deadline = LagReader(self._engine.bootstrap), time.monotonic() + KILL_SECONDS_MAX
        try:
            while self.kills < KILLS and time.monotonic() < deadline:
                victim = self._random.choice(self._engine.workers())
                process, lag = self._engine.child(victim), consumer_lag(self._engine)
                if process.is_ready and lag.uncommitted(victim, reader) > 0:
                    self.kills += process.send(signal.SIGKILL)
                time.sleep(POLL_SECONDS / 10)
        finally:
            reader.close()
