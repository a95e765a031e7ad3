"""What leaves the identifiable zone shows no name, no length of a name, and no frequency worth counting."""

import base64
from collections import Counter, defaultdict
from dataclasses import replace

from linkage.normalise import Identity, Name, normalise
from linkage.tokens import FAMILY, GROUP_TOKENS, SALTED_BYTES, EncodedIdentity, TokenKeys, encode

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
)


def test_no_clear_value_is_in_the_bytes_or_in_any_repr() -> None:
    encoded = encode(CANARY, keys=KEYS)
    shown = repr(encoded) + repr(encoded.blocks) + repr(KEYS) + repr(CANARY)
    haystack = (
        encoded.to_bytes()
        + base64.b64encode(encoded.to_bytes())
        + encoded.to_bytes().hex().encode()
        + shown.encode()
    )
    clean = normalise(CANARY)
    values = [
        CANARY.nhs_number,
        *clean.postcodes,
        *clean.houses,
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
    start = (
        sum(GROUP_TOKENS[group] for group in encoded.layout[: encoded.layout.index(FAMILY)]) * SALTED_BYTES
    )
    return {block.token: block.salted[start : start + SALTED_BYTES] for block in encoded.blocks}


def test_one_surname_in_two_blocks_has_two_unrelated_tokens() -> None:
    tokens = family_tokens(encode(CANARY, keys=KEYS))
    assert len(tokens) > 5
    assert len(set(tokens.values())) == len(tokens)


def test_one_surname_in_one_block_has_one_token_so_that_records_compare() -> None:
    ann = encode(CANARY, keys=KEYS)
    ben = encode(replace(CANARY, names=(Name(("Ben",), "Lkjhgfdsaqwe"),), birth_date="1960-01-02"), keys=KEYS)
    shared = ann.by_token.keys() & ben.by_token.keys()
    assert shared
    assert all(family_tokens(ann)[token] == family_tokens(ben)[token] for token in shared)


def test_counting_tokens_does_not_find_the_commonest_surname() -> None:
    """Half of 200 unrelated people are called Smith. A token keyed for the whole population would stand 100
    times; salted by block no token stands more than a few times, and no more often for Smith than for a name
    borne once.
    """
    counts: Counter[bytes] = Counter()
    bearers: defaultdict[str, set[bytes]] = defaultdict(set)
    for i in range(200):
        surname = "Smith" if i % 2 else f"Rare{chr(65 + i % 26)}{chr(65 + i // 26)}"
        person = Identity(
            None,
            names=(Name((f"G{chr(65 + i % 23)}{chr(97 + i % 19)}m",), surname),),
            birth_date=f"{1930 + i % 70}-{1 + i % 12:02}-{1 + i % 28:02}",
            postcodes=(f"LS{i % 20} {i % 10}A{chr(65 + i % 26)}",),
            houses=(str(i),),
        )
        tokens = family_tokens(encode(person, keys=KEYS)).values()
        counts.update(set(tokens))
        bearers["common" if i % 2 else "rare"] |= set(tokens)
    assert max(counts.values()) <= 3
    assert max(counts[token] for token in bearers["common"]) <= 1 + max(
        counts[token] for token in bearers["rare"]
    )


def test_the_length_of_a_name_does_not_show() -> None:
    sizes = set()
    for family in ("Ng", "Hall", "Featherstonehaugh", "Wolfeschlegelsteinhausenbergerdorff"):
        encoded = encode(replace(CANARY, names=(Name(("Jo",), family),)), keys=KEYS)
        distinct = {
            len({block.salted[i : i + 5] for i in range(0, len(block.salted), 5)}) for block in encoded.blocks
        }
        sizes.add((len(encoded.to_bytes()), *distinct))
    assert len(sizes) == 1


def test_an_nhs_number_token_is_not_a_plain_hash_of_the_number() -> None:
    encoded = encode(CANARY, keys=KEYS)
    assert encoded.nhs != encode(CANARY, keys=TokenKeys.from_bytes(b"y" * 32, epoch=1)).nhs
