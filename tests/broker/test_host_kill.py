"""Two workers, killed at random and at every crash point while behind: nothing lost, nothing invented."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import host_worker
import pytest
from echo_run import EchoRun, Input, last_values, lost, until_ended
from eventually import eventually

from ops.local.broker.embedded import EmbeddedBroker
from streams.host.batch import BATCH_PHASES

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

pytestmark = pytest.mark.timeout(300)  # eleven workers are started, 1.5 s each, or 8 s on a crowded machine

SEED = 11
MESSAGES = 5_000
PORTION = 500
TRICKLE = 40
BATCH = 20  # small, so that every kill finds a worker in the middle of something
AT_WORK = {
    "batch_max": BATCH,
    "rounds": 5_000,
}  # some milliseconds each: to be met in the middle of a portion
WORKERS = ("w1", "w2")
INJECTED, KILLED = 137, -9


class FaultedRun:
    """The run, its inputs and the exit statuses of its workers."""

    def __init__(self, echo: EchoRun) -> None:
        self.echo = echo
        self.stage = echo.stage
        self.inputs = inputs_of(SEED)
        self.killed: list[int] = []
        self.injected: dict[str, int] = {}
        self.stopped: list[int] = []
        self._unsent = list(self.inputs)
        self._points = {WORKERS[0]: list(BATCH_PHASES[::2]), WORKERS[1]: list(BATCH_PHASES[1::2])}
        self._workers = {WORKERS[0]: echo.start(WORKERS[0], **AT_WORK)}

    def play(self) -> None:
        """A worker joins, one is killed, then both, each dies at its crash points; then they finish."""
        chance = random.Random(SEED)
        self._send_and_see_work()
        self._workers[WORKERS[1]] = self.echo.start(WORKERS[1], **AT_WORK)
        eventually(self._joined_meanwhile, why="the second worker has joined the first at work")
        for names in (chance.sample(WORKERS, 1), WORKERS):
            self._send_and_see_work()
            for name in names:
                self._kill(name)
            if names is not WORKERS:
                self._workers[names[0]] = self.echo.start(names[0], **AT_WORK)
        self._send(2 * PORTION)
        for name in WORKERS:
            self._start_next(name)
        eventually(self._all_injected, why="every crash point struck", within_seconds=60)
        self._send(MESSAGES)
        self.echo.caught_up()
        for process in self._workers.values():
            process.terminate()
        self.stopped = [process.wait(timeout=10) for process in self._workers.values()]

    def _joined_meanwhile(self) -> bool:
        """Keeps the first worker busy until the second is there: its partitions are taken while it works."""
        self._send(TRICKLE)
        return self.echo.members() == len(WORKERS)

    def _start_next(self, name: str) -> None:
        """Each worker has its crash points, one life each; then a life without."""
        if points := self._points[name]:
            self._workers[name] = self.echo.start(name, batch_max=BATCH, fault_at=f"{points[0]}:2")
        else:
            self._workers[name] = self.echo.start(name, batch_max=BATCH)

    def _all_injected(self) -> bool:
        for name, points in self._points.items():
            if points and (status := self._workers[name].poll()) is not None:
                self.injected[points.pop(0)] = status
                self._start_next(name)
        return not any(self._points.values())

    def _send(self, count: int) -> None:
        some, self._unsent = self._unsent[:count], self._unsent[count:]
        self.echo.send(some)

    def _send_and_see_work(self) -> None:
        self._send(PORTION)
        eventually(self._is_behind_and_at_work, why="a worker at work, and behind")

    def _is_behind_and_at_work(self) -> bool:
        behind = self.echo.lag()
        if not behind:  # all answered before anybody looked
            self._send(PORTION)
        return 0 < self.echo.lag() < behind

    def _kill(self, name: str) -> None:
        self._workers[name].kill()
        self.killed.append(self._workers[name].wait())


def inputs_of(seed: int) -> list[Input]:
    """Names are added, some removed again, some are poison; over both inputs, never one name in both."""
    chance = random.Random(seed)
    inputs: list[Input] = []
    for number in range(MESSAGES):
        which, partition = chance.randrange(2), chance.randrange(host_worker.PARTITIONS)
        sign = chance.choices((b"+", b"-", b"!"), (90, 9, 1))[0]
        added = [value[1:] for at, part, value in inputs[-50:] if (at, part, value[:1]) == (which, partition, b"+")]
        name = added[0] if sign == b"-" and added else b"%d" % number
        inputs.append((which, partition, sign + name))
    return inputs


@pytest.fixture(scope="module")
def faulted(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultedRun]:
    with EchoRun(broker.bootstrap, broker_admin, tmp_path_factory.mktemp("kill")) as echo:
        run = FaultedRun(echo)
        run.play()
        yield run


def test_every_message_is_answered_although_workers_are_killed(faulted: FaultedRun) -> None:
    assert faulted.killed == [KILLED] * 3
    assert faulted.injected == dict.fromkeys(BATCH_PHASES, INJECTED)
    assert faulted.echo.redelivered() > 0, "some died between delivery and commit: else nothing was proved"
    assert lost(faulted.inputs, faulted.echo.read(faulted.stage.writes[0])) == set()


def test_nothing_is_answered_that_was_not_asked(faulted: FaultedRun) -> None:
    asked = {value for _, _, value in faulted.inputs}
    assert {message.value for message in faulted.echo.read(faulted.stage.writes[0])} <= asked


def test_the_state_is_the_fold_of_the_input(faulted: FaultedRun) -> None:
    expected: set[tuple[int, bytes]] = set()
    for _, partition, value in faulted.inputs:
        if value[:1] == b"+":
            expected.add((partition, value[1:]))
        elif value[:1] == b"-":
            expected.discard((partition, value[1:]))
    assert faulted.stage.changelog is not None
    assert set(last_values(faulted.echo.read(faulted.stage.changelog))) == expected


def test_a_poison_is_one_dead_letter_by_key_and_bytes_however_often_it_comes(faulted: FaultedRun) -> None:
    letters = faulted.echo.read(faulted.stage.dead_letter)
    by_key = {(letter.key, letter.value, letter.partition) for letter in letters}
    poisons = [value for _, _, value in faulted.inputs if value[:1] == b"!"]
    assert sorted(value for _, value, _ in by_key) == sorted(b"sealed:poison:" + value for value in poisons)
    assert len({key for key, _, _ in by_key}) == len(poisons)
    assert {dict(letter.headers)["code"] for letter in letters} == {b"poison"}
    assert {dict(letter.headers)["stage"] for letter in letters} == {faulted.stage.name.encode()}
    assert all(letter.key.split(b"/")[1] == str(letter.partition).encode() for letter in letters)


def test_every_output_names_the_message_that_caused_it(faulted: FaultedRun) -> None:
    sources = {
        f"{topic}/{message.partition}/{message.offset}".encode(): message.value
        for topic in faulted.stage.reads
        for message in faulted.echo.read(topic)
    }
    for output in faulted.echo.read(faulted.stage.writes[0]):
        assert sources[dict(output.headers)["src"]] == output.value
    for letter in faulted.echo.read(faulted.stage.dead_letter):
        assert dict(letter.headers)["src"] == letter.key


def test_a_worker_told_to_stop_ends_in_order(faulted: FaultedRun) -> None:
    assert faulted.stopped == [0, 0]


def test_an_order_that_commits_before_the_acknowledgement_is_seen_to_lose(
    broker: EmbeddedBroker, broker_admin: "KafkaAdminClient", tmp_path: Path
) -> None:
    """The negative control: the same check finds the loss when the host is built wrongly."""
    inputs = [(0, 1, b"+%d" % number) for number in range(100)]
    with EchoRun(broker.bootstrap, broker_admin, tmp_path) as run:
        run.send(inputs)
        wrong = run.start("w1", mutant="commit_first", batch_max=5, fault_at="committed:2")
        assert until_ended(wrong, why="the injected end") == INJECTED
        run.start("w1")
        run.caught_up()
        assert lost(inputs, run.read(run.stage.writes[0])) == {b"+%d" % number for number in range(5, 10)}
