"""Playing a simulation through the real doors: one thread a source, every answer in the journal."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ops.client.journal import Journal
from ops.client.senders import FileSender, Hl7Sender, HttpSender
from ops.lab.simulator.model import Delivery
from ops.local.engine import Engine

Progress = Callable[[str, int], None]  # source, deliveries made


def play(engine: Engine, deliveries: Sequence[Delivery], journal: Journal, progress: Progress) -> None:
    """Every delivery has been made and answered on return; order is kept within a source, not between them.

    When one player fails, or at Ctrl-C, the others make no further delivery.
    """
    by_source: dict[str, list[Delivery]] = {}
    for one in deliveries:
        by_source.setdefault(one.source, []).append(one)
    playing = _Playing(engine, journal, progress)
    with ThreadPoolExecutor(max_workers=max(1, len(by_source))) as pool:
        try:
            running = [
                pool.submit(_PLAYERS[own[0].kind], playing, source, own) for source, own in by_source.items()
            ]
            for player in running:
                player.result()
        except BaseException:
            playing.ended.set()
            raise


@dataclass(frozen=True)
class _Playing:
    """What every player needs; `ended` tells them to stop."""

    engine: Engine
    journal: Journal
    progress: Progress
    ended: threading.Event = field(default_factory=threading.Event)

    def while_wanted(self, own: Iterable[Delivery]) -> Iterator[Delivery]:
        """`own` until the play has ended."""
        for one in own:
            if self.ended.is_set():
                return
            yield one


def _play_fhir(playing: _Playing, source: str, own: Sequence[Delivery]) -> None:
    sender = HttpSender(source, playing.engine.ports()[source], playing.journal)
    for one in playing.while_wanted(own):
        sender.send(one.content, message_id=one.entries[0].message_id if one.entries else "")
        playing.progress(source, 1)
    sender.close()


def _play_hl7(playing: _Playing, source: str, own: Sequence[Delivery]) -> None:
    sender = Hl7Sender(source, playing.engine.ports()[source], playing.journal)
    for one in playing.while_wanted(own):
        sender.send(one.content, message_id=one.entries[0].message_id if one.entries else "")
        playing.progress(source, 1)
    sender.close()


def _play_files(playing: _Playing, source: str, own: Sequence[Delivery]) -> None:
    sender = FileSender(source, playing.engine.drop_folder(source), playing.journal)
    for one in own:  # all at once: councils do not wait for each other's files either
        sender.drop(one.file_name or "", one.content, rows=[entry.position for entry in one.entries])
    for one in playing.while_wanted(own):
        sender.wait(one.file_name or "", one.content, rows=[entry.position for entry in one.entries])
        playing.progress(source, 1)


_PLAYERS: Mapping[str, Callable[[_Playing, str, Sequence[Delivery]], None]] = {
    "fhir": _play_fhir,
    "hl7": _play_hl7,
    "csv_file": _play_files,
}
