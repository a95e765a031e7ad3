"""What every door has in common: how it is opened, where it may listen, and what it may answer."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Protocol

from connectors.doors import TRANSPORTS
from connectors.entry import SourceEntry
from connectors.intake import Intake
from connectors.metrics import BROKER_UNAVAILABLE, DoorMetrics
from connectors.publisher import BrokerUnavailable
from schemas.disposition import Verdict
from schemas.errors import InvalidField
from schemas.sources import Source


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """What a process gives the door it opens.

    `sources` are those of this transport, by slug; `intake` and `metrics` the ones every door shares; `clock` gives
    aware times; `test_mode` lets the 999 range of NHS numbers in. `ports` is by slug, or by `""` where the sources
    share one. `drop` is the directory of drop folders.
    """

    sources: Mapping[str, Source]
    intake: Intake
    metrics: DoorMetrics
    clock: Callable[[], datetime]
    test_mode: bool
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    allow_remote: bool = False
    drop: Path = Path("drop")


class Door(Protocol):
    """One open transport. It answers "accepted" only after `Intake.take` has returned."""

    def serve(self, listening: Callable[[], None]) -> None:
        """Takes entries until SIGTERM or SIGINT, finishes what is under way and returns.

        Calls `listening` once senders can reach it. Runs in the main thread.
        """


def open_door(name: str, setup: DoorSetup) -> Door:
    """The door of a registered transport. Raises SchemaError when `setup` is not what it needs."""
    opened: Door = import_module(TRANSPORTS[name].module).open_door(setup)
    return opened


def require_allowed_host(host: str, *, allow_remote: bool) -> None:
    """Raises InvalidField("host") for an address that is not loopback unless `allow_remote`.

    Doors do not authenticate yet: whoever reaches one may speak as any source.
    """
    if not allow_remote and not _is_loopback(host):
        raise InvalidField("host", rule="must be a loopback address: doors do not authenticate yet")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class DoorAnswer(StrEnum):
    """What a provider is answered; each transport has its own code for each."""

    ACCEPTED = "accepted"  # durable; its receipt follows
    IGNORED = "ignored"  # of no service of ours: only counted
    REFUSED = "refused"  # nothing is kept: correct it and send it again
    TRY_AGAIN = "try again"  # nothing is acknowledged; a resend is safe, because its id does not change


_ANSWERS = {
    Verdict.ACCEPTED: DoorAnswer.ACCEPTED,
    Verdict.ACCEPTED_WITH_WARNINGS: DoorAnswer.ACCEPTED,
    Verdict.IGNORED: DoorAnswer.IGNORED,
    Verdict.REJECTED: DoorAnswer.REFUSED,
}


def take_entry(setup: DoorSetup, source: Source, entry: SourceEntry) -> tuple[DoorAnswer, str]:
    """The answer to one entry and its id, which is empty for TRY_AGAIN. Returns when it is durable or refused."""
    try:
        (outcome,) = setup.intake.take(source, [entry])
    except BrokerUnavailable:
        setup.metrics.refused(source.slug, BROKER_UNAVAILABLE)
        return DoorAnswer.TRY_AGAIN, ""
    return _ANSWERS[outcome.verdict], outcome.entry_id
