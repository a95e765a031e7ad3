"""`tierlink tick`: tell the pathway stage what day it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import Directory, running


def tick(
    directory: Directory = Path(".tierlink/up"),
    bootstrap: Annotated[
        str | None, typer.Option(help="Address of the broker; else that of the engine.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today if not given.")
    ] = None,
) -> None:
    """Send the day to every partition; run it daily, so that referrals nobody received become overdue."""
    from ops.admin.ticker import tick as send_tick

    day = as_of.date() if as_of else datetime.now(UTC).date()
    send_tick(bootstrap or str(running(directory)["bootstrap"]), day)
    typer.echo(f"told: {day.isoformat()}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tick)
