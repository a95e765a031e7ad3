"""`tierlink ledger`: does every acknowledged entry have exactly one end?"""

import json

import typer

from ops.runtime.cli_options import UP, Directory, Json, broker_address, engine_sources, show_progress


def ledger(directory: Directory = UP, as_json: Json = False) -> None:
    """Balance the senders' journal against the topics, and name the topic where a chain breaks."""
    from functools import partial

    from ops.admin.keys import OPERATIONS_ZONE
    from ops.admin.topic_reader import read_topics
    from ops.client.journal import Journal
    from ops.runtime.paths import EnginePaths
    from ops.verify.ledger import balance, read_topic_index, stalled

    layout, address = EnginePaths(directory), broker_address(directory, None)
    show_progress("reading the topics of the engine")
    index = read_topic_index(partial(read_topics, address), engine_sources(directory).values(), recipient="demo")
    keys = layout.keyring(OPERATIONS_ZONE)
    ledgers = balance(Journal(layout.journal).read(), index, keys=keys, recipient="demo")
    total = ledgers.get("")
    for source, counts in sorted(ledgers.items()):
        typer.echo(f"{source or 'all'}: " + ", ".join(f"{name} {count}" for name, count in counts.as_json().items()))
    if total is not None:
        for topic, count in sorted(total.broken.items()):
            typer.echo(f"broken at {topic}: {count}")
    if as_json:
        totals = total.as_json() if total is not None else {}
        typer.echo(json.dumps({**totals, "stalled": stalled(index)}))
