"""A sealed body opens with its key at its place, is as long as many others, and cannot fill the memory."""

import json
import random
import tracemalloc
import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidField, Unreadable
from schemas.sealed_body import IDENTITY_PAD_BYTES, PAD_BYTES, SIV_BYTES, open_body, seal_body
from schemas.sealing import seal
from schemas.topics import MESSAGE_BYTES_MAX

KEY, OTHER_KEY = bytes(range(64)), bytes(range(64, 128))
PLACE = b"events.v1/record/e/version"
MIB = 2**20


def deflated(text: bytes, wbits: int = -12) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(text) + packer.flush()


def forged(packed: bytes, *, length: int | None = None, padding: bytes = b"") -> bytes:
    """What a holder of the data key may have sealed."""
    size = len(packed) if length is None else length
    return seal(KEY, size.to_bytes(4, "big") + packed + padding, context=PLACE)


@given(st.binary(max_size=3000), st.sampled_from([1, PAD_BYTES, IDENTITY_PAD_BYTES]))
def test_what_is_sealed_opens_to_the_same_and_twice_gives_equal_bytes(plain: bytes, pad_bytes: int) -> None:
    sealed = seal_body(KEY, plain, context=PLACE, pad_bytes=pad_bytes)
    assert open_body(KEY, sealed, context=PLACE) == plain
    assert seal_body(KEY, plain, context=PLACE, pad_bytes=pad_bytes) == sealed
    assert (len(sealed) - SIV_BYTES) % pad_bytes == 0


@given(st.binary(max_size=600), st.integers(0, 10**6), st.integers(1, 255))
def test_another_key_another_place_or_one_changed_byte_opens_nothing(plain: bytes, at: int, change: int) -> None:
    sealed = seal_body(KEY, plain, context=PLACE)
    changed = bytearray(sealed)
    changed[at % len(sealed)] ^= change
    for key, text, context in (
        (OTHER_KEY, sealed, PLACE),
        (KEY, sealed, PLACE + b"1"),
        (KEY, bytes(changed), PLACE),
        (KEY, sealed[:-1], PLACE),
    ):
        with pytest.raises(Unreadable):
            open_body(key, text, context=context)


def facts(random_of: random.Random) -> bytes:
    """Facts as JSON of 100 to 900 bytes, with ids that nothing compresses."""
    size, found = random_of.randrange(100, 901), b"["
    while len(found) < size:
        found += json.dumps(
            {
                "fact": random_of.choice(["measurement", "attendance", "referral"]),
                "id": random_of.randbytes(16).hex(),
                "on": f"2026-{random_of.randrange(1, 13):02}-{random_of.randrange(1, 29):02}",
                "kg": f"{random_of.uniform(50, 200):.4f}",
            }
        ).encode()
    return found[:size]


@pytest.mark.parametrize("kind", ["facts", "noise"])
def test_nearly_all_bodies_of_100_to_900_bytes_have_one_of_two_sizes(kind: str) -> None:
    """One step or two, whatever they say. Unpadded, hardly two in ten are as long as each other: the control."""
    drawn = random.Random(f"bodies {kind}")
    bodies = [facts(drawn) if kind == "facts" else drawn.randbytes(drawn.randrange(100, 901)) for _ in range(2000)]
    padded = Counter(len(seal_body(KEY, body, context=PLACE)) for body in bodies)
    assert sum(count for _, count in padded.most_common(2)) >= 0.99 * len(bodies)
    assert padded.keys() <= {PAD_BYTES + 16, 2 * PAD_BYTES + 16}
    bare = Counter(len(seal_body(KEY, body, context=PLACE, pad_bytes=1)) for body in bodies)
    assert len(bare) > 100


def test_an_identity_with_and_without_a_number_an_email_or_an_address_has_one_size() -> None:
    """Unpadded, the length says of everybody who has which of them (measured before the decision)."""
    fields = {
        "family": "Okonkwo-Featherstonehaugh", "given": ["Ngozi", "Anne-Marie"], "nhs_number": "9990000018",
        "email": "ngozi.okonkwo@example.org", "addresses": ["1 High Street, Anytown", "Flat 2b, 10 Low Road"],
    }  # fmt: skip
    some = [fields, *({name: value for name, value in fields.items() if name != gone} for gone in fields)]
    sealed = [seal_body(KEY, json.dumps(each).encode(), context=PLACE, pad_bytes=IDENTITY_PAD_BYTES) for each in some]
    assert {len(each) for each in sealed} == {IDENTITY_PAD_BYTES + SIV_BYTES}


# --- limits before work


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    """Eighty megabytes of zeros in eighty thousand bytes, by somebody who holds the data key."""
    packer = zlib.compressobj(wbits=-12)
    bomb = forged(b"".join([packer.compress(bytes(MIB)) for _ in range(80)]) + packer.flush())
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="at most"):
            open_body(KEY, bomb, context=PLACE)
        assert tracemalloc.get_traced_memory()[1] < 3 * MESSAGE_BYTES_MAX
    finally:
        tracemalloc.stop()


def test_a_body_of_the_limit_goes_and_one_byte_more_is_refused_at_both_ends() -> None:
    whole = bytes(MESSAGE_BYTES_MAX)
    assert open_body(KEY, seal_body(KEY, whole, context=PLACE), context=PLACE) == whole
    with pytest.raises(InvalidField):
        seal_body(KEY, whole + b"1", context=PLACE)
    with pytest.raises(Unreadable):
        open_body(KEY, forged(deflated(whole + b"1")), context=PLACE)
    with pytest.raises(Unreadable):
        open_body(KEY, bytes(MESSAGE_BYTES_MAX + 1), context=PLACE)


@pytest.mark.parametrize(
    "sealed",
    [
        forged(b""),
        forged(b"no deflate"),
        forged(deflated(b"cut short")[:-2]),
        forged(deflated(b"one") + deflated(b"and another")),
        forged(deflated(b"a header"), length=2**32 - 1),
        forged(deflated(b"a header"), length=3),
        forged(deflated(b"hidden"), padding=b"\0\0something\0"),
        forged(deflated(b"of another form", wbits=15)),
        seal(KEY, b"", context=PLACE),
        seal(KEY, b"\0\0", context=PLACE),
        b"",
    ],
)
def test_what_is_not_a_length_one_compressed_text_and_zeros_is_unreadable(sealed: bytes) -> None:
    with pytest.raises(Unreadable):
        open_body(KEY, sealed, context=PLACE)
