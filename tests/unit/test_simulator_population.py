"""The simulated people, their numbers, and the rates that shape them."""

import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest

import ops.lab.simulator.rates as rates_module
from ops.lab.simulator.identities import PSEUDO_POSTCODE, record_identity
from ops.lab.simulator.model import COUNCIL, GP, TRUST
from ops.lab.simulator.names import FORENAMES, NICKNAMES, SURNAMES, TRANSLITERATIONS
from ops.lab.simulator.population import check_digit, people
from ops.lab.simulator.rates import default_rates, parse_rates
from schemas.errors import InvalidField
from schemas.identity import NHSNumber, Postcode, parse_ods

RATES_TOML = Path(rates_module.__file__).with_name("rates.toml")


def test_every_nhs_number_is_valid_in_the_test_range_and_belongs_to_one_person() -> None:
    numbers = [person.nhs_number for person in people(Random(1), 500, default_rates())]
    assert len(set(numbers)) == 500
    for number in numbers:
        NHSNumber.parse(number, test_mode=True)
        with pytest.raises(InvalidField):
            NHSNumber.parse(number, test_mode=False)


def test_the_check_digit_is_that_of_the_data_dictionary() -> None:
    assert check_digit("943476591") == 9
    assert check_digit("943476596") is None  # would be 10, which is never issued


@pytest.mark.parametrize("seed", range(5))
def test_at_least_two_in_a_hundred_are_adult_twins(seed: int) -> None:
    everyone = people(Random(seed), 200, default_rates())
    born = Counter((person.surname, person.birth_date) for person in everyone)
    twins = [person for person in everyone if born[person.surname, person.birth_date] > 1]
    assert len(twins) >= 4
    assert len({(twin.surname, twin.birth_date, twin.forename) for twin in twins}) == len(twins)


def test_fathers_and_sons_share_a_name_and_a_home_and_no_birth_date() -> None:
    everyone = people(Random(3), 300, default_rates())
    homes: dict[str, list[tuple[str, str, date]]] = {}
    for person in everyone:
        homes.setdefault(person.household, []).append((person.forename, person.surname, person.birth_date))
    namesakes = [home for home in homes.values() if len(home) == 2 and home[0][:2] == home[1][:2]]
    assert len(namesakes) >= 2
    assert all(first[2] != second[2] for first, second in namesakes)


def test_everyone_is_an_adult_with_a_full_postcode_and_a_practice() -> None:
    for person in people(Random(2), 300, default_rates()):
        assert date(1946, 1, 1) <= person.birth_date <= date(2004, 6, 30)
        Postcode.parse(person.address.postcode)
        parse_ods(person.practice_ods)
        assert person.former_address != person.address


def test_names_are_many_and_skewed() -> None:
    assert len(set().union(*SURNAMES.values())) >= 300
    assert len(set().union(*FORENAMES.values())) >= 200
    surnames = Counter(person.surname for person in people(Random(4), 2000, default_rates()))
    assert surnames.most_common(1)[0][1] >= 5 * len(surnames) / 100
    assert all(name not in others for name, others in [*TRANSLITERATIONS.items(), *NICKNAMES.items()])


@pytest.mark.parametrize(
    ("source", "present"), [(GP, 0.999), (COUNCIL, 0.60), (TRUST, 0.985)], ids=["gp", "tier2", "tier3"]
)
def test_nhs_numbers_are_present_as_often_as_the_rates_say(source: str, present: float) -> None:
    rng, rates = Random(8), default_rates()
    everyone = people(rng, 2000, rates)
    with_number = sum(
        record_identity(rng, person, source, rates=rates, household_numbers=()).nhs_number is not None  # type: ignore[arg-type]
        for person in everyone
    )
    assert with_number / 2000 == pytest.approx(present, abs=0.04)


def test_tier_2_keys_three_times_as_many_wrong_names_as_tier_3() -> None:
    rates = default_rates()
    everyone = people(Random(9), 2000, rates)

    def wrong(source: str) -> int:
        rng = Random(10)
        identities = (
            record_identity(rng, person, source, rates=rates, household_numbers=())  # type: ignore[arg-type]
            for person in everyone
            if person.group == "white"
        )
        white = [person for person in everyone if person.group == "white"]
        return sum(identity.forename != person.forename for identity, person in zip(identities, white, strict=True))

    assert wrong(COUNCIL) == pytest.approx(3 * wrong(TRUST), rel=0.3)


def test_a_wrong_household_number_is_another_persons_valid_number() -> None:
    rates = default_rates()
    always = parse_rates(RATES_TOML.read_text().replace("of_household_member = 0.0015", "of_household_member = 1.0"))
    person, other = people(Random(1), 2, rates)
    identity = record_identity(Random(1), person, GP, rates=always, household_numbers=[other.nhs_number])
    assert identity.nhs_number == other.nhs_number


def test_the_pseudo_postcode_is_that_of_no_fixed_abode() -> None:
    assert PSEUDO_POSTCODE == "ZZ99 3VZ"


def test_every_rate_names_its_source_or_says_assumption() -> None:
    text = RATES_TOML.read_text()
    unexplained, blanket = [], False
    for line in text.splitlines():
        if re.match(r"\[", line):
            blanket = "assumption" in line.lower()
            explained_by_table = "[noise]" in line
        elif re.match(r'["a-z]', line) and not blanket and not explained_by_table and "#" not in line:
            unexplained.append(line)
    assert unexplained == []
    assert set(tomllib.loads(text)) == set(rates_module.Rates.__dataclass_fields__)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gp_to_tier2 = 0.61", "gp_to_tier2 = 0.60"),
        ("twins = 0.02", "twins = 2"),
        ("[journey]", "[journeys]"),
    ],
    ids=["a quota that does not sum to one", "a share above one", "an unknown table"],
)
def test_rates_that_make_no_sense_are_refused(old: str, new: str) -> None:
    text = RATES_TOML.read_text()
    assert old in text
    with pytest.raises(ValueError, match=r"^rates"):
        parse_rates(text.replace(old, new, 1))
