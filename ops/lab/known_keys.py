"""Keys that are the same in every run, so that equal seeds give equal bytes. Nothing real is ever kept under them."""

import hashlib
from collections.abc import Iterable

from schemas.data_keys import BUCKET_KEY_BYTES, BUCKETS, BucketKeys, Family
from schemas.keyring import SEALING, Keyring, Purpose, key_bytes, recipient_purpose


def known_keys(seed: str, *, recipients: Iterable[str], versions: int = 1) -> Keyring:
    """Every key, each the hash of `seed` and its name; of version 1, and sealing keys of every one up to `versions`."""
    single = [purpose.value for purpose in Purpose if purpose is not Purpose.RECIPIENT]
    names = [*single, *map(recipient_purpose, recipients)]
    at = [(name, version) for name in names for version in range(1, versions + 1 if name in SEALING else 2)]
    return Keyring({(name, version): _known(seed, name, version) for name, version in at})


def known_bucket_keys(seed: str) -> BucketKeys:
    """Every bucket key, of epoch 1."""
    places = [(family, bucket, 1) for family in Family for bucket in range(BUCKETS)]
    return BucketKeys({at: _hashed("{}/{}/{}/{}".format(seed, *at), BUCKET_KEY_BYTES) for at in places})


def _known(seed: str, name: str, version: int) -> bytes:
    return _hashed(f"{seed}/{name}/{version}", key_bytes(name))


def _hashed(text: str, size_bytes: int) -> bytes:
    return hashlib.shake_256(text.encode()).digest(size_bytes)
