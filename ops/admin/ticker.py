"""Ticks: today's date, sent to every partition of pathway, so that what depends on waiting can be answered."""

from datetime import date

from ops.admin.bulk_writer import NOW_MS, write_all
from schemas.pathway_in import tick_message
from schemas.topics import PARTITIONS, PATHWAY_IN


def tick(bootstrap: str, as_of: date) -> None:
    """Every partition has the message that it is at least `as_of`; acknowledged on return. Raises BrokerError."""
    ticks = [(partition, *tick_message(partition, as_of)) for partition in range(PARTITIONS)]
    write_all(bootstrap, [(PATHWAY_IN, partition, key, value, NOW_MS, ()) for partition, key, value in ticks])
