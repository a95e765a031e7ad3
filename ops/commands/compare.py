"""`tierlink compare`: replay a run's own intake through a fresh engine and hold the final topics side by side."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.commands.options import Json


def compare(
    directory: Annotated[Path, typer.Option(help="The run to check: a stopped engine's directory.")] = Path(
        ".tierlink/demo"
    ),
    drop_one: Annotated[
        bool,
        typer.Option("--drop-one", help="Leave one intake message out of the replay: it must be noticed."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Start the run's broker again beside a fresh engine, replay the intake once, compare; exit 1 when they differ."""
    from ops.replay import replay_and_compare

    result = replay_and_compare(directory, drop_one=drop_one)
    for topic, (keys, differing) in result.by_topic.items():
        typer.echo(f"{topic:28} {keys:>8} keys {differing:>6} differing")
    typer.echo(f"{'all':28} {result.keys:>8} keys {result.differing:>6} differing")
    if as_json:
        typer.echo(json.dumps({"keys": result.keys, "differing": result.differing}))
    raise typer.Exit(1 if result.differing else 0)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)
