"""How the processes of an engine are started and started again."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from eventually import eventually

from ops.errors import SettingsError
from ops.lab.chaos.fault_switches import FaultSwitches
from ops.local.broker.embedded import Listener
from ops.local.broker.server_process import free_port
from ops.local.engine_settings import EngineSettings, plain_program
from ops.local.processes import (
    ChildProcess,
    ProcessSpecs,
    check_ports,
    end_all,
    flow_order,
    page,
)
from ops.runtime.paths import EnginePaths, load_sources
from schemas.sources import Source


def cook(**settings: object) -> ProcessSpecs:
    wanted = EngineSettings(test_mode=True, **settings)  # type: ignore[arg-type]
    return ProcessSpecs(EnginePaths(Path("engine")), load_sources(None, test_mode=True), wanted, "127.0.0.1:9092")


def after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def ended(code: int) -> ChildProcess:
    child = ChildProcess("records-1", [], 1)
    child.process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
    child.process.wait()
    return child


def test_a_worker_runs_on_what_was_asked_for() -> None:
    plain = cook().worker("records", 1).command
    assert (after(plain, "--profile"), after(plain, "--bootstrap")) == ("demo", "127.0.0.1:9092")
    other = cook(profile="production").worker("records", 1)
    assert after(other.command, "--profile") == "production"
    assert other.program("records-1", [70]) == ("ops",)


def test_the_program_of_a_worker_is_asked_with_its_name_and_its_ends(tmp_path: Path) -> None:
    asked: list[tuple[str, Sequence[int]]] = []

    def program(name: str, ends: Sequence[int]) -> Sequence[str]:
        asked.append((name, ends))
        return ("no_such_module_of_ours",)

    worker = cook(worker_program=program).worker("records", 1)
    (tmp_path / "logs").mkdir()
    for _ in range(2):
        worker.start(EnginePaths(tmp_path))
        assert worker.process is not None
        worker.process.wait()
        worker.reap()
    assert asked == [("records-1", ()), ("records-1", (1,))]
    assert {door.program for door in cook(worker_program=program).doors()} == {plain_program}


def test_a_fault_is_given_to_each_start_until_it_has_struck_and_the_host_to_every_one() -> None:
    switches = FaultSwitches(host="stock", mutant="state_first")
    host = ("ops.lab.worker", "--host", "stock", "--mutant", "state_first")
    assert switches.program("records-1", [137]) == host
    switches.arm("records-1", "committed:1", [137])
    armed = (*host, "--fault-at", "committed:1")
    assert switches.program("records-1", [137, 0]) == armed
    assert switches.program("records-1", [137, 0, -9]) == armed, "killed before it got there"
    assert switches.program("records-2", []) == host
    assert switches.armed("records-1", [137, 0, -9, 137]) is None
    assert switches.program("records-1", [137, 0, -9, 137]) == host
    plain = FaultSwitches()
    plain.arm("records-1", "committed:1", [])
    plain.disarm("records-1")
    assert plain.program("records-1", []) == ("ops",)


def test_who_has_a_way_of_his_own_to_the_broker_goes_it_and_its_ports_are_nobody_elses() -> None:
    made = cook(listeners={"records-2": Listener(20_001, 20_002), "door-http": Listener(20_003, 20_004)})
    doors = {door.name: door for door in made.doors()}
    assert after(made.worker("records", 2).command, "--bootstrap") == "127.0.0.1:20002"
    assert after(made.worker("records", 1).command, "--bootstrap") == "127.0.0.1:9092"
    assert after(doors["door-http"].command, "--bootstrap") == "127.0.0.1:20004"
    given = [door.pages_port for door in doors.values()]
    given += [port for door in doors.values() for port in set(door.ports.values())]
    assert not {20_001, 20_002, 20_003, 20_004} & set(given)
    assert len(given) == len(set(given))


def test_usual_and_chosen_ports_are_kept_to_and_numbered_on() -> None:
    usual = [port for door in cook(usual_ports=True).doors() for port in door.ports.values()]
    assert {8080, 2575} <= set(usual)
    chosen = cook(usual_ports=True, http_port=20_011, mllp_port=0, pages_port=20_021)
    workers = [chosen.worker("ingress", 0), chosen.worker("records", 0)]
    doors = {door.name: door for door in chosen.doors()}
    assert set(doors["door-http"].ports.values()) == {20_011}
    assert not {0, 2575} & set(doors["door-mllp"].ports.values()), "0 asks for a free one"
    pages = [process.pages_port for process in (*workers, *doors.values())]
    assert pages == list(range(20_021, 20_026))


def _free_ports_from(field: str, sources: Mapping[str, Source]) -> tuple[int, EngineSettings]:
    """A port from which all that the setting asks for are free: another test's broker may have the next one."""
    for _ in range(20):
        port = free_port()
        wanted = EngineSettings(test_mode=True, **{field: port})  # type: ignore[arg-type]
        with suppress(SettingsError):
            check_ports(sources, wanted)
            return port, wanted
    raise AssertionError("no free ports in twenty places")


@pytest.mark.parametrize(
    ("field", "option"),
    [("http_port", "--http-port"), ("mllp_port", "--mllp-port"), ("pages_port", "--pages-port")],
)
def test_a_busy_port_is_an_error_that_names_it_and_the_option(field: str, option: str) -> None:
    sources = load_sources(None, test_mode=True)
    port, wanted = _free_ports_from(field, sources)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(SettingsError) as refused:
        check_ports(sources, wanted)
    assert f"port {port} " in str(refused.value)
    assert option in str(refused.value)
    check_ports(sources, EngineSettings(test_mode=True))


def test_an_end_is_reported_once() -> None:
    struck, failed = ended(137), ended(70)
    assert [struck.reap(), struck.reap(), failed.reap()] == [137, None, 70]
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
