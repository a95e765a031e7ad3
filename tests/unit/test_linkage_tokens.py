"""Encoding: what is equal gives equal tokens, what is missing gives none, and bytes are canonical."""

from dataclasses import replace

import pytest

from linkage.errors import EncodingInvalid, KeyInvalid
from linkage.normalise import Identity, Name
from linkage.tokens import MAX_BLOCKS, EncodedIdentity, TokenKeys, encode

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
)


def test_the_same_identity_and_key_give_the_same_bytes_however_it_is_spelt() -> None:
    spelt = replace(ADA, names=(Name(("ADA", "mary"), "king noel"), Name(("áda",), "BYRON", "maiden")))
    assert encode(spelt, keys=KEYS).to_bytes() == encode(ADA, keys=KEYS).to_bytes()


def test_another_key_or_another_epoch_shares_no_token() -> None:
    other_key = TokenKeys.from_bytes(bytes(32), epoch=1)
    other_epoch = TokenKeys.from_bytes(bytes(range(32)), epoch=2)
    first, *others = (encode(ADA, keys=keys) for keys in (KEYS, other_key, other_epoch))
    for other in others:
        assert other.nhs != first.nhs
        assert first.by_token.keys().isdisjoint(other.by_token)


def test_an_identity_without_anything_to_compare_is_not_usable() -> None:
    assert not encode(Identity(None), keys=KEYS).usable
    assert not encode(Identity(None, names=(Name(("Ada",), "King"),)), keys=KEYS).usable
    assert not encode(Identity(None, birth_date="1975-12-10", sex="female"), keys=KEYS).usable
    assert encode(Identity("9434765919"), keys=KEYS).usable


def test_an_invalid_number_gives_no_number_token_and_no_block() -> None:
    encoded = encode(Identity(None, nhs_number_claimed="9434765918"), keys=KEYS)
    assert encoded.nhs is None
    assert not encoded.usable


def test_bytes_and_back_is_the_same_identity() -> None:
    for identity in (ADA, Identity(None), Identity("9434765919")):
        encoded = encode(identity, keys=KEYS)
        assert EncodedIdentity.from_bytes(encoded.to_bytes()) == encoded


@pytest.mark.parametrize("harm", ["empty", "short", "long", "version", "layout", "order"])
def test_bytes_that_are_not_canonical_are_refused_without_being_quoted(harm: str) -> None:
    good = encode(ADA, keys=KEYS)
    whole = good.to_bytes()
    swapped = EncodedIdentity.of(good.epoch, good.nhs, good.layout, good.blocks[::-1])
    bad = {
        "empty": b"",
        "short": whole[:-1],
        "long": whole + b"\0",
        "version": b"\x09" + whole[1:],
        "layout": whole.replace(good.layout, b"?" * len(good.layout), 1),
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
    many = tuple(
        Name((f"Given{chr(65 + i)}x" * 9999, "Other"), f"Fam{chr(65 + i)}" * 9999) for i in range(20)
    )
    encoded = encode(
        replace(ADA, names=many, postcodes=("LS1 4AP",) * 50, phones=("07700 900123",) * 50), keys=KEYS
    )
    assert len(encoded.blocks) <= MAX_BLOCKS
    assert len(encoded.to_bytes()) < 100_000
