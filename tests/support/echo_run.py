"""Drives workers of the echo stage against a real broker, and reads what came of it with other eyes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import host_worker
from eventually import eventually
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

ROOT = Path(host_worker.__file__).parents[2]
FAST = {"session_timeout_s": 6.0, "heartbeat_s": 1.0, "rebalance_timeout_s": 10.0}

Input = tuple[int, int, bytes]  # which of the two inputs, partition, value


class EchoRun:
    """One stage with topics and a group of its own, and its workers; ends every worker it started."""

    def __init__(
        self,
        bootstrap: str,
        admin: KafkaAdminClient,
        directory: Path,
        *,
        without: str = "",
        refuse_after_ms: int | None = None,
    ) -> None:
        """Creates the topics, all but `without`; what workers write is refused when it is stamped older."""
        self.stage = host_worker.echo_stage(f"echo-{directory.name}")
        self.group = f"tierlink-{self.stage.name}"
        self.bootstrap, self._admin, self._directory = bootstrap, admin, directory
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        shape = {"num_partitions": host_worker.PARTITIONS, "replication_factor": 1}
        stage = self.stage
        names = {*stage.reads, *stage.writes, stage.changelog, stage.dead_letter} - {f"{stage.name}.{without}"}
        topics: dict[str, Any] = dict.fromkeys(names, shape)
        if refuse_after_ms is not None:
            fence = {"message.timestamp.before.max.ms": str(refuse_after_ms)}
            topics |= {name: {**shape, "configs": fence} for name in names - set(stage.reads)}
        admin.create_topics(topics, wait_for_metadata=True)

    def __enter__(self) -> "EchoRun":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._workers.values():
            process.kill()
            process.wait()

    def start(self, worker_id: str, **chosen: Any) -> subprocess.Popen[bytes]:
        """A worker process; `chosen` goes into its settings."""
        settings = {
            "bootstrap": self.bootstrap,
            "worker_id": worker_id,
            "stage": self.stage.name,
            "no_predecessor": worker_id not in self._workers,
            **FAST,
            **chosen,
        }
        settings["state_directory"] = str(self._directory / worker_id)
        command = [sys.executable, str(ROOT / "tests/support/host_worker.py"), json.dumps(settings)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self._directory / f"{worker_id}.log").open("ab") as log:
            self._workers[worker_id] = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        return self._workers[worker_id]

    def log(self, worker_id: str) -> str:
        """Everything that worker has said."""
        return (self._directory / f"{worker_id}.log").read_text()

    def is_ready(self, worker_id: str) -> bool:
        """By its own facts."""
        return (self._directory / worker_id / "ready").exists()

    def redelivered(self) -> int:
        """By the workers' own markers."""
        markers = self._directory.glob("*/delivered.json")
        return sum(json.loads(marker.read_text())["redelivered"] for marker in markers)

    def send(self, inputs: Iterable[Input]) -> None:
        """In this order per partition; all acknowledged when it returns."""
        with KafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
            for which, partition, value in inputs:
                producer.send(self.stage.reads[which], value=value, key=b"key", partition=partition)
            producer.flush()

    def lag(self) -> int:
        """Messages not yet committed, over all partitions of the inputs."""
        committed = eventually(self._committed, why="a coordinator of the group")[self.group]
        return sum(end - max(0, _offset(committed.get(part))) for part, end in self._ends(self.stage.reads).items())

    def caught_up(self) -> None:
        """Returns when everything sent has been committed."""
        eventually(lambda: self.lag() == 0, why="every input committed", within_seconds=60)

    def members(self) -> int:
        """How many members the broker counts in the group."""
        return len(self._admin.describe_groups([self.group])[self.group]["members"])

    def read(self, topic: str) -> list[Any]:
        """Every record of a topic from its beginning to its end of now, in order within a partition."""
        ends = {part: end for part, end in self._ends([topic]).items() if end}
        options = {"group_id": None, "auto_offset_reset": "earliest", "enable_auto_commit": False}
        records = []
        with KafkaConsumer(bootstrap_servers=self.bootstrap, **options) as consumer:
            consumer.assign(list(ends))
            while any(consumer.position(part) < end for part, end in ends.items()):
                for some in consumer.poll(500).values():
                    records += some
        return records

    def _committed(self) -> Any:
        try:
            return self._admin.list_group_offsets({self.group: None})
        except (
            CoordinatorNotAvailableError,
            CoordinatorLoadInProgressError,
            NotCoordinatorError,
        ):  # the very first group of a broker makes the offsets topic
            return None

    def _ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        parts = [TopicPartition(topic, part) for topic in topics for part in range(host_worker.PARTITIONS)]
        with KafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            return dict(consumer.end_offsets(parts))


def last_values(records: Sequence[Any]) -> dict[tuple[int, bytes], bytes]:
    """What a compacted topic comes to: the last value per partition and key, tombstones removed."""
    last = {(record.partition, record.key): record.value for record in records}
    return {key: value for key, value in last.items() if value is not None}


def lost(inputs: Iterable[Input], outputs: Sequence[Any]) -> set[bytes]:
    """The echoes that should be there and are not."""
    expected = {value for _, _, value in inputs if value[:1] in b"+-"}
    return expected - {output.value for output in outputs}


def until_ended(process: "subprocess.Popen[bytes]", *, why: str) -> int:
    """The exit status of a worker that ends by itself."""
    ended: Callable[[], bool] = lambda: process.poll() is not None  # noqa: E731
    eventually(ended, why=why)
    return process.returncode


def _offset(committed: Any) -> int:
    return committed.offset if committed is not None else 0
