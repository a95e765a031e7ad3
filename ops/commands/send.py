"""`tierlink send hl7|fhir|csv`: files through the doors of the running engine."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ops.runtime import cli_options as options
from ops.runtime.cli_options import add_group

if TYPE_CHECKING:
    from ops.verify.sending import SendResult

File = Annotated[Path, typer.Argument(help="One file, with one or many messages.", callback=options.readable)]
Files = Annotated[list[Path], typer.Argument(help="JSON files, or folders of them.", callback=options.readable_any)]
Source = Annotated[str, typer.Option(help="Who sends; `-open` sources keep every service, in test mode.")]
Wait = Annotated[
    bool,
    typer.Option("--wait", help="Wait for the receipt of every accepted entry and print what it says."),
]


class SendOptions(NamedTuple):
    """As whom to send to which engine, and what to print."""

    source: str
    directory: Path
    wait: bool
    as_json: bool


def hl7(
    file: File,
    source: Source = "trust-open",
    directory: options.Directory = options.UP,
    wait: Wait = False,
    as_json: options.Json = False,
) -> None:
    """Send HL7v2 messages over MLLP; exit 1 when one is refused or rejected."""
    from ops.verify.sending import send_hl7

    _send(partial(send_hl7, path=file), SendOptions(source, directory, wait, as_json))


def fhir(
    paths: Files,
    source: Source = "fhir-open",
    directory: options.Directory = options.UP,
    wait: Wait = False,
    as_json: options.Json = False,
) -> None:
    """Send FHIR by POST /fhir; exit 1 when a message is refused or rejected."""
    from ops.verify.sending import send_fhir

    _send(partial(send_fhir, paths=paths), SendOptions(source, directory, wait, as_json))


def csv(
    file: File,
    source: Source = "council-east",
    directory: options.Directory = options.UP,
    wait: Wait = False,
    as_json: options.Json = False,
) -> None:
    """Put a CSV into the inbox of a council; exit 1 when it or a row is refused or rejected."""
    from ops.verify.sending import send_csv

    _send(partial(send_csv, path=file), SendOptions(source, directory, wait, as_json))


def _send(send: "Callable[..., SendResult]", chosen: SendOptions) -> None:
    from ops.runtime.paths import EnginePaths
    from ops.verify.sending import RunningEngine, wait_for_ends

    source, directory, wait, as_json = chosen
    engine = RunningEngine(
        EnginePaths(directory), options.broker_address(directory, None), options.engine_sources(directory)
    )
    options.show_progress(f"sending as {source} to the engine in {directory}")
    result = send(engine, source, report=partial(typer.echo, err=as_json))
    if wait:
        wait_for_ends(engine, source, result, options.show_progress)
        for name, receipt in result.ends:
            typer.echo(f"{name}: {receipt}", err=as_json)
    counts = result.as_json()
    for name, count in counts.items():
        typer.echo(f"{name}: {count}", err=as_json)
    if as_json:
        typer.echo(json.dumps(counts))
    if not result.ok:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "send", "Send files through the doors of the running engine.", hl7=hl7, fhir=fhir, csv=csv)
