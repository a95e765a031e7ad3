"""After the last fault: quiet when everything is committed, stuck when a group commits no more."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

from ops.lab.chaos.quiescence import settle
from ops.local.broker.embedded import EmbeddedBroker


@dataclass(frozen=True)
class Reading:
    """One group that reads one topic."""

    bootstrap: str
    topic: str

    def groups(self) -> dict[str, Sequence[str]]:
        return {f"group-of-{self.topic}": [self.topic]}

    def commit(self, admin: KafkaAdminClient, offsets: dict[int, int]) -> None:
        wanted = {
            TopicPartition(self.topic, partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
        }
        admin.alter_group_offsets(f"group-of-{self.topic}", wanted)


def written(broker: EmbeddedBroker, topic: str, partitions: Sequence[int]) -> Reading:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for partition in partitions:
        producer.send(topic, b"told", partition=partition).get(timeout=30)
    producer.close()
    return Reading(broker.bootstrap, topic)


def settled(reading: Reading) -> int:
    return settle(reading, since=time.monotonic(), stuck_seconds=1.0)


def test_the_partitions_with_messages_of_a_group_that_commits_nothing_are_stuck(
    broker: EmbeddedBroker, broker_admin: KafkaAdminClient, new_topic: Callable[..., str]
) -> None:
    reading = written(broker, new_topic(partitions=4), [0, 0, 1, 2])
    assert settled(reading) == 3
    reading.commit(broker_admin, {0: 2, 1: 1})
    assert settled(reading) == 1
    reading.commit(broker_admin, {2: 1})
    assert settled(reading) == 0
