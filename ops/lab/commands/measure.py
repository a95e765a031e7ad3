"""`tierlink measure joins | receipts`: what somebody hostile learns, in figures."""

import json
from typing import Annotated

import typer

from ops.runtime.cli_options import Json, add_group, show_progress

Seed = Annotated[int, typer.Option(help="Equal seeds give equal figures.")]


def joins(
    *,
    people: Annotated[int, typer.Option(min=5, help="Simulated people.")] = 200,
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """How many of its own records a council can name in the linkage topics; exit 1 when one is, by an id or a hash."""
    from ops.lab.measure.council_world import council_world
    from ops.lab.measure.joins import measure

    show_progress(f"playing {people} people through the engine in memory, and a council's files through its copy")
    found = measure(council_world(people, seed))
    named = {name.removeprefix("by_"): count for name, count in found.as_json().items() if name.startswith("by_")}
    typer.echo(f"of {found.records} records named by {', by '.join(f'{by}: {count}' for by, count in named.items())}")
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    raise typer.Exit(1 if found.by_id or found.by_hash else 0)


def receipts(
    *,
    probes: Annotated[int, typer.Option(min=100, help="Entries that a hostile source sends.")] = 10_000,
    seed: Seed = 3,
    as_json: Json = False,
) -> None:
    """Whether receipts tell that somebody else knows a person; exit 1 when more than 0.55 is guessed rightly."""
    from ops.lab.measure.receipts import ACCURACY_MAX, measure

    show_progress(f"sending {probes} entries through the engine in memory")
    found = measure(probes, seed)
    typer.echo(f"{found.accuracy:.3f} of {probes // 2} guessed rightly; {found.control:.3f} if receipts said the end")
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    raise typer.Exit(1 if found.accuracy > ACCURACY_MAX else 0)


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "measure", "What somebody hostile learns, in figures.", joins=joins, receipts=receipts)
