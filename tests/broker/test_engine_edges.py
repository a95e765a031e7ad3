"""What goes wrong around an engine: it cannot start, it is killed, its terminal is closed, Ctrl-C comes early."""

import os
import signal
import sys
from pathlib import Path

import pytest
from commands import run, running_in, start
from eventually import eventually

from ops.local.broker.embedded import EmbeddedBroker
from ops.local.engine_lock import holder
from ops.runtime.paths import EnginePaths, packaged

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere children outlive a kill -9")


@LINUX
def test_after_a_kill_nothing_runs_on_and_the_same_directory_starts_again_and_ends_with_its_terminal(
    tmp_path: Path,
) -> None:
    layout = EnginePaths(tmp_path / "engine")
    words = ("--directory", layout.root)
    ended = run("up", "--broker-only", *words, folder=tmp_path / "up")
    assert ended.exit_code == 0, ended.err
    assert ended.out.startswith("broker   127.0.0.1:")
    assert layout.addresses()["pages"] == {}
    os.kill(layout.addresses()["pid"], signal.SIGKILL)
    eventually(lambda: not running_in(layout.root), why="the broker ends with the engine that was killed")
    assert holder(layout.root) is None
    ended = run("down", *words, folder=tmp_path / "down")
    assert (ended.exit_code, "nothing to stop" in ended.out) == (0, True), "what is left of it is no engine"
    assert not layout.up.exists()
    again = start("up", "--broker-only", "--foreground", *words, folder=tmp_path / "again")
    eventually(layout.up.exists, why="the broker is up again", within_seconds=60)
    again.process.send_signal(signal.SIGHUP)  # its terminal was closed
    assert again.ended().exit_code == 0
    assert running_in(layout.root) == []


def test_a_door_that_cannot_start_ends_the_start_and_leaves_nothing_running(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    sources = tmp_path / "sources.toml"
    text = packaged("connectors", "sources.toml").replace('mapping = "council-east"', 'mapping = "none-such"')
    sources.write_text(text)
    words = ("--sources", sources, "--bootstrap", broker.bootstrap, "--directory", tmp_path / "engine")
    ended = run("up", *words, "--http-port", 0, "--mllp-port", 0, folder=tmp_path / "up")
    assert ended.exit_code == 1
    assert "up.log" in ended.err
    log = (tmp_path / "engine" / "logs" / "up.log").read_text()
    assert "door-folder ended while starting" in log
    assert running_in(tmp_path / "engine") == []
    assert not (tmp_path / "engine" / "up.json").exists()


def test_ctrl_c_while_it_plays_stops_everything(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    command = start("demo", "--people", 400, "--json", "--directory", directory, folder=tmp_path / "command")
    eventually(lambda: "playing 400 people" in command.said(), why="it plays", within_seconds=120)
    command.process.send_signal(signal.SIGINT)
    assert command.ended().exit_code == 130
    assert running_in(directory) == []
    assert not (directory / "up.json").exists()
