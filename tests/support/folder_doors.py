"""A drop folder on a real broker: the door, its clock, and what stands on the intake topic afterwards."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from council_files import east, east_mapping
from door_keys import DoorKeys
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from connectors.doors.door import DoorSetup
from connectors.doors.folder import Folder, FolderDoor, Polled
from connectors.entry import SourceEntry
from connectors.intake import DoorOutcome, Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import Publisher
from schemas.envelope import Envelope
from schemas.sources import Source
from schemas.topics import PARTITIONS

NUMBERS = itertools.count()
KEYS = DoorKeys()


@dataclass
class Clock:
    """A clock that moves only when told to."""

    now: datetime = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Obstructed(Intake):
    """The real way in, with something happening just before a batch is taken."""

    obstacle: Callable[[], None] = staticmethod(lambda: None)

    def take(self, source: Source, entries: Sequence[SourceEntry], *, whole: bool = False) -> tuple[DoorOutcome, ...]:
        self.obstacle()
        return super().take(source, entries, whole=whole)


@dataclass
class Council:
    """One council with a folder, a door and an intake topic of its own."""

    path: Path
    bootstrap: str
    publisher: Publisher
    clock: Clock = field(default_factory=Clock)
    source: Source = field(default_factory=lambda: replace(east(), slug=f"council-{next(NUMBERS)}"))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new door on the same folder, as after a crash."""
        self.metrics = CollectorRegistry()
        metrics = DoorMetrics(self.metrics)
        self.intake = Obstructed(self.publisher, sessions=KEYS.sessions(), metrics=metrics, clock=self.clock)
        folder = Folder(self.source, east_mapping(), self.path)
        self.door = FolderDoor([folder], DoorSetup({}, self.intake, metrics, self.clock, test_mode=True))

    def create_topic(self, admin: KafkaAdminClient) -> None:
        """The intake topic; without it the broker acknowledges nothing."""
        wanted: dict[str, Any] = {"num_partitions": PARTITIONS, "replication_factor": 1}
        admin.create_topics({self.source.intake_topic: wanted}, wait_for_metadata=True)

    def drop(self, name: str, content: str | bytes) -> Path:
        """Puts a file into the inbox."""
        inbox = self.path / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        path = inbox / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def poll(self, times: int = 2) -> Polled:
        """Polls so often, a second apart, and adds up what was done."""
        polled = Polled()
        for _ in range(times):
            polled += self.door.poll_once()
            self.clock.advance(1)
        return polled

    def names(self, directory: str) -> list[str]:
        """The names in one of the four directories."""
        return sorted(path.name for path in (self.path / directory).iterdir())

    def report(self, name: str, directory: str = "done") -> str:
        """The report beside a file."""
        return (self.path / directory / f"{name}.report.csv").read_bytes().decode()

    def published(self) -> list[Envelope]:
        """Every envelope on the intake topic, opened as ingress opens it."""
        topic = self.source.intake_topic
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        try:
            consumer.assign(partitions)
            ends = consumer.end_offsets(partitions)
            found: list[Envelope] = []
            while any(consumer.position(partition) < ends[partition] for partition in partitions):
                for messages in consumer.poll(timeout_ms=500).values():
                    found += [self._opened(message) for message in messages]
            return found
        finally:
            consumer.close()

    def _opened(self, message: Any) -> Envelope:
        envelope = KEYS.opened(message.topic, message.partition, message.key, message.value, message.headers)
        assert message.key.decode() == envelope.entry_id
        return envelope


def entry_ids(envelopes: Iterable[Envelope]) -> set[str]:
    """Distinct entries."""
    return {envelope.entry_id for envelope in envelopes}
