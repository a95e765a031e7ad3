"""`tierlink bench linkage`: the linker on public sets beside Splink, and growing to a million records."""

import json
import signal
from typing import Annotated

import typer

from ops.commands.options import Json


def linkage(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="Sets whose name begins so: FEBRL4, FEBRL3, fake_1000.")
    ] = None,
    beside: Annotated[
        bool, typer.Option(help="Run Splink 5 beside ours, in an environment of its own.")
    ] = True,
    scale: Annotated[
        bool,
        typer.Option("--scale", help="Instead: one graph growing, and what a record costs at each size."),
    ] = False,
    records: Annotated[
        int, typer.Option(min=1_000, help="With --scale: how many records it grows to.")
    ] = 1_000_000,
    seed: Annotated[int, typer.Option(help="With --scale: of the simulated people.")] = 1,
    as_json: Json = False,
) -> None:
    """Quality on public sets with truth, Splink beside it; with --scale speed and memory up to a million records."""
    from rich.console import Console

    from ops.bench import linkage as sets
    from ops.bench import linkage_scale

    for order in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, signal.default_int_handler)  # as Ctrl-C
    console = Console(stderr=True, width=120, highlight=False)
    if scale:
        figures = linkage_scale.run(sizes=linkage_scale.sizes_to(records), seed=seed, say=console.print)
        linkage_scale.show(console.print, figures)
    else:
        figures = sets.run(only=tuple(only or ()), beside=beside, say=console.print)
        sets.show(console, figures)
    if as_json:
        typer.echo(json.dumps(figures))
