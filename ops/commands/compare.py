"""`tierlink compare`: replay a run's own input through a fresh engine, hold the final topics side by side."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import Json, show_progress


def compare(
    directory: Annotated[Path, typer.Option(help="The run to check: a stopped engine's directory.")] = Path(
        ".tierlink/demo"
    ),
    drop_one: Annotated[
        bool,
        typer.Option("--drop-one", help="Leave one message out of the replay: it must be noticed."),
    ] = False,
    from_events: Annotated[
        bool,
        typer.Option("--from-events", help="Replay events.v1, the system of record, instead of the intake."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Replay the intake once through a fresh engine beside the run's broker; exit 1 when anything differs."""
    from ops.verify.replay import replay_and_compare

    show_progress(f"replaying the input of {directory} through a fresh engine")
    result = replay_and_compare(directory, drop_one=drop_one, from_events=from_events, progress=show_progress)
    for topic, (keys, differing) in result.by_topic.items():
        typer.echo(f"{topic:28} {keys:>8} keys {differing:>6} differing")
    typer.echo(f"{'all':28} {result.keys:>8} keys {result.differing:>6} differing")
    if as_json:
        typer.echo(json.dumps({"keys": result.keys, "differing": result.differing}))
    raise typer.Exit(1 if result.differing else 0)
