"""Encoding: what is equal gives equal tokens, what is missing gives none, and bytes are canonical."""

import hmac
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from linkage.blocks import MAX_BLOCKS, MAX_BLOCKS_WIDE
from linkage.errors import EncodingInvalid, KeyInvalid
from linkage.keys import TokenKeys
from linkage.normalise import Identity, Name, normalise
from linkage.token_format import NUMBER_BYTES, TOKEN_BYTES, EncodedIdentity, plan_of
from linkage.tokens import encode

KEYS = TokenKeys.from_bytes(bytes(range(32)), epoch=1)
ADA = Identity(
    nhs_number="9434765919",
    names=(Name(("Ada", "Mary"), "King-Noel"), Name(("Ada",), "Byron", "maiden")),
    birth_date="1975-12-10",
    sex="female",
    postcodes=("LS1 4AP", "BD1 1AA"),
    houses=("12 High Street", "3 Low Lane"),
    phones=("07700 900123",),
    emails=("ada@mail.uk",),
    cities=("Leeds", "Bradford"),
    former_numbers=("9434765870",),
)


def test_the_same_identity_and_key_give_the_same_bytes_however_it_is_spelt() -> None:
    spelt = replace(ADA, names=(Name(("ADA", "mary"), "king noel"), Name(("áda",), "BYRON", "maiden")))
    assert encode(normalise(spelt), keys=KEYS).to_bytes() == encode(normalise(ADA), keys=KEYS).to_bytes()


def test_another_key_or_another_epoch_shares_no_token() -> None:
    other_key = TokenKeys.from_bytes(bytes(32), epoch=1)
    other_epoch = TokenKeys.from_bytes(bytes(range(32)), epoch=2)
    first, *others = (encode(normalise(ADA), keys=keys) for keys in (KEYS, other_key, other_epoch))
    for other in others:
        assert other.nhs != first.nhs
        assert first.by_token.keys().isdisjoint(other.by_token)


def test_an_identity_without_anything_to_compare_is_not_usable() -> None:
    assert not encode(normalise(Identity(None)), keys=KEYS).usable
    assert not encode(normalise(Identity(None, names=(Name(("Ada",), "King"),))), keys=KEYS).usable
    assert not encode(normalise(Identity(None, birth_date="1975-12-10", sex="female")), keys=KEYS).usable
    assert encode(normalise(Identity("9434765919")), keys=KEYS).usable


def test_an_invalid_number_gives_no_number_token_and_no_block() -> None:
    encoded = encode(normalise(Identity(None, nhs_number_claimed="9434765918")), keys=KEYS)
    assert encoded.nhs is None
    assert not encoded.usable


def test_a_year_of_birth_alone_is_not_usable_and_beside_a_postcode_it_is_compared() -> None:
    year = Identity(None, names=(Name(("Ada",), "King"),), birth_date="1975")
    assert not encode(normalise(year), keys=KEYS).usable
    assert encode(normalise(replace(year, postcodes=("LS1 4AP",))), keys=KEYS).usable


def test_a_superseded_number_is_a_token_in_the_head_and_a_block() -> None:
    now, before = encode(normalise(ADA), keys=KEYS), encode(normalise(Identity("9434765870")), keys=KEYS)
    assert now.former == (before.nhs,)
    assert before.by_token.keys() <= now.by_token.keys()


def test_a_token_is_the_hmac_that_rfc_2104_defines() -> None:
    """The keyed states are kept for speed; the answer is that of the standard library."""
    key = HKDFExpand(SHA256(), 32, b"linkage/2/1/number").derive(bytes(range(32)))
    assert KEYS.mac("number", "9434765919") == hmac.digest(key, b"9434765919", "sha256")
    assert encode(normalise(ADA), keys=KEYS).nhs == hmac.digest(key, b"9434765919", "sha256")[:NUMBER_BYTES]
    block = HKDFExpand(SHA256(), 32, b"linkage/2/1/block").derive(bytes(range(32)))
    token = hmac.digest(block, b"nhs/9434765919", "sha512")[:TOKEN_BYTES]
    assert encode(normalise(ADA), keys=KEYS).salted(token)


