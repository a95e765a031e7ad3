"""The file of a zone's bucket keys: one line a key, each wrapped singly as in `key_file`.

    {"tierlink_bucket_keys": 1, "zone": "pathway", "keys": [
    ["body", 0, 1, "<base64>"],
    ...
    ]}

The four are family, bucket, epoch, and what is wrapped: bound to zone, family, bucket and epoch.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from schemas.data_keys import BUCKETS, FAMILIES, BucketKeys, BucketPlace, Family
from schemas.errors import InvalidField, Unreadable
from schemas.key_file import unwrap_key, wrap_key
from schemas.keyring import joined

FORMAT = 1
KEYS_MAX = 100 * BUCKETS * len(Family)


@dataclass(frozen=True, slots=True)
class BucketKeyFile:
    """The file as it stands on disk; no key in it is open."""

    zone: str
    wrapped: Mapping[BucketPlace, bytes] = field(default_factory=dict, repr=False)

    def text(self) -> str:
        """The file, in the order of families, buckets and epochs."""
        lines = ",\n".join(
            json.dumps([*place, base64.b64encode(wrapped).decode()]) for place, wrapped in sorted(self.wrapped.items())
        )
        return f'{{"tierlink_bucket_keys": {FORMAT}, "zone": {json.dumps(self.zone)}, "keys": [\n{lines}\n]}}\n'

    @classmethod
    def parse(cls, text: str) -> "BucketKeyFile":
        """The file that `text` is. Raises Unreadable when it is none, InvalidField naming the line at fault."""
        try:
            document = json.loads(text)
            form, zone, listed = document["tierlink_bucket_keys"], str(document["zone"]), list(document["keys"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Unreadable("bucket key file", rule="is not a tierlink file of bucket keys") from None
        if form != FORMAT or len(listed) > KEYS_MAX or zone not in FAMILIES:
            raise Unreadable("bucket key file", rule=f"is of format {FORMAT}, a zone, and at most {KEYS_MAX} keys")
        wrapped = dict(_entry(f"bucket key[{line}]", entry, zone) for line, entry in enumerate(listed))
        if len(wrapped) < len(listed):
            raise InvalidField("bucket key file", rule="names one key twice")
        return cls(zone, wrapped)

    def with_keys(
        self, keys: Mapping[BucketPlace, bytes], *, wrapping: bytes, nonce: Callable[[], bytes]
    ) -> "BucketKeyFile":
        """This file and these keys, wrapped for it. `nonce`: 12 random bytes at each call."""
        added = {
            at: wrap_key(key, wrapping=wrapping, nonce=nonce(), bound=_bound(self.zone, at)) for at, key in keys.items()
        }
        return replace(self, wrapped={**self.wrapped, **added})

    def without(self, places: Iterable[BucketPlace]) -> "BucketKeyFile":
        """This file less these keys."""
        gone = frozenset(places)
        return replace(self, wrapped={at: wrapped for at, wrapped in self.wrapped.items() if at not in gone})

    def opened(self, wrapping: bytes) -> BucketKeys:
        """Every key. Raises InvalidField naming the one that does not open, and as BucketKeys."""
        keys = BucketKeys(
            {at: unwrap_key(sealed, _name(at), wrapping, _bound(self.zone, at)) for at, sealed in self.wrapped.items()}
        )
        if set(keys.counts()) != set(FAMILIES[self.zone]):
            raise InvalidField("bucket key file", rule="lacks a family of its zone")
        return keys


def _entry(line: str, entry: object, zone: str) -> tuple[BucketPlace, bytes]:
    match entry:
        case [str(family), int(bucket), int(epoch), str(wrapped)] if family in FAMILIES[zone]:
            with suppress(ValueError):
                return (Family(family), bucket, epoch), base64.b64decode(wrapped, validate=True)
    raise InvalidField(line, rule="is a family of the zone, a bucket, an epoch, and base64")


def _name(place: BucketPlace) -> str:
    return "bucket key {} {} {}".format(*place)


def _bound(zone: str, place: BucketPlace) -> bytes:
    return joined(("tierlink bucket key", zone, *map(str, place)))
