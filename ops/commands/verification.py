"""`tierlink ledger`, `compare` and `verdict`: was anything lost, and does a second run come to the same?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Directory, Json, broker_address, engine_sources, show_progress

StoppedRun = Annotated[Path, typer.Option("--directory", help="The run to check: a stopped engine's directory.")]
STOPPED_RUN = Path(".tierlink/demo")


def ledger(directory: Directory = UP, as_json: Json = False) -> None:
    """Balance the senders' journal against the topics, and name the topic where a chain breaks."""
    from functools import partial

    from ops.admin.topic_reader import read_topics
    from ops.client.journal import Journal
    from ops.runtime.paths import EnginePaths
    from ops.verify.ledger import balance, read_topic_index, stalled
    from schemas.keyring import OPERATIONS_ZONE

    layout, address = EnginePaths(directory), broker_address(directory, None)
    show_progress("reading the topics of the engine")
    sources, keys = engine_sources(directory).values(), layout.keyring(OPERATIONS_ZONE)
    index = read_topic_index(partial(read_topics, address), sources, keys=keys, recipient="demo")
    ledgers = balance(Journal(layout.journal).read(), index, keys=keys, recipient="demo")
    total = ledgers.get("")
    for source, counts in sorted(ledgers.items()):
        typer.echo(f"{source or 'all'}: " + ", ".join(f"{name} {count}" for name, count in counts.as_json().items()))
    if total is not None:
        for topic, count in sorted(total.broken.items()):
            typer.echo(f"broken at {topic}: {count}")
    if as_json:
        totals = total.as_json() if total is not None else {}
        typer.echo(json.dumps({**totals, "stalled": stalled(index)}))


def compare(
    directory: StoppedRun = STOPPED_RUN,
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


def verdict(
    directory: StoppedRun = STOPPED_RUN,
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
