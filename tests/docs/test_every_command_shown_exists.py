"""Every `./run …` in a page, and every command of docker-compose.yml, is one the command line knows."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import typer
import yaml
from cli_words import command_line, complaints
from kept_files import ROOT
from pages import PAGES, run_lines
from typer.main import get_command

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def compose_commands(compose: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Service and words of every service that runs our image."""
    for name, service in compose["services"].items():
        if service.get("image") == "tierlink":
            command = service["command"]
            yield name, shlex.split(command) if isinstance(command, str) else list(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_run_line_of_a_page_is_understood(page: Path) -> None:
    unknown = [f"./run {' '.join(words)}: {why}" for words in run_lines(page.read_text()) for why in complaints(words)]
    assert not unknown, "\n" + "\n".join(unknown)


@pytest.mark.parametrize(("service", "words"), list(compose_commands(COMPOSE)))
def test_every_command_of_the_compose_file_is_understood(service: str, words: list[str]) -> None:
    unknown = list(complaints(words))
    assert not unknown, f"{service}: " + "; ".join(unknown)


def test_the_compose_file_runs_one_broker_and_every_kind_of_process() -> None:
    services = COMPOSE["services"]
    assert [name for name, service in services.items() if service["image"] == "apache/kafka:4.3.1"] == ["broker"]
    running = {" ".join(words[:2]) for _, words in compose_commands(COMPOSE)}
    doors = {f"door {kind}" for kind in ("http", "mllp", "folder")}
    workers = {f"worker {stage}" for stage in ("ingress", "records", "linker", "pathway")}
    assert doors | workers | {"topics create", "keys create", "keys turn"} <= running


def test_the_compose_file_turns_the_intake_keys_every_day() -> None:
    """Without it no door has a key to seal with once the week made at the start is over."""
    (service,) = [
        COMPOSE["services"][name] for name, words in compose_commands(COMPOSE) if words[:2] == ["keys", "turn"]
    ]
    assert "--stay" in service["command"].split()
    assert service["restart"] != "no"
    assert service["volumes"] == COMPOSE["services"]["worker-ingress"]["volumes"]


def test_nothing_of_the_compose_file_listens_beyond_loopback() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "0.0.0.0" not in text
    assert all(service["network_mode"] == "host" and "ports" not in service for service in COMPOSE["services"].values())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["conquer"], "no command conquer"),
        (["broker", "--portt", "1"], "broker: no option --portt"),
        (["test", "--fats"], "test: no option --fats"),
        ([], "no command (none)"),
    ],
)
def test_an_unknown_word_is_seen(words: list[str], why: str) -> None:
    assert list(complaints(words)) == [why]


def test_a_choice_that_does_not_exist_is_seen() -> None:
    app = typer.Typer()

    @app.command()
    def worker(stage: Literal["ingress", "records"], worker_id: str = typer.Option()) -> None: ...

    app.callback()(lambda: None)
    root = get_command(app)
    assert not list(complaints(["worker", "ingress", "--worker-id", "1"], root))
    assert list(complaints(["worker", "ingrss", "--worker-id", "1"], root)) == ["worker: no stage ingrss"]
    assert list(complaints(["worker", "ingress"], root)) == ["worker: --worker-id is required"]


def test_known_words_pass() -> None:
    assert "broker" in command_line().commands
    assert not list(complaints(["broker", "--directory", "x", "--port=20001"]))
    assert not list(complaints(["test", "--fast", "-k", "attendance"]))
    assert not list(complaints(["--help"]))
