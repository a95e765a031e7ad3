"""Key files: made once, one per zone, each with only what its zone may hold."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from ops.errors import SettingsError
from schemas.keyring import ZONES, Keyring, derive

OPERATIONS_ZONE = "operations"  # every key: for `ledger`, `compare`, evaluation; not on any worker's machine


def make_keys(directory: Path, *, recipients: Iterable[str], version: int = 1) -> None:
    """Key files of every zone under `directory`, mode 0400, derived from a fresh random root that is not kept.

    Raises SettingsError when key files exist: keys are never overwritten, because what was published depends on them.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(directory.glob("*.json")):
        raise SettingsError(f"{directory} holds key files already; nothing was changed")
    ring = derive(secrets.token_bytes(32), version=version, recipients=recipients)
    for zone in ZONES:
        _write(directory / f"{zone}.json", ring.zone(zone))
    _write(directory / f"{OPERATIONS_ZONE}.json", ring)


def _write(path: Path, keys: Keyring) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(keys.dump())
