"""`tierlink consume TOPIC`: read a topic as a subscriber does."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Broker, Directory, broker_address

TIME_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


def consume(
    *,
    topic: Annotated[str, typer.Argument(help="For instance pathway.state.demo.v1.")],
    directory: Directory = UP,
    bootstrap: Broker = None,
    most: Annotated[int | None, typer.Option("--max", min=1, help="Stop after this many.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Only the last value of each key.")] = False,
    key: Annotated[str | None, typer.Option(help="Only messages with this key.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=TIME_FORMATS,
            metavar="TIME",
            help="Only messages written at or after 2026-11-01, or 2026-11-01T09:30:00Z; UTC if no zone.",
        ),
    ] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="Only this partition.")] = None,
    offset: Annotated[int | None, typer.Option(min=0, help="Begin at this offset of each partition.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with new messages until Ctrl-C, or --max.")] = False,
) -> None:
    """Print each message as one JSON line: key, headers and value (sealed values as base64)."""
    import itertools
    import json

    from ops.admin.topic_reader import Selection, as_json, last_values, read_topic
    from ops.errors import SettingsError

    if follow and latest:
        raise SettingsError("--latest: with --follow there is no last value")
    since_ms = None
    if since is not None:
        since_ms = int((since if since.tzinfo else since.replace(tzinfo=UTC)).timestamp() * 1000)
    selection = Selection(key.encode() if key is not None else None, since_ms, partition, offset)
    messages = read_topic(broker_address(directory, bootstrap), topic, selection, follow=follow)
    shown = iter(last_values(messages).values()) if latest else messages
    for message in itertools.islice(shown, most):
        typer.echo(json.dumps(as_json(message)))
