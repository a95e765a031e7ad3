"""The keys between doors and ingress: who may speak for a source, and what is sealed to ingress on which day.

A door signs with an Ed25519 key; the registry says for which source and from when to when (the end is a revocation). A
session is sealed to an X25519 key that ingress makes for one day and destroys after day 15: intake dies by time. The
moment by which both are judged is the broker's append time of a message, never a clock.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from schemas import canonical
from schemas.errors import Unreadable

KEPT_DAYS = 15  # as long as the broker keeps the intake
DOOR_ID_BYTES = 8


def door_id(public: bytes) -> bytes:
    """What a door's key is called: the first eight bytes of SHA-256 of the public key."""
    return hashlib.sha256(public).digest()[:DOOR_ID_BYTES]


def new_door_key() -> bytes:
    """A fresh signing key (Ed25519, raw private)."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def door_public(private: bytes) -> bytes:
    """The public part of a signing key."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def new_day_key() -> bytes:
    """A fresh key of ingress for one day (X25519, raw private)."""
    return X25519PrivateKey.generate().private_bytes_raw()


def day_public(private: bytes) -> bytes:
    """The public part of a day's key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class DoorKey:
    """One row of the registry: `public` speaks for `source` from `valid_from` until before `valid_to`."""

    source: str
    public: bytes = field(repr=False)
    valid_from: datetime
    valid_to: datetime | None = None

    @property
    def id(self) -> bytes:
        """As it stands in the header of a session."""
        return door_id(self.public)

    def valid_at(self, moment: datetime) -> bool:
        """True when what the broker appended at `moment` may be signed with it."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)

    def verifying(self) -> Ed25519PublicKey:
        """The key itself."""
        return Ed25519PublicKey.from_public_bytes(self.public)


@dataclass(frozen=True, slots=True)
class DoorSeal:
    """What a door needs to open a session: its signing key, and today's public key of ingress with its day."""

    signing: bytes = field(repr=False)
    day: date
    ingress_public: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IntakeKeys:
    """What ingress holds: the registry of door keys by (source, id), and its private keys by day."""

    doors: Mapping[tuple[str, bytes], DoorKey]
    days: Mapping[date, bytes] = field(repr=False)

    @classmethod
    def of(cls, doors: Iterable[DoorKey], days: Mapping[date, bytes]) -> "IntakeKeys":
        """From rows and keys."""
        return cls({(door.source, door.id): door for door in doors}, dict(days))


def destroyed_on(today: date, days: Iterable[date]) -> tuple[date, ...]:
    """Of these days, those whose key has to be gone `today`."""
    return tuple(day for day in days if day < today - timedelta(days=KEPT_DAYS))


def dump_doors(doors: Iterable[DoorKey]) -> str:
    """The text of the registry: public keys only, in the order given."""
    rows = [
        {
            "source": door.source,
            "id": door.id.hex(),
            "public": base64.b64encode(door.public).decode(),
            "from": canonical.instant(door.valid_from),
            "to": None if door.valid_to is None else canonical.instant(door.valid_to),
        }
        for door in doors
    ]
    return json.dumps({"tierlink_doors": 1, "doors": rows}, indent=1)


def parse_doors(text: str) -> tuple[DoorKey, ...]:
    """The rows of a registry. Raises Unreadable when it is not one, or a row lacks a time zone or is no key."""
    try:
        document = json.loads(text)
        if document["tierlink_doors"] != 1:
            raise ValueError("another version")
        return tuple(_door(row) for row in document["doors"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable("registry of doors", rule="is not a tierlink registry of door keys") from None


def _door(row: Mapping[str, Any]) -> DoorKey:
    public = base64.b64decode(row["public"], validate=True)
    Ed25519PublicKey.from_public_bytes(public)
    return DoorKey(row["source"], public, _moment(row["from"]), _moment(row["to"]) if row["to"] is not None else None)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment.astimezone(UTC)
