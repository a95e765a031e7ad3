"""`tierlink send hl7|fhir|csv`: files of your own through the real doors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import Json

if TYPE_CHECKING:
    from ops.local.engine import Engine
    from ops.verify.sending import SendResult

Wait = Annotated[bool, typer.Option("--wait", help="Wait for the end of every entry and print it.")]


def hl7(
    file: Annotated[Path, typer.Argument(help="HL7v2 messages, separated by blank lines.")],
    source: Annotated[
        str, typer.Option(help="trust-open keeps every service, trust-wm only weight management.")
    ] = ("trust-open"),
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Send HL7v2 over MLLP into an engine started for this, in test mode."""
    from ops.verify.sending import send_hl7

    _send(
        lambda engine: send_hl7(engine, source, file.read_bytes()),
        wait=wait or as_json,
        as_json=as_json,
        show=wait,
    )


def fhir(
    paths: Annotated[list[Path], typer.Argument(help="JSON files, or folders of them.")],
    source: Annotated[
        str, typer.Option(help="fhir-open keeps every service, gp-hub only weight management.")
    ] = ("fhir-open"),
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Send FHIR by POST /fhir into an engine started for this, in test mode."""
    from ops.verify.sending import send_fhir

    _send(lambda engine: send_fhir(engine, source, paths), wait=wait or as_json, as_json=as_json, show=wait)


def csv(
    file: Annotated[Path, typer.Argument(help="A council's CSV.")],
    source: Annotated[str, typer.Option(help="The folder source it belongs to.")] = "council-east",
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Drop a CSV into a source's folder of an engine started for this, in test mode."""
    from ops.verify.sending import send_csv

    _send(lambda engine: send_csv(engine, source, file), wait=wait or as_json, as_json=as_json, show=wait)


def _send(action: "Callable[[Engine], SendResult]", *, wait: bool, as_json: bool, show: bool) -> None:
    from ops.local.engine import Engine, EngineSettings
    from ops.local.engine_lock import fresh_layout
    from ops.verify.sending import wait_for_ends

    layout = fresh_layout(Path(".tierlink/send"))
    with Engine(layout, EngineSettings(test_mode=True)) as engine:
        result = action(engine)
        if wait:
            wait_for_ends(engine, result)
        if show:
            for name, disposition in result.ends:
                typer.echo(f"{name}: {disposition}")
        counts = result.as_json()
        for name, count in counts.items():
            typer.echo(f"{name}: {count}", err=as_json)
        if as_json:
            typer.echo(json.dumps(counts))


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Send files through the real doors.", no_args_is_help=True)
    for command in (hl7, fhir, csv):
        group.command()(command)
    app.add_typer(group, name="send")
