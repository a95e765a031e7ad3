"""A full disk: the worker ends itself and commits nothing, the folder door acknowledges nothing; both go on after."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from council_files import session, sheet
from echo_run import EchoRun, until_ended
from eventually import eventually
from folder_doors import Council, entry_ids
from kafka import KafkaAdminClient

from connectors.doors.folder import Polled
from connectors.publisher import Publisher
from ops.errors import MissingTool
from ops.lab.chaos.disk import BYTES_MIN, SmallDisk, limit
from ops.local.broker.embedded import EmbeddedBroker
from streams.host.watchdog import EXIT_FAIL_STOP

pytestmark = pytest.mark.timeout(300)  # two lives of a worker, 1.5 s each, or 15 s on a crowded machine


@pytest.fixture
def council(tmp_path: Path, broker: EmbeddedBroker, broker_admin: KafkaAdminClient) -> Iterator[Council]:
    """A council with a folder and an intake topic."""
    publisher = Publisher(broker.bootstrap, delivery_seconds_max=2)
    council = Council(tmp_path / "council", broker.bootstrap, publisher)
    council.create_topic(broker_admin)
    yield council
    publisher.close()


def test_a_worker_on_a_full_disk_ends_without_a_commit_and_catches_up_when_it_is_free(
    broker: EmbeddedBroker, broker_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path) as run:
        pids: list[int] = []
        disk = limit(tmp_path / "w1", pid_of=lambda: pids[-1], bytes_max=BYTES_MIN)
        try:
            worker = run.start("w1")
            pids.append(worker.pid)
            eventually(lambda: run.is_ready("w1"), why="assigned and recovered")
            run.send([(0, 3, b"+1")])
            run.caught_up()
            disk.fill()
            run.send([(0, 3, b"+2"), (1, 3, b"+3")])
            assert until_ended(worker, why="fail-stop") == EXIT_FAIL_STOP
            assert run.lag() == 2
            assert {message.value for message in run.read(run.stage.writes[0])} == {b"+1"}
            disk.free()
            run.start("w1")
            run.caught_up()
            assert {message.value for message in run.read(run.stage.writes[0])} == {b"+1", b"+2", b"+3"}
        finally:
            disk.close()


def test_a_folder_door_on_a_full_disk_acknowledges_a_file_only_when_there_is_room_again(
    council: Council,
) -> None:
    try:
        disk = SmallDisk(council.path, bytes_max=2**20).start()
    except MissingTool as missing:
        pytest.skip(str(missing))
    with closing(disk):
        council.drop("may.csv", sheet(session()))
        disk.fill()
        assert council.poll(3).done == 0
        assert "may.csv" not in council.names("done")
        assert council.names("inbox") == [], "it was claimed and waits in work"
        assert len(entry_ids(council.published())) == 1, "its row is published, and not yet acknowledged"
        disk.free()
        assert council.poll(1) == Polled(done=1, rows=1)
        assert council.names("done") == ["may.csv", "may.csv.report.csv"]
        assert len(entry_ids(council.published())) == 1, "what was published again is a duplicate"
