"""How a worker starts, fails and is fenced."""

import asyncio
import dataclasses
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import host_worker
import pytest
from echo_run import EchoRun, until_ended
from eventually import eventually

from ops.local.broker.embedded import EmbeddedBroker
from streams.host.app import TopicsUnfit, check_topics
from streams.host.watchdog import EXIT_FAIL_STOP

if TYPE_CHECKING:
    from kafka import KafkaAdminClient


def test_a_bug_in_the_step_ends_the_worker_without_a_commit_and_without_a_value_in_its_log(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path
) -> None:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path) as run:
        run.send([(0, 3, b"+1"), (0, 3, b"~secret"), (0, 3, b"+2")])
        worker = run.start("w1")
        assert until_ended(worker, why="fail-stop") == EXIT_FAIL_STOP
        assert run.lag() == 3
        assert run.read(run.stage.writes[0]) == [], "no message of the failed batch was answered"
        assert f"stage={run.stage.name} at=batch error=LookupError where=host_worker.py:" in run.log("w1")
        assert "secret" not in run.log("w1")
        assert "a bug" not in run.log("w1"), "the text of an error may hold a value"


def test_a_frozen_worker_whose_session_has_expired_ends_itself(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path
) -> None:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path) as run:
        worker = run.start("w1", session_timeout_s=2.0, heartbeat_s=0.5, rebalance_timeout_s=2.0)
        eventually(lambda: run.is_ready("w1"), why="assigned and recovered")
        worker.send_signal(signal.SIGSTOP)
        eventually(lambda: run.members() == 0, why="the broker gives the frozen worker up")
        run.send([(0, 0, b"+1")])
        worker.send_signal(signal.SIGCONT)
        assert until_ended(worker, why="the self-fence") == EXIT_FAIL_STOP
        assert "at=fence" in run.log("w1")
        assert run.read(run.stage.writes[0]) == [], "it did nothing after it had woken"


def test_a_worker_of_a_stage_whose_topic_is_absent_does_not_start(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path
) -> None:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path, without="b") as run:
        worker = run.start("w1")
        assert until_ended(worker, why="the refusal to start") == 1
        assert f"TopicsUnfit: {run.stage.name}.b: does not exist" in run.log("w1")


@pytest.mark.parametrize("wanted", [11, 13])
def test_a_topic_with_another_number_of_partitions_does_not_fit(
    wanted: int, broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path
) -> None:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path) as run:
        other = dataclasses.replace(run.stage, partitions=wanted)
        with pytest.raises(TopicsUnfit, match=rf": has {host_worker.PARTITIONS} partitions, not {wanted}"):
            asyncio.run(check_topics(other, broker.bootstrap))
