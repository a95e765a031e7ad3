"""`tierlink tick`: send today's date to the pathway stage."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.runtime.cli_options import UP, Broker, Directory, broker_address


def tick(
    directory: Directory = UP,
    bootstrap: Broker = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, tomorrow at the latest; today if not given.")
    ] = None,
) -> None:
    """Send the day to every partition; run it daily, so that referrals nobody received become overdue."""
    from ops.admin.bulk_writer import write_ticks
    from ops.errors import SettingsError
    from schemas.fhir.dates import london_day
    from schemas.pathway_in import TickInput

    today = london_day(datetime.now(UTC))
    day = as_of.date() if as_of else today
    if TickInput(as_of=day).is_ahead_of(today):
        raise SettingsError("--as-of: is later than tomorrow; the pathway stage would refuse it (`tick-ahead`)")
    write_ticks(broker_address(directory, bootstrap), day)
    typer.echo(f"day set: {day.isoformat()}")
