"""How `tierlink` ends: an expected error is one line and its code, a bug its place but never its text."""

import errno
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_words import command_line
from confluent_kafka import KafkaException
from kafka.errors import KafkaConnectionError, KafkaTimeoutError

from ops import cli, gates
from ops.errors import (
    EXIT_CODES,
    BrokerError,
    BrokerRunning,
    MissingInput,
    MissingTool,
    NoEngine,
    SettingsError,
    TierlinkError,
)

A, B = "0" * 31 + "a", "0" * 31 + "b"  # two records


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> tuple[object, str]:
    """Exit code and standard error of a command that raises `error`."""
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "build_app", lambda: app)
    monkeypatch.setattr(sys, "argv", ["tierlink"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TierlinkError("x: y"), 1),
        (SettingsError("x: y"), 78),
        (MissingTool("x: y"), 69),
        (BrokerError("x: y"), 69),
        (BrokerRunning("x: y"), 75),
        (MissingInput("x: y"), 66),
        (NoEngine("x: y"), 69),
    ],
)
def test_an_expected_error_is_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: TierlinkError, code: int
) -> None:
    assert run(monkeypatch, capsys, error) == (code, "tierlink: x: y\n")


def test_a_setting_that_names_its_option_is_an_invalid_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run(monkeypatch, capsys, SettingsError("--dates: ymd or dmy"))
    assert shown == (2, "tierlink: invalid option --dates: ymd or dmy\n")


@pytest.mark.parametrize("error", [KafkaConnectionError(), KafkaException(), KafkaTimeoutError()])
def test_the_errors_of_broker_clients_are_one_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    code, shown = run(monkeypatch, capsys, error)
    assert code == BrokerError.exit_code
    assert shown.startswith("tierlink: the broker did not answer")


def test_a_port_that_another_program_has_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run(monkeypatch, capsys, OSError(errno.EADDRINUSE, "in use"))
    assert code == SettingsError.exit_code


@pytest.mark.parametrize("line", ["keys create", "up", "down", "broker", "schemas write"])
def test_a_file_in_place_of_the_directory_is_74_and_names_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert main(monkeypatch, tmp_path, f"{line} --directory {{table}}") == 74
    assert f"cannot use {tmp_path / 'table.csv'}: " in capsys.readouterr().err


def test_what_the_system_refuses_names_nothing_that_a_provider_called_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for refused in (PermissionError(errno.EACCES, "no", "drop/east/inbox/Quillfeather.csv"), OSError(errno.ENOSPC, "")):
        code, shown = run(monkeypatch, capsys, refused)
        assert code == 74
        assert "cannot use" in shown
        assert "Quillfeather" not in shown


@pytest.mark.parametrize("line", ["version", "--help", "check {table}"])
def test_output_that_cannot_be_written_is_74_and_a_closed_pipe_says_nothing(tmp_path: Path, line: str) -> None:
    (tmp_path / "table.csv").write_text("name\n")
    words = [sys.executable, "-m", "ops", *line.format(table=tmp_path / "table.csv").split()]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr.startswith("tierlink: cannot use the output: ")) == (74, True)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as piped:
        assert piped.stdout is not None
        assert piped.stderr is not None
        piped.stdout.close()
        assert piped.stderr.read() == ""


# Every command, by one table.

