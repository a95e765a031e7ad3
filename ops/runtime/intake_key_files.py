"""The files of the keys between doors and ingress, below an engine's `keys`; how they are made stands in `ops.admin`.

doors.json                  the registry: public keys of doors, by source, with their validity      ingress
doors/<source>.key          the signing key that a source's door uses now, mode 0400                that door
intake/<day>.public         what doors seal to on that day                                          doors
intake/<day>.private        ingress's part of it, mode 0400; gone after day 15                      ingress
"""

import base64
from datetime import UTC, date, datetime
from pathlib import Path

from schemas.errors import Unreadable
from schemas.intake_keys import DoorKey, DoorSeal, IntakeKeys, parse_doors


class IntakeKeyFiles:
    """The paths below one directory of keys, and what stands in them."""

    def __init__(self, keys: Path) -> None:
        self.registry = keys / "doors.json"
        self.doors = keys / "doors"
        self.days = keys / "intake"

    def signing(self, source: str) -> Path:
        """Where the signing key of a source's door is."""
        return self.doors / f"{source}.key"

    def private(self, day: date) -> Path:
        """Where ingress's key of one day is."""
        return self.days / f"{day.isoformat()}.private"

    def public(self, day: date) -> Path:
        """Where the public part of it is."""
        return self.days / f"{day.isoformat()}.public"

    def held_days(self) -> tuple[date, ...]:
        """The days of which there is a private key, in order."""
        return tuple(sorted(date.fromisoformat(path.stem) for path in self.days.glob("*.private")))

    def seal_of(self, source: str, now: datetime) -> DoorSeal:
        """What the door of `source` seals with at `now`. Raises Unreadable when one of the two keys is not there."""
        day = now.astimezone(UTC).date()
        return DoorSeal(_key(self.signing(source), "key of the door"), day, _key(self.public(day), "key of today"))

    def registered(self) -> tuple[DoorKey, ...]:
        """The rows of the registry; none where there is no file. Raises Unreadable."""
        return parse_doors(self.registry.read_text()) if self.registry.exists() else ()

    def intake_keys(self) -> IntakeKeys:
        """What ingress holds now. Raises Unreadable."""
        days = {day: _key(self.private(day), "key of a day") for day in self.held_days()}
        return IntakeKeys.of(self.registered(), days)


class CurrentIntakeKeys:
    """The same value as long as no file changes. It looks each time: a door may use a new key at once."""

    def __init__(self, files: IntakeKeyFiles) -> None:
        """Reads them. Raises Unreadable."""
        self._files = files
        self._seen = self._stamp()
        self._keys = files.intake_keys()

    def __call__(self) -> IntakeKeys:
        """The keys now. Raises Unreadable: then the worker ends, without a commit."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._keys, self._seen = self._files.intake_keys(), stamp
        return self._keys

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        return _changed(self._files.registry), _changed(self._files.days)


def _changed(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def _key(path: Path, what: str) -> bytes:
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except (OSError, ValueError):
        raise Unreadable(
            what, rule="is not there, or no key file: run `tierlink keys turn` or `tierlink keys door`"
        ) from None
    if len(key) != 32:
        raise Unreadable(what, rule="has not 32 bytes")
    return key
