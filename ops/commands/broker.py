"""`tierlink broker`: the embedded Kafka alone, in the foreground."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

CHECK_SECONDS = 0.5


def broker(
    directory: Annotated[Path, typer.Option(help="Where data, logs and the process record are kept.")] = Path(
        ".tierlink/broker"
    ),
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Client port; else the last one, or a free one.")
    ] = None,
) -> None:
    """Run a one-node Apache Kafka on loopback until Ctrl-C or SIGTERM; prints its address when ready."""
    from ops.local.broker.embedded import EmbeddedBroker

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    with EmbeddedBroker(directory, port=port) as running:
        typer.echo(f"broker ready: --bootstrap {running.bootstrap} (process {running.pid}, data in {directory})")
        while not stopped.wait(CHECK_SECONDS):
            running.check()
    typer.echo("broker stopped")
