"""Playing a simulation through the real doors: one thread a source, every answer in the journal."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ops.engine import Engine
from ops.journal import Journal
from ops.senders import FileSender, Hl7Sender, HttpSender
from ops.simulator.model import Delivery

Progress = Callable[[str, int], None]  # source, deliveries made


def play(engine: Engine, deliveries: Sequence[Delivery], journal: Journal, progress: Progress) -> None:
    """Every delivery has been made and answered on return; order is kept within a source, not between sources."""
    by_source: dict[str, list[Delivery]] = {}
    for one in deliveries:
        by_source.setdefault(one.source, []).append(one)
    players = {"fhir": _play_fhir, "hl7": _play_hl7, "csv_file": _play_files}
    with ThreadPoolExecutor(max_workers=max(1, len(by_source))) as pool:
        running = [
            pool.submit(players[own[0].kind], engine, source, own, journal, progress)
            for source, own in by_source.items()
        ]
        for player in running:
            player.result()


def _play_fhir(
    engine: Engine, source: str, own: list[Delivery], journal: Journal, progress: Progress
) -> None:
    sender = HttpSender(source, engine.ports()[source], journal)
    for one in own:
        sender.send(one.content, message_id=one.entries[0].message_id if one.entries else "")
        progress(source, 1)
    sender.close()


def _play_hl7(engine: Engine, source: str, own: list[Delivery], journal: Journal, progress: Progress) -> None:
    sender = Hl7Sender(source, engine.ports()[source], journal)
    for one in own:
        sender.send(one.content, message_id=one.entries[0].message_id if one.entries else "")
        progress(source, 1)
    sender.close()


def _play_files(
    engine: Engine, source: str, own: list[Delivery], journal: Journal, progress: Progress
) -> None:
    sender = FileSender(source, engine.drop_folder(source), journal)
    for one in own:  # all at once: councils do not wait for each other's files either
        sender.drop(one.file_name or "", one.content)
    for one in own:
        sender.wait(one.file_name or "", one.content, rows=[entry.position for entry in one.entries])
        progress(source, 1)
