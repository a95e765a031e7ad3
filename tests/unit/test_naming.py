"""A record is called by what was told about it: the same for whoever is told the same, and for nobody else."""

from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.normalise import NORMALISER_VERSION, Identity, Name, normalise
from linkage.record_name import canonical_identity, record_parts
from ops.lab.known_keys import known_keys
from schemas.identity import LocalId, Person
from schemas.keyring import Purpose
from schemas.naming import record_of_local_id

KEYS = known_keys("names", recipients=())
# Words that would meet if parts were put together carelessly: of the tuples' own words, and of each other.
WORDS = st.sampled_from(["", "a", "ab", "b", "local", "identity", "entry", "gp-hub", "1", "a/b", "\0", "é"])
SAID = st.one_of(
    st.tuples(st.just("local"), WORDS, WORDS, WORDS),
    st.tuples(st.just("identity"), WORDS, st.integers(1, 3), WORDS),
    st.tuples(st.just("entry"), WORDS, WORDS),
)


def named(said: tuple[str, ...]) -> str:
    kind, source, *rest = said
    if kind == "local":
        return record_of_local_id(KEYS, source, LocalId(rest[1], rest[0]))
    return KEYS.mac(Purpose.RECORD_ID, kind, source, *map(str, rest))


@given(SAID, SAID)
def test_two_names_are_equal_exactly_when_the_same_was_told(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert (named(first) == named(second)) == (first == second)


@given(SAID, WORDS)
def test_two_sources_never_share_a_record(said: tuple[str, ...], other: str) -> None:
    kind, source, *rest = said
    assert (named((kind, other, *rest)) == named(said)) == (other == source)


def test_a_record_is_named_by_its_number_else_by_who_it_is_else_by_the_entry() -> None:
    numbered = Person(local_id=LocalId("x", "RXX"), birth_date=date(1980, 2, 29))
    assert record_parts("gp", numbered, "entry-1") == ("local", "gp", "RXX", "x")
    assert record_of_local_id(KEYS, "gp", LocalId("x", "RXX")) == KEYS.mac(Purpose.RECORD_ID, "local", "gp", "RXX", "x")
    nameless = replace(numbered, local_id=None)
    assert record_parts("gp", nameless, "entry-1")[:3] == ("identity", "gp", str(NORMALISER_VERSION))
    assert record_parts("gp", nameless, "entry-1") == record_parts("gp", nameless, "entry-2")
    assert record_parts("gp", Person(), "entry-1") == record_parts("gp", None, "entry-1") == ("entry", "gp", "entry-1")


def test_a_name_put_together_without_lengths_would_be_seen() -> None:
    """The control: parts joined by nothing meet."""
    joined = {"".join(map(str, said)) for said in (("local", "a", "b", "ab"), ("local", "ab", "", "ab"))}
    assert len(joined) == 1
    assert named(("local", "a", "b", "ab")) != named(("local", "ab", "", "ab"))


@pytest.mark.parametrize("purpose", ["record-id", "fact-id", "ubrn", "entry-name", "identity-version", "person-id"])
def test_the_same_words_under_two_naming_keys_are_two_names(purpose: str) -> None:
    others = {other.value for other in Purpose} - {purpose, "recipient"}
    assert KEYS.mac(purpose, "a") not in {KEYS.mac(other, "a") for other in others}


ODD = (
    Identity(nhs_number=None),
    Identity(nhs_number="9990000018", birth_date="1961-05-17", sex="female"),
    Identity(nhs_number=None, nhs_number_claimed="9990000018", birth_date="1961"),
    *(
        Identity(nhs_number=None, names=(Name(given=given, family=family, use="usual"),), birth_date=birth)
        for given in (("Zoë",), ("Anne-Marie", "Jane"), ("O'",), ("MARY ANN",), ("Baby",), ("Łukasz",), ("محمد",))
        for family in ("O'Neill-Smith", "van der Berg", "Ng", "Unknown", "ŻÓŁĆ")
        for birth in ("1980-01-01",)
    ),
    *(
        Identity(nhs_number=None, postcodes=(code,), houses=(line,), cities=(city,), phones=(phone,), emails=(mail,))
        for code, line, city in (
            ("SW1A 1AA", "Flat 2, 10 St. John's Road", "LONDON"),
            ("zz99 3vz", "No fixed abode", "n/a"),
            ("", "The Old Mill", "Stoke-on-Trent"),
        )
        for phone, mail in (("+44 7700 900123", "A.B@Example.org "), ("020 7946 0000", "none"), ("07700900123", ""))
    ),
)  # fmt: skip
MADE = {1: "26c7e80a3aa356ccdb29d7e55a4de269"}  # a pin: version of the normaliser -> SHA-256 of what it makes of these


def test_what_the_normaliser_makes_is_another_version_as_soon_as_it_differs() -> None:
    """A record without a number is named by its normalised identity: a silent change would give it a second name."""
    made = "\n".join(canonical_identity(normalise(identity)) for identity in ODD)
    assert sha256(made.encode()).hexdigest()[:32] == MADE[NORMALISER_VERSION], "raise NORMALISER_VERSION"


def test_the_odd_identities_are_told_apart_enough_to_notice_a_change() -> None:
    made = [canonical_identity(normalise(identity)) for identity in ODD]
    assert len(set(made)) > 30
    differing = [1 for first, second in combinations(made, 2) if first != second]
    assert len(differing) > 0.9 * len(list(combinations(made, 2)))
