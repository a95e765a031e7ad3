"""`tierlink bench linkage`: the linker on public sets and on simulated people, beside
Splink, and growing to a million records."""

import json
import signal
from functools import partial
from typing import Annotated

import typer

from ops.lab import Report
from ops.runtime.cli_options import Json, show_progress


def linkage(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="Sets whose name begins so: FEBRL4, FEBRL3, fake_1000.")
    ] = None,
    with_splink: Annotated[
        bool,
        typer.Option("--splink/--no-splink", help="Run Splink 5 beside ours, in an environment of its own."),
    ] = True,
    scale: Annotated[
        bool,
        typer.Option("--scale", help="Instead: one graph growing, and what a record costs at each size."),
    ] = False,
    records: Annotated[int, typer.Option(min=1_000, help="With --scale: how many records it grows to.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="With --scale: of the simulated people.")] = 1,
    people: Annotated[
        int | None,
        typer.Option(
            min=100,
            help="Instead: worlds of so many simulated people, linked by ours and as it is done today.",
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Instead: the same for these seeds, with commas: 811,812.")] = None,
    as_json: Json = False,
) -> None:
    """Quality on public sets with truth, Splink beside it. With --people or --seeds: on simulated people, counted by
    person. With --scale: speed and memory up to a million records.
    """
    show_progress("preparing the records")
    from rich.console import Console

    from ops.lab.bench import linkage as sets
    from ops.lab.bench import linkage_scale

    stop_on_signals()
    console = Console(stderr=True, width=120, highlight=False)
    answer: object
    if scale:
        sizes = linkage_scale.sizes_to(records)
        answer = growth = linkage_scale.run(sizes=sizes, seed=seed, report=console.print)
        linkage_scale.show(console.print, growth)
    elif people or seeds:
        lines = partial(console.print, soft_wrap=True)
        answer = _worlds(people, seeds, lines, with_splink=with_splink)
    else:
        answer = comparisons = sets.run(only=tuple(only or ()), with_splink=with_splink, report=console.print)
        sets.show(console, comparisons)
    if as_json:
        typer.echo(json.dumps(answer))


def _worlds(people: int | None, seeds: str | None, report: Report, *, with_splink: bool) -> dict[str, object]:
    from ops.lab.bench import linkage_worlds

    worlds = linkage_worlds.run(
        people=people or linkage_worlds.PEOPLE,
        seeds=_numbers(seeds) if seeds else linkage_worlds.SEEDS,
        with_splink=with_splink,
        report=report,
    )
    linkage_worlds.show(report, worlds)
    return worlds.as_json()


def stop_on_signals() -> None:
    """SIGTERM and SIGHUP end the command as Ctrl-C does: everything that was started is stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter("whole numbers with commas between them: 811,812") from None
