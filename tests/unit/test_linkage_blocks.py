"""Which records are worth comparing: two records of one person meet whatever one of them lacks or has wrong."""

from dataclasses import replace

import pytest

from linkage.blocks import MAX_BLOCKS, MAX_BLOCKS_WIDE, block_texts
from linkage.normalise import Identity, Name, normalise

ANN = Identity(
    nhs_number="9434765919",
    names=(Name(("Ann",), "Okafor"),),
    birth_date="1971-03-14",
    sex="female",
    postcodes=("LS1 4AP",),
    houses=("12 Mill Lane",),
    cities=("Leeds",),
    phones=("07700 900123",),
)
BARE = replace(ANN, nhs_number=None, phones=())


def shared(identity: Identity, other: Identity, *, wide: bool = False) -> set[str]:
    return set(block_texts(normalise(identity), wide=wide)) & set(block_texts(normalise(other), wide=wide))


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("another surname", replace(BARE, names=(Name(("Ann",), "Hall"),))),
        ("another forename", replace(BARE, names=(Name(("Bee",), "Okafor"),))),
        ("no forename", replace(BARE, names=(Name((), "Okafor"),))),
        ("names crossed", replace(BARE, names=(Name(("Okafor",), "Ann"),))),
        ("no name", replace(BARE, names=())),
        ("no birth date", replace(BARE, birth_date=None)),
        ("a year of birth", replace(BARE, birth_date="1971")),
        ("another day of birth", replace(BARE, birth_date="1971-03-15", postcodes=(), houses=())),
        ("another year of birth", replace(BARE, birth_date="1917-03-14", postcodes=(), houses=())),
        ("day and month of birth exchanged", replace(BARE, birth_date="1971-14-03", names=())),
        ("another address", replace(BARE, postcodes=("BD9 9ZZ",), houses=("3 High Street",))),
        ("no address", replace(BARE, postcodes=(), houses=(), cities=())),
        (
            "another address and surname",
            replace(BARE, names=(Name(("Ann",), "Hall"),), postcodes=("BD9 9ZZ",), houses=()),
        ),
        (
            "a misspelt forename, another address",
            replace(BARE, names=(Name(("Amn",), "Okafor"),), postcodes=(), houses=()),
        ),
        (
            "a misspelt surname, another address",
            replace(BARE, names=(Name(("Ann",), "Akafor"),), postcodes=(), houses=()),
        ),
        (
            "an initial, another address",
            replace(BARE, names=(Name(("A",), "Okafor"),), postcodes=(), houses=()),
        ),
        (
            "a short forename, another address",
            replace(BARE, names=(Name(("Nan",), "Okafor"),), postcodes=(), houses=()),
        ),
        (
            "no birth date, another forename and house",
            replace(BARE, birth_date=None, names=(Name(("Bee",), "Okafor"),), houses=("3 High Street",)),
        ),
        ("another birth date and house", replace(BARE, birth_date="1980-09-01", houses=("3 Mill Lane",))),
        (
            "other names and birth date",
            replace(BARE, names=(Name(("Bee",), "Hall"),), birth_date="1980-09-01"),
        ),
    ],
)
def test_two_records_of_one_person_meet_with(what: str, other: Identity) -> None:
    if what.startswith("day and month"):
        other = replace(other, birth_date="1971-04-03")
        assert shared(replace(BARE, birth_date="1971-03-04", names=()), other)
    else:
        assert shared(BARE, other), what


def test_a_superseded_number_meets_the_record_that_still_has_it() -> None:
    old = Identity("9434765870")
    assert not shared(ANN, old)
    assert shared(replace(ANN, former_numbers=("9434765870",)), old) == {"nhs/9434765870"}


def test_who_goes_by_a_middle_name_meets_the_record_with_both() -> None:
    both = Identity(None, names=(Name(("Ann", "Mary"), "Okafor"),), birth_date="1971-03-14")
    assert shared(both, replace(both, names=(Name(("Mary",), "Okafor"),)))


def test_who_has_one_name_meets_it_in_either_field() -> None:
    identity = Identity(None, names=(Name((), "Priya"),), birth_date="1971-03-14")
    assert shared(identity, replace(identity, names=(Name(("Priya",), ""),)))
    assert shared(identity, replace(identity, names=(Name(("Priya",), "Shah"),)))  # of one birth date


def test_strangers_of_one_surname_and_birth_date_meet_by_an_initial_too_or_not_at_all() -> None:
    ann = replace(BARE, postcodes=(), houses=())
    other = replace(ann, names=(Name(("Bee",), "Okafor"),))
    assert not shared(ann, other)
    assert shared(ann, replace(ann, names=(Name(("Ada",), "Okafor"),)))
    assert shared(ann, other, wide=True)


def test_namesakes_of_one_house_number_elsewhere_meet_in_the_wide_plan_alone() -> None:
    ann = replace(BARE, birth_date=None)
    assert not shared(ann, replace(ann, postcodes=("LS9 4AP",)))
    assert shared(ann, replace(ann, postcodes=("LS9 4AP",)), wide=True)


def test_namesakes_of_one_year_of_birth_meet_where_both_names_are_spelt_alike() -> None:
    ann = replace(BARE, postcodes=(), houses=())
    other = replace(ann, birth_date="1971-11-30")
    assert shared(ann, other)
    assert not shared(ann, replace(other, names=(Name(("Anne",), "Okafor"),)))


def test_two_people_of_one_birth_date_one_town_or_one_surname_do_not_meet() -> None:
    bob = Identity(None, names=(Name(("Bob",), "Hall"),), birth_date="1971-03-14", cities=("Leeds",))
    eve = Identity(None, names=(Name(("Eve",), "Okafor"),), birth_date="1960-07-07", postcodes=("LS1 9ZZ",))
    assert not shared(ANN, bob)
    assert not shared(ANN, eve)
    assert shared(ANN, bob, wide=True)


def test_a_usual_record_stands_in_nine_blocks_or_so() -> None:
    assert len(block_texts(normalise(BARE))) == 6
    assert 8 <= len(block_texts(normalise(ANN))) <= 13
    assert len(block_texts(normalise(replace(ANN, names=(Name(("Ann", "Mary"), "Okafor-Hall"),))))) <= 20


def test_less_than_a_birth_date_is_no_block() -> None:
    for birth_date in ("1971", "1971-03"):
        year_alone = Identity(None, names=ANN.names, birth_date=birth_date)
        assert block_texts(normalise(year_alone), wide=True) == block_texts(
            normalise(replace(year_alone, birth_date=None)), wide=True
        )


def test_the_number_of_blocks_has_a_limit() -> None:
    letters = [chr(65 + i) + chr(90 - i) for i in range(25)]
    many = tuple(Name((a + "x-" + b + "y", a + "m", b + "n"), b + "z-" + a + "w") for a in letters for b in letters)
    places = tuple(f"LS{i} 4AP" for i in range(9))
    full = replace(ANN, names=many, postcodes=places, houses=tuple(f"{i} Mill Lane" for i in range(9)))
    assert len(block_texts(normalise(full))) == MAX_BLOCKS
    assert len(block_texts(normalise(full), wide=True)) <= MAX_BLOCKS_WIDE
    assert block_texts(normalise(full))[0] == "nhs/9434765919"
