"""`tierlink keys`: the key files of an engine, one a zone, each key by itself; and those between doors and ingress."""

from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Directory, Recipients, Sources, TestMode, add_group

RecipientName = Annotated[str, typer.Argument(help="The recipient's name, as in the file of recipients.")]


def create(
    directory: Directory = UP,
    recipients: Recipients = None,
    sources: Sources = None,
    test_mode: TestMode = False,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where there are keys.")] = False,
) -> None:
    """Make the key files of every zone, each key random and wrapped, of every source's door and of the days ahead;
    existing ones are never touched.
    """
    from datetime import UTC, datetime

    from ops.admin.bucket_keys import make as make_bucket_keys
    from ops.admin.intake_keys import add_doors
    from ops.admin.intake_keys import turn as turn_days
    from ops.admin.keys import make_keys
    from ops.runtime.paths import EnginePaths, load_recipients, load_sources

    keys, now = EnginePaths(directory).keys, datetime.now(UTC)
    known = load_sources(sources, test_mode=test_mode)
    if if_missing and any(keys.glob("*.json")):
        typer.echo("there are key files already")
    else:
        make_keys(keys, recipients=load_recipients(recipients))
        typer.echo(f"key files made in {keys}, one per zone")
    make_bucket_keys(keys)
    turn_days(keys, now.date())
    typer.echo(f"{add_doors(keys, known, now)} keys of doors made")


def turn(
    directory: Directory = UP,
    stay: Annotated[bool, typer.Option("--stay", help="Stay, and turn again every hour, until told to end.")] = False,
) -> None:
    """Make the intake keys of the days ahead and destroy those past day 15. Run it every day."""
    import signal
    from datetime import UTC, datetime
    from threading import Event

    from ops.admin.intake_keys import turns
    from ops.runtime.paths import EnginePaths

    stopped = Event()
    if stay:  # in a container it is process 1, which no signal ends unless it is handled
        for order in (signal.SIGTERM, signal.SIGINT):
            signal.signal(order, lambda *_: stopped.set())
    ended = stopped.wait if stay else lambda _: True
    for made, destroyed in turns(EnginePaths(directory).keys, lambda: datetime.now(UTC).date(), ended):
        typer.echo(f"{made} days made, {destroyed} destroyed")


def door(
    source: Annotated[str, typer.Argument(help="The source whose door gets a new key.")],
    directory: Directory = UP,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Others have the old key: it counts for nothing from now on.")
    ] = False,
) -> None:
    """Give a source's door a new signing key. The old one ends two hours later, or at once."""
    from datetime import UTC, datetime

    from ops.admin.intake_keys import replace_door
    from ops.runtime.paths import EnginePaths

    replace_door(EnginePaths(directory).keys, source, datetime.now(UTC), at_once=at_once)
    typer.echo("the door has a new key" + ("; start it again" if at_once else ""))


def show(directory: Directory = UP) -> None:
    """List zone, name and version of every key, and count bucket keys. No key is opened, let alone shown."""
    from ops.runtime.bucket_key_files import read_bucket_key_file
    from ops.runtime.key_files import read_key_file
    from ops.runtime.paths import EnginePaths
    from schemas.data_keys import FAMILIES
    from schemas.keyring import OPERATIONS_ZONE, ZONES

    for zone in (*ZONES, OPERATIONS_ZONE):
        for entry in read_key_file(EnginePaths(directory).keys, zone).entries:
            typer.echo(f"{zone:10} {entry.name:24} {entry.version}")
    for zone, families in FAMILIES.items():
        places = list(read_bucket_key_file(EnginePaths(directory).keys, zone).wrapped)
        for family in families:
            epochs = [epoch for held, _, epoch in places if held == family]
            typer.echo(f"{zone:10} {'bucket ' + family:24} {len(epochs)} keys, newest epoch {max(epochs, default=0)}")


def add_recipient(name: RecipientName, directory: Directory = UP) -> None:
    """Make a random key for one more recipient; no byte of another's entry changes."""
    from ops.admin import keys
    from ops.runtime.paths import EnginePaths

    keys.add_recipient(EnginePaths(directory).keys, name)
    typer.echo("a key was made: name the recipient in the file of recipients, make its topics, start pathway again")


def remove_recipient(name: RecipientName, directory: Directory = UP) -> None:
    """Take a recipient's key out of every file. It cannot be had back, and what was published means nobody any more."""
    from ops.admin import keys
    from ops.runtime.paths import EnginePaths

    keys.remove_recipient(EnginePaths(directory).keys, name)
    typer.echo(
        "the key is gone: take the recipient out of the file of recipients, start pathway again, delete its topics"
    )


def rotate(
    name: Annotated[str, typer.Argument(help="dead-letter: the one that has versions.")],
    directory: Directory = UP,
) -> None:
    """Give a sealing key a new version, which seals from now on; what older versions sealed still opens."""
    from ops.admin import keys
    from ops.runtime.paths import EnginePaths

    version = keys.rotate(EnginePaths(directory).keys, name)
    typer.echo(f"version {version}: start the workers again")


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(
        app,
        "keys",
        "Key files.",
        create=create,
        show=show,
        **{"add-recipient": add_recipient, "remove-recipient": remove_recipient},
        rotate=rotate,
        turn=turn,
        door=door,
    )
