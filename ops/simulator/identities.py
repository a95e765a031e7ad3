"""What each source's record says about a person, at the identifier error rates of `rates.toml`.

Every record of a person draws its errors for itself: that is why two of them may disagree. Tier 2 draws
keying errors at `tier2_multiplier` times the rate; moving and changing one's surname are lives, not keying,
and are not multiplied.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from ops.simulator.model import COUNCIL, GP, Identity, Person, SourceSlug
from ops.simulator.names import FORENAMES, NICKNAMES, TRANSLITERATIONS
from ops.simulator.population import check_digit
from ops.simulator.rates import Rates

PSEUDO_POSTCODE = "ZZ99 3VZ"  # NHS Data Dictionary: no fixed abode
_VOWELS = "aeiou"


def true_identity(person: Person) -> Identity:
    """The person as they are: what a perfect source would hold."""
    return Identity(
        nhs_number=person.nhs_number,
        surname=person.surname,
        forename=person.forename,
        birth_date=person.birth_date,
        sex=person.sex,
        ethnic_category=person.ethnic_category,
        address=person.address,
        postcode=person.address.postcode,
        practice_ods=person.practice_ods,
    )


def record_identity(
    rng: Random, person: Person, source: SourceSlug, *, rates: Rates, household_numbers: Sequence[str]
) -> Identity:
    """The identity one new record of `person` at `source` holds.

    `household_numbers` are the NHS numbers of others at the address, one of which is rarely taken for theirs.
    """
    clerk = _Clerk(
        rng, rates, keying=rates.identifier_error["tier2_multiplier"] if source == COUNCIL else 1.0
    )
    identity = true_identity(person)
    if source != GP:  # the practice knows of the move and of the new name; other sources may not
        identity = clerk.life_events(identity, person)
    identity = clerk.names(identity, person)
    identity = clerk.birth_date(identity)
    identity = clerk.sex_and_postcode(identity)
    return replace(identity, nhs_number=clerk.nhs_number(person, source, household_numbers))


class _Clerk:
    """One person writing one record down."""

    def __init__(self, rng: Random, rates: Rates, *, keying: float) -> None:
        self._rng = rng
        self._rates = rates
        self._keying = keying

    def _errs(self, name: str) -> bool:
        return self._rng.random() < self._rates.identifier_error[name] * self._keying

    def _happened(self, name: str) -> bool:
        return self._rng.random() < self._rates.identifier_error[name]

    def life_events(self, identity: Identity, person: Person) -> Identity:
        if self._happened("moved"):
            former = person.former_address
            identity = replace(identity, address=former, postcode=former.postcode)
        if self._happened(f"surname_changed_{person.sex}"):
            kept = self._happened("former_name_kept")
            identity = replace(
                identity, surname=person.other_surname, old_surname=person.surname if kept else None
            )
        return identity

    def names(self, identity: Identity, person: Person) -> Identity:
        rng, surname, forename = self._rng, identity.surname, identity.forename
        others = FORENAMES[person.group, person.sex]
        if self._errs("forename_phonetic"):
            forename = _respelt(rng, forename)
        elif self._errs("forename_prefix"):
            short = [name for name in NICKNAMES.get(forename, ()) if name[:2] == forename[:2]]
            forename = rng.choice(short or [forename[:2] + rng.choice(others)[2:]])
        elif self._errs("forename_other"):
            forename = rng.choice(NICKNAMES.get(forename) or others)
        elif self._errs("initial_only"):
            forename = forename[0]
        if self._errs("surname_typo"):
            surname = _mistyped(rng, surname)
        if surname in TRANSLITERATIONS and self._happened("transliterated"):
            surname = rng.choice(TRANSLITERATIONS[surname])
        if forename in TRANSLITERATIONS and self._happened("transliterated"):
            forename = rng.choice(TRANSLITERATIONS[forename])
        if person.group == "south_asian" and self._happened("names_swapped"):
            surname, forename = forename, surname
        return replace(identity, surname=surname, forename=forename)

    def birth_date(self, identity: Identity) -> Identity:
        born = identity.birth_date
        assert born is not None
        if self._errs("missing_birth_date"):
            return replace(identity, birth_date=None)
        if self._errs("birth_date_two_of_three"):
            return replace(identity, birth_date=_two_of_three(self._rng, born))
        if self._errs("birth_date_other"):
            return replace(identity, birth_date=born + timedelta(days=self._rng.randrange(40, 4000)))
        return identity

    def sex_and_postcode(self, identity: Identity) -> Identity:
        sex, postcode = identity.sex, identity.postcode
        if self._errs("sex_wrong"):
            sex = "male" if sex == "female" else "female"
        if self._errs("missing_sex"):
            sex = None
        if postcode is not None and self._errs("postcode_sector_only"):
            postcode = postcode[:-2] + "".join(self._rng.choice("ABDEFGHJLN") for _ in range(2))
        if self._errs("postcode_pseudo"):
            postcode = PSEUDO_POSTCODE
        if self._errs("missing_postcode"):
            postcode = None
        return replace(identity, sex=sex, postcode=postcode)

    def nhs_number(self, person: Person, source: SourceSlug, household_numbers: Sequence[str]) -> str | None:
        wrong = self._rates.nhs_number_wrong
        if self._rng.random() >= self._rates.nhs_number_present[source]:
            return None
        if household_numbers and self._rng.random() < wrong["of_household_member"] * self._keying:
            return self._rng.choice(household_numbers)
        if source == COUNCIL and self._rng.random() < wrong["one_digit"] * self._keying:
            return _one_digit_wrong(self._rng, person.nhs_number)
        return person.nhs_number


def _respelt(rng: Random, name: str) -> str:
    """The same sound written otherwise: a vowel exchanged, or a letter doubled where there is none to
    exchange.
    """
    places = [place for place, letter in enumerate(name) if place > 1 and letter in _VOWELS]
    if not places:
        return name + name[-1]
    place = rng.choice(places)
    return name[:place] + rng.choice([vowel for vowel in _VOWELS if vowel != name[place]]) + name[place + 1 :]


def _mistyped(rng: Random, name: str) -> str:
    """One letter left out, doubled or exchanged with its neighbour, never the first."""
    place = rng.randrange(1, max(2, len(name) - 1))
    return rng.choice(
        (
            name[:place] + name[place + 1 :],
            name[:place] + name[place] + name[place:],
            name[:place] + name[place + 1 : place + 2] + name[place] + name[place + 2 :],
        )
    )


def _two_of_three(rng: Random, born: date) -> date:
    """Day and month exchanged where that is a date, else one of day, month and year wrong."""
    if born.day <= 12 and born.day != born.month and rng.random() < 0.5:
        return born.replace(day=born.month, month=born.day)
    return rng.choice(
        (
            born.replace(day=born.day % 28 + 1),
            born.replace(month=born.month % 12 + 1, day=min(born.day, 28)),
            born.replace(year=born.year + rng.choice((-10, -1, 1)), day=min(born.day, 28)),
        )
    )


def _one_digit_wrong(rng: Random, number: str) -> str:
    """The number with one of its digits changed, so that Modulus 11 fails."""
    place = rng.randrange(3, 9)
    digit = str((int(number[place]) + rng.randrange(1, 10)) % 10)
    keyed = number[:place] + digit + number[place + 1 :]
    assert (
        str(check_digit(keyed[:9])) != keyed[9]
    )  # a single wrong digit never passes: the weights 2..10 are coprime to 11
    return keyed
