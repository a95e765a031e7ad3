"""Properties of cleaning and encoding, on any text whatever."""

from hypothesis import given, settings
from hypothesis import strategies as st

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
    birth_date=st.none() | st.dates().map(str) | WORDS,
    sex=st.sampled_from([None, "male", "female", "other"]),
    postcodes=TUPLES | st.just(("LS1 4AP", "", "BD99ZZ")),
    houses=TUPLES,
    phones=TUPLES,
    emails=TUPLES | st.emails().map(lambda email: (email,)),
)


@settings(max_examples=400)
@given(IDENTITIES)
def test_cleaning_twice_is_cleaning_once(identity: Identity) -> None:
    once = normalise(identity)
    assert normalise(once) == once


@settings(max_examples=200)
@given(IDENTITIES)
def test_encoding_is_deterministic_and_its_bytes_come_back(identity: Identity) -> None:
    encoded = encode(identity, keys=KEYS)
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
