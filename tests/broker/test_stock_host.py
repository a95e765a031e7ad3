"""Stock Faust as the control: right while nothing fails, and how exactly it loses when something does."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import host_worker
import pytest
from echo_run import Input, last_values, lost, until_ended
from eventually import eventually
from kafka import KafkaAdminClient
from stock_parts import Workers

from ops.lab.chaos.proxy import FaultProxy, LinkFault
from ops.lab.stock_host.agent import TaskStates
from ops.local.broker.embedded import EmbeddedBroker, Listener
from ops.local.broker.server_process import free_port
from streams.host.watchdog import EXIT_FAIL_STOP

LATENCY_S = 0.3
PATIENT = {"session_timeout_s": 30.0}  # the link is slow, and so may the machine be: nobody is to be fenced
HEAVY = 60
REFUSED_AFTER_MS = 1_500


class SlowLink(NamedTuple):
    """A broker, what administers it, and a way into it that can be made slow."""

    broker: EmbeddedBroker
    admin: KafkaAdminClient
    proxy: FaultProxy

    @property
    def bootstrap(self) -> str:
        """The way through the proxy."""
        return f"127.0.0.1:{self.proxy.listen_port}"


@pytest.fixture(scope="module")
def slow_link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowLink]:
    behind = free_port()
    listener = Listener(behind, free_port(but_not={behind}))
    with (
        EmbeddedBroker(tmp_path_factory.mktemp("slow"), listeners=[listener]) as broker,
        KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin,
        FaultProxy(listener.advertised_port, listener.port) as proxy,
    ):
        yield SlowLink(broker, admin, proxy)


def test_stock_answers_everything_while_nothing_fails_and_ends_in_order(
    broker: EmbeddedBroker, broker_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    inputs: list[Input] = [(number % 2, number % 12, b"+%d" % number) for number in range(600)]
    # What takes "+3" back stands behind it in its own topic: between two topics there is no order.
    inputs += [(1, 3, b"-3"), (1, 4, b"!poison"), (0, 5, b"+new")]
    with Workers(broker.bootstrap, broker_admin, tmp_path) as run:
        worker = run.start("w1")
        eventually(lambda: run.is_ready("w1"), why="it says that it is ready")
        run.send(inputs)
        run.caught_up()
        worker.terminate()
        assert worker.wait(timeout=20) == 0
        outputs = run.read(run.stage.writes[0])
        assert lost(inputs, outputs) == set()
        assert len(outputs) == len(inputs) - 1, "each once, and none for the poison"
        sources = {
            f"{topic}/{message.partition}/{message.offset}".encode(): message.value
            for topic in run.stage.reads
            for message in run.read(topic)
        }
        assert all(sources[dict(output.headers)["src"]] == output.value for output in outputs)
        [letter] = run.read(run.stage.dead_letter)
        assert (letter.value, letter.partition) == (host_worker.seal(_poison(), "poison"), 4)
        assert run.stage.changelog is not None
        kept = {(number % 12, b"%d" % number) for number in range(600) if number != 3} | {(5, b"new")}
        assert set(last_values(run.read(run.stage.changelog))) == kept


def test_an_error_in_the_step_costs_stock_the_message(
    broker: EmbeddedBroker, broker_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """P1; ours ends instead and commits nothing (test_host_worker.py)."""
    with Workers(broker.bootstrap, broker_admin, tmp_path) as run:
        worker = run.start("w1")
        run.send([(0, 3, b"+1"), (0, 3, b"~bug"), (0, 3, b"+2")])
        run.caught_up()
        assert worker.poll() is None, "it goes on as if nothing had been"
        outputs = {message.value for message in run.read(run.stage.writes[0])}
        print(f"stock: 3 inputs committed, answered: {len(outputs)}, dead letters: 0")
        assert outputs == {b"+1", b"+2"}
        assert run.read(run.stage.dead_letter) == []


@pytest.mark.parametrize(("host", "is_safe"), [("stock", False), ("ours", True)])
def test_killed_behind_a_slow_link_stock_has_committed_what_its_changelog_never_got(
    host: str, is_safe: bool, slow_link: SlowLink, tmp_path: Path
) -> None:
    """P4: one state record a round trip leaves the buffer, and the commit's flush gives up after 0.1 s."""
    inputs: list[Input] = [(0, 0, b"+%d" % number) for number in range(HEAVY)]
    with Workers(slow_link.broker.bootstrap, slow_link.admin, tmp_path) as run:
        worker = run.start("w1", bootstrap=slow_link.bootstrap, host=host, heavy=True, **PATIENT)
        eventually(lambda: run.is_ready("w1"), why="ready while the link is healthy")
        slow_link.proxy.apply(LinkFault("latency", seconds=LATENCY_S))
        run.send(inputs)
        run.caught_up()
        worker.kill()
        worker.wait()
        slow_link.proxy.heal()
        assert run.stage.changelog is not None
        kept = len(last_values(run.read(run.stage.changelog)))
        outputs_lost = len(lost(inputs, run.read(run.stage.writes[0])))
        print(f"{host}: {HEAVY} inputs committed, {kept} state records kept, {outputs_lost} outputs lost")
        assert outputs_lost == 0, "outputs are flushed before a commit; the buffer of the tables is not"
        assert (kept == HEAVY) == is_safe


