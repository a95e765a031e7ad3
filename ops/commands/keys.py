"""`tierlink keys`: key files by zone, and those between doors and ingress."""

from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Directory, Sources, TestMode, add_group


def make(
    directory: Directory = UP,
    recipient: Annotated[list[str] | None, typer.Option(help="Who pathways are published for.")] = None,
    sources: Sources = None,
    test_mode: TestMode = False,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where there are keys.")] = False,
) -> None:
    """Make the key files of every zone, of every source's door and of the days ahead; existing ones are never
    touched.
    """
    from datetime import UTC, datetime

    from ops.admin.intake_keys import add_doors
    from ops.admin.intake_keys import turn as turn_days
    from ops.admin.keys import make_keys
    from ops.runtime.paths import EnginePaths, load_sources

    keys, now = EnginePaths(directory).keys, datetime.now(UTC)
    known = load_sources(sources, test_mode=test_mode)
    if if_missing and any(keys.glob("*.json")):
        typer.echo("there are key files already")
    else:
        make_keys(keys, recipients=recipient or ["demo"])
        typer.echo(f"key files made in {keys}, one per zone")
    turn_days(keys, now.date())
    typer.echo(f"{add_doors(keys, known, now)} keys of doors made")


def turn(directory: Directory = UP) -> None:
    """Make the intake keys of the days ahead and destroy those past day 15. Run it every day."""
    from datetime import UTC, datetime

    from ops.admin.intake_keys import turn as turn_days
    from ops.runtime.paths import EnginePaths

    made, destroyed = turn_days(EnginePaths(directory).keys, datetime.now(UTC).date())
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


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "keys", "Key files.", make=make, turn=turn, door=door)
