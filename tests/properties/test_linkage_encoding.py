"""Properties of cleaning and encoding, on any text whatever."""

from dataclasses import fields, replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from linkage.compare import Levels, levels, pattern
from linkage.errors import EncodingInvalid
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode

KEYS = TokenKeys.from_bytes(b"p" * 32, epoch=7)
WORDS = st.text(max_size=25) | st.sampled_from(
    [
        "Test-Mr",
        "O'Neil",
        "12B Mill Rd",
        "Flat 3/4 1st",
        "LS1 4AP",
        "+44 7700 900123",
        "ß-Ø",
        "A\N{ACUTE ACCENT}B",
        "Mrs",
    ]
)
TUPLES = st.lists(WORDS, max_size=4).map(tuple)
IDENTITIES = st.builds(
    Identity,
    nhs_number=st.none() | st.from_regex(r"[0-9]{10}", fullmatch=True) | WORDS,
    nhs_number_claimed=st.none() | st.from_regex(r"[0-9]{8,12}", fullmatch=True) | WORDS,
    names=st.lists(
        st.builds(Name, given=TUPLES, family=WORDS, use=st.sampled_from(["usual", "old", "?"])), max_size=5
    ).map(tuple),
    birth_date=st.none() | st.dates().map(str) | st.sampled_from(["1971", "1971-05"]) | WORDS,
    sex=st.sampled_from([None, "male", "female", "other"]),
    postcodes=TUPLES | st.just(("LS1 4AP", "", "BD99ZZ")),
    houses=TUPLES | st.just(("12 High St", "Rose Cottage")),
    cities=TUPLES | st.just(("Leeds",)),
    former_numbers=st.lists(st.from_regex(r"[0-9]{10}", fullmatch=True), max_size=2).map(tuple),
    phones=TUPLES,
    emails=TUPLES | st.emails().map(lambda email: (email,)),
)


@settings(max_examples=400)
@given(IDENTITIES)
def test_cleaning_twice_is_cleaning_once(identity: Identity) -> None:
    once = normalise(identity)
    assert normalise(Identity(**{each.name: getattr(once, each.name) for each in fields(once)})) == once


@settings(max_examples=200)
@given(IDENTITIES)
def test_encoding_is_deterministic_and_its_bytes_come_back(identity: Identity) -> None:
    encoded = encode(normalise(identity), keys=KEYS)
    assert encode(normalise(identity), keys=KEYS) == encoded
    assert EncodedIdentity.from_bytes(encoded.to_bytes()) == encoded


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_noise_is_refused_or_is_the_canonical_form_of_what_it_says(noise: bytes) -> None:
    try:
        decoded = EncodedIdentity.from_bytes(noise)
    except EncodingInvalid:
        return
    assert decoded.to_bytes() == noise


PEOPLE = st.builds(
    Identity,
    nhs_number=st.sampled_from([None, "9434765919", "9434765870"]),
    nhs_number_claimed=st.sampled_from([None, "9434765918"]),
    names=st.lists(
        st.builds(
            Name,
            given=st.lists(st.sampled_from(["Robert", "Bob", "Rboert", "Roberta", "R", "Hall"]), max_size=2).map(tuple),
            family=st.sampled_from(["Hall", "Halle", "Hall-Reed", "Reed", "Robert", "Okafor", ""]),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    birth_date=st.sampled_from([None, "1971", "1971-05", "1971-05-04", "1971-04-05", "1971-05-14", "1990-01-01"]),
    sex=st.sampled_from([None, "male", "female"]),
    postcodes=st.sampled_from([(), ("LS1 4AP",), ("LS1 4PA",), ("LS1 4AP", "LS2 9JT"), ("BD9 9ZZ",)]),
    houses=st.sampled_from([(), ("12 High Street",), ("12 Hihg Street", "Rose Cottage"), ("7 Low Lane",)]),
    cities=st.sampled_from([(), ("Leeds",), ("Leads", "Bradford"), ("Hull",)]),
    phones=st.sampled_from([("07700 900123",)]),  # a block they all share
    emails=st.sampled_from([(), ("bob@mail.uk",), ("bob@post.uk", "hall@mail.uk")]),
    former_numbers=st.sampled_from([(), ("9434765870",)]),
)


@settings(max_examples=400)
@given(PEOPLE, PEOPLE)
def test_two_records_agree_alike_whichever_comes_first_and_through_whichever_block(
    first: Identity, second: Identity
) -> None:
    """Three bytes a token: chance makes one example in 10,000 differ from block to block, and none of these."""
    a, b = (encode(normalise(identity), keys=KEYS) for identity in (first, second))
    shared = a.by_token.keys() & b.by_token.keys()
    found = {pattern(a, b, block=token) for token in shared} | {pattern(b, a, block=token) for token in shared}
    assert len(found) == 1
    assert Levels.of(*found) == levels(a, b, block=min(shared))


@settings(max_examples=200)
@given(PEOPLE, PEOPLE)
def test_a_second_name_or_address_never_makes_the_rest_agree_less(first: Identity, second: Identity) -> None:
    """And a record with one value of each is compared as one with several would be."""
    assume(len(normalise(first).names) == 1)
    more = replace(first, names=(*first.names, Name(("Zebedee",), "Quixote")), houses=(*first.houses, "998 Far Away"))
    assume(normalise(more).houses[: len(normalise(first).houses)] == normalise(first).houses)
    a, fuller, b = (encode(normalise(identity), keys=KEYS) for identity in (first, more, second))
    block = KEYS.block("phone/447700900123")[0]
    before, after = levels(a, b, block=block), levels(fuller, b, block=block)
    assert (after.birth_date, after.sex, after.phone, after.nhs_number) == (
        before.birth_date,
        before.sex,
        before.phone,
        before.nhs_number,
    )
    if "missing" not in (before.given, before.family) and before.crossed == after.crossed == "no":
        assert (after.given, after.family) == (before.given, before.family)
    assert after.house == before.house or before.house == "missing"
