"""A record's data key goes with its bucket's old key, and nobody else's does; a wrap opens at its own place only."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from functools import partial

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from ops.lab.known_keys import known_bucket_keys
from schemas.data_keys import (
    BUCKETS,
    EPOCH_MAX,
    FAMILIES,
    BucketKeys,
    BucketPlace,
    Family,
    KeyNotHeld,
    bucket_of,
)
from schemas.errors import InvalidField, Unreadable
from schemas.sealed_body import open_body, seal_body
from schemas.topics import PARTITIONS, partition_of

KEYS = known_bucket_keys("data keys")
NAMES = [hashlib.sha256(b"%d" % number).hexdigest()[:32] for number in range(3000)]
RECORD = NAMES[0]
BUCKET = bucket_of(RECORD)
NEIGHBOURS = [name for name in NAMES[1:] if bucket_of(name) == BUCKET]
record_ids = st.text("0123456789abcdef", min_size=32, max_size=32)
families = st.sampled_from(Family)


def plain(keys: BucketKeys) -> dict[BucketPlace, bytes]:
    return {place: keys.key(place) for place in keys}


def turned(keys: BucketKeys, bucket: int = BUCKET) -> BucketKeys:
    """A new epoch of one bucket in every family."""
    new = {(family, bucket, keys.newest(family, bucket) + 1): secrets.token_bytes(32) for family in keys.counts()}
    return BucketKeys(plain(keys) | new)


def destroyed(keys: BucketKeys, below: int, bucket: int = BUCKET) -> BucketKeys:
    """Without the lower epochs of one bucket."""
    return BucketKeys({at: key for at, key in plain(keys).items() if at[1] != bucket or at[2] >= below})


def wraps(keys: BucketKeys, records: Iterable[str], epoch: int) -> dict[str, bytes]:
    """What is kept of these records: their data key of epoch 1, wrapped under `epoch`."""
    return {r: keys.wrapped(Family.BODY, r, KEYS.made(Family.BODY, r, 1), epoch) for r in records}


@given(record_ids)
def test_all_records_of_a_bucket_are_in_one_partition(record_id: str) -> None:
    assert 0 <= bucket_of(record_id) < BUCKETS == 384
    assert bucket_of(record_id) % PARTITIONS == partition_of(record_id)


def test_records_fall_into_all_buckets_alike() -> None:
    """3,000 in 384: 7.8 each; more than 25 or an empty one of the first 3,000 hashes has a chance below 1 in 1,000."""
    counts = [sum(bucket_of(name) == bucket for name in NAMES) for bucket in range(0, BUCKETS, 16)]
    assert 0 < min(counts) <= max(counts) <= 25


# --- what is destroyed and what is not


def test_disks_of_before_and_keys_of_after_open_nothing_of_the_record_and_everything_of_its_neighbours() -> None:
    """Foundations 4. Erasing: turn, wrap the others again, destroy. A thief kept every message and every wrap."""
    assert len(NEIGHBOURS) > 3
    everybody = [RECORD, *NEIGHBOURS]
    bodies = {r: seal_body(KEYS.made(Family.BODY, r, 1), r.encode(), context=b"place") for r in everybody}
    old_wraps = wraps(KEYS, everybody, 1)
    between = turned(KEYS)
    new_wraps = wraps(between, NEIGHBOURS, 2)
    after = destroyed(between, 2)

    for neighbour in NEIGHBOURS:
        key = after.opened(Family.BODY, neighbour, 2, new_wraps[neighbour])
        assert key == KEYS.made(Family.BODY, neighbour, 1)
        assert open_body(key, bodies[neighbour], context=b"place") == neighbour.encode()

    assert after.opened(Family.BODY, RECORD, 1, old_wraps[RECORD]) is None
    with pytest.raises(LookupError):
        after.made(Family.BODY, RECORD, 1)
    for wrap in (*old_wraps.values(), *new_wraps.values()):
        with pytest.raises(Unreadable):
            after.opened(Family.BODY, RECORD, 2, wrap)
    for family in Family:
        for record in everybody:
            with pytest.raises(Unreadable):
                open_body(after.made(family, record, 2), bodies[RECORD], context=b"place")


def test_a_record_that_comes_back_after_it_was_destroyed_has_another_key() -> None:
    assert destroyed(turned(KEYS), 2).made(Family.BODY, RECORD, 2) != KEYS.made(Family.BODY, RECORD, 1)


def test_a_turn_and_a_destruction_leave_every_other_bucket_alone() -> None:
    others = [name for name in NAMES[:200] if bucket_of(name) != BUCKET]
    after = destroyed(turned(KEYS), 2)
    for record, wrap in wraps(KEYS, others, 1).items():
        assert after.opened(Family.BODY, record, 1, wrap) == KEYS.made(Family.BODY, record, 1)


def test_a_data_key_lost_in_a_crash_is_made_again_the_same() -> None:
    again = BucketKeys(plain(KEYS))
    for family in Family:
        assert again.made(family, RECORD, 1) == KEYS.made(family, RECORD, 1)
        key = KEYS.made(family, RECORD, 1)
        assert again.wrapped(family, RECORD, key, 1) == KEYS.wrapped(family, RECORD, key, 1)


# --- keys have nothing in common


@given(families, families, record_ids, record_ids, st.integers(1, 2), st.integers(1, 2))
def test_a_wrap_opens_for_its_family_its_record_and_its_epoch_only(
    family: Family, other: Family, record: str, another: str, epoch: int, else_epoch: int
) -> None:
    keys = TWO_EPOCHS
    key = keys.made(family, record, 1)
    wrap = keys.wrapped(family, record, key, epoch)
    if (family, record, epoch) == (other, another, else_epoch):
        assert keys.opened(other, another, else_epoch, wrap) == key
    else:
        with pytest.raises(Unreadable):
            keys.opened(other, another, else_epoch, wrap)


TWO_EPOCHS = BucketKeys(
    plain(KEYS) | {(family, bucket, 2): key for (family, bucket, _), key in plain(known_bucket_keys("two")).items()}
)


@pytest.mark.parametrize("another", NEIGHBOURS[:3])
@pytest.mark.parametrize("epoch", [1, 2])
def test_another_record_of_the_same_bucket_opens_no_wrap(another: str, epoch: int) -> None:
    wrap = TWO_EPOCHS.wrapped(Family.BODY, RECORD, TWO_EPOCHS.made(Family.BODY, RECORD, 1), epoch)
    with pytest.raises(Unreadable):
        TWO_EPOCHS.opened(Family.BODY, another, epoch, wrap)


def test_no_two_records_families_or_epochs_of_a_bucket_share_a_half_of_a_data_key() -> None:
    """AES-256-SIV takes two keys of 32 bytes: neither may serve twice."""
    halves = [
        TWO_EPOCHS.made(family, record, epoch)[half : half + 32]
        for family in Family
        for record in (RECORD, *NEIGHBOURS)
        for epoch in (1, 2)
        for half in (0, 32)
    ]
    assert len(set(halves)) == len(halves)


def prefixed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 by hand, 64 bytes: no salt is 32 zeros."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    first = hmac.digest(extracted, info + b"\1", "sha256")
    return first + hmac.digest(extracted, first + info + b"\2", "sha256")


def test_a_data_key_and_its_wrap_are_hkdf_and_aes_siv_by_another_hand() -> None:
    bucket_key, record = KEYS.key((Family.TOKENS, BUCKET, 1)), RECORD.encode()
    data_key = hkdf(bucket_key, prefixed(b"tierlink data key", b"tokens", record))
    assert KEYS.made(Family.TOKENS, RECORD, 1) == data_key
    wrapping = hkdf(bucket_key, prefixed(b"tierlink wrapping key", b"tokens"))
    context = prefixed(b"tierlink wrapped data key", b"tokens", record, b"1")
    sealed = AESSIV(wrapping).encrypt(data_key, [context, b"1"])
    assert KEYS.wrapped(Family.TOKENS, RECORD, data_key, 1) == sealed


# --- what is not held


def test_an_epoch_newer_than_all_asks_for_the_keys_to_be_read_again() -> None:
    newer = turned(KEYS)
    wrap = newer.wrapped(Family.BODY, RECORD, newer.made(Family.BODY, RECORD, 2), 2)
    with pytest.raises(KeyNotHeld):
        KEYS.opened(Family.BODY, RECORD, 2, wrap)
    with pytest.raises(KeyNotHeld):
        KEYS.made(Family.BODY, RECORD, 2)
    with pytest.raises(KeyNotHeld):
        KEYS.wrapped(Family.BODY, RECORD, bytes(64), 2)


def test_a_destroyed_epoch_is_not_one_to_read_the_keys_again_for() -> None:
    after = destroyed(turned(KEYS), 2)
    made, wrapped = after.made, partial(after.wrapped, data_key=bytes(64))
    for refused in (made, wrapped):
        with pytest.raises(LookupError) as raised:
            refused(Family.BODY, RECORD, epoch=1)
        assert not isinstance(raised.value, KeyNotHeld)


@pytest.mark.parametrize("epoch", [0, -1, EPOCH_MAX + 1, 10**18])
def test_an_epoch_that_cannot_be_is_unreadable_and_destroys_nothing(epoch: int) -> None:
    """None would say that the record was erased: a forged epoch 0 must not."""
    with pytest.raises(Unreadable):
        KEYS.opened(Family.BODY, RECORD, epoch, bytes(80))


@given(st.binary(max_size=100))
def test_garbage_for_a_wrap_is_unreadable(garbage: bytes) -> None:
    with pytest.raises(Unreadable):
        KEYS.opened(Family.BODY, RECORD, 1, garbage)


@pytest.mark.parametrize("zone", FAMILIES)
def test_a_zone_holds_its_families_and_says_of_another_that_it_does_not(zone: str) -> None:
    held = KEYS.only(FAMILIES[zone])
    wrap = {family: KEYS.wrapped(family, RECORD, KEYS.made(family, RECORD, 1), 1) for family in Family}
    for family in Family:
        if family in FAMILIES[zone]:
            assert held.opened(family, RECORD, 1, wrap[family]) == KEYS.made(family, RECORD, 1)
        else:
            with pytest.raises(InvalidField, match=f"holds none for {family.value}"):
                held.opened(family, RECORD, 1, wrap[family])


def test_clear_identities_are_opened_at_ingress_alone() -> None:
    assert [zone for zone, held in FAMILIES.items() if Family.IDENTITY in held] == ["ingress"]
    assert "records" not in FAMILIES


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({(Family.BODY, 5, 3): b"3" * 31 + b"4"}, "not random"),
        ({(Family.BODY, 5, 3): bytes(range(32))}, "every epoch"),
        ({(Family.BODY, 5, 0): bytes(range(32))}, "from 1 to"),
        ({(Family.BODY, 5, EPOCH_MAX + 1): bytes(range(32))}, "from 1 to"),
        ({(Family.BODY, BUCKETS, 1): bytes(range(32))}, "from 0 to"),
        ({(Family.BODY, -1, 1): bytes(range(32))}, "from 0 to"),
        ({(Family.BODY, 5, 2): bytes(range(64))}, "32 bytes"),
    ],
)
def test_bucket_keys_with_a_gap_out_of_range_or_weak_are_refused(change: dict[BucketPlace, bytes], rule: str) -> None:
    with pytest.raises(InvalidField, match=rule):
        BucketKeys(plain(KEYS) | change)


def test_a_bucket_without_a_key_is_refused() -> None:
    """Else a lost line of a file would look like a bucket whose keys were destroyed."""
    with pytest.raises(InvalidField, match="each of its 384 buckets"):
        BucketKeys({place: key for place, key in plain(KEYS).items() if place != (Family.TOKENS, 7, 1)})


def test_neither_a_repr_nor_an_error_shows_a_key_or_a_record() -> None:
    shown = repr(KEYS)
    assert shown == "BucketKeys(body 384, tokens 384, identity 384)"
    with pytest.raises(Unreadable) as refused:
        KEYS.opened(Family.BODY, RECORD, 1, bytes(80))
    with pytest.raises(KeyNotHeld) as newer:
        KEYS.made(Family.BODY, RECORD, 9)
    for text in (str(refused.value), repr(refused.value), str(newer.value), repr(newer.value)):
        assert RECORD not in text
