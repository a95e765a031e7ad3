"""Agreement by field: what two records say of one person, told by tokens alone."""

from dataclasses import replace

import pytest

from linkage.compare import LEVELS, Levels, common_block, levels, look, pattern, pattern_of
from linkage.fields import NUMBER_MISSING, number_level
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import TokenKeys, encode

KEYS = TokenKeys.from_bytes(bytes(range(32)), epoch=1)
MEETING = KEYS.block("phone/447700900123")[0]
ROBERT = Identity(
    nhs_number=None,
    names=(Name(("Robert",), "Hall"),),
    birth_date="1971-05-24",
    sex="male",
    postcodes=("LS1 4AP",),
    houses=("12 High Street",),
    cities=("Leeds",),
    phones=("07700 900123",),
    emails=("robert.hall@mail.uk",),
)


def agreed(identity: Identity, second: Identity) -> Levels:
    return levels(encode(normalise(identity), keys=KEYS), encode(normalise(second), keys=KEYS), block=MEETING)


def named(*names: tuple[str, str]) -> Identity:
    return replace(ROBERT, names=tuple(Name(tuple(given.split()), family) for given, family in names))


@pytest.mark.parametrize(
    ("given", "family", "expected"),
    [
        ("Robert", "Hall", ("exact", "exact")),
        ("Bob", "Hall", ("nickname", "exact")),
        ("Rboert", "Hal", ("edit", "edit")),
        ("Robrt", "Halls", ("edit", "edit")),
        ("Xobert", "Ball", ("edit", "edit")),  # the first letter wrong
        ("Roberth", "Hill", ("edit", "edit")),
        ("Ribbert", "Hollow", ("sounds", "sounds")),
        ("Robynne", "Halifax", ("begins", "begins")),
        ("R", "Hall", ("initial", "exact")),
        ("John Robert", "Hall", ("part", "exact")),
        ("Robert", "Hall-Reed", ("exact", "part")),
        ("Susan", "Okafor", ("none", "none")),
        ("", "Hall", ("missing", "exact")),
        ("Robert", "", ("exact", "missing")),
    ],
)
def test_names_agree_as_closely_as_their_spelling(given: str, family: str, expected: tuple[str, str]) -> None:
    found = agreed(ROBERT, named((given, family)))
    assert (found.given, found.family, found.crossed) == (*expected, "no")


@pytest.mark.parametrize(
    ("given", "family", "expected"),
    [
        ("Hall", "Robert", ("exact", "exact", "yes")),
        ("Hall", "Robrt", ("exact", "edit", "yes")),
        ("Hall", "Okafor", ("none", "none", "no")),
    ],
)
def test_a_forename_that_is_the_surname_is_crossed_only_where_both_then_agree(
    given: str, family: str, expected: tuple[str, str, str]
) -> None:
    found = agreed(ROBERT, named((given, family)))
    assert (found.given, found.family, found.crossed) == expected
    assert found.given_frequency == found.family_frequency == "missing"


def test_of_several_names_and_addresses_the_closest_count() -> None:
    second = replace(
        named(("Susan", "Okafor"), ("Robrt", "Hall")),
        postcodes=("BD9 9ZZ", "LS1 4PA"),
        houses=("3 Low Lane", "12 Hihg Street"),
        cities=("Hull", "Leeds"),
    )
    found = agreed(ROBERT, second)
    assert (found.given, found.family) == ("edit", "exact")
    assert (found.postcode, found.house, found.street, found.city) == ("edit", "equal", "close", "exact")


@pytest.mark.parametrize(
    ("second", "level"),
    [
        ("1971-05-24", "exact"),
        ("1971-05-25", "edit"),
        ("1971-05-42", "missing"),
        ("1917-05-24", "edit"),
        ("1971-05-13", "two_of_three"),
        ("1980-05-24", "two_of_three"),
        ("1971-11-30", "year"),
        ("1962-09-13", "none"),
        ("1971", "year"),
        ("1971-05", "two_of_three"),
        ("1971-06", "year"),
        ("1972", "none"),
        (None, "missing"),
    ],
)
def test_birth_dates_agree_in_whole_but_for_a_slip_or_in_part(second: str | None, level: str) -> None:
    assert agreed(ROBERT, replace(ROBERT, birth_date=second)).birth_date == level


def test_a_day_and_a_month_exchanged_are_a_slip() -> None:
    item, second = (replace(ROBERT, birth_date=text) for text in ("1971-05-04", "1971-04-05"))
    assert agreed(item, second).birth_date == "edit"


@pytest.mark.parametrize("part", ["1971", "1971-05"])
def test_two_birth_dates_of_which_only_a_part_is_known_never_agree_in_whole(part: str) -> None:
    item = replace(ROBERT, birth_date=part)
    assert agreed(item, item).birth_date == {"1971": "year", "1971-05": "two_of_three"}[part]


@pytest.mark.parametrize(
    ("second", "level"),
    [
        ("LS1 4AP", "exact"),
        ("LS1 4PA", "edit"),
        ("LS2 4AP", "edit"),
        ("LS1 4ZZ", "sector"),
        ("LS1 9ZZ", "district"),
        ("BD9 9ZZ", "none"),
        ("ZZ99 3VZ", "missing"),
    ],
)
def test_postcodes_agree_in_whole_but_for_a_slip_or_in_part(second: str, level: str) -> None:
    assert agreed(ROBERT, replace(ROBERT, postcodes=(second,))).postcode == level


