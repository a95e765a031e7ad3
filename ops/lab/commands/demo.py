"""`tierlink demo`: the main job, from a provider's message to a linked pathway, on this machine."""

import json
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import Json, show_progress


def demo(
    *,
    people: Annotated[int, typer.Option(min=1, max=100_000, help="How many people the simulator invents.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people, messages and counts.")] = 7,
    once: Annotated[bool, typer.Option("--once", help="Stop after the report instead of at Ctrl-C.")] = False,
    as_json: Json = False,
    kill_worker: Annotated[
        bool,
        typer.Option("--kill-worker", help="kill -9 of a random worker, three times, while it has input."),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=12, help="Workers per stage (the linker has one).")] = 1,
    directory: Annotated[Path, typer.Option(help="Emptied first, then everything is kept there.")] = Path(
        ".tierlink/demo"
    ),
) -> None:
    """Start Kafka, doors and workers, play a few hundred journeys, and show what comes out."""
    show_progress(f"starting an engine in {directory}")
    from rich.console import Console

    from ops.lab.demo.demo import DemoOptions, run
    from ops.lab.demo.fresh_layout import fresh_layout
    from ops.lab.demo.report import show
    from ops.local.engine import Engine, EngineSettings

    for order in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, signal.default_int_handler)  # as Ctrl-C: everything that was started is stopped
    started, console = time.monotonic(), Console(stderr=as_json, width=150, highlight=False)
    layout = fresh_layout(directory)
    settings = EngineSettings(test_mode=True, workers=workers)
    with Engine(layout, settings, progress=show_progress) as engine:
        console.print(f"ready after {time.monotonic() - started:.1f} s; playing {people} people, seed {seed}")
        made: dict[str, int] = {}

        def progress(source: str, deliveries: int) -> None:
            made[source] = made.get(source, 0) + deliveries
            if sum(made.values()) % 500 == 0:
                console.print("  delivered " + ", ".join(f"{name} {count}" for name, count in sorted(made.items())))

        options = DemoOptions(people, seed, kill_worker, workers)
        result = run(engine, options, progress=progress, report=console.print, started=started)
        show(console, result, layout)
        if as_json:
            typer.echo(json.dumps(result.as_json()))
        if not once:
            console.print("Everything stays up until Ctrl-C.")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
