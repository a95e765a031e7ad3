"""The FHIR door on a loopback port with a real publisher behind it, and a client in front."""

import itertools
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from door_keys import DoorKeys
from eventually import eventually
from fhir_samples import GP_HUB
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from connectors.doors.door import DoorSetup
from connectors.doors.fhir_http import create_app, server
from connectors.intake import Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import Publisher
from schemas.envelope import Envelope
from schemas.sources import Source
from schemas.topics import PARTITIONS

NUMBERS = itertools.count()
KEYS = DoorKeys()
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class OpenDoor:
    """A door that listens, and what a provider sees of it."""

    client: httpx.Client
    registry: CollectorRegistry
    source: Source

    def post(self, content: Any, **headers: str) -> httpx.Response:
        """POST /fhir with the usual headers, of which `headers` replace some."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"Content-Type": "application/fhir+json", "X-Tierlink-Source": self.source.slug}
        return self.client.post("/fhir", content=content, headers={**usual, **named})

    def counted(self, name: str, **labels: str) -> float:
        """A counter of the door."""
        return self.registry.get_sample_value(name, {"source": self.source.slug, **labels}) or 0.0


def a_hub() -> Source:
    """A FHIR source with a name, and so a topic, of its own."""
    return replace(GP_HUB, slug=f"hub-{secrets.token_hex(3)}-{next(NUMBERS)}")


def create_topic(admin: KafkaAdminClient, source: Source) -> None:
    """The intake topic of a source; without it the broker acknowledges nothing."""
    wanted: dict[str, Any] = {"num_partitions": PARTITIONS, "replication_factor": 1}
    admin.create_topics({source.intake_topic: wanted}, wait_for_metadata=True)


@contextmanager
def door_for(
    source: Source, publisher: Publisher, *, kind: type[Intake] = Intake, test_mode: bool = True
) -> Iterator[OpenDoor]:
    """A listening door for one source; closed at the end of the block."""
    registry = CollectorRegistry()
    metrics = DoorMetrics(registry)
    intake = kind(publisher, sessions=KEYS.sessions(), metrics=metrics, clock=lambda: NOW)
    setup = DoorSetup({source.slug: source}, intake, metrics, clock=lambda: NOW, test_mode=test_mode)
    running = server(create_app(setup), "127.0.0.1", 0)
    thread = threading.Thread(target=running.run, name="fhir-door", daemon=True)
    thread.start()
    eventually(lambda: running.started, why="the door listens")
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield OpenDoor(client, registry, source)
    finally:
        running.should_exit = True
        thread.join(20)


def published(bootstrap: str, source: Source) -> list[Envelope]:
    """Everything on the source's intake topic, opened."""
    partitions = [TopicPartition(source.intake_topic, number) for number in range(PARTITIONS)]
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    found = []
    try:
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning()
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for batch in consumer.poll(timeout_ms=1000).values():
                found += [
                    KEYS.opened(record.topic, record.partition, record.key, record.value, record.headers)
                    for record in batch
                ]
    finally:
        consumer.close()
    return found
