"""`tierlink topics`: the registry on a broker."""

from typing import Annotated

import typer

from ops.runtime.cli_options import (
    UP,
    Bootstrap,
    Broker,
    Directory,
    Recipients,
    Sources,
    TestMode,
    add_group,
    broker_address,
    check_broker,
    engine_recipients,
    engine_sources,
    show_progress,
)


def create(
    *,
    bootstrap: Bootstrap,
    sources: Sources = None,
    recipients: Recipients = None,
    replication: Annotated[int, typer.Option(min=1, max=7, help="How many brokers keep each message.")] = 3,
    min_in_sync: Annotated[int, typer.Option(min=1, max=7, help="How many must have it before it counts.")] = 2,
    session: Annotated[
        float,
        typer.Option(min=0, help="The workers' session timeout in seconds, by which late writes are refused."),
    ] = 45.0,
    test_mode: TestMode = False,
) -> None:
    """Make every topic that is missing."""
    show_progress(f"making topics at {bootstrap}")
    from ops.admin.topic_admin import Replication
    from ops.admin.topic_admin import create as create_topics
    from ops.runtime.paths import load_recipients, load_sources
    from schemas.topics import registry

    known, readers = load_sources(sources, test_mode=test_mode), load_recipients(recipients)
    check_broker(bootstrap)
    made = create_topics(
        bootstrap,
        registry(known.values(), readers),
        replication=Replication(replication, min_in_sync),
        session_s=session or None,
    )
    typer.echo(f"{len(made)} topics made")


def show(
    directory: Directory = UP, bootstrap: Broker = None, sources: Sources = None, recipients: Recipients = None
) -> None:
    """List the topics with their key, zone, clean-up and how many messages they hold now."""
    from ops.admin.topic_reader import message_counts
    from ops.runtime.paths import load_recipients, load_sources
    from schemas.topics import registry

    address = broker_address(directory, bootstrap)
    of_engine = not (bootstrap or sources or recipients)
    known = engine_sources(directory) if of_engine else load_sources(sources, test_mode=True)
    readers = engine_recipients(directory) if of_engine else load_recipients(recipients)
    topics = registry(known.values(), readers)
    counts = message_counts(address, [topic.name for topic in topics])
    for topic in topics:
        if topic.name in counts:
            policy = topic.config["cleanup.policy"]
            typer.echo(f"{topic.name:28} {counts[topic.name]:>8}  {topic.zone:10} {policy:14} {topic.key}")


def delete(
    topic: str,
    partition: Annotated[int, typer.Option(min=0)],
    offset: Annotated[int, typer.Option(min=0)],
    directory: Directory = UP,
    bootstrap: Broker = None,
) -> None:
    """Take one message out by hand (a tombstone for its key): a drill for the ledger."""
    from ops.admin.topic_admin import delete_message

    delete_message(broker_address(directory, bootstrap), topic, partition=partition, offset=offset)
    typer.echo("deleted")


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "topics", "Topics on a broker.", create=create, list=show, delete=delete)
