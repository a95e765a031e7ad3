"""`tierlink ledger`: does every acknowledged entry have exactly one end?"""

import json
from pathlib import Path

import typer

from ops.runtime.cli_options import Directory, Json, running


def ledger(directory: Directory = Path(".tierlink/up"), as_json: Json = False) -> None:
    """Balance the senders' journal against the topics, and name the topic where a chain breaks."""
    from ops.admin.keys import OPERATIONS_ZONE
    from ops.client.journal import Journal
    from ops.runtime.paths import EnginePaths, load_sources
    from ops.verify.ledger import balance, read_topic_index, stalled

    layout, found = EnginePaths(directory), running(directory)
    sources = load_sources(None, test_mode=bool(found["test_mode"]))
    books = read_topic_index(str(found["bootstrap"]), sources.values(), recipient="demo")
    keys = layout.keyring(OPERATIONS_ZONE)
    ledgers = balance(Journal(layout.journal).read(), books, keys=keys, recipient="demo")
    total = ledgers.get("")
    for source, one in sorted(ledgers.items()):
        typer.echo(
            f"{source or 'all'}: " + ", ".join(f"{name} {count}" for name, count in one.as_json().items())
        )
    if total is not None:
        for topic, count in sorted(total.broken.items()):
            typer.echo(f"broken at {topic}: {count}")
    if as_json:
        counts = total.as_json() if total is not None else {}
        typer.echo(json.dumps({**counts, "stalled": stalled(books)}))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ledger)
