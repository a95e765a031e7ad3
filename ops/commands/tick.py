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
    stay: Annotated[bool, typer.Option("--stay", help="Stay, and send each new day, until told to end.")] = False,
) -> None:
    """Send the day to every partition; run it daily: referrals nobody received become overdue, windows close."""
    import signal
    from threading import Event

    from ops.admin.bulk_writer import days_to_send, write_ticks
    from ops.errors import SettingsError
    from schemas.fhir.dates import london_day
    from schemas.pathway_in import TickInput

    if stay and as_of is not None:
        raise SettingsError("--as-of: a day is given, and --stay sends those to come")
    stopped = Event()
    if stay:  # in a container it is process 1, which no signal ends unless it is handled
        for order in (signal.SIGTERM, signal.SIGINT):
            signal.signal(order, lambda *_: stopped.set())
    today = london_day(datetime.now(UTC))
    if as_of is not None and TickInput(as_of=as_of.date()).is_ahead_of(today):
        raise SettingsError("--as-of: is later than tomorrow; the pathway stage would refuse it (`tick-ahead`)")
    address = broker_address(directory, bootstrap)
    given = as_of.date() if as_of is not None else None
    for day in days_to_send(lambda: given or london_day(datetime.now(UTC)), stopped.wait if stay else lambda _: True):
        write_ticks(address, day)
        typer.echo(f"day set: {day.isoformat()}")
