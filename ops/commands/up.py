"""`tierlink up` and `tierlink down`: an engine that stays."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import (
    UP,
    Deprivation,
    Directory,
    Generation,
    LinkageModel,
    Recipients,
    Sources,
    TestMode,
    check_broker,
    check_deprivation,
    check_linkage_model,
    checked_address,
    show_progress,
)

if TYPE_CHECKING:
    from ops.runtime.paths import EnginePaths

DOWN_SECONDS_MAX = 120.0  # doors, workers and broker may take 30 s each; 4 s is usual
POLL_SECONDS = 0.1

OutsideBroker = Annotated[
    str | None, typer.Option(help="An outside broker instead of the embedded one.", callback=checked_address)
]
HttpPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port of the FHIR door; 8080 if not given, 0 a free one."),
]
MllpPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Port of the first HL7 source, the next follow; 2575 if not given, 0 free ones.",
    ),
]
FirstPagesPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port of the first /metrics page, the next follow; else free ones."),
]


def up(
    *,
    directory: Directory = UP,
    sources: Sources = None,
    recipients: Recipients = None,
    bootstrap: OutsideBroker = None,
    linkage_model: LinkageModel = None,
    deprivation: Deprivation = None,
    workers: Annotated[int, typer.Option(min=1, max=12, help="Workers per stage (the linker has one).")] = 1,
    test_mode: TestMode = False,
    generation: Generation = 0,
    http_port: HttpPort = None,
    mllp_port: MllpPort = None,
    pages_port: FirstPagesPort = None,
    broker_only: Annotated[bool, typer.Option("--broker-only", help="Only the broker.")] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here until Ctrl-C.")] = False,
) -> None:
    """Start broker, topics, keys, doors and workers, print where they are, and return; `down` ends them."""
    from ops.errors import BrokerRunning
    from ops.local.engine import Engine, EngineSettings
    from ops.local.engine_lock import holder
    from ops.runtime.paths import EnginePaths
    from ops.runtime.safe_logging import configure_logging

    check_linkage_model(linkage_model)
    check_deprivation(deprivation)
    if bootstrap is not None:
        check_broker(bootstrap)
    layout = EnginePaths(directory.resolve())
    if holder(layout.root) is not None:
        raise BrokerRunning(f"an engine runs in {directory} already; `tierlink down` ends it")
    layout.root.mkdir(parents=True, exist_ok=True)
    show_progress(f"starting an engine in {directory}")
    if not foreground:
        _detach(layout)
        return
    stopped = threading.Event()
    for order in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # SIGHUP: its terminal was closed
        signal.signal(order, lambda *_: stopped.set())
    configure_logging()
    settings = EngineSettings(
        test_mode=test_mode,
        generation=generation,
        workers=workers,
        bootstrap=bootstrap,
        sources=sources,
        recipients=recipients,
        linkage_model=linkage_model,
        deprivation=deprivation,
        broker_only=broker_only,
        usual_ports=True,
        http_port=http_port,
        mllp_port=mllp_port,
        pages_port=pages_port,
    )
    with Engine(layout, settings, progress=show_progress):
        _print_addresses(layout)
        stopped.wait()


def down(directory: Directory = UP) -> None:
    """End the engine that `up` started in this directory; its data stay. Exit 0 also where none runs."""
    from ops.local.broker.server_process import has_ended, terminate
    from ops.local.engine_lock import holder
    from ops.runtime.paths import EnginePaths

    layout = EnginePaths(directory.resolve())
    pid = holder(layout.root)
    if pid is None:
        layout.up.unlink(missing_ok=True)  # of an engine that was killed
        typer.echo(f"no engine runs in {directory}: nothing to stop")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS_MAX
    while not has_ended(pid):
        if time.monotonic() > deadline:
            terminate(pid)  # what it started ends with it
        time.sleep(POLL_SECONDS)
    typer.echo("stopped")


def _detach(layout: "EnginePaths") -> None:
    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.up.unlink(missing_ok=True)
    arguments = [argument for argument in sys.argv[1:] if argument != "--foreground"]
    path = layout.logs / "up.log"
    with path.open("ab") as log, path.open() as lines:
        lines.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", *arguments, "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # stays when this terminal is closed
        )
        try:
            while not layout.up.exists():
                ended = process.poll()
                _show_progress_of(lines)
                if ended is not None:
                    show_progress(f"the engine did not start; its log is {path}")
                    raise typer.Exit(ended or 1)
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:  # nobody waits for it any more
            show_progress("interrupted: waiting until what has started is stopped")
            process.terminate()
            process.wait()
            raise
    _print_addresses(layout)


def _show_progress_of(log: IO[str]) -> None:
    """Print what the process wrote for people since the last call; its other lines are JSON."""
    for line in log:
        if line.startswith("tierlink: ") and "starting an engine in" not in line:
            typer.echo(line.rstrip("\n"), err=True)


def _print_addresses(layout: "EnginePaths") -> None:
    found = layout.addresses()
    typer.echo(f"broker   {found['bootstrap']}")
    for source, port in found["doors"].items():
        typer.echo(f"door     {source}: 127.0.0.1:{port}")
    for source, folder in found["drop"].items():
        typer.echo(f"door     {source}: {folder}/inbox")
    for name, port in found["pages"].items():
        typer.echo(f"pages    {name}: http://127.0.0.1:{port}/metrics")


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command()(up)
    app.command()(down)
