"""One patient at one source while their journey is written: its numbers and the moments it has used."""

from datetime import UTC, date, datetime, time
from random import Random

from ops.lab.simulator.model import SimulatedIdentity, SourceSlug


class Identifiers:
    """Sources' own numbers, none given twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def new(self, prefix: str, digits: int) -> str:
        """`prefix` and that many digits, unlike any before."""
        while True:
            number = f"{prefix}{self._rng.randrange(10 ** (digits - 1), 10**digits)}"
            if number not in self._given:
                self._given.add(number)
                return number


class SourceRecord:
    """One patient at one source: its local id, its identity of the person, and which moments it has used."""

    def __init__(self, source: SourceSlug, local_id: str, identity: SimulatedIdentity) -> None:
        self.source = source
        self.local_id = local_id
        self.identity = identity
        self._used: set[datetime] = set()

    def moment(self, rng: Random, on: date) -> datetime:
        """A minute of `on` in office hours that no other entry of this record has."""
        while True:
            at = datetime.combine(on, time(9 + rng.randrange(8), rng.randrange(60)), UTC)
            if at not in self._used:
                self._used.add(at)
                return at
