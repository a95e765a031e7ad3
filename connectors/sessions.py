"""A door's open sessions, one for each source it speaks for; a new one before the old has ended."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta

from schemas.door_session import Session, open_session
from schemas.intake_keys import DoorSeal

SealOf = Callable[[str, datetime], DoorSeal]  # (source, now) -> its door's key and today's key of ingress
RENEWED_BEFORE_END = timedelta(minutes=10)  # an entry may be on its way to the broker for half a minute


class DoorSessions:
    """Sessions live in memory only: a process that starts, or is forked, opens its own."""

    def __init__(self, seal_of: SealOf, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self.random = random
        self._seal_of = seal_of
        self._open: dict[str, Session] = {}

    def of(self, source: str, now: datetime) -> Session:
        """The session of `source` at `now`. Raises SchemaError, from where keys are kept, when there is no key."""
        session = self._open.get(source)
        if session is None or not session.not_before <= now < session.not_after - RENEWED_BEFORE_END:
            # two threads may open two: both are good
            session = open_session(self._seal_of(source, now), source, now=now, random=self.random)
            self._open[source] = session
        return session
