"""`tierlink keys`: key files by zone."""

from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Directory, add_group


def make(
    directory: Directory = UP,
    recipient: Annotated[list[str] | None, typer.Option(help="Who pathways are published for.")] = None,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where there are keys.")] = False,
) -> None:
    """Make the key files of every zone from a fresh random root; existing ones are never touched."""
    from ops.admin.keys import make_keys
    from ops.runtime.paths import EnginePaths

    if if_missing and any(EnginePaths(directory).keys.glob("*.json")):
        typer.echo("there are key files already")
        return
    make_keys(EnginePaths(directory).keys, recipients=recipient or ["demo"])
    typer.echo(f"key files made in {EnginePaths(directory).keys}, one per zone")


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "keys", "Key files.", make=make)
