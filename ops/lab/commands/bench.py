"""`tierlink bench host | memory | restart | pathway | linkage`: figures of this machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ops.lab import Report
from ops.lab.commands.bench_linkage import linkage, stop_on_signals
from ops.runtime.cli_options import Json, add_group, show_progress

Scratch = Annotated[Path, typer.Option(help="Broker and logs live below it while it runs, and are removed afterwards.")]


def host(
    *,
    events: Annotated[int, typer.Option(min=100, help="Messages of 1 kB that each contender answers.")] = 200_000,
    rounds: Annotated[int, typer.Option(min=1, help="Every contender once a round; the median counts.")] = 5,
    only: Annotated[
        list[str] | None, typer.Option(help="host, stock, bare, aiokafka, quix; all when not given.")
    ] = None,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Our host alone, once: where each microsecond of a message goes."),
    ] = False,
    directory: Scratch = Path(".tierlink"),
    as_json: Json = False,
) -> None:
    """One hop (read, step, one output, one state record): our host beside four others, on one broker."""
    show_progress("starting a broker")
    from rich.console import Console

    from ops.lab.bench.host import MODULES, HostBench, run, show

    bench = HostBench(
        events=events,
        rounds=1 if profile else rounds,
        contenders=("host",) if profile else tuple(only or MODULES),
        directory=directory,
        profile=profile,
    )
    stop_on_signals()
    console = Console(stderr=True, width=110, highlight=False)
    figures = run(bench, report=console.print)
    show(console, figures)
    if as_json:
        typer.echo(json.dumps(figures.as_json()))


def memory(
    *,
    events: Annotated[int, typer.Option(min=1_000, help="Messages the worker answers.")] = 1_000_000,
    entries: Annotated[int, typer.Option(min=100, help="How many different entries they are about.")] = 10_000,
    directory: Scratch = Path(".tierlink"),
    as_json: Json = False,
) -> None:
    """How much a worker keeps in memory while a million events about ten thousand entries go through it."""
    from ops.lab.bench.memory import MemoryBench, run

    options = MemoryBench(events=events, entries=entries, directory=directory)
    _show(lambda report: run(options, report=report), as_json)


def restart(
    *,
    elements: Annotated[int, typer.Option(min=1_000, help="Elements of state it comes back to.")] = 1_000_000,
    directory: Scratch = Path(".tierlink"),
    as_json: Json = False,
) -> None:
    """How long a restarted worker takes until it is ready."""
    from ops.lab.bench.restart import RestartBench, run

    options = RestartBench(elements=elements, directory=directory)
    _show(lambda report: run(options, report=report), as_json)


def pathway(
    *,
    repeats: Annotated[int, typer.Option(min=1, help="People of each size, and runs of the demonstration.")] = 15,
    people: Annotated[int, typer.Option(min=1, help="Simulated people of the demonstration.")] = 60,
    as_json: Json = False,
) -> None:
    """What one new event costs a person with 1, 10, 100, 1,000 facts, and a message of the demonstration."""
    from ops.lab.bench.pathway import PathwayBench, run

    options = PathwayBench(repeats=repeats, people=people)
    _show(lambda report: run(options, report=report), as_json, starting="preparing the people")


def _show(
    measured: Callable[[Report], dict[str, object]], as_json: bool, *, starting: str = "starting a broker"
) -> None:
    show_progress(starting)
    from rich.console import Console

    stop_on_signals()
    console = Console(stderr=True, width=110, highlight=False)
    figures = measured(console.print)
    for name, figure in figures.items():
        console.print(f"{name:>32}  {figure}")
    if as_json:
        typer.echo(json.dumps(figures))


def register(app: typer.Typer) -> None:
    """Add the group."""
    summary = "Figures of this machine, never pass or fail."
    add_group(app, "bench", summary, host=host, memory=memory, restart=restart, pathway=pathway, linkage=linkage)
