"""The files of bucket keys, below an engine's `keys`; how they are made and destroyed: `ops.admin.bucket_keys`.

    keys/buckets/<zone>.json     the bucket keys of ingress, linker and pathway, each wrapped with the key of its zone

Belongs in no backup: a copy brings back what was destroyed.
"""

from pathlib import Path

from ops.errors import SettingsError
from ops.runtime.key_files import read_wrapping, said_of
from schemas.bucket_key_file import BucketKeyFile
from schemas.data_keys import BucketKeys

WHAT = "bucket keys"


def bucket_key_path(keys: Path, zone: str) -> Path:
    """Where the bucket keys of a zone stand."""
    return keys / "buckets" / f"{zone}.json"


def read_bucket_key_file(keys: Path, zone: str) -> BucketKeyFile:
    """The file of one zone, its keys wrapped. Raises SettingsError saying what is wrong, never what is in it."""
    path = bucket_key_path(keys, zone)
    file = said_of(WHAT, zone, lambda: BucketKeyFile.parse(path.read_text(encoding="ascii")))
    if file.zone != zone:
        raise SettingsError(f"bucket keys of zone {zone}: are those of another zone")
    return file


def read_bucket_keys(keys: Path, zone: str) -> BucketKeys:
    """The bucket keys of one zone. Raises SettingsError as `read_bucket_key_file`."""
    file, wrapping = read_bucket_key_file(keys, zone), read_wrapping(keys, zone)
    return said_of(WHAT, zone, lambda: file.opened(wrapping))


class CurrentBucketKeys:
    """The same value as long as the file does not change. It looks each time: a destroyed key counts at once."""

    def __init__(self, keys: Path, zone: str) -> None:
        """Reads them. Raises SettingsError."""
        self._directory, self._zone = keys, zone
        self._path = bucket_key_path(keys, zone)
        self._seen = self._stamp()
        self._keys = read_bucket_keys(keys, zone)

    def __call__(self) -> BucketKeys:
        """The keys now. Raises SettingsError: then the worker ends, without a commit."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._keys, self._seen = read_bucket_keys(self._directory, self._zone), stamp
        return self._keys

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns
