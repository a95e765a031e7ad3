"""`tierlink version`."""

from importlib.metadata import version as installed_version

import typer


def version() -> None:
    """Print the versions of tierlink and of the Kafka it embeds."""
    from ops.local.broker.kafka_jars import KAFKA_VERSION

    typer.echo(f"tierlink {installed_version('tierlink')}, Apache Kafka {KAFKA_VERSION}")
