"""Only Faust's own assignor keeps co-partitioned topics together; `table_standby_replicas=1` selects it."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from host_parts import host_app

from streams.host.commit import Partition
from streams.host.consumer import PartitionsDiffer, assigned_tasks
from streams.steps.outcome import Stage

STAGE = Stage(name="echo", reads=("events", "link-map"), changelog=None, partitions=12, dead_letter="dlq")


@dataclasses.dataclass(frozen=True)
class Cluster:
    """As much of aiokafka's cluster as an assignor asks for."""

    partitions: int

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self.partitions)) if topic in STAGE.reads else None


def assignments(
    assignor: Any, metadata: ConsumerProtocolMemberMetadata, workers: int, partitions: int = 12
) -> Iterable[set[Partition]]:
    """What each of so many workers would hold."""
    members = {f"w{number}": metadata for number in range(workers)}
    for answer in assignor.assign(Cluster(partitions), members).values():
        yield {(topic, number) for topic, numbers in answer.assignment for number in numbers}


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 7, 8, 11, 12, 13])
def test_every_worker_holds_the_same_partitions_of_each_topic_and_all_are_held_once(
    workers: int, tmp_path: Path
) -> None:
    assignor = host_app(STAGE, tmp_path).assignor
    metadata = assignor.metadata(set(STAGE.reads))
    held = [assigned_tasks(STAGE, assignment) for assignment in assignments(assignor, metadata, workers)]
    assert sorted(task for tasks in held for task in tasks) == list(range(STAGE.partitions))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stage_of_one_partition_has_one_worker_and_the_others_wait(workers: int, tmp_path: Path) -> None:
    assignor = host_app(STAGE, tmp_path).assignor
    metadata = assignor.metadata(set(STAGE.reads))
    held = [assigned_tasks(STAGE, assignment) for assignment in assignments(assignor, metadata, workers, partitions=1)]
    assert sorted(held, key=len) == [set()] * (workers - 1) + [{0}]


def test_round_robin_would_split_a_task_between_five_workers() -> None:
    """The negative control, and the reason for the setting."""
    metadata = RoundRobinPartitionAssignor.metadata(set(STAGE.reads))
    split = list(assignments(RoundRobinPartitionAssignor, metadata, 5))
    with pytest.raises(PartitionsDiffer, match="echo"):
        [assigned_tasks(STAGE, item) for item in split]
