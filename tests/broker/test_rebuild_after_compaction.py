"""`events.v1` is the system of record: compacted to one message per key, it gives the same pathways."""

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import Ended, start
from eventually import eventually
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from ops.admin.topic_reader import TopicMessage, last_values, read_topics
from ops.local.broker.embedded import EmbeddedBroker
from schemas.elements import FACT
from schemas.topics import EVENTS, PARTITIONS

if TYPE_CHECKING:
    from conftest import DemoRun

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

AT_ONCE = {"min.compaction.lag.ms": "0", "segment.ms": "1", "min.cleanable.dirty.ratio": "0.0"}


@pytest.fixture(scope="module")
def compacted(
    demo_runs: "Mapping[str, DemoRun]", tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[TopicMessage], list[TopicMessage]]:
    """A copy of the peaceful run whose events.v1 Kafka has compacted; its messages before and after."""
    directory = tmp_path_factory.mktemp("compacted") / "run"
    shutil.copytree(demo_runs["peaceful"].directory, directory)
    (directory / "broker" / "broker.json").unlink()  # a copy of a broker is another broker
    with EmbeddedBroker(directory / "broker") as broker:

        def events() -> list[TopicMessage]:
            return list(read_topics(broker.bootstrap, [EVENTS]))

        before = events()
        _compact_at_once(broker.bootstrap)
        eventually(lambda: _is_compact(events()), why="Kafka's cleaner leaves one event per key", within_seconds=90)
        after = events()
    return directory, before, after


def _compact_at_once(bootstrap: str) -> None:
    """The cleaner takes all but the last segment, so each partition gets a new one: a tombstone of nothing."""
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, EVENTS, configs=AT_ONCE)])
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for partition in range(PARTITIONS):
        producer.send(EVENTS, key=f"nobody/x/{partition}".encode(), partition=partition).get(timeout=30)
    producer.close()


def _is_compact(events: Iterable[TopicMessage]) -> bool:
    keys = [event.key for event in events]
    return len(keys) == len(set(keys))


@pytest.fixture(scope="module")
def rebuilds(
    compacted: tuple[Path, list[TopicMessage], list[TopicMessage]], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Ended]:
    """What was rebuilt from the compacted topic: from all of it, and with one identity left out."""
    directory, root = compacted[0], tmp_path_factory.mktemp("rebuild")
    other = directory.with_name("other")
    shutil.copytree(directory, other)
    (other / "broker" / "broker.json").unlink()
    words = ("compare", "--from-events", "--json", "--directory")
    commands = {
        "whole": start(*words, directory, folder=root / "whole"),
        "lacking": start(*words, other, "--drop-one", folder=root / "lacking"),
    }
    return {name: command.ended() for name, command in commands.items()}


def test_corrections_came_before_what_they_correct_and_things_were_told_twice(
    compacted: tuple[Path, list[TopicMessage], list[TopicMessage]],
) -> None:
    _, before, _ = compacted
    newest: dict[str, str] = {}
    overtaken = 0
    for item, value in _facts(before):
        overtaken += newest.get(item, "") > value["source_version_at"]
        newest[item] = max(newest.get(item, ""), value["source_version_at"])
    assert overtaken > 10
    assert not _is_compact(before)


def _facts(events: Iterable[TopicMessage]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Record and fact id, and the version told, of every fact in order."""
    for event in events:
        record, kind, name = (event.key or b"").decode().split("/", 2)
        if kind == FACT:
            yield f"{record}/{name.partition('/')[0]}", json.loads(event.value or b"{}")


def test_compaction_took_nothing_but_repetitions(
    compacted: tuple[Path, list[TopicMessage], list[TopicMessage]],
) -> None:
    _, before, after = compacted
    assert len(after) < len(before)
    assert {key: message.value for key, message in last_values(after).items()} == {
        key: message.value for key, message in last_values(before).items()
    }


def test_a_rebuild_from_the_compacted_record_ends_in_the_same_people_and_pathways(
    rebuilds: Mapping[str, Ended],
) -> None:
    ended = rebuilds["whole"]
    assert ended.exit_code == 0, ended.out + ended.err
    assert ended.last_object["differing"] == 0
    for topic in ("identity.v1", "link.map.v1", "pathway.state.demo.v1", "pathway.events.demo.v1"):
        assert f"{topic} " in ended.out
    assert ended.last_object["keys"] > 200


def test_a_rebuild_that_lacks_one_identity_differs(rebuilds: Mapping[str, Ended]) -> None:
    ended = rebuilds["lacking"]
    assert ended.exit_code == 1
    assert ended.last_object["differing"] > 0
