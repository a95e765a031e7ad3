"""The whole engine on a real Kafka, told the small world in another order, ends as the one in memory does.

So the order of arrival makes no difference here either, and what the tests in memory say is true of the real
host, changelogs and clients.
"""

import random
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from door_keys import write_intake_keys
from memory_engine import (
    START_MS,
    IntakeMessage,
    MemoryEngine,
    all_bucket_keys,
    all_keys,
    intake_message,
    published,
    result_topics,
    sources,
)
from small_world import small_world

from ops.admin.bucket_keys import make as make_bucket_keys
from ops.admin.bulk_writer import write_all
from ops.admin.keys import write_keys
from ops.admin.topic_reader import read_topics
from ops.lab.consumer_lag import consumer_lag
from ops.local.engine import Engine, EngineSettings
from ops.runtime.paths import EnginePaths
from ops.verify.compare import Side, compare_topics
from ops.verify.ledger import balance, read_topic_index, stalled
from schemas.topics import DEAD_LETTERS

Intake = tuple[str, IntakeMessage]


def publish(bootstrap: str, intakes: Iterable[Intake]) -> None:
    """As the doors did, in this order, at the time of the world in memory."""
    emits = (published(slug, sealed) for slug, sealed in intakes)
    write_all(bootstrap, ((emit.topic, emit.partition, emit.key, emit.value, START_MS, emit.headers) for emit in emits))


@pytest.mark.broker
def test_another_order_on_a_real_kafka_ends_in_the_same_topics(tmp_path: Path) -> None:
    items = [(slug, intake_message(slug, message)) for slug, message in small_world()]
    in_memory = MemoryEngine(seed=1)
    for slug, sealed in items:
        in_memory.take_sealed(slug, sealed)
    in_memory.run()
    layout = EnginePaths(tmp_path / "engine")
    write_keys(layout.keys, all_keys())  # both engines must name people alike
    make_bucket_keys(layout.keys, all_bucket_keys())
    with Engine(layout, EngineSettings(test_mode=True, doors=False)) as engine:
        write_intake_keys(layout)  # now: an engine that starts destroys what is as old as this world
        publish(engine.bootstrap, random.Random(5).sample(items, len(items)))
        consumer_lag(engine).drain()
        names = [name for name in result_topics() if name != DEAD_LETTERS]
        found = compare_topics(
            Side(lambda name: in_memory.read([name]), all_bucket_keys()),
            Side(lambda name: read_topics(engine.bootstrap, [name]), all_bucket_keys()),
            names,
            keys=all_keys(),
        )
        assert found.keys > 200
        assert {name: counts for name, counts in found.by_topic.items() if counts[1]} == {}
        read, keys = partial(read_topics, engine.bootstrap), all_keys()
        books = read_topic_index(read, sources().values(), keys=keys, recipient="demo")
        whole = balance(in_memory.journal, books, keys=keys, recipient="demo")[""]
        assert (whole.unaccounted, stalled(books)) == (0, 0)
