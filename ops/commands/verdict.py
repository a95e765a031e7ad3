"""`tierlink verdict`: the independent checker's verdict on a finished run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import Json, show_progress


def verdict(
    directory: Annotated[Path, typer.Option(help="The run to judge: a stopped engine's directory.")] = Path(
        ".tierlink/demo"
    ),
    alone: Annotated[bool, typer.Option("--alone", help="Without a replay to compare with.")] = False,
    as_json: Json = False,
) -> None:
    """Hold the senders' journal against every topic of a stopped run and against a replay of its intake.

    Exit 1 when anything was lost, made up, divergent, backwards, left unseen or leaked.
    """
    show_progress(f"checking the run in {directory}")
    from ops.verify.checker import check
    from ops.verify.replay import check_stopped, stopped

    if alone:
        with stopped(directory) as run:
            found = check(run, oracle=None)
    else:
        found = check_stopped(directory, progress=show_progress)
    details = found.detailed()
    for name, count in details.items():
        if isinstance(count, int):
            typer.echo(f"{name:14} {count:>12,}")
    for name, places in details["where"].items():
        typer.echo(f"{name}: " + ", ".join(f"{place} {count}" for place, count in places.items()))
    for name, places in details["places"].items():
        typer.echo(f"{name} at " + ", ".join(places))
    if as_json:
        typer.echo(json.dumps(details))
    raise typer.Exit(0 if found.ok else 1)