DEAD = "127.0.0.1:1"
NEEDS = {
    "consume": "events.v1",
    "topics create": "",
    "keys add-recipient": "city",
    "keys remove-recipient": "city",
    "keys rotate": "dead-letter",
    "topics delete": "events.v1 --partition 0 --offset 0",
    "linkage explain": A,
    "linkage decide": f"{A} {B} --link",
    "erase": "gp-hub --local-id-file {table}",
    "send hl7": "{table}",
    "send fhir": "{table}",
    "send csv": "{table}",
    "door mllp": "--listen trust-wm=2575",
    "worker": "ingress --worker-id w",
}  # what a command cannot do without, besides files and brokers
MISSING_FILES = {
    "check": ("{missing}", "{table} --mapping {missing}", "{table} --sources {missing} --source gp-hub"),
    "send hl7": ("{missing}",),
    "send fhir": ("{table} {missing}",),
    "send csv": ("{missing}",),
    "keys create": ("--sources {missing}", "--recipients {missing}"),
    "up": (
        "--sources {missing}",
        "--linkage-model {missing}",
        "--recipients {missing}",
        "--deprivation {missing}",
    ),
    "door http": ("--sources {missing} --bootstrap " + DEAD,),
    "door mllp": ("--listen trust-wm=2575 --sources {missing} --bootstrap " + DEAD,),
    "door folder": ("--sources {missing} --bootstrap " + DEAD,),
    "worker": tuple(
        f"ingress --worker-id w --bootstrap {DEAD} {option} {{missing}}"
        for option in ("--sources", "--linkage-model", "--recipients", "--deprivation")
    ),
    "topics create": tuple(f"{option} {{missing}} --bootstrap {DEAD}" for option in ("--sources", "--recipients")),
    "topics list": tuple(f"{option} {{missing}} --bootstrap {DEAD}" for option in ("--sources", "--recipients")),
    "erase": ("gp-hub --local-id-file {missing}", "gp-hub --local-id-file {table} --sources {missing}"),
    "linkage evaluate": (
        "--input {missing} --truth t --map family=name",
        "--input {table} --truth t --map family=name --model {missing}",
    ),
    "linkage explain": ("1 2 --input {missing} --map family=name", f"{A} --model {{missing}}"),
    "linkage train": (
        "--input {missing} --map family=name --out {table}.json",
        "--input {table} --map family=name --out {table}.json --against {missing}",
    ),
    "compare": ("--directory {missing}",),
    "verdict": ("--directory {missing}",),
}
NOT_READ = {"directory", "out"}  # paths that are made, or that an engine has
WAIT_FOR_THEIR_BROKER = ("door ", "worker")  # services: /readyz says so
WITHOUT_AN_ENGINE = {
    "keys create",
    "keys show",
    "keys add-recipient",
    "keys remove-recipient",
    "keys rotate",
    "keys turn",
    "keys door",
    "topics create",
    "up",
    "down",
    "compare",
    "verdict",
    "broker",
    "schemas write",
}


