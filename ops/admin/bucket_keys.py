"""Making, turning and destroying bucket keys; files as `ops.runtime.bucket_key_files` has them.

Ingress holds every family and is the answer; a reader is ahead of it only while a turn is under way. Each command first
brings the readers up to it, so one that was killed is finished by the next. An old file is destroyed whatever the
change: each holds all older keys.
"""

import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ops.admin.whole_files import destroy_remnant, locked, replace_and_destroy
from ops.errors import SettingsError
from ops.runtime.bucket_key_files import bucket_key_path, read_bucket_key_file, read_bucket_keys
from ops.runtime.key_files import read_wrapping
from schemas.bucket_key_file import BucketKeyFile
from schemas.data_keys import BUCKET_KEY_BYTES, BUCKETS, FAMILIES, BucketKeys, BucketPlace, Family
from schemas.key_file import NONCE_BYTES

OWNER = "ingress"
_READERS = tuple(zone for zone in FAMILIES if zone != OWNER)
_nonce = partial(secrets.token_bytes, NONCE_BYTES)


def fresh_bucket_keys() -> BucketKeys:
    """A random key of epoch 1 for every bucket of every family."""
    return BucketKeys({(family, bucket, 1): _random() for family in Family for bucket in range(BUCKETS)})


def make(directory: Path, keys: BucketKeys | None = None) -> int:
    """Every zone has its file, of `keys` or of random ones; how many keys were made. What there is stays.

    Raises SettingsError when ingress's file is not there and another is: with new keys, nothing of before would open.
    """
    with locked(directory):
        held = [zone for zone in FAMILIES if bucket_key_path(directory, zone).exists()]
        if held and OWNER not in held:
            raise SettingsError("the bucket keys of ingress are gone, and others are there; nothing was changed")
        new = None if held else keys or fresh_bucket_keys()
        if new:
            bucket_key_path(directory, OWNER).parent.mkdir(mode=0o700, exist_ok=True)
            _add(directory, OWNER, {place: new.key(place) for place in new})
        _level(directory)
        return len(list(new)) if new else 0


def turn(directory: Path, bucket: int) -> int:
    """The bucket has a new epoch in each of its families, in readers' files first; which one it is.

    Repeated after a kill it ends with the same epoch as long as ingress had not got it, else with one more.
    Raises SettingsError without key files, or for a bucket that there is not.
    """
    with locked(directory):
        everything = _level(directory)
        epoch = everything.newest(Family.BODY, _known(bucket)) + 1
        keys = {(family, bucket, epoch): _random() for family in Family}
        for reader in _READERS:  # of a turn that was killed, what a reader got is what the bucket gets
            held = read_bucket_keys(directory, reader)
            keys.update({place: held.key(place) for place in set(held) & set(keys)})
        for zone in (*_READERS, OWNER):
            _add(directory, zone, {place: key for place, key in keys.items() if place[0] in FAMILIES[zone]})
        return epoch


def destroy(directory: Path, bucket: int, below: int) -> int:
    """No file holds a key of this bucket of an epoch lower than `below`; how many ingress had.

    Ingress first: what it lacks, the next command takes from the others. The old files are overwritten and unlinked.
    That reaches the blocks of a disk that writes in place. An SSD writes elsewhere and keeps the old blocks until it
    erases them; so do copy-on-write file systems, snapshots and backups. What they keep is wrapped: it opens as long as
    the zone's wrapping key lives. For certainty, let a key service hold that and give it up for another. A worker
    forgets at the next message it takes; what it has in memory then is not overwritten. Raises SettingsError when
    `below` is higher than the newest epoch, and as `turn`.
    """
    with locked(directory):
        if below > _level(directory).newest(Family.BODY, _known(bucket)):
            raise SettingsError("the bucket has no such epoch yet: turn it first; nothing was changed")
        file = read_bucket_key_file(directory, OWNER)
        gone = [place for place in file.wrapped if place[1] == bucket and place[2] < below]
        if gone:
            _write(directory, file.without(gone))
            _level(directory)
        return len(gone)


def _level(directory: Path) -> BucketKeys:
    """The keys of ingress, which each reader has of its families; an epoch above them stays in a reader, for `turn`."""
    everything = read_bucket_keys(directory, OWNER)
    destroy_remnant(bucket_key_path(directory, OWNER))
    for zone in _READERS:
        path = bucket_key_path(directory, zone)
        if path.exists():
            destroy_remnant(path)
            file = read_bucket_key_file(directory, zone)
            gone = [(family, b, e) for family, b, e in file.wrapped if e < everything.oldest(family, b)]
            if gone:
                _write(directory, file.without(gone))
        _add(directory, zone, {place: everything.key(place) for place in everything if place[0] in FAMILIES[zone]})
    return everything


def _add(directory: Path, zone: str, keys: Mapping[BucketPlace, bytes]) -> None:
    path = bucket_key_path(directory, zone)
    file = read_bucket_key_file(directory, zone) if path.exists() else BucketKeyFile(zone)
    changed = file.with_keys(
        {place: key for place, key in keys.items() if place not in file.wrapped},
        wrapping=read_wrapping(directory, zone),
        nonce=_nonce,
    )
    if changed != file:
        _write(directory, changed)


def _write(directory: Path, file: BucketKeyFile) -> None:
    replace_and_destroy(bucket_key_path(directory, file.zone), file.text())


def _known(bucket: int) -> int:
    if not 0 <= bucket < BUCKETS:
        raise SettingsError(f"a bucket has a number from 0 to {BUCKETS - 1}")
    return bucket


def _random() -> bytes:
    return secrets.token_bytes(BUCKET_KEY_BYTES)