def test_what_is_remembered_of_values_met_changes_no_token() -> None:
    fresh = TokenKeys.from_bytes(bytes(range(32)), epoch=1)
    once, again = encode(normalise(ADA), keys=fresh), encode(normalise(ADA), keys=fresh)
    assert once == again == encode(normalise(ADA), keys=KEYS)


def test_a_usual_record_takes_two_and_a_half_kilobytes() -> None:
    usual = replace(ADA, names=ADA.names[1:], postcodes=("LS1 4AP",), houses=("12 High Street",), cities=("Leeds",))
    encoded = encode(normalise(replace(usual, former_numbers=(), emails=())), keys=KEYS)
    assert len(encoded.tokens) <= 13
    assert len(encoded.to_bytes()) <= 2_800


def test_bytes_and_back_is_the_same_identity() -> None:
    for identity in (
        ADA,
        Identity(None),
        Identity("9434765919"),
        Identity(None, nhs_number_claimed="9434765918", former_numbers=("9434765870",)),
        replace(ADA, birth_date="1975"),
        replace(ADA, birth_date="1975-12", sex=None, names=()),
    ):
        encoded = encode(normalise(identity), keys=KEYS)
        assert EncodedIdentity.from_bytes(encoded.to_bytes()) == encoded


@pytest.mark.parametrize(
    "harm", ["empty", "short", "long", "version", "layout", "layout order", "twice", "frequency", "order"]
)
def test_bytes_that_are_not_canonical_are_refused_without_being_quoted(harm: str) -> None:
    good = encode(normalise(ADA), keys=KEYS)
    whole = good.to_bytes()
    swapped = EncodedIdentity.of(
        good.epoch, good.nhs, good.layout, good.blocks[::-1], former=good.former, near=good.near
    )
    bad = {
        "empty": b"",
        "short": whole[:-1],
        "long": whole + b"\0",
        "version": b"\x09" + whole[1:],
        "layout": whole.replace(good.layout, b"?" * len(good.layout), 1),
        "layout order": whole.replace(good.layout, good.layout[::-1], 1),
        "twice": whole.replace(good.layout, b"\x0a" * len(good.layout), 1),
        "frequency": whole.replace(good.layout, bytes(item | 0x40 for item in good.layout), 1),
        "order": swapped.to_bytes(),
    }[harm]
    with pytest.raises(EncodingInvalid) as refused:
        EncodedIdentity.from_bytes(bad)
    assert refused.value.rule in str(refused.value)


def test_a_key_is_at_least_256_bits_and_an_epoch_fits_32() -> None:
    with pytest.raises(KeyInvalid):
        TokenKeys.from_bytes(bytes(31), epoch=1)
    with pytest.raises(KeyInvalid):
        TokenKeys.from_bytes(bytes(32), epoch=2**32)


def test_a_hostile_identity_has_a_bounded_encoding() -> None:
    many = tuple(Name((f"Given{chr(65 + i)}x" * 9999, "Other"), f"Fam{chr(65 + i)}" * 9999) for i in range(20))
    encoded = encode(
        normalise(replace(ADA, names=many, postcodes=("LS1 4AP",) * 50, phones=("07700 900123",) * 50)),
        keys=KEYS,
    )
    assert len(encoded.blocks) <= MAX_BLOCKS
    assert len(encoded.to_bytes()) < 60_000
    assert len(encode(normalise(replace(ADA, names=many)), keys=KEYS, wide=True).blocks) <= MAX_BLOCKS_WIDE


def test_a_block_it_does_not_stand_in_is_a_key_error_even_where_its_bytes_stand_elsewhere() -> None:
    encoded = encode(normalise(ADA), keys=KEYS)
    step = plan_of(encoded.layout).step
    for token in (bytes(8), b"", encoded.packed[:7], encoded.packed[1:9], encoded.packed[step - 8 : step]):
        with pytest.raises(KeyError):
            encoded.salted(token)
    assert [encoded.salted(token) for token in encoded.tokens] == list(encoded.by_token.values())
