"""Data keys: what is stored of a record is sealed under a key of its own, which can be destroyed by itself.

Records fall into 384 buckets. A bucket has random keys, one an epoch; a record's data key follows from the bucket key
of the epoch in which the record came, and from nothing that a message holds. To destroy it, the bucket gets a new
epoch, the other records' data keys are wrapped under that, and the older bucket key goes from every file (decision
0022).

Bucket keys stand outside the broker and outside every backup: a copy of them brings back what was destroyed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import InvalidField, Unreadable
from schemas.keyring import joined, require_strong
from schemas.sealing import seal, unseal
from schemas.topics import PARTITIONS, partition_of

BUCKETS = 32 * PARTITIONS  # so that all records of a bucket are in one partition of `events.v1`
BUCKET_KEY_BYTES = 32
DATA_KEY_BYTES = 64  # AES-256-SIV
EPOCH_MAX = 2**16 - 1


class Family(StrEnum):
    """What a data key is for; each family has bucket keys of its own."""

    BODY = "body"  # what facts say
    TOKENS = "tokens"  # what is linked by
    IDENTITY = "identity"  # the clear identity in the vault


# Who holds the bucket keys of which family. Records opens no body, and holds none.
FAMILIES: Mapping[str, tuple[Family, ...]] = {
    "ingress": (Family.BODY, Family.TOKENS, Family.IDENTITY),
    "linker": (Family.TOKENS,),
    "pathway": (Family.BODY,),
}

BucketPlace = tuple[Family, int, int]  # family, bucket, epoch


class KeyNotHeld(LookupError):
    """An epoch newer than any held: read the keys again, once. Still so after that, the message is at fault."""


def bucket_of(record_id: str) -> int:
    """The bucket of a record, 0 to 383; modulo the partitions it is the record's partition in
    `events.v1`; at intake they are in any.
    """
    return partition_of(record_id, BUCKETS)


@dataclass(frozen=True, slots=True, repr=False)
class BucketKeys:
    """The bucket keys that a zone holds now: of each bucket of its families one epoch or some, without a gap."""

    _keys: Mapping[BucketPlace, bytes]
    _held: Mapping[tuple[Family, int], tuple[int, int]] = field(init=False, compare=False)  # oldest and newest epoch
    _wrapping: dict[BucketPlace, bytes] = field(init=False, compare=False)  # derived once; goes when these keys go

    def __post_init__(self) -> None:
        """Raises InvalidField for a weak key, a bucket without one, and epochs out of range or with a gap."""
        epochs: dict[tuple[Family, int], list[int]] = {}
        for family, bucket, epoch in sorted(self._keys):
            _require_bucket_key(self._keys[family, bucket, epoch], bucket, epoch)
            epochs.setdefault((family, bucket), []).append(epoch)
        if len(epochs) != BUCKETS * len({family for family, _ in epochs}):
            raise InvalidField("bucket keys", rule=f"a family has a key of each of its {BUCKETS} buckets")
        if any(known[-1] - known[0] != len(known) - 1 for known in epochs.values()):
            raise InvalidField("bucket keys", rule="a bucket has every epoch from its oldest to its newest")
        object.__setattr__(self, "_held", {at: (known[0], known[-1]) for at, known in epochs.items()})
        object.__setattr__(self, "_wrapping", {})

    def __repr__(self) -> str:
        return f"BucketKeys({', '.join(f'{family} {count}' for family, count in self.counts().items())})"

    def __iter__(self) -> Iterator[BucketPlace]:
        """Family, bucket and epoch of each key, sorted."""
        return iter(sorted(self._keys))

    def counts(self) -> Mapping[Family, int]:
        """How many keys there are of each family that is held."""
        families = [family for family, _, _ in self._keys]
        return {family: families.count(family) for family in Family if family in families}

    def key(self, place: BucketPlace) -> bytes:
        """The bucket key itself, for who writes key files."""
        return self._keys[place]

    def oldest(self, family: Family, bucket: int) -> int:
        """The lowest epoch that was not destroyed. Raises InvalidField when this zone does not hold the family."""
        return self._range(family, bucket)[0]

    def newest(self, family: Family, bucket: int) -> int:
        """The epoch under which a record that comes now is put. Raises as `oldest`."""
        return self._range(family, bucket)[1]

    def made(self, family: Family, record_id: str, epoch: int) -> bytes:
        """The data key of a record that came in this epoch: 64 bytes, for AES-256-SIV.

        HKDF-SHA-256 (RFC 5869) of the bucket key and the record, so that it is the same when it is made again: what is
        lost between making and keeping it is lost to nobody. Raises KeyNotHeld for an epoch newer than all, LookupError
        for one that was destroyed.
        """
        return _derived(self._bucket_key(family, record_id, epoch), "tierlink data key", family, record_id)

    def wrapped(self, family: Family, record_id: str, data_key: bytes, epoch: int) -> bytes:
        """`data_key` for keeping: AES-SIV under the bucket, bound to family, record and epoch. Raises as `made`.

        It protects the key while the bucket key is secret, and against standing in for another's. Equal keys give equal
        bytes under one epoch. It does not say that the record was ever seen: who holds the bucket key can make one.
        """
        assert len(data_key) == DATA_KEY_BYTES
        self._bucket_key(family, record_id, epoch)
        context = _wrap_context(family, record_id, epoch)
        return seal(self._wrapping_key(family, bucket_of(record_id), epoch), data_key, context=context)

    def opened(self, family: Family, record_id: str, epoch: int, wrapped: bytes) -> bytes | None:
        """The data key, or None when the bucket key of that epoch was destroyed, and with it this wrap for ever.

        Raises KeyNotHeld for an epoch newer than all that are held, Unreadable for what was not wrapped for this place,
        InvalidField when this zone does not hold the family.
        """
        if not 1 <= epoch <= EPOCH_MAX:
            raise Unreadable("wrapped data key", rule=f"has an epoch from 1 to {EPOCH_MAX}")
        bucket = bucket_of(record_id)
        oldest, newest = self._range(family, bucket)
        if epoch < oldest:
            return None
        if epoch > newest:
            raise KeyNotHeld("bucket key of a newer epoch than any held")
        key = unseal(
            self._wrapping_key(family, bucket, epoch), wrapped, context=_wrap_context(family, record_id, epoch)
        )
        if len(key) != DATA_KEY_BYTES:
            raise Unreadable("wrapped data key", rule=f"has {DATA_KEY_BYTES} bytes")
        return key

    def only(self, families: Iterable[Family]) -> "BucketKeys":
        """The keys of these families and no others."""
        wanted = frozenset(families)
        return BucketKeys({place: key for place, key in self._keys.items() if place[0] in wanted})

    def _range(self, family: Family, bucket: int) -> tuple[int, int]:
        try:
            return self._held[family, bucket]
        except KeyError:
            raise InvalidField("bucket keys", rule=f"this zone holds none for {family.value}") from None

    def _bucket_key(self, family: Family, record_id: str, epoch: int) -> bytes:
        bucket = bucket_of(record_id)
        if epoch > self.newest(family, bucket):
            raise KeyNotHeld("bucket key of a newer epoch than any held")
        try:
            return self._keys[family, bucket, epoch]
        except KeyError:
            raise LookupError("the bucket key of that epoch was destroyed") from None

    def _wrapping_key(self, family: Family, bucket: int, epoch: int) -> bytes:
        place = family, bucket, epoch
        if place not in self._wrapping:
            self._wrapping[place] = _derived(self._keys[place], "tierlink wrapping key", family)
        return self._wrapping[place]


NO_BUCKET_KEYS = BucketKeys({})


def _derived(bucket_key: bytes, *parts: str) -> bytes:
    return HKDF(SHA256(), DATA_KEY_BYTES, salt=None, info=joined(parts)).derive(bucket_key)


def _wrap_context(family: Family, record_id: str, epoch: int) -> bytes:
    return joined(("tierlink wrapped data key", family, record_id, str(epoch)))


def _require_bucket_key(key: bytes, bucket: int, epoch: int) -> None:
    require_strong(key)
    if len(key) != BUCKET_KEY_BYTES or not 0 <= bucket < BUCKETS or not 1 <= epoch <= EPOCH_MAX:
        raise InvalidField(
            "bucket key",
            rule=f"has {BUCKET_KEY_BYTES} bytes, a bucket from 0 to {BUCKETS - 1}, an epoch from 1 to {EPOCH_MAX}",
        )
