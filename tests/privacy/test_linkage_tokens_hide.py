"""What leaves the identifiable zone shows no name, no length of a name, and no frequency worth counting."""

import base64
from collections import Counter
from dataclasses import replace

import pytest

from linkage.compare import look
from linkage.errors import EncodingInvalid
from linkage.members import Member
from linkage.normalise import Identity, Name, normalise
from linkage.partition import Cluster
from linkage.token_format import FAMILY, FIRST, SINGLE_BYTES, EncodedIdentity, plan_of
from linkage.tokens import TokenKeys, encode

SECRET = b"z" * 32
KEYS = TokenKeys.from_bytes(SECRET, epoch=1)
CANARY = Identity(
    nhs_number="9990000018",
    names=(
        Name(("Qwertyuiopas", "Zxcvbnmasdfg"), "Lkjhgfdsaqwe"),
        Name(("Qwertyuiopas",), "Mnbvcxzlkjhg", "old"),
    ),
    birth_date="1901-07-08",
    sex="female",
    postcodes=("QQ9Q 9QQ",),
    houses=("98765 Xylograph",),
    phones=("07123456780",),
    emails=("qwxyzqwxyz@mail.uk",),
    cities=("Vbnmqwertown",),
    former_numbers=("9990000026",),
)


def test_no_clear_value_is_in_the_bytes_or_in_any_repr() -> None:
    encoded = encode(normalise(CANARY), keys=KEYS)
    shown = repr(encoded) + repr(encoded.blocks) + repr(KEYS) + repr(CANARY)
    haystack = (
        encoded.to_bytes() + base64.b64encode(encoded.to_bytes()) + encoded.to_bytes().hex().encode() + shown.encode()
    )
    clean = normalise(CANARY)
    values = [
        CANARY.nhs_number,
        *clean.postcodes,
        *(word for line in clean.houses for word in line.split()),
        *clean.cities,
        *clean.former_numbers,
        *clean.phones,
        *CANARY.emails,
        "19010708",
        "1901-07-08",
        *(part for name in clean.names for part in (*name.given, name.family)),
    ]
    for value in values:
        assert value
        for form in (value, value.lower(), value.title()):
            assert form.encode() not in haystack
            assert form.encode().hex().encode() not in haystack
    assert SECRET not in haystack


def family_tokens(encoded: EncodedIdentity) -> dict[bytes, bytes]:
    """Block token → the salted token of the whole surname."""
    return {token: look(encoded, token).values[FIRST[FAMILY]][:SINGLE_BYTES] for token in encoded.tokens}


def test_one_surname_in_two_blocks_has_two_unrelated_tokens() -> None:
    tokens = family_tokens(encode(normalise(CANARY), keys=KEYS))
    assert len(tokens) > 5
    assert len(set(tokens.values())) == len(tokens)


def test_one_surname_in_one_block_has_one_token_so_that_records_compare() -> None:
    ann = encode(normalise(CANARY), keys=KEYS)
    ben = encode(
        normalise(replace(CANARY, names=(Name(("Ben",), "Lkjhgfdsaqwe"),), birth_date="1960-01-02")),
        keys=KEYS,
    )
    shared = ann.by_token.keys() & ben.by_token.keys()
    assert shared
    assert all(family_tokens(ann)[token] == family_tokens(ben)[token] for token in shared)


def test_counting_tokens_does_not_find_the_commonest_surname() -> None:
    """Half of 200 unrelated people are called Smith. A token keyed for the whole population would stand 100
    times; salted by block none stands more often than its block has records, which is a few times. Under one key in
    17 two of 1,400 tokens of 24 bits are equal by chance, and under KEYS they are.
    """
    keys = TokenKeys.from_bytes(bytes(32), epoch=1)
    counts: Counter[bytes] = Counter()
    standing: Counter[bytes] = Counter()
    blocks: dict[bytes, bytes] = {}
    for i in range(200):
        surname = "Smith" if i % 2 else f"Rare{chr(65 + i % 26)}{chr(65 + i // 26)}"
        person = Identity(
            None,
            names=(Name((f"G{chr(65 + i % 23)}{chr(97 + i % 19)}m",), surname),),
            birth_date=f"{1930 + i % 70}-{1 + i % 12:02}-{1 + i % 28:02}",
            postcodes=(f"LS{i % 20} {i % 10}A{chr(65 + i % 26)}",),
            houses=(str(i),),
        )
        tokens = family_tokens(encode(normalise(person), keys=keys))
        counts.update(set(tokens.values()))
        standing.update(tokens.keys())
        blocks |= {token: block for block, token in tokens.items()}
    assert max(counts.values()) <= 3
    assert all(times <= standing[blocks[token]] for token, times in counts.items())


