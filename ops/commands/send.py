"""`tierlink send hl7|fhir|csv`: files through the doors of the running engine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import (
    UP,
    Directory,
    Json,
    broker_address,
    engine_sources,
    readable,
    running,
    show_progress,
)

if TYPE_CHECKING:
    from ops.verify.sending import Report, RunningEngine, SendResult

Wait = Annotated[
    bool,
    typer.Option("--wait", help="Wait for the receipt of every accepted entry and print its disposition."),
]


def hl7(
    file: Annotated[
        Path, typer.Argument(help="HL7v2 messages, separated by blank lines.", callback=readable)
    ],
    source: Annotated[
        str, typer.Option(help="trust-open keeps every service, trust-wm only weight management.")
    ] = "trust-open",
    directory: Directory = UP,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Send HL7v2 over MLLP to the running engine; exit 1 when a message is refused or rejected."""
    from ops.verify.sending import send_hl7

    _send(
        lambda engine, report: send_hl7(engine, source, file, report),
        source,
        directory,
        wait=wait,
        as_json=as_json,
    )


def fhir(
    paths: Annotated[list[Path], typer.Argument(help="JSON files, or folders of them.", callback=readable)],
    source: Annotated[
        str, typer.Option(help="fhir-open keeps every service, gp-hub only weight management.")
    ] = "fhir-open",
    directory: Directory = UP,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Send FHIR by POST /fhir to the running engine; exit 1 when a message is refused or rejected."""
    from ops.verify.sending import send_fhir

    _send(
        lambda engine, report: send_fhir(engine, source, paths, report),
        source,
        directory,
        wait=wait,
        as_json=as_json,
    )


def csv(
    file: Annotated[Path, typer.Argument(help="A council's CSV.", callback=readable)],
    source: Annotated[str, typer.Option(help="The folder source it belongs to.")] = "council-east",
    directory: Directory = UP,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Put a CSV into a source's folder of the running engine; exit 1 when it or a row is refused or rejected."""
    from ops.verify.sending import send_csv

    _send(
        lambda engine, report: send_csv(engine, source, file, report),
        source,
        directory,
        wait=wait,
        as_json=as_json,
    )


def _send(
    send: "Callable[[RunningEngine, Report], SendResult]",
    source: str,
    directory: Path,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    from ops.verify.sending import wait_for_ends

    engine = _engine(directory)
    show_progress(f"sending as {source} to the engine in {directory}")
    result = send(engine, lambda line: typer.echo(line, err=as_json))
    if wait:
        wait_for_ends(engine, source, result, show_progress)
        for name, disposition in result.ends:
            typer.echo(f"{name}: {disposition}", err=as_json)
    counts = result.as_json()
    for name, count in counts.items():
        typer.echo(f"{name}: {count}", err=as_json)
    if as_json:
        typer.echo(json.dumps(counts))
    if not result.ok:
        raise typer.Exit(1)


def _engine(directory: Path) -> "RunningEngine":
    from ops.runtime.paths import EnginePaths
    from ops.verify.sending import RunningEngine

    found = running(directory)
    doors, drop = found["doors"], found["drop"]
    assert isinstance(doors, dict)
    assert isinstance(drop, dict)
    return RunningEngine(
        EnginePaths(directory), broker_address(directory, None), engine_sources(directory), doors, drop
    )


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Send files through the doors of the running engine.", no_args_is_help=True)
    for command in (hl7, fhir, csv):
        group.command()(command)
    app.add_typer(group, name="send")
