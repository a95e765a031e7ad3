"""The load through three real doors that lose answers and break off: what is acknowledged stands on the topics.

One door process of each kind stands in for the killed and restarted ones of an engine: to a provider a lost
answer, a refused connection and a file left in the middle look the same, whatever ended the door.
"""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fhir_door import KEYS, NOW, door_for
from folder_doors import Council
from kafka import KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError
from prometheus_client import CollectorRegistry

from connectors.doors.door import DoorSetup
from connectors.doors.hl7_mllp import MllpServer
from connectors.entry import SourceEntry
from connectors.intake import DoorOutcome, Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import BrokerUnavailable, Publisher
from ops.admin.topic_reader import read_topics
from ops.client.journal import Journal
from ops.client.senders import Patience
from ops.lab.chaos.load import Load, LoadSettings
from ops.local.broker.embedded import EmbeddedBroker
from ops.runtime.paths import load_sources
from schemas.sources import Source
from schemas.topics import PARTITIONS

SOURCES = {slug: load_sources(None, test_mode=True)[slug] for slug in ("gp-hub", "council-east", "trust-wm")}
SOON = Patience(answer_seconds_max=30.0, pause_seconds=0.01, tries_max=1000, seconds_max=120.0)


class Broken(Exception):
    """The door ends here."""


class Counting(Intake):
    """The real way in, which knows how often it was asked."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._turns = itertools.count(1)


class Faltering(Counting):
    """Every fifth time what was kept is not answered, every seventh time nothing is kept."""

    def take(self, source: Source, entries: Sequence[SourceEntry], *, whole: bool = False) -> tuple[DoorOutcome, ...]:
        turn = next(self._turns)
        if turn % 7 == 0:
            raise BrokerUnavailable
        taken = super().take(source, entries, whole=whole)
        if turn % 5 == 0:
            raise Broken
        return taken


class Lying(Counting):
    """Every seventh time it says that it has kept what it has not: what no test may miss."""

    def take(self, source: Source, entries: Sequence[SourceEntry], *, whole: bool = False) -> tuple[DoorOutcome, ...]:
        if next(self._turns) % 7:
            return super().take(source, entries, whole=whole)
        return tuple(DoorOutcome("none", entry.checked.verdict, acknowledged=True) for entry in entries)


@dataclass
class OpenDoors:
    """Where a load finds the doors; it asks an engine no more than this."""

    folder: Path
    found: dict[str, int] = field(default_factory=dict)

    def ports(self) -> Mapping[str, int]:
        return self.found

    def drop_folder(self, source: str) -> Path:
        assert source == "council-east"
        return self.folder


@pytest.fixture(scope="module")
def publisher(broker: EmbeddedBroker, broker_admin: KafkaAdminClient) -> Iterator[Publisher]:
    wanted = {"num_partitions": PARTITIONS, "replication_factor": 1}
    for source in SOURCES.values():
        with suppress(TopicAlreadyExistsError):
            broker_admin.create_topics({source.intake_topic: wanted}, wait_for_metadata=True)
    made = Publisher(broker.bootstrap)
    yield made
    made.close()


@contextmanager
def trust_door(intake: Intake) -> Iterator[int]:
    """The MLLP door in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    metrics = DoorMetrics(CollectorRegistry())
    server = MllpServer(DoorSetup({}, intake, metrics, clock=lambda: NOW, test_mode=True))
    source = SOURCES["trust-wm"]
    starting = asyncio.run_coroutine_threadsafe(server.start({source: 0}), loop)
    try:
        yield starting.result(30)[source.slug]
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def council_door(council: Council, *, breaks: bool) -> Iterator[None]:
    """The folder door, which ends before every third batch and is started again on the same folder."""
    ended, turns = threading.Event(), itertools.count(1)

    def obstacle() -> None:
        if breaks and next(turns) % 3 == 0:
            raise Broken

    def watch() -> None:
        while not ended.wait(0.01):
            try:
                council.intake.obstacle = obstacle
                council.poll(1)
            except Broken:
                council.restart()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def doors(folder: Path, broker: EmbeddedBroker, publisher: Publisher, kind: type[Intake]) -> Iterator[OpenDoors]:
    """Three listening doors; those of FHIR and HL7v2 have a way in of that kind."""
    sessions, metrics = KEYS.sessions(), DoorMetrics(CollectorRegistry())
    trust = kind(publisher, sessions=sessions, metrics=metrics, clock=lambda: NOW)
    council = Council(folder, broker.bootstrap, publisher, source=SOURCES["council-east"])
    council.poll(1)  # makes the rooms
    opened = OpenDoors(folder)
    with (
        door_for(SOURCES["gp-hub"], publisher, kind=kind) as hub,
        trust_door(trust) as port,
        council_door(council, breaks=kind is Faltering),
    ):
        assert hub.client.base_url.port is not None
        opened.found = {"gp-hub": hub.client.base_url.port, "trust-wm": port}
        yield opened


