"""The identity in each source's record of a person, with errors at the rates of `rates.toml`.

Every record of a person draws its errors for itself: that is why two of them may disagree. Tier 2 draws
keying errors at `tier2_multiplier` times the rate; moving and changing one's surname are lives, not keying,
and are not multiplied. What is left out depends on who the person is (`missing_more_often`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from ops.lab.simulator.model import COUNCIL, GP, SimulatedIdentity, SimulatedPerson, SourceSlug
from ops.lab.simulator.names import FORENAMES, NICKNAMES, TRANSLITERATIONS
from ops.lab.simulator.population import check_digit
from ops.lab.simulator.rates import Rates

PSEUDO_POSTCODE = "ZZ99 3VZ"  # NHS Data Dictionary: no fixed abode
_VOWELS = "aeiou"


def true_identity(person: SimulatedPerson) -> SimulatedIdentity:
    """The person as they are: what a perfect source would hold."""
    return SimulatedIdentity(
        nhs_number=person.nhs_number,
        surname=person.surname,
        forename=person.forename,
        birth_date=person.birth_date,
        sex=person.sex,
        ethnic_category=person.ethnic_category,
        address=person.address,
        postcode=person.address.postcode,
        practice_ods=person.practice_ods,
        middle_name=person.middle_name,
        phone=person.phone,
        email=person.email,
    )


def record_identity(
    rng: Random,
    person: SimulatedPerson,
    source: SourceSlug,
    *,
    rates: Rates,
    household_numbers: Sequence[str],
) -> SimulatedIdentity:
    """The identity one new record of `person` at `source` holds.

    `household_numbers` are the NHS numbers of others at the address, one of which is rarely taken for theirs.
    """
    clerk = _Clerk(rng, rates, keying=rates.identifier_error["tier2_multiplier"] if source == COUNCIL else 1.0)
    identity = true_identity(person)
    if source != GP:  # the practice knows of the move and of the new name; other sources may not
        identity = clerk.life_events(identity, person)
    identity = clerk.names(identity, person)
    identity = clerk.birth_date(identity)
    identity = clerk.sex_and_postcode(identity)
    identity = replace(identity, nhs_number=clerk.nhs_number(person, source, household_numbers))
    return _SourceHabits(_separate_chance(rng), rates, person, source).of(identity)


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

    def life_events(self, identity: SimulatedIdentity, person: SimulatedPerson) -> SimulatedIdentity:
        if self._happened("moved"):
            former = person.former_address
            identity = replace(identity, address=former, postcode=former.postcode)
        if self._happened(f"surname_changed_{person.sex}"):
            kept = self._happened("former_name_kept")
            identity = replace(identity, surname=person.other_surname, old_surname=person.surname if kept else None)
        return identity

    def names(self, identity: SimulatedIdentity, person: SimulatedPerson) -> SimulatedIdentity:
        rng, surname, forename = self._rng, identity.surname, identity.forename
        others = FORENAMES[person.group, person.sex]
        if self._errs("forename_phonetic"):
            forename = _respelt(rng, forename)
        elif self._errs("forename_prefix"):
            short = [name for name in NICKNAMES.get(forename, ()) if name[:2] == forename[:2]]
            forename = rng.choice(short or [forename[:2] + rng.choice(others)[2:]])
        elif self._errs("forename_other"):
            another = rng.choice(NICKNAMES.get(forename) or others)
            forename = another if forename in NICKNAMES else person.middle_name or another
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

    def birth_date(self, identity: SimulatedIdentity) -> SimulatedIdentity:
        born = identity.birth_date
        assert born is not None
        if self._errs("missing_birth_date"):
            return replace(identity, birth_date=None)
        if self._errs("birth_date_two_of_three"):
            return replace(identity, birth_date=_two_of_three(self._rng, born))
        if self._errs("birth_date_other"):
            return replace(identity, birth_date=born + timedelta(days=self._rng.randrange(40, 4000)))
        return identity

    def sex_and_postcode(self, identity: SimulatedIdentity) -> SimulatedIdentity:
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

    def nhs_number(self, person: SimulatedPerson, source: SourceSlug, household_numbers: Sequence[str]) -> str | None:
        wrong = self._rates.nhs_number_wrong
        if self._rng.random() >= self._rates.nhs_number_present[source]:
            return None
        if household_numbers and self._rng.random() < wrong["of_household_member"] * self._keying:
            return self._rng.choice(household_numbers)
        if source == COUNCIL and self._rng.random() < wrong["one_digit"] * self._keying:
            return _one_digit_wrong(self._rng, person.nhs_number)
        return person.nhs_number


class _SourceHabits:
    """How one source writes this person down beside keying errors: what it leaves out, what it keeps more of."""

    def __init__(self, rng: Random, rates: Rates, person: SimulatedPerson, source: SourceSlug) -> None:
        self._rng, self._rates, self._person, self._source = rng, rates, person, source
        more = rates.missing_more_often
        self._times_missing = more[f"{person.group}_multiplier"] * more[f"imd_{person.address.imd_quintile}_multiplier"]

    def of(self, identity: SimulatedIdentity) -> SimulatedIdentity:
        identity = self._left_out(identity)
        identity = self._names(identity)
        identity = self._addresses(identity)
        return replace(identity, phone=self._phone(), email=self._email())

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _happened(self, name: str) -> bool:
        return self._chance(self._rates.identifier_error[name])

    def _present(self, share: float) -> bool:
        return self._chance(self._share_present(share))

    def _share_present(self, share: float) -> float:
        """With the odds of missing multiplied, so that never stays never and always stays always."""
        return share / (share + (1 - share) * self._times_missing) if share else 0.0

    def _left_out(self, identity: SimulatedIdentity) -> SimulatedIdentity:
        """The clerk left out what anybody's record lacks as often; some lack more and some less."""
        nominal = self._rates.nhs_number_present[self._source]
        adjusted = self._share_present(nominal)
        if identity.nhs_number is not None and adjusted < nominal and self._chance(1 - adjusted / nominal):
            identity = replace(identity, nhs_number=None)
        elif identity.nhs_number is None and adjusted > nominal and self._chance((adjusted - nominal) / (1 - nominal)):
            identity = replace(identity, nhs_number=self._person.nhs_number)
        more, missing = self._times_missing - 1, self._rates.identifier_error
        if self._chance(more * missing["missing_postcode"]):
            identity = replace(identity, postcode=None)
        if self._chance(more * missing["missing_birth_date"]):
            identity = replace(identity, birth_date=None)
        return identity

    def _names(self, identity: SimulatedIdentity) -> SimulatedIdentity:
        person, held = self._person, identity
        if person.sex == "female" and self._happened("double_barrelled") and "-" not in held.surname:
            held = replace(held, surname=f"{person.other_surname}-{held.surname}")
        kept = "middle_name_kept_by_practice" if self._source == GP else "middle_name_kept"
        if not self._happened(kept) or held.middle_name == held.forename:
            held = replace(held, middle_name=None)
        short = NICKNAMES.get(held.forename)
        if short and self._happened("known_as"):
            held = replace(held, known_as=self._rng.choice(short))
        return held

    def _addresses(self, identity: SimulatedIdentity) -> SimulatedIdentity:
        if self._happened("house_written_otherwise"):
            line = _otherwise(self._rng, identity.address.line)
            identity = replace(identity, address=replace(identity.address, line=line))
        kept_share = self._rates.identifier_error["former_address_kept"] * (1.0 if self._source == GP else 0.2)
        # who never moved has no former address to keep; half of those who did moved before this source knew them
        if identity.postcode is not None and self._happened("moved") and self._chance(kept_share):
            identity = replace(identity, former_address=self._person.former_address)
        return identity

    def _phone(self) -> str | None:
        phones = (self._person.phone, self._person.former_phone)
        return self._contact("phone", phones, lambda home: f"070{home.randrange(10**8):08d}")

    def _email(self) -> str | None:
        former = self._person.email.replace("@example.org", "@example.net")
        emails = (self._person.email, former)
        return self._contact("email", emails, lambda home: f"home{home.randrange(10**8)}@example.org")

    def _contact(self, kind: str, present_and_former: tuple[str, str], of_home: Callable[[Random], str]) -> str | None:
        """The person's own, the one they had before, one of their household's, or none."""
        rates, person = self._rates.contacts, self._person
        if not self._present(rates[f"{kind} {self._source}"]):
            return None
        if self._chance(rates[f"household_{kind}"]):
            return of_home(Random(f"{person.household}/{person.address.line}/{person.address.postcode}"))
        return present_and_former[self._chance(rates[f"{kind}_changed"])]


def _separate_chance(rng: Random) -> Random:
    """Chances of its own for what is drawn here: `rng` stays where it is, so all it draws later stays too."""
    ahead = Random()
    ahead.setstate(rng.getstate())
    return Random(ahead.getrandbits(64))


_SHORT_STREETS = {"Street": "St", "Road": "Rd", "Avenue": "Ave", "Lane": "Ln", "Close": "Cl", "Drive": "Dr"}


def _otherwise(rng: Random, line: str) -> str:
    """The same front door, written in another way."""
    number, street = line.split(" ", 1)
    last = street.split()[-1]
    shorter = street.replace(last, _SHORT_STREETS.get(last, last))
    return rng.choice(
        (
            f"Flat {rng.randrange(1, 9)}, {line}",
            f"{number}, {shorter}",
            f"No {number} {street}",
            f"{number}A {street}",
        )
    )


def _respelt(rng: Random, name: str) -> str:
    """The same sound written otherwise: a vowel exchanged, or a letter doubled where there is none to exchange."""
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