@pytest.mark.parametrize(
    ("field", "second", "level"),
    [
        ("street", {"houses": ("14 High St",)}, "exact"),
        ("street", {"houses": ("14 Hihg Street",)}, "close"),
        ("street", {"houses": ("14 Low Lane",)}, "none"),
        ("street", {"houses": ("14",)}, "missing"),
        ("house", {"houses": ("12 Low Lane",)}, "equal"),
        ("house", {"houses": ("14 High Street",)}, "none"),
        ("house", {"houses": ("High Street",)}, "missing"),
        ("city", {"cities": ("LEEDS",)}, "exact"),
        ("city", {"cities": ("Leads",)}, "close"),
        ("city", {"cities": ("Hull",)}, "none"),
        ("city", {"cities": ()}, "missing"),
        ("sex", {"sex": "female"}, "none"),
        ("sex", {"sex": None}, "missing"),
        ("email", {"emails": ("Robert.Hall@Mail.uk",)}, "exact"),
        ("email", {"emails": ("robert.hall@post.uk",)}, "close"),
        ("email", {"emails": ("bobert.hall@post.uk",)}, "close"),
        ("email", {"emails": ("robertson71@post.uk",)}, "none"),
        ("email", {"emails": ("susan@mail.uk",)}, "none"),
        ("email", {"emails": ()}, "missing"),
        ("phone", {"phones": ("07700 900123",)}, "equal"),
    ],
)
def test_other_fields_agree_as_they_are_told(field: str, second: dict[str, object], level: str) -> None:
    assert getattr(agreed(ROBERT, replace(ROBERT, **second)), field) == level


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ({"nhs_number": "9434765919"}, {"nhs_number": "9434765919"}, "equal"),
        ({"nhs_number": "9434765919"}, {"nhs_number": "9434765870"}, "differ"),
        ({"nhs_number": "9434765919"}, {"nhs_number_claimed": "9434765991"}, "near"),
        ({"nhs_number": "9434765919"}, {"nhs_number_claimed": "9434765909"}, "near"),
        ({"nhs_number": "9434765919"}, {"nhs_number_claimed": "1234567809"}, "missing"),
        ({"nhs_number_claimed": "1234567809"}, {"nhs_number_claimed": "1234567809"}, "near"),
        ({"nhs_number_claimed": "1234567890"}, {"nhs_number_claimed": "1234567890"}, "missing"),
        ({"nhs_number": "9434765919"}, {}, "missing"),
        (
            {"nhs_number": "9434765919", "former_numbers": ("9434765870",)},
            {"nhs_number": "9434765870"},
            "missing",
        ),
        ({"former_numbers": ("9434765870",)}, {"nhs_number": "9434765870"}, "missing"),
    ],
)
def test_numbers_are_equal_near_or_differ_and_a_superseded_one_says_nothing(
    first: dict[str, object], second: dict[str, object], level: str
) -> None:
    a, b = (encode(normalise(replace(ROBERT, **item)), keys=KEYS) for item in (first, second))
    for first, second in ((a, b), (b, a)):
        assert levels(first, second, block=MEETING).nhs_number == level


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((("Robert", "Hall"),), ("common", "common")),
        ((("Robrt", "Hall"),), ("missing", "common")),
        ((("Bob", "Hall"),), ("missing", "common")),
        ((("Robert", "Okafor"),), ("common", "missing")),
    ],
)
def test_the_frequency_of_a_name_counts_where_that_name_agrees_in_whole(
    names: tuple[tuple[str, str], ...], expected: tuple[str, str]
) -> None:
    found = agreed(ROBERT, named(*names))
    assert (found.given_frequency, found.family_frequency) == expected


def test_of_two_names_that_agree_the_rarer_one_counts() -> None:
    both = named(("Robert", "Hall"), ("Robert", "Featherstonehaugh"))
    assert agreed(both, both).family_frequency == "unlisted"


def test_two_records_that_say_nothing_of_each_other_miss_every_field() -> None:
    phone = Identity(None, phones=("07700 900123",))
    assert agreed(phone, phone) == Levels(phone="equal")


def test_a_look_is_used_for_many_and_shows_nothing() -> None:
    record = encode(normalise(ROBERT), keys=KEYS)
    once = look(record, MEETING)
    for second in (record, encode(normalise(named(("Susan", "Okafor"))), keys=KEYS)):
        assert pattern_of(once, look(second, MEETING)) == pattern(record, second, block=MEETING)
    assert repr(once) == "Look(**)"
    with pytest.raises(KeyError):
        look(record, bytes(8))


def test_a_pattern_is_its_levels_in_the_order_of_the_fields() -> None:
    record = encode(normalise(ROBERT), keys=KEYS)
    found = pattern(record, record, block=MEETING)
    assert Levels.of(found) == levels(record, record, block=MEETING)
    assert Levels.of(found) is Levels.of(found)
    assert Levels.of(found).pairs() == tuple(
        (field, known[level]) for (field, known), level in zip(LEVELS.items(), found, strict=True)
    )


def test_records_of_two_epochs_meet_nowhere() -> None:
    later = encode(normalise(ROBERT), keys=TokenKeys.from_bytes(bytes(range(32)), epoch=2))
    record = encode(normalise(ROBERT), keys=KEYS)
    assert common_block(record, later) is None
    assert common_block(record, record) == min(record.tokens)
    numbered = encode(normalise(replace(ROBERT, nhs_number="9434765919")), keys=KEYS)
    assert number_level(numbered, later) == NUMBER_MISSING
