"""What sources leave out, keep beside and write otherwise, and that none of it moves another draw."""

from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest

from ops.lab.simulator.identities import record_identity
from ops.lab.simulator.many_names import many_forenames, many_surnames, street_of
from ops.lab.simulator.model import COUNCIL, GP, TRUST, SimulatedIdentity, SimulatedPerson, SourceSlug
from ops.lab.simulator.names import GROUPS
from ops.lab.simulator.population import COUNTY, people
from ops.lab.simulator.rates import default_rates


@cache
def county() -> tuple[SimulatedPerson, ...]:
    return people(Random(5), 3000, default_rates(), names=COUNTY)


@cache
def identities_of(source: SourceSlug) -> tuple[tuple[SimulatedPerson, SimulatedIdentity], ...]:
    rng, rates = Random(6), default_rates()
    return tuple(
        (person, record_identity(rng, person, source, rates=rates, household_numbers=())) for person in county()
    )


def share(source: SourceSlug, what: str, *, group: str | None = None, imd: int | None = None) -> float:
    held = [
        getattr(identity, what) is not None
        for person, identity in identities_of(source)
        if group in (None, person.group) and imd in (None, person.address.imd_quintile)
    ]
    return sum(held) / len(held)


def test_a_record_draws_its_contacts_without_moving_any_later_draw() -> None:
    person = county()[0]
    rates = default_rates()
    talkative = replace(rates, contacts=dict.fromkeys(rates.contacts, 1.0))
    silent = replace(rates, contacts=dict.fromkeys(rates.contacts, 0.0))
    first, other = Random(3), Random(3)
    with_contacts = record_identity(first, person, GP, rates=talkative, household_numbers=())
    without = record_identity(other, person, GP, rates=silent, household_numbers=())
    assert with_contacts.phone is not None
    assert without.phone is without.email is None
    assert first.getstate() == other.getstate()


@pytest.mark.parametrize("source", [GP, COUNCIL, TRUST])
def test_telephones_and_mailboxes_are_held_as_often_as_the_rates_say(source: SourceSlug) -> None:
    contacts = default_rates().contacts
    assert share(source, "phone") == pytest.approx(contacts[f"phone {source}"], abs=0.03)
    assert share(source, "email") == pytest.approx(contacts[f"email {source}"], abs=0.04)


def test_numbers_are_missing_more_often_for_black_people_and_in_deprived_areas() -> None:
    assert share(COUNCIL, "nhs_number", group="black") < share(COUNCIL, "nhs_number", group="white") - 0.05
    assert share(COUNCIL, "nhs_number", imd=1) < share(COUNCIL, "nhs_number", imd=5) - 0.03
    assert share(COUNCIL, "nhs_number") == pytest.approx(0.60, abs=0.03)


def test_without_multipliers_numbers_are_missing_as_often_for_everybody() -> None:
    rates = default_rates()
    level = replace(rates, missing_more_often=dict.fromkeys(rates.missing_more_often, 1.0))
    rng, present = Random(6), Counter[str]()
    for person in county():
        identity = record_identity(rng, person, COUNCIL, rates=level, household_numbers=())
        present[person.group] += identity.nhs_number is not None
    people_of = Counter(person.group for person in county())
    shares = {group: present[group] / people_of[group] for group in ("white", "south_asian")}
    assert shares["white"] == pytest.approx(shares["south_asian"], abs=0.05)


def test_a_contact_may_be_the_household_s_or_one_the_person_no_longer_has() -> None:
    phones = Counter(
        "own" if identity.phone == person.phone else "former" if identity.phone == person.former_phone else "home"
        for person, identity in identities_of(COUNCIL)
        if identity.phone
    )
    assert phones["own"] > 10 * phones["former"] > 0
    assert phones["home"] > 0


def test_a_household_shares_one_household_number() -> None:
    rates = default_rates()
    always = replace(rates, contacts={**rates.contacts, "household_phone": 1.0, "phone gp-hub": 1.0})
    homes: dict[str, set[str | None]] = {}
    for person in people(Random(2), 200, rates):
        identity = record_identity(Random(1), person, GP, rates=always, household_numbers=())
        homes.setdefault(f"{person.household}/{person.address.line}", set()).add(identity.phone)
    known = [numbers - {None} for numbers in homes.values()]
    assert max(map(len, known)) == 1
    assert len(set().union(*known)) > 100


def test_houses_are_written_otherwise_and_the_postcode_stays() -> None:
    written = [
        (person, identity) for person, identity in identities_of(GP) if identity.address.line != person.address.line
    ]
    assert 0.08 < len(written) / len(county()) < 0.16
    for person, identity in written:
        number = person.address.line.split()[0]
        assert number in identity.address.line
        assert identity.address.postcode == person.address.postcode


def test_practices_keep_middle_names_and_former_addresses_more_often_than_others() -> None:
    for what in ("middle_name", "former_address"):
        assert share(GP, what) > 1.5 * share(COUNCIL, what) > 0


def test_some_women_join_both_surnames_and_no_man_does() -> None:
    joined = Counter(
        person.sex
        for person, identity in identities_of(COUNCIL)
        if identity.surname == f"{person.other_surname}-{person.surname}"
    )
    assert joined["female"] > 10
    assert joined["male"] == 0


def test_a_short_form_kept_beside_a_forename_is_not_the_forename() -> None:
    kept = [identity for _, identity in identities_of(GP) if identity.known_as]
    assert len(kept) > 10
    assert all(identity.known_as != identity.forename for identity in kept)


def test_a_county_has_names_enough_that_two_people_seldom_share_a_surname() -> None:
    for group in GROUPS:
        assert len(many_surnames(group)) == len(set(many_surnames(group))) >= 120
        for sex in ("female", "male"):
            assert len(many_forenames(group, sex)) >= 75
    surnames = Counter(person.surname for person in county())
    town = Counter(person.surname for person in people(Random(5), 3000, default_rates()))

    def alike(counted: Counter[str]) -> float:
        return sum((count / 3000) ** 2 for count in counted.values())

    assert alike(surnames) < 0.003 < alike(town)


def test_a_postcode_of_a_county_has_one_street() -> None:
    for person in county()[:200]:
        assert person.address.line.split(" ", 1)[1] == street_of(person.address.postcode)
