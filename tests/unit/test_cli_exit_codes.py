"""How `tierlink` ends: an expected error is one line and its code, a bug its place but never its text."""

import sys

import pytest
import typer

from ops import cli, gates
from ops.errors import BrokerError, BrokerRunning, MissingTool, SettingsError, TierlinkError


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
    ],
)
def test_an_expected_error_is_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: TierlinkError, code: int
) -> None:
    assert run(monkeypatch, capsys, error) == (code, "tierlink: x: y\n")


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


def test_fast_leaves_out_the_broker_and_other_words_go_to_pytest() -> None:
    *_, pytest_gate = gates.gates(["-k", "attendance"], fast=True)
    assert pytest_gate.words == ("-m", "pytest", *gates.AT_ONCE, "-m", "not broker", "-k", "attendance")
