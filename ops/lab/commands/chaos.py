"""`tierlink chaos`: a whole engine under load and faults, and whether anything acknowledged was lost."""

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ops.runtime.cli_options import Json, show_progress

if TYPE_CHECKING:
    from ops.lab.chaos.fault_plan import FaultKind


def chaos(
    *,
    kills: Annotated[
        int, typer.Option(min=0, help="Deaths by SIGKILL or at an injected point: workers, doors, broker.")
    ] = 12,
    events: Annotated[int, typer.Option(min=1, help="Entries that are sent through the doors.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same load and the same faults.")] = 1,
    minutes: Annotated[float, typer.Option(min=0, help="No fault begins later than this.")] = 90.0,
    faults: Annotated[str, typer.Option(help="Kinds of faults, with commas; all of them when not given.")] = "",
    host: Annotated[
        Literal["ours", "stock"], typer.Option(help="What workers run on; stock is a Faust agent.")
    ] = "ours",
    mutant: Annotated[str | None, typer.Option(hidden=True)] = None,
    profile: Annotated[
        Literal["demo", "production"],
        typer.Option(help="Session, heartbeat, rebalance: 6/1/10 s or 45/3/60 s."),
    ] = "demo",
    directory: Annotated[
        Path | None, typer.Option(help="Where it works, and kept; else a temporary one, kept on failure.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send through the doors while workers, doors and broker are killed, paused, cut off and filled up."""
    show_progress("starting an engine")
    from ops.lab.chaos.runner import ChaosOptions, run

    for order in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, signal.default_int_handler)  # as Ctrl-C: everything that was started is stopped
    options = ChaosOptions(
        kills=kills,
        events=events,
        seed=seed,
        minutes=minutes,
        faults=_kinds(faults),
        host=host,
        mutant=mutant,
        profile=profile,
        directory=directory.resolve() if directory else None,
    )
    result = run(options, lambda text: typer.echo(text, err=True))
    for name, count in result.counts.items():
        typer.echo(f"{name:13} {count}", err=as_json)
    if result.bad:
        typer.echo(f"FAILED: {result.bad}, seed {seed}, kept in {result.directory}", err=True)
        typer.echo(f"again: {options.command()}", err=True)
    if as_json:
        typer.echo(json.dumps(result.counts))
    if result.bad:
        raise typer.Exit(1)


def _kinds(faults: str) -> "tuple[FaultKind, ...]":
    from ops.errors import SettingsError
    from ops.lab.chaos.fault_plan import KINDS

    wanted = [kind.strip() for kind in faults.split(",") if kind.strip()]
    if unknown := set(wanted) - set(KINDS):
        raise SettingsError(f"--faults: {len(unknown)} of them unknown; there are {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted or not wanted)
