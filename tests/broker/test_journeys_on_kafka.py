"""All journeys at once through a real worker on a real Kafka: the same expectations as on the pure fold.

A worker's day only grows, and is one for each partition. So each person of a journey gets an id that falls into the
partition of the day it is judged on; days beyond twelve come in further rounds, each when the one before is answered.
"""

import dataclasses
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pytest
from confluent_kafka import Consumer, TopicPartition
from eventually import eventually
from journey_files import Expected, JourneyFile, files, not_yet, read
from journey_paths import differences
from journey_snapshots import NOBODY, Snapshot, numbered
from pathway_engine import EPOCH, EngineKeys, KeyValue, agreement, fact_input, key_input
from pathway_journeys import keyed

from ops.admin.bulk_writer import write_all
from ops.admin.keys import make_keys
from ops.admin.topic_admin import Replication, create
from ops.admin.topic_reader import Selection, read_topic
from ops.lab.bench.hop_topics import committed_count
from ops.lab.bench.restart_worker import BenchBroker, WorkerUnderBench
from ops.local.broker.embedded import EmbeddedBroker
from ops.runtime.paths import EnginePaths, load_sources
from schemas import canonical, topics
from schemas.pathway_in import tick_message
from schemas.topics import PARTITIONS, PATHWAY_IN, partition_of
from streams.steps.publishing import Publication, Recipient

ANY_TIME = {"message.timestamp.after.max.ms": str(2**63 - 1), "retention.ms": "-1"}  # journeys are of other days
DAY_MS = 86_400_000
pytestmark = pytest.mark.timeout(300)  # three rounds through a worker, and perhaps the broker's start


@dataclass(frozen=True)
class Case:
    """A journey judged on one day: a person of its own."""

    journey: JourneyFile
    expected: Expected
    person_id: str

    @property
    def name(self) -> str:
        """Its file and day."""
        return f"{self.journey.name} as of {self.expected.as_of}"


def rounds() -> Iterator[dict[int, tuple[date, list[Case]]]]:
    """Partition -> its day and the cases judged on it; as many rounds as there are twelves of days."""
    judged = [(each, journey) for journey in _journeys() for each in journey.expected]
    days = sorted({each.as_of for each, _ in judged})
    for first in range(0, len(days), PARTITIONS):
        yield {
            partition: (as_of, [_case(journey, each, partition) for each, journey in judged if each.as_of == as_of])
            for partition, as_of in enumerate(days[first : first + PARTITIONS])
        }


def _journeys() -> list[JourneyFile]:
    return [read(path.read_text(encoding="utf-8"), path.stem) for path in files() if path.stem not in not_yet()]


def _case(journey: JourneyFile, expected: Expected, partition: int) -> Case:
    ids = (keyed("person", journey.name, str(number)) for number in itertools.count())
    return Case(journey, expected, next(each for each in ids if partition_of(each) == partition))


def inputs(case: Case, keys: EngineKeys) -> Sequence[KeyValue]:
    """Everything of a person, in an order of chance, some of it twice."""
    facts = case.journey.facts()
    pairs: list[KeyValue] = [fact_input(case.person_id, fact, 1, keys) for fact in facts]
    pairs += [key_input(case.person_id, record_id, 1, keys) for record_id in {fact.record_id for fact in facts}]
    chance = random.Random(case.name)
    pairs += chance.sample(pairs, k=len(pairs) // 3)
    chance.shuffle(pairs)
    return pairs


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BenchBroker]:
    """A broker of its own, as topics of these names exist on the session's with the times of production; and keys."""
    layout = EnginePaths(tmp_path_factory.mktemp("journeys"))
    make_keys(layout.keys, recipients=("demo",))
    layout.logs.mkdir()
    registry = topics.registry(load_sources(None, test_mode=True).values(), ("demo",))
    with EmbeddedBroker(layout.broker) as broker:
        create(
            broker.bootstrap,
            [dataclasses.replace(topic, config={**topic.config, **ANY_TIME}) for topic in registry],
            replication=Replication(),
        )
        yield BenchBroker(broker.bootstrap, layout)


def test_every_journey_comes_out_of_a_worker_on_kafka_as_its_rules_say(engine: BenchBroker) -> None:
    keys = EngineKeys(engine.layout.keyring("ingress"), engine.layout.current_bucket_keys("ingress")())
    worker, written, cases = WorkerUnderBench(engine, "pathway"), 0, list[Case]()
    worker.start()
    try:
        for planned in rounds():
            for partition, (as_of, judged) in planned.items():
                stamp_ms = (as_of - EPOCH).days * DAY_MS
                pairs = [tick_message(partition, as_of), *(pair for case in judged for pair in inputs(case, keys))]
                written += write_all(
                    engine.bootstrap, [(PATHWAY_IN, partition, key, value, stamp_ms, ()) for key, value in pairs]
                )
                cases += judged
            answered(worker, written)
    finally:
        worker.kill()
    latest = published(engine)
    found = [f"{case.name}: {line}" for case in cases for line in differences(latest.of(case), case.expected.paths)]
    assert not found, "\n" + "\n".join(found)


def answered(worker: WorkerUnderBench, written: int) -> None:
    """Returns when the worker has committed everything written."""
    group = {"bootstrap.servers": worker.broker.bootstrap, "group.id": f"tierlink-{worker.stage}", "log_level": 2}
    watcher = Consumer(group)
    partitions = [TopicPartition(PATHWAY_IN, number) for number in range(PARTITIONS)]

    def done() -> bool:
        worker.must_live()
        return committed_count(watcher, partitions) == written

    try:
        eventually(done, why="every message of the round is committed", within_seconds=90)
    finally:
        watcher.close()


def published(engine: BenchBroker) -> "Published":
    """What `demo` reads."""
    snapshots: dict[tuple[bytes, str], Snapshot] = {}
    for message in read_topic(engine.bootstrap, topics.pathway_state("demo"), Selection()):
        assert message.key is not None
        if message.value is None:  # nothing of the person stands any more
            snapshots = {at: value for at, value in snapshots.items() if at[0] != message.key}
            continue
        value = canonical.load_object(message.value)
        snapshots[message.key, value["as_of"]] = value
    return Published(snapshots, Recipient(agreement("demo"), engine.layout.keyring("pathway")))


@dataclass(frozen=True)
class Published:
    """The last snapshot of each published person on each day."""

    snapshots: dict[tuple[bytes, str], Snapshot]
    recipient: Recipient

    def of(self, case: Case) -> Snapshot:
        """The snapshot of a case on its day."""
        key = self.recipient.about(case.person_id, Publication(0, 0)).person.encode("ascii")
        found = self.snapshots.get((key, case.expected.as_of.isoformat()))
        return numbered(found) if found is not None else NOBODY
