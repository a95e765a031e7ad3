"""`tierlink keys`: the key files of an engine, one a zone, each key by itself."""

from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Directory, Recipients, add_group

RecipientName = Annotated[str, typer.Argument(help="The recipient's name, as in the file of recipients.")]


def create(
    directory: Directory = UP,
    recipients: Recipients = None,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where there are keys.")] = False,
) -> None:
    """Make the key files of every zone, each key random and wrapped; existing ones are never touched."""
    from ops.admin.keys import make_keys
    from ops.runtime.paths import EnginePaths, load_recipients

    if if_missing and any(EnginePaths(directory).keys.glob("*.json")):
        typer.echo("there are key files already")
        return
    make_keys(EnginePaths(directory).keys, recipients=load_recipients(recipients))
    typer.echo(f"key files made in {EnginePaths(directory).keys}, one per zone")


def show(directory: Directory = UP) -> None:
    """List zone, name and version of every key. No key is opened, let alone shown."""
    from ops.runtime.key_files import read_key_file
    from ops.runtime.paths import EnginePaths
    from schemas.keyring import OPERATIONS_ZONE, ZONES

    for zone in (*ZONES, OPERATIONS_ZONE):
        for entry in read_key_file(EnginePaths(directory).keys, zone).entries:
            typer.echo(f"{zone:10} {entry.name:24} {entry.version}")


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
    name: Annotated[str, typer.Argument(help="link-seal or dead-letter.")],
    directory: Directory = UP,
) -> None:
    """Give a sealing key a new version, which seals from now on; what older versions sealed still opens."""
    from ops.admin import keys
    from ops.runtime.paths import EnginePaths

    version = keys.rotate(EnginePaths(directory).keys, name)
    typer.echo(f"version {version}: start the workers again, the linker first and ingress last")


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
    )
