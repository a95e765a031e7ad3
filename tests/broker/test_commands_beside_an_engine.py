"""What provider and operator type beside a running engine: send, consume, and a second start on its ports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import Ended, run
from council_files import row, sheet
from kept_files import ROOT

from ops.runtime.paths import EnginePaths

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

TIER3 = ROOT / "tests/golden/tier3"


@dataclass(frozen=True)
class Up:
    """A running engine, and how to run commands beside it."""

    layout: EnginePaths
    scratch: Path
    progress: str

    def run(self, *words: object) -> Ended:
        """`tierlink WORDS --directory ...`."""
        return run(*words, "--directory", self.layout.root, folder=self.scratch / "command")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`up` in test mode, on free ports."""
    root = tmp_path_factory.mktemp("beside")
    layout = EnginePaths(root / "engine")
    ports = ("--http-port", 0, "--mllp-port", 0)
    ended = run("up", "--test-mode", *ports, "--directory", layout.root, folder=root / "command")
    assert ended.exit_code == 0, ended.err
    running = Up(layout, root, ended.err)
    try:
        yield running
    finally:
        running.run("down")


def _hl7_file(folder: Path) -> Path:
    """Two messages of one patient, as lines: attended, and a letter."""
    path = folder / "two.hl7"
    texts = [(TIER3 / f"{name}.hl7").read_text() for name in ("06_attended", "07_weight_height_bmi_waist")]
    path.write_text("\n".join(text.replace("\r", "\n") for text in texts))
    return path


def test_send_uses_the_running_engine_and_prints_its_counts_under_stable_names(up: Up) -> None:
    ended = up.run("send", "hl7", _hl7_file(up.scratch), "--source", "trust-open", "--wait", "--json")
    assert ended.exit_code == 0, ended.err
    counts = ended.last_object
    assert (counts["sent"], counts["AA"], counts["AE"], counts["AR"]) == (2, 2, 0, 0)
    assert (counts["accepted"], counts["ignored"], counts["rejected"]) == (2, 0, 0)
    assert counts["refused"] == 0
    assert not {"linked", "held"} & counts.keys(), "who else knows a person is no source's to learn"
    assert ended.err.count(": AA accepted\n") == 2
    assert up.run("ledger", "--json").last_object["acknowledged"] == 2


def test_send_exits_1_on_a_refusal_and_names_field_and_rule_but_no_value(up: Up) -> None:
    bad = TIER3 / "bad_01_weight_without_unit.hl7"
    ended = up.run("send", "hl7", bad, "--source", "trust-wm")
    assert ended.exit_code == 1
    assert "AE refused" in ended.out
    assert "OBX[1]-6: is required" in ended.out
    broken = up.scratch / "broken.json"
    broken.write_text("{")
    assert up.run("send", "fhir", broken, "--source", "gp-hub").exit_code == 1
    rows = up.scratch / "rows.csv"
    rows.write_text(sheet(row(client_ref="EC-1003", dob="30/02/1980")))
    shown = up.run("send", "csv", rows)
    assert shown.exit_code == 1
    assert "row 2, dob: is not a day" in shown.out
    assert "30/02" not in shown.out + shown.err
    other = up.run("send", "csv", rows, "--source", "gp-hub")
    assert (other.exit_code, "invalid option --source" in other.err) == (2, True)


def test_consume_takes_a_key_a_time_a_place_and_follows(up: Up) -> None:
    topic = "receipts.trust-open.v1"
    lines = [json.loads(line) for line in up.run("consume", topic).out.splitlines()]
    chosen = lines[-1]
    of_key = [line for line in lines if line["key"] == chosen["key"]]
    place = ("--partition", chosen["partition"], "--offset", chosen["offset"])
    for arguments, expected in (
        (("--key", chosen["key"]), of_key),
        (("--key", chosen["key"], "--follow", "--max", len(of_key)), of_key),
        ((*place, "--max", 1), [chosen]),
    ):
        shown = up.run("consume", topic, *arguments).out.splitlines()
        assert [json.loads(line) for line in shown] == expected
    assert len(up.run("consume", topic, "--since", "2020-01-01").out.splitlines()) == len(lines)
    assert up.run("consume", topic, "--since", "2100-01-01T00:00:00Z").out == ""
    for missing in (("no.such.topic",), (topic, "--partition", 99)):
        assert up.run("consume", *missing).exit_code == 66


def test_a_busy_port_is_an_error_that_names_port_and_option(up: Up) -> None:
    addresses = up.layout.addresses()
    port, broker = addresses["doors"]["gp-hub"], ("--bootstrap", addresses["bootstrap"])
    ended = up.run("door", "http", *broker, "--port", port)
    assert ended.exit_code == 78
    assert f"port {port}" in ended.err
    assert "--port" in ended.err
    elsewhere = ("up", *broker, "--http-port", port, "--directory", up.scratch / "elsewhere")
    second = run(*elsewhere, folder=up.scratch / "command")
    assert second.exit_code == 78
    assert f"port {port}" in second.err
    assert "--http-port" in second.err


def test_up_shows_what_it_does(up: Up) -> None:
    assert up.progress.startswith(f"tierlink: starting an engine in {up.layout.root}\n")
    assert "waiting for" in up.progress
