"""`tierlink up` and `tierlink down`: an engine that stays."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import Directory, LinkageModel, Sources, TestMode, check_linkage_model

if TYPE_CHECKING:
    from ops.runtime.paths import EnginePaths

DOWN_SECONDS_MAX = 120.0  # doors, workers and broker may take 30 s each; 4 s is usual
POLL_SECONDS = 0.1


def up(
    *,
    directory: Directory = Path(".tierlink/up"),
    sources: Sources = None,
    bootstrap: Annotated[
        str | None, typer.Option(help="An outside broker instead of the embedded one.")
    ] = None,
    linkage_model: LinkageModel = None,
    workers: Annotated[int, typer.Option(min=1, max=12, help="Workers per stage (the linker has one).")] = 1,
    test_mode: TestMode = False,
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
    layout = EnginePaths(directory.resolve())
    if holder(layout.root) is not None:
        raise BrokerRunning(f"an engine runs in {directory} already; `tierlink down` ends it")
    layout.root.mkdir(parents=True, exist_ok=True)
    if not foreground:
        _detach(layout)
        return
    stopped = threading.Event()
    for order in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # SIGHUP: its terminal was closed
        signal.signal(order, lambda *_: stopped.set())
    configure_logging()
    settings = EngineSettings(
        test_mode=test_mode,
        workers=workers,
        bootstrap=bootstrap,
        sources=sources,
        linkage_model=linkage_model,
        broker_only=broker_only,
        usual_ports=True,
    )
    with Engine(layout, settings):
        _print_addresses(layout)
        stopped.wait()


def down(directory: Directory = Path(".tierlink/up")) -> None:
    """End the engine that `up` started in this directory; its data stay."""
    from ops.local.broker.server_process import has_ended, terminate
    from ops.local.engine_lock import holder
    from ops.runtime.paths import EnginePaths

    layout = EnginePaths(directory.resolve())
    pid = holder(layout.root)
    if pid is None:
        layout.up.unlink(missing_ok=True)  # of an engine that was killed
        layout.addresses()  # says that none runs here
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS_MAX
    while not has_ended(pid):
        if time.monotonic() > deadline:
            terminate(pid)  # what it started ends with it
        time.sleep(POLL_SECONDS)
    typer.echo("stopped")


def _detach(layout: "EnginePaths") -> None:
    from ops.errors import TierlinkError

    layout.logs.mkdir(parents=True, exist_ok=True)
    layout.up.unlink(missing_ok=True)
    words = [word for word in sys.argv[1:] if word != "--foreground"]
    with (layout.logs / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", *words, "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # stays when this terminal is closed
        )
    try:
        while not layout.up.exists():
            if process.poll() is not None:
                raise TierlinkError(f"the engine did not start; read {layout.logs / 'up.log'}")
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:  # nobody is left to tell that it is up
        process.terminate()
        process.wait()
        raise
    _print_addresses(layout)


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
