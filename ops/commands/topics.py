"""`tierlink topics`: the registry on a broker."""

from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import Directory, Sources, TestMode, running

Broker = Annotated[
    str | None, typer.Option(help="Address of the broker; else that of the engine in --directory.")
]


def create(
    *,
    bootstrap: Annotated[str, typer.Option(help="Address of the Kafka broker, host:port.")],
    sources: Sources = None,
    recipient: Annotated[list[str] | None, typer.Option(help="Who pathways are published for.")] = None,
    replication: Annotated[int, typer.Option(min=1, max=7, help="How many brokers keep each message.")] = 3,
    min_in_sync: Annotated[
        int, typer.Option(min=1, max=7, help="How many must have it before it counts.")
    ] = 2,
    session: Annotated[
        float,
        typer.Option(
            min=0, help="The workers' session timeout in seconds, by which late writes are refused."
        ),
    ] = 45.0,
    test_mode: TestMode = False,
) -> None:
    """Make every topic that is missing."""
    from ops.admin.topic_admin import Replication
    from ops.admin.topic_admin import create as create_topics
    from ops.runtime.paths import load_sources
    from schemas.topics import registry

    known = load_sources(sources, test_mode=test_mode)
    made = create_topics(
        bootstrap,
        registry(known.values(), recipient or ["demo"]),
        replication=Replication(replication, min_in_sync),
        session_s=session or None,
    )
    typer.echo(f"{len(made)} topics made")


def show(
    directory: Directory = Path(".tierlink/up"), bootstrap: Broker = None, sources: Sources = None
) -> None:
    """List the topics with their key, zone, clean-up and how many messages they hold now."""
    from ops.admin.topic_reader import message_counts
    from ops.runtime.paths import load_sources
    from schemas.topics import registry

    address = bootstrap or str(running(directory)["bootstrap"])
    known = registry(load_sources(sources, test_mode=True).values(), ["demo"])
    counts = message_counts(address, [topic.name for topic in known])
    for topic in known:
        if topic.name in counts:
            policy = topic.config["cleanup.policy"]
            typer.echo(f"{topic.name:28} {counts[topic.name]:>8}  {topic.zone:10} {policy:14} {topic.key}")


def delete(
    topic: str,
    partition: Annotated[int, typer.Option(min=0)],
    offset: Annotated[int, typer.Option(min=0)],
    directory: Directory = Path(".tierlink/up"),
    bootstrap: Broker = None,
) -> None:
    """Take one message out by hand (a tombstone for its key): a drill for the ledger."""
    from ops.admin.topic_admin import delete_message

    delete_message(
        bootstrap or str(running(directory)["bootstrap"]), topic, partition=partition, offset=offset
    )
    typer.echo("deleted")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Topics on a broker.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(show)
    group.command("delete")(delete)
    app.add_typer(group, name="topics")