def test_what_the_broker_refuses_stock_logs_and_commits(slow_link: SlowLink, tmp_path: Path) -> None:
    """P5: a record that arrives late is refused, which is the fence against zombies. Nobody hears of it."""
    inputs: list[Input] = [(0, 0, b"+%d" % number) for number in range(20)]
    with Workers(slow_link.broker.bootstrap, slow_link.admin, tmp_path, refuse_after_ms=REFUSED_AFTER_MS) as run:
        worker = run.start("w1", bootstrap=slow_link.bootstrap, **PATIENT)
        eventually(lambda: run.is_ready("w1"), why="ready while the link is healthy")
        slow_link.proxy.apply(LinkFault("latency", seconds=2 * REFUSED_AFTER_MS / 1000, direction="to_broker"))
        run.send(inputs)
        run.caught_up()
        slow_link.proxy.heal()
        assert worker.poll() is None, "it goes on as if nothing had been"
        outputs_lost = lost(inputs, run.read(run.stage.writes[0]))
        print(f"stock: {len(inputs)} inputs committed, {len(outputs_lost)} outputs lost")
        assert len(outputs_lost) == len(inputs)
        assert "InvalidTimestampError" in run.log("w1")


def test_what_the_broker_refuses_ends_ours_and_is_answered_by_the_next(slow_link: SlowLink, tmp_path: Path) -> None:
    inputs: list[Input] = [(0, 0, b"+%d" % number) for number in range(20)]
    with Workers(slow_link.broker.bootstrap, slow_link.admin, tmp_path, refuse_after_ms=REFUSED_AFTER_MS) as run:
        worker = run.start("w1", bootstrap=slow_link.bootstrap, host="ours", **PATIENT)
        eventually(lambda: run.is_ready("w1"), why="ready while the link is healthy")
        slow_link.proxy.apply(LinkFault("latency", seconds=2 * REFUSED_AFTER_MS / 1000, direction="to_broker"))
        run.send(inputs)
        assert until_ended(worker, why="fail-stop") == EXIT_FAIL_STOP
        slow_link.proxy.heal()
        assert run.lag() == len(inputs)
        run.start("w1", bootstrap=slow_link.bootstrap, host="ours", **PATIENT)
        run.caught_up()
        assert lost(inputs, run.read(run.stage.writes[0])) == set()


def test_stock_restores_a_task_from_its_changelog_and_again_from_its_beginning() -> None:
    step = host_worker.EchoStep(host_worker.echo_stage("echo"))
    tasks = TaskStates(step)
    _recover(tasks, [(3, 0, b"a", b"kept"), (4, 0, b"b", b"kept"), (3, 1, b"c", b"kept"), (3, 2, b"a", None)])
    assert (tasks.of(3), tasks.of(4), tasks.of(5)) == ({b"c"}, {b"b"}, set())
    _recover(tasks, [(3, 3, b"d", b"kept")])
    assert tasks.of(3) == {b"c", b"d"}, "it goes on where it stood"
    _recover(tasks, [(3, 3, b"d", b"kept")])
    assert tasks.of(3) == {b"d"}, "read again from the beginning: c was removed, and its tombstone compacted away"


def _recover(tasks: TaskStates, records: "list[tuple[int, int, bytes, bytes | None]]") -> None:
    async def story() -> None:
        for partition, offset, key, value in records:
            message: Any = SimpleNamespace(partition=partition, offset=offset, key=key, value=value)
            await tasks.on_changelog_event(SimpleNamespace(message=message))
        await tasks.on_recover()

    asyncio.run(story())


def _poison() -> Any:
    return SimpleNamespace(value=b"!poison")
