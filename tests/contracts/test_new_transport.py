"""A new transport is one module with `open_door` and one line in TRANSPORTS: command line and process then serve it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.doors import TRANSPORTS, command_word
from connectors.doors.door import require_allowed_host
from ops.admin.intake_keys import add_doors, turn
from ops.admin.keys import make_keys
from ops.runtime.paths import EnginePaths
from schemas.errors import InvalidField

TOY = """
import json, sys
from connectors.doors.door import require_allowed_host, take_entry
from connectors.sources import primary_care_fhir

class ToyDoor:
    def __init__(self, setup):
        require_allowed_host(setup.host, allow_remote=setup.allow_remote)
        self.setup = setup

    def serve(self, listening):
        listening()
        setup = self.setup
        (source,) = setup.sources.values()
        (entry,) = primary_care_fhir.read(b"no json", source=source, test_mode=True, received_at=setup.clock())
        answer, _ = take_entry(setup, source, entry)
        heavy = sorted({"uvicorn", "fastapi", "faust"} & set(sys.modules))
        print(json.dumps({"answer": answer, "ports": dict(setup.ports), "heavy": heavy}))

open_door = ToyDoor
"""
REGISTERED = """
import sys
from connectors.doors import TRANSPORTS, Ports, Transport
TRANSPORTS["fhir_toy"] = Transport("toy_transport", Ports.PER_SOURCE, "Take toys.")
from ops.cli import main
sys.exit(main())
"""
SOURCES = """
[[source]]
slug = "toy-hub"
ods = "Y00001"
tier = "primary_care"
door = "fhir_toy"
services = ["408289007"]
"""


def door_toy(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`tierlink door toy` where the toy is registered."""
    (directory / "toy_transport.py").write_text(TOY)
    (directory / "sources.toml").write_text(SOURCES)
    if not EnginePaths(directory).keys.exists():
        keys, now = EnginePaths(directory).keys, datetime.now(UTC)
        make_keys(keys, recipients=["demo"])
        turn(keys, now.date())
        add_doors(keys, ["toy-hub"], now)
    command = ["door", "toy", "--bootstrap", "127.0.0.1:1", "--directory", directory]  # nothing is published
    options = ["--sources", directory / "sources.toml", "--listen", "toy-hub=9001", *arguments]
    return subprocess.run(
        [sys.executable, "-c", REGISTERED, *command, *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": f"{directory}:{Path(__file__).parents[2]}"},
    )


def test_a_transport_of_one_module_and_one_line_is_served(tmp_path: Path) -> None:
    ended = door_toy(tmp_path)
    assert ended.returncode == 0, ended.stderr
    served = json.loads(ended.stdout)
    assert served == {"answer": "refused", "ports": {"toy-hub": 9001}, "heavy": []}


def test_a_setup_that_a_transport_does_not_take_is_a_wrong_setting(tmp_path: Path) -> None:
    ended = door_toy(tmp_path, "--host", "0.0.0.0")
    assert ended.returncode == 78
    assert "host: must be a loopback address" in ended.stderr


def test_every_transport_has_a_word_of_its_own_on_the_command_line() -> None:
    assert len({command_word(door) for door in TRANSPORTS}) == len(TRANSPORTS)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_no_door_listens_beyond_this_machine_unless_that_is_allowed(host: str) -> None:
    with pytest.raises(InvalidField, match="loopback"):
        require_allowed_host(host, allow_remote=False)
    require_allowed_host(host, allow_remote=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_every_loopback_address_is_allowed(host: str) -> None:
    require_allowed_host(host, allow_remote=False)