def test_no_token_stands_in_two_blocks_of_a_record() -> None:
    """Whatever it is of: sex, a house number and a district have few values, and must not show either."""
    encoded = encode(normalise(CANARY), keys=KEYS)
    seen: Counter[tuple[int, int, bytes]] = Counter()
    for token in encoded.tokens:
        for i, value in enumerate(look(encoded, token).values):
            cuts = range(0, len(value), SINGLE_BYTES)
            seen.update((i, at, value[at : at + SINGLE_BYTES]) for at in cuts)
    assert len(seen) > 500
    assert max(seen.values()) == 1


def test_the_length_of_a_name_does_not_show() -> None:
    """Names of two to 36 letters, none of them in the table of common ones: one layout, one size, and in every
    block as many distinct tokens.
    """
    sizes = set()
    for family in ("Zu", "Qill", "Featherstonehaugh", "Wolfeschlegelsteinhausenbergerdorff"):
        encoded = encode(normalise(replace(CANARY, names=(Name(("Jo",), family),))), keys=KEYS)
        cuts = range(0, plan_of(encoded.layout).step - 8, SINGLE_BYTES)
        distinct = {len({block.salted[at : at + SINGLE_BYTES] for at in cuts}) for block in encoded.blocks}
        sizes.add((encoded.layout, len(encoded.to_bytes()), *distinct))
    assert len(sizes) == 1


def test_all_a_layout_tells_is_what_is_there_and_how_common_a_name_is() -> None:
    """Three kinds of names: of the commonest, common, in no table. Born on 1 January looks like the commonest names."""

    def layouts(*names: tuple[str, str], birth_date: str | None = CANARY.birth_date) -> set[bytes]:
        people = (replace(CANARY, names=(Name((given,), family),), birth_date=birth_date) for given, family in names)
        return {encode(normalise(person), keys=KEYS).layout for person in people}

    commonest = layouts(("Susan", "Smith"), ("Emma", "Jones"), ("Mohammed", "Khan"), ("David", "Brown"))
    common = layouts(("David", "Hall"), ("Paul", "White"), ("Zoe", "Smith"))
    unlisted = layouts(("Paul", "Qill"), ("Mary", "Zu"))
    assert [len(kind) for kind in (commonest, common, unlisted)] == [1, 1, 1]
    assert len(commonest | common | unlisted) == 3
    assert layouts(("David", "Hall"), birth_date="1980-01-01") == commonest


def test_no_error_quotes_what_it_was_given() -> None:
    encoded = encode(normalise(CANARY), keys=KEYS)
    with pytest.raises(KeyError) as absent:
        encoded.salted(b"secret12")
    with pytest.raises(EncodingInvalid) as refused:
        EncodedIdentity.from_bytes(encoded.to_bytes().replace(encoded.layout, b"secret12", 1))
    assert "secret" not in str(absent.value) + str(refused.value) + repr(absent.value) + repr(refused.value)
    assert repr(look(encoded, encoded.tokens[0])) == "Look(**)"


def test_an_nhs_number_token_is_not_a_plain_hash_of_the_number() -> None:
    encoded = encode(normalise(CANARY), keys=KEYS)
    assert encoded.nhs != encode(normalise(CANARY), keys=TokenKeys.from_bytes(b"y" * 32, epoch=1)).nhs


def test_no_token_of_a_number_is_in_the_repr_of_a_person_found() -> None:
    item = encode(normalise(Identity("9434765919")), keys=KEYS)
    assert item.nhs is not None
    cluster = Cluster("a", ("a", "b"), frozenset({(1, item.nhs)}))
    for shown in (repr(cluster), repr(Member(1, item))):
        assert repr(item.nhs)[2:-1] not in shown
        assert item.nhs.hex() not in shown
