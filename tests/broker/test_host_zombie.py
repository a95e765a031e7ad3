"""A worker that was frozen past its session and wakes: another has its partitions, and it may write nothing.

Two fences: the worker's own watchdog, and the broker, which refuses what is stamped too long ago. The stamp is
the last heartbeat that the broker accepted.
"""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from echo_run import FAST, EchoRun, lost, until_ended
from eventually import eventually

from ops.local.broker.embedded import EmbeddedBroker
from streams.host.watchdog import EXIT_FAIL_STOP

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

INPUTS = [(0, 1, b"+%d" % number) for number in range(40)]
FREEZES_AT = "+25"  # answered, and not yet sent
REFUSE_AFTER_MS = int(FAST["session_timeout_s"] * 1000 * 2 / 3)


class Frozen:
    """One worker frozen between answering and sending; a second has taken over and finished; then it wakes."""

    def __init__(self, run: EchoRun, *, trusting: bool) -> None:
        self.run = run
        self.worker = run.start("w1", trusting=trusting, freezes_at=FREEZES_AT)
        run.send(INPUTS[:25])
        run.caught_up()  # nothing is in the air when it freezes
        run.send(INPUTS[25:])
        eventually(lambda: has_stopped(self.worker.pid), why="the first worker stands still")
        assert run.lag() > 0, "it was frozen in the middle"
        run.start("w2")
        run.caught_up()
        self.written = len(run.read(run.stage.writes[0]))

    def wake(self) -> None:
        self.worker.send_signal(signal.SIGCONT)


def has_stopped(pid: int) -> bool:
    """True for a process in the state that SIGSTOP leaves (T)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.fixture
def echo(broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path) -> Iterator[EchoRun]:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path, refuse_after_ms=REFUSE_AFTER_MS) as run:
        yield run


def test_a_worker_that_was_frozen_past_its_session_ends_itself(echo: EchoRun) -> None:
    frozen = Frozen(echo, trusting=False)
    frozen.wake()
    assert until_ended(frozen.worker, why="the zombie ends") == EXIT_FAIL_STOP
    assert lost(INPUTS, echo.read(echo.stage.writes[0])) == set()


def test_the_broker_refuses_what_a_zombie_writes_that_does_not_fence_itself(echo: EchoRun) -> None:
    frozen = Frozen(echo, trusting=True)
    frozen.wake()
    assert until_ended(frozen.worker, why="the zombie ends") == EXIT_FAIL_STOP
    assert "Broker: Invalid timestamp" in echo.log("w1")
    assert len(echo.read(echo.stage.writes[0])) == frozen.written, "nothing of it has arrived"
    assert lost(INPUTS, echo.read(echo.stage.writes[0])) == set()


def test_without_the_brokers_fence_a_zombies_late_write_arrives(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path
) -> None:
    """The control: the same worker, woken in the same place, on topics that take any time stamp."""
    with EchoRun(broker.bootstrap, broker_admin, tmp_path) as run:
        frozen = Frozen(run, trusting=True)
        frozen.wake()
        eventually(lambda: len(run.read(run.stage.writes[0])) > frozen.written, why="a late write")