def takes(command: Any, name: str) -> bool:
    """True for a command with this option."""
    return any(parameter.name == name for parameter in command.params)


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Name and command of everything that can be run."""
    if getattr(command, "commands", None) is None:
        yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, (*path, name))


LEAVES = dict(leaves(command_line()))


def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str) -> int:
    """The exit code of `tierlink LINE`, in an empty directory."""
    table = tmp_path / "table.csv"
    table.write_text("name,t\nKing,1\n")
    monkeypatch.chdir(tmp_path)
    words = [word.format(table=table, missing=tmp_path / "missing") for word in line.split()]
    monkeypatch.setattr(sys, "argv", ["tierlink", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_h_and_refuses_an_option_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    assert main(monkeypatch, tmp_path, f"{name} -h") == 0
    assert main(monkeypatch, tmp_path, f"{name} --no-such-option") == 2


@pytest.mark.parametrize(("name", "words"), [(name, line) for name in MISSING_FILES for line in MISSING_FILES[name]])
def test_a_file_that_is_missing_is_66(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, words: str) -> None:
    assert main(monkeypatch, tmp_path, f"{name} {words}") == 66


@pytest.mark.parametrize("kind", ["folder", "noise", "empty"])
@pytest.mark.parametrize(("name", "words"), [(name, line) for name in MISSING_FILES for line in MISSING_FILES[name]])
def test_a_folder_in_place_of_a_file_is_66_and_no_content_is_a_bug(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, words: str, kind: str
) -> None:
    if kind == "folder":
        (tmp_path / "missing").mkdir()
    else:
        content = {"noise": bytes(range(256)) * 20, "empty": b""}
        (tmp_path / "missing").write_bytes(content[kind])
    code = main(monkeypatch, tmp_path, f"{name} {words}")
    if kind == "folder" and name != "send fhir":
        assert code == 66
    else:
        assert code in EXIT_CODES
        assert code != 70


def test_every_file_of_every_command_is_in_the_table() -> None:
    for name, command in LEAVES.items():
        paths = [
            parameter
            for parameter in command.params
            if parameter.name not in NOT_READ and "Path" in str(parameter.type_descriptor.annotation)
        ]
        assert len(paths) <= len(MISSING_FILES.get(name, ())), name


@pytest.mark.parametrize("name", [name for name, command in LEAVES.items() if takes(command, "bootstrap")])
def test_a_broker_that_does_not_answer_is_69_and_an_address_of_another_form_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    line = f"{name} {NEEDS.get(name, '')} --bootstrap "
    if not name.startswith(WAIT_FOR_THEIR_BROKER):
        assert main(monkeypatch, tmp_path, line + DEAD) == 69
    for address in ("nowhere", "localhost:", "localhost:kafka", ":9092"):
        assert main(monkeypatch, tmp_path, line + address) == 2


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, command in LEAVES.items()
        if takes(command, "directory")
        and name not in WITHOUT_AN_ENGINE
        and not name.startswith((*WAIT_FOR_THEIR_BROKER, "demo", "chaos", "bench"))
    ],
)
def test_where_no_engine_runs_is_69_and_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(monkeypatch, tmp_path, f"{name} {NEEDS.get(name, '')}") == 69
    assert "tierlink up --test-mode" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        f"linkage decide {A} {B}",
        f"linkage decide {A} {A} --link",
        "linkage decide a b --link",
        "linkage explain",
        "linkage evaluate --input {table} --truth t --map nobody=name",
        "linkage evaluate --input {table} --truth t --map family=name --postcode fr",
        "linkage train --input {table} --map family=name --out {table}.json --dates yesterday",
        "consume t --latest --follow",
        "consume t --since yesterday",
        "door mllp --listen trust-wm --bootstrap " + DEAD,
        "worker records --worker-id ../keys --bootstrap " + DEAD,
        "worker records --worker-id= --bootstrap " + DEAD,
        "tick --as-of tomorrow",
        "tick --as-of 9999-12-31",
        "chaos --menu nothing",
        "simulate --mutant none-such",
        "bench host --only turtle",
        "bench linkage --seeds x",
        "up --http-port 70000",
    ],
)
def test_a_wrong_argument_is_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str) -> None:
    assert main(monkeypatch, tmp_path, line) == 2


def test_key_files_are_shown_by_name_and_version_and_where_there_are_none_it_is_78(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in ("show", "add-recipient city", "remove-recipient demo", "rotate dead-letter"):
        assert main(monkeypatch, tmp_path, f"keys {line}") == 78
        assert "run `tierlink keys create` first" in capsys.readouterr().err
    for line in ("create", "add-recipient city", "remove-recipient demo", "rotate dead-letter", "show"):
        assert main(monkeypatch, tmp_path, f"keys {line}") == 0
    shown = capsys.readouterr().out
    assert re.search(r"linker +dead-letter +2\n", shown)
    assert "recipient/city           1\n" in shown
    assert "recipient/demo" not in shown
    assert main(monkeypatch, tmp_path, "keys rotate record-id") == 78


def test_a_worker_whose_recipient_has_no_key_says_so_and_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, tmp_path, "keys create") == 0
    assert main(monkeypatch, tmp_path, "keys remove-recipient demo") == 0
    assert main(monkeypatch, tmp_path, f"worker pathway --worker-id w --bootstrap {DEAD}") == 78
    assert "recipient/demo key: `tierlink keys add-recipient` makes one" in capsys.readouterr().err


def test_a_worker_and_a_door_take_the_keys_that_keys_create_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, tmp_path, "keys create") == 0
    assert main(monkeypatch, tmp_path, f"worker records --worker-id w --bootstrap {DEAD}") == 69
    assert main(monkeypatch, tmp_path, f"door http --port 8197 --bootstrap {DEAD} --host 0.0.0.0") == 78
    assert "no key file" not in capsys.readouterr().err


def test_version_and_down_where_nothing_runs_are_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert [main(monkeypatch, tmp_path, line) for line in ("--version", "version", "-h", "down")] == [0] * 4


def test_the_help_shows_the_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(monkeypatch, tmp_path, "-h")
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{code} {text}" in shown for code, text in EXIT_CODES.items())


def test_a_bug_shows_type_and_place_but_not_what_it_quotes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = run(monkeypatch, capsys, ValueError("Quillfeather"))
    assert code == 70
    assert "ValueError at ops.cli:" in shown
    assert "Quillfeather" not in shown
    assert "Traceback" not in shown


def test_ctrl_c_is_not_a_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = run(monkeypatch, capsys, KeyboardInterrupt())
    assert code == 130
    assert "unexpected" not in shown


def test_a_failing_gate_fails_the_run_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    planted = [
        gates.Gate("first", ("-c", "print('bad'); raise SystemExit(1)")),
        gates.Gate("last", ("-c", "print('1 passed in 0.01s')")),
    ]
    monkeypatch.setattr(gates, "gates", lambda *_, **__: planted)
    assert gates.main([]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("FAILED") and line.endswith("first") for line in lines)
    assert any(line.startswith("passed") and line.endswith("last") for line in lines)
    assert lines[-1] == "1 passed in 0.01s"


def test_fast_leaves_out_the_broker_and_other_arguments_go_to_pytest() -> None:
    *_, pytest_gate = gates.gates(["-k", "attendance"], fast=True)
    assert pytest_gate.arguments == ("-m", "pytest", *gates.AT_ONCE, "-m", "not broker", "-k", "attendance")
