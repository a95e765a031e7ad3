"""Keys that are the same in every run, so that equal seeds give equal bytes. Nothing real is ever kept under them."""

import hashlib
from collections.abc import Iterable

from schemas.keyring import SEALING, Keyring, Purpose, key_bytes, recipient_purpose


def known_keys(seed: str, *, recipients: Iterable[str], versions: int = 1) -> Keyring:
    """Every key, each the hash of `seed` and its name; of version 1, and sealing keys of every one up to `versions`."""
    single = [purpose.value for purpose in Purpose if purpose is not Purpose.RECIPIENT]
    names = [*single, *map(recipient_purpose, recipients)]
    at = [(name, version) for name in names for version in range(1, versions + 1 if name in SEALING else 2)]
    return Keyring({(name, version): _known(seed, name, version) for name, version in at})


def _known(seed: str, name: str, version: int) -> bytes:
    return hashlib.shake_256(f"{seed}/{name}/{version}".encode()).digest(key_bytes(name))
