"""`tierlink simulate`: many seeded runs of the engine without Kafka, under crashes, zombies and rebalances."""

import json
from typing import Annotated

import typer

from ops.runtime.cli_options import Json, show_progress


def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to play.")] = 100_000,
    first: Annotated[int, typer.Option(min=0, help="The first of them.")] = 0,
    mutant: Annotated[
        str,
        typer.Option(help="Break one rule on purpose: it must be caught. Names: ops/lab/model_check/rules.py."),
    ] = "none",
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many processes play.")] = 2,
    as_json: Json = False,
) -> None:
    """Play seeds; exit 1 when one ends otherwise than a calm run, with the last steps of the first that does.

    `--first SEED --seeds 1` plays one seed again, step for step.
    """
    from ops.errors import SettingsError
    from ops.lab.model_check.rules import MUTANTS
    from ops.lab.model_check.run import play_many, trace_of

    if mutant not in MUTANTS:
        raise SettingsError(f"--mutant: one of {', '.join(MUTANTS)}")
    show_progress(f"playing {seeds} seeds")
    summary = play_many(range(first, first + seeds), mutant=mutant, processes=processes)
    for failed in summary.failures[:10]:
        typer.echo(f"seed {failed.seed}: {failed.violation}: {failed.where} (world {failed.world})")
    if summary.failures:
        typer.echo("\n".join(trace_of(summary.failures[0].seed, mutant=mutant)))
    faults = " ".join(f"{name}={count}" for name, count in sorted(summary.faults.items()))
    per_s = round(summary.seeds / summary.seconds)
    typer.echo(f"{summary.seeds} seeds, {len(summary.failures)} failed, {per_s} a second; {faults}")
    if as_json:
        typer.echo(json.dumps(summary.as_json()))
    raise typer.Exit(1 if summary.failures else 0)
