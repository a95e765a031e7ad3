"""`tierlink consume TOPIC`: read a topic as a subscriber does."""

from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import Directory, running


def consume(
    topic: Annotated[str, typer.Argument(help="For instance pathway.state.demo.v1.")],
    directory: Directory = Path(".tierlink/up"),
    bootstrap: Annotated[
        str | None, typer.Option(help="Address of the broker; else that of the engine.")
    ] = None,
    most: Annotated[int | None, typer.Option("--max", min=1, help="Stop after this many.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Only the last value of each key.")] = False,
) -> None:
    """Print each message as one JSON line: key, headers and value (sealed values as base64)."""
    import itertools
    import json

    from ops.admin.topic_reader import as_json, last_values, read_topics

    address = bootstrap or str(running(directory)["bootstrap"])
    messages = read_topics(address, [topic])
    shown = iter(last_values(messages).values()) if latest else messages
    for one in itertools.islice(shown, most):
        typer.echo(json.dumps(as_json(one)))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(consume)
