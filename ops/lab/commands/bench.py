"""`tierlink bench host | memory | restart | linkage`: figures of this machine."""

import json
import signal
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from ops.lab.commands.bench_linkage import linkage
from ops.runtime.cli_options import Json

Scratch = Annotated[
    Path, typer.Option(help="Broker and logs live below it while it runs, and are removed afterwards.")
]


def host(
    *,
    events: Annotated[
        int, typer.Option(min=100, help="Messages of 1 kB that each contender answers.")
    ] = 200_000,
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
    from rich.console import Console

    from ops.lab.bench.host import MODULES, HostBench, run, show

    bench = HostBench(
        events=events,
        rounds=1 if profile else rounds,
        contenders=("host",) if profile else tuple(only or MODULES),
        directory=directory,
        profile=profile,
    )
    _stop_what_was_started()
    console = Console(stderr=True, width=110, highlight=False)
    figures = run(bench, report=console.print)
    show(console, figures)
    if as_json:
        typer.echo(json.dumps(figures.as_json()))


def memory(
    *,
    events: Annotated[int, typer.Option(min=1_000, help="Messages the worker answers.")] = 1_000_000,
    facts: Annotated[int, typer.Option(min=100, help="How many different facts they are about.")] = 10_000,
    directory: Scratch = Path(".tierlink"),
    as_json: Json = False,
) -> None:
    """How much a worker keeps in memory while a million events about ten thousand facts go through it."""
    _run("memory", as_json, events=events, facts=facts, directory=directory)


def restart(
    *,
    elements: Annotated[int, typer.Option(min=1_000, help="Elements of state it comes back to.")] = 1_000_000,
    directory: Scratch = Path(".tierlink"),
    as_json: Json = False,
) -> None:
    """How long a restarted worker takes until it is ready."""
    _run("restart", as_json, elements=elements, directory=directory)


def _run(bench: str, as_json: bool, **options: object) -> None:
    """`run` of `ops.lab.bench.<bench>`: takes the options and `report`, returns the object of `--json`."""
    from rich.console import Console

    _stop_what_was_started()
    console = Console(stderr=True, width=110, highlight=False)
    figures = import_module(f"ops.lab.bench.{bench}").run(**options, report=console.print)
    for name, figure in figures.items():
        console.print(f"{name:>32}  {figure}")
    if as_json:
        typer.echo(json.dumps(figures))


def _stop_what_was_started() -> None:
    for order in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, signal.default_int_handler)  # as Ctrl-C


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Figures of this machine, never pass or fail.", no_args_is_help=True)
    for command in (host, memory, restart, linkage):
        group.command(command.__name__)(command)
    app.add_typer(group, name="bench")