def kept(broker: EmbeddedBroker) -> Counter[str]:
    """Entry id -> how often it stands on an intake topic."""
    topics = [source.intake_topic for source in SOURCES.values()]
    return Counter((message.key or b"").decode() for message in read_topics(broker.bootstrap, topics))


def test_every_acknowledged_entry_is_kept_and_each_offered_one_is_noted_once(
    tmp_path: Path, broker: EmbeddedBroker, publisher: Publisher
) -> None:
    journal = Journal(tmp_path / "journal")
    with doors(tmp_path / "council", broker, publisher, Faltering) as opened:
        load = Load(opened, LoadSettings(seed=21, events=400, patience=SOON), journal)
        load.start()
        load.join()
    assert load.finished()
    noted = list(journal.read())
    assert len(noted) == load.mixture.entries == 400
    answers = Counter(item.answer for item in noted)
    assert answers == +load.answers()
    assert answers["unknown"] == 0
    assert (answers["refused"], answers["ignored"]) == (load.mixture.refused, load.mixture.ignored)
    assert load.sent() == answers["accepted"] + answers["ignored"]
    acknowledged = {item.entry_id for item in noted if item.answer == "accepted"}
    found = kept(broker)
    assert acknowledged - found.keys() == set()
    refused = {item.entry_id for item in noted if item.answer in ("refused", "ignored")} - acknowledged
    assert refused & found.keys() == set()
    offered_twice = sum(Counter(item.entry_id for item in noted if item.answer == "accepted").values())
    assert sum(found[item] for item in acknowledged) > offered_twice, "lost answers leave duplicates"


def test_a_door_that_acknowledges_what_it_has_not_kept_is_found_out(
    tmp_path: Path, broker: EmbeddedBroker, publisher: Publisher
) -> None:
    journal = Journal(tmp_path / "journal")
    with doors(tmp_path / "council", broker, publisher, Lying) as opened:
        load = Load(opened, LoadSettings(seed=22, events=200, patience=SOON), journal)
        load.start()
        load.join()
    acknowledged = {message.entry_id for message in journal.read() if message.answer == "accepted"}
    assert acknowledged - kept(broker).keys() != set()


def test_a_load_that_is_stopped_leaves_nothing_unsaid(tmp_path: Path) -> None:
    """No door listens and nobody empties the folder: what was begun is unknown, the rest was never sent."""
    folder = tmp_path / "council"
    (folder / "inbox").mkdir(parents=True)
    opened = OpenDoors(folder, {"gp-hub": 1, "trust-wm": 1})  # port 1: nobody listens there
    journal = Journal(tmp_path / "journal")
    load = Load(opened, LoadSettings(seed=23, events=100, patience=SOON), journal)
    load.start()
    load.stop()
    assert load.finished()
    assert load.sent() == 0
    assert {message.answer for message in journal.read()} <= {"unknown"}
    assert sum(load.answers().values()) == sum(1 for _ in journal.read()) < 100
