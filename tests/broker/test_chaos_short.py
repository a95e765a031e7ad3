"""The fault harness in short: every kind of fault and every injected crash point once, and nothing is lost."""

from pathlib import Path

import pytest
from commands import start

from streams.host.batch import BATCH_PHASES

KILLS, EVENTS = 13, 2_000  # `./run chaos --kills 100 --events 30000 --seed 1` is a longer one
SECONDS_MAX = 900

pytestmark = [pytest.mark.broker, pytest.mark.timeout(SECONDS_MAX)]


def test_thirteen_deaths_and_every_fault_of_the_menu_lose_nothing(tmp_path: Path) -> None:
    words = ("--kills", KILLS, "--events", EVENTS, "--seed", 1, "--json", "--directory", tmp_path / "run")
    command = start("chaos", *words, folder=tmp_path / "command")
    assert command.process.wait(timeout=SECONDS_MAX) == 0, command.said()
    result = command.ended().last_object
    must_be_nothing = ("lost", "phantom", "divergent", "backwards", "stuck", "leaked")
    assert {name: result[name] for name in must_be_nothing} == dict.fromkeys(must_be_nothing, 0)
    assert result["kills"] >= KILLS
    assert result["acknowledged"] > EVENTS / 2
    assert {f"crash {point}" for point in BATCH_PHASES} <= result["faults"].keys()
    assert {"broker kill", "broker term", "stop", "scale", "disk", "wiped"} <= result["faults"].keys()
    assert {"latency", "reset", "black-hole", "trickle", "killed in recovery"} <= result["faults"].keys()
    assert result["restarts"] > KILLS
    assert result["redelivered"] > 0, "otherwise no fault met anybody at work"
