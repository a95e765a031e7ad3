"""How the processes of an engine are started and started again."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from eventually import eventually

from ops.local.broker.embedded import Listener
from ops.local.engine_settings import EngineSettings
from ops.local.processes import ChildProcess, ProcessSpecs, end_all, flow_order, page, recipes
from ops.runtime.paths import EnginePaths, load_sources


def cook(**settings: object) -> ProcessSpecs:
    wanted = EngineSettings(test_mode=True, **settings)  # type: ignore[arg-type]
    return recipes(EnginePaths(Path("engine")), load_sources(None, test_mode=True), wanted, "127.0.0.1:9092")


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def ended(code: int) -> ChildProcess:
    child = ChildProcess("records-1", [], 1, fault_at="committed:1")
    child.process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
    child.process.wait()
    return child


def test_a_worker_runs_on_what_was_asked_for() -> None:
    plain = cook().worker("records", 1).command
    assert (after(plain, "--profile"), after(plain, "--bootstrap")) == ("demo", "127.0.0.1:9092")
    assert not {"--host", "--mutant"} & set(plain), "the defaults are the worker's own"
    other = cook(host="stock", mutant="state_first", profile="production").worker("records", 1).command
    assert [after(other, one) for one in ("--host", "--mutant", "--profile")] == [
        "stock",
        "state_first",
        "production",
    ]


def test_who_has_a_way_of_his_own_to_the_broker_goes_it_and_its_ports_are_nobody_elses() -> None:
    made = cook(listeners={"records-2": Listener(20_001, 20_002), "door-http": Listener(20_003, 20_004)})
    doors = {one.name: one for one in made.doors()}
    assert after(made.worker("records", 2).command, "--bootstrap") == "127.0.0.1:20002"
    assert after(made.worker("records", 1).command, "--bootstrap") == "127.0.0.1:9092"
    assert after(doors["door-http"].command, "--bootstrap") == "127.0.0.1:20004"
    given = [one.pages_port for one in doors.values()]
    given += [port for one in doors.values() for port in set(one.ports.values())]
    assert not {20_001, 20_002, 20_003, 20_004} & set(given)
    assert len(given) == len(set(given))


def test_an_end_is_told_once_and_a_fault_that_struck_is_over() -> None:
    struck, failed = ended(137), ended(70)
    assert [struck.reap(), struck.reap(), failed.reap()] == [137, None, 70]
    assert (struck.fault_at, failed.fault_at) == (None, "committed:1")
    assert (struck.ends, struck.runs) == ([137], False)
    assert not struck.send(signal.SIGKILL), "nobody is there"


def test_the_first_restart_comes_at_once_and_the_next_has_to_wait() -> None:
    child = ChildProcess("records-1", [], 1)
    assert child.may_start(30.0)
    assert not child.may_start(30.0)
    hasty = ChildProcess("records-1", [], 1)
    assert hasty.may_start(0.0)
    assert hasty.may_start(0.0)
    assert (child.restarts, hasty.restarts) == (1, 2)


def test_a_stopped_process_is_running_until_it_is_ended() -> None:
    child = ChildProcess("records-1", [], 1)
    child.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = child.process
    assert child.send(signal.SIGSTOP)
    stat = Path(f"/proc/{child.process.pid}/stat")
    if stat.exists():
        eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", why="it is stopped")
    assert child.runs
    end_all([child])
    assert child.reap() == -signal.SIGTERM
    assert process.stdin is not None
    process.stdin.close()


def test_workers_are_named_in_the_order_of_the_flow() -> None:
    names = ["pathway-1", "linker-1", "records-2", "records-1", "ingress-1"]
    assert sorted(names, key=flow_order) == ["ingress-1", "records-1", "records-2", "linker-1", "pathway-1"]


def test_topics_refuse_late_writes_by_the_session_the_workers_have() -> None:
    assert EngineSettings(test_mode=True).session_s == 6.0
    assert EngineSettings(test_mode=True, profile="production").session_s == 45.0
    assert EngineSettings(test_mode=True, doors=False).session_s is None


def test_a_page_of_a_process_that_dies_while_it_answers_is_no_page() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_in_part() -> None:
            connection, _ = server.accept()
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            connection.close()

        answering = threading.Thread(target=answer_in_part)
        answering.start()
        assert page(server.getsockname()[1], "/readyz") is None
        answering.join()
