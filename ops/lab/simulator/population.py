"""People who exist: households, twins, namesakes and couples, each with a true identity.

Nothing here is an error; what sources get wrong is `faults`. Every NHS number lies in the 999 test range, unless a
bench of more people than it has numbers asks for another that is not issued.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from string import ascii_letters
from typing import Literal

from ops.lab.simulator.many_names import many_forenames, many_surnames, street_of
from ops.lab.simulator.model import SimulatedAddress, SimulatedPerson
from ops.lab.simulator.names import FORENAMES, SURNAMES
from ops.lab.simulator.rates import Rates

_AREAS = (
    # outward code, post town, chance of each IMD quintile from 1 (most deprived)
    ("SS0", "Westcliff-on-Sea", (30, 30, 20, 12, 8)),
    ("SS1", "Southend-on-Sea", (35, 25, 20, 12, 8)),
    ("SS2", "Southend-on-Sea", (38, 28, 18, 10, 6)),
    ("SS7", "Benfleet", (6, 14, 25, 28, 27)),
    ("SS9", "Leigh-on-Sea", (5, 12, 23, 30, 30)),
    ("SS13", "Basildon", (30, 26, 20, 14, 10)),
    ("SS14", "Basildon", (42, 26, 16, 10, 6)),
    ("CM1", "Chelmsford", (8, 14, 22, 28, 28)),
    ("CM2", "Chelmsford", (8, 15, 22, 27, 28)),
    ("CM7", "Braintree", (16, 22, 24, 22, 16)),
    ("CM12", "Billericay", (4, 10, 20, 30, 36)),
    ("CM20", "Harlow", (30, 30, 20, 12, 8)),
    ("CO1", "Colchester", (26, 26, 22, 16, 10)),
    ("CO4", "Colchester", (18, 22, 24, 20, 16)),
    ("CO15", "Clacton-on-Sea", (55, 22, 12, 7, 4)),
)
_STREETS = (
    "High Street,Station Road,Church Lane,Victoria Avenue,London Road,Mill Lane,Elm Close,Park View,"
    "Queens Road,Orchard Way,Beech Drive,The Paddocks,Marine Parade,Kings Crescent,Chapel Street,Meadow Walk,"
    "Hadleigh Road,Rayleigh Avenue,Priory Gardens,Tudor Close,Windsor Road,Cedar Grove,Stanley Street,"
    "Wharf Road,Maple Way"
).split(",")
_INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # inward codes never use C I K M O V
_ETHNIC = {
    "white": ("A", "A", "A", "A", "A", "A", "A", "A", "B", "C"),
    "south_asian": ("H", "H", "H", "J", "J", "K", "L"),
    "black": ("M", "N", "N", "P"),
    "other": ("R", "S", "S", "F", "G", "D"),
}
Sex = Literal["female", "male"]
_GROUPS = ("south_asian", "black", "other")
_PRACTICES = tuple(f"F8{number}" for number in range(1101, 1125))
_YOUNGEST, _OLDEST = date(2004, 6, 30), date(1946, 7, 1)  # adults throughout 2024 to 2026
_TWIN_SHARE_AT_HOME = 0.8


@dataclass(frozen=True, slots=True)
class NameLists:
    """Where names are drawn from: by ethnic group (and sex), commonest first.

    A name of rank r is drawn in proportion to 1 / (r + flatness): the smaller, the commoner the first. With
    `street_of` the street follows from the postcode, without it any street may have any.
    """

    surnames: Callable[[str], Sequence[str]]
    forenames: Callable[[str, str], Sequence[str]]
    surname_flatness: int = 8
    street_of: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Region:
    """What distinguishes people of one part of the country: the first three digits of their NHS numbers (999 are
    for tests), and the letters their postcodes begin with ("": those of the towns).
    """

    number_range: str = "999"
    postcode_area: str = ""


TEST_REGION = Region()
TOWN = NameLists(SURNAMES.__getitem__, lambda group, sex: FORENAMES[group, sex])
# So drawn, the commonest surname is borne by 0.8 % of its group and two people share one by chance once in 400
# pairs; in England as a whole Smith is borne by about 1 %.
COUNTY = NameLists(many_surnames, many_forenames, surname_flatness=40, street_of=street_of)


def people(
    rng: Random, count: int, rates: Rates, *, names: NameLists = TOWN, region: Region = TEST_REGION
) -> tuple[SimulatedPerson, ...]:
    """`count` people in an order that does not show who belongs together.

    At least `rates.people` twins, namesakes and couples are among them (pairs, rounded up), whatever the
    seed. `names` of a TOWN repeat too often for more than a few thousand people: those live in a COUNTY.
    """
    world = _World(rng, rates, names, region)
    pairs = (
        *[world.twins] * _pairs(rates.people["twins"], count),
        *[world.namesakes] * _pairs(rates.people["namesakes"], count),
        *[world.couple] * _pairs(rates.people["couples"], count),
    )
    found: list[SimulatedPerson] = []
    for pair in pairs:
        if len(found) + 2 <= count:
            found.extend(pair())
    while len(found) < count:
        found.append(world.person())
    rng.shuffle(found)
    return tuple(world.with_contacts(person) for person in found)


def _pairs(share: float, count: int) -> int:
    return math.ceil(share * count / 2)


def check_digit(nine: str) -> int | None:
    """The Modulus 11 check digit of nine digits; None where the number is never issued. Source: NHS Data Dictionary."""
    digit = (11 - sum(int(number) * weight for number, weight in zip(nine, range(10, 1, -1), strict=True)) % 11) % 11
    return None if digit == 10 else digit


class _World:
    """Draws homes, numbers and people; no number is drawn twice."""

    def __init__(self, rng: Random, rates: Rates, names: NameLists, region: Region) -> None:
        self._rng = rng
        self._rates = rates
        self._names = names
        self._region = region
        self._numbers: set[str] = set()
        self._people = 0

    def nhs_number(self) -> str:
        """A valid number of the region."""
        while True:
            nine = f"{self._region.number_range}{self._rng.randrange(10**6):06d}"
            check = check_digit(nine)
            if check is not None and nine not in self._numbers:
                self._numbers.add(nine)
                return f"{nine}{check}"

    def address(self) -> SimulatedAddress:
        """A home in one of the areas, with the deprivation of its postcode."""
        rng = self._rng
        outward, town, chances = rng.choice(_AREAS)
        inward = f"{rng.randrange(1, 10)}{rng.choice(_INWARD_LETTERS)}{rng.choice(_INWARD_LETTERS)}"
        outward = (self._region.postcode_area or outward.rstrip("0123456789")) + outward.lstrip(ascii_letters)
        postcode, number, street = f"{outward} {inward}", rng.randrange(1, 180), rng.choice(_STREETS)
        if self._names.street_of:
            street = self._names.street_of(postcode)
        return SimulatedAddress(
            line=f"{number} {street}",
            town=town,
            postcode=postcode,
            lsoa=f"E0102{rng.randrange(1000, 2200):04d}",
            imd_quintile=rng.choices((1, 2, 3, 4, 5), chances)[0],
        )

    def person(self, *, housemate: SimulatedPerson | None = None) -> SimulatedPerson:
        """Someone new; with `housemate`, of that person's group and home, and not of that person's forename."""
        rng, self._people = self._rng, self._people + 1
        key = f"P{self._people:05d}"
        group = housemate.group if housemate else self._group()
        sex: Sex = "female" if rng.random() < self._rates.people["female"] else "male"
        family = self._surname(group)
        return SimulatedPerson(
            key=key,
            household=housemate.household if housemate else key,
            group=group,
            ethnic_category=housemate.ethnic_category if housemate else rng.choice(_ETHNIC[group]),
            sex=sex,
            birth_date=self._birth_date(group),
            surname=family,
            other_surname=self._surname(group, family),
            forename=self._forename(group, sex, housemate),
            nhs_number=self.nhs_number(),
            address=housemate.address if housemate else self.address(),
            former_address=self.address(),
            practice_ods=rng.choice(_PRACTICES),
            height_cm=_height_cm(rng, sex),
            phone="",
            former_phone="",
            email="",
        )

    def with_contacts(self, person: SimulatedPerson) -> SimulatedPerson:
        """The person with a middle name, a mobile and a mailbox, drawn apart from all that came before."""
        chance = Random(f"{person.key}/{person.nhs_number}")
        asian = "_south_asian" if person.group == "south_asian" else ""
        middle = chance.random() < self._rates.people[f"middle_name{asian}"]
        shared = chance.random() < self._rates.people["email_of_household"]
        box = f"{person.surname}.family" if shared else f"{person.forename}.{person.surname}"
        return replace(
            person,
            phone=_mobile(chance),
            former_phone=_mobile(chance),
            email=f"{box}{(_of_home(person) if shared else chance).randrange(1, 1000)}@example.org".lower(),
            middle_name=self._drawn(chance, self._names.forenames(person.group, person.sex), 8) if middle else None,
        )

    def twins(self) -> Sequence[SimulatedPerson]:
        """Born on one day under one surname; most still share a home."""
        first = self.person()
        second = self._of_sex(self._twin_sex(first), self.person(housemate=first), housemate=first)
        second = replace(second, birth_date=first.birth_date, surname=first.surname)
        if self._rng.random() >= _TWIN_SHARE_AT_HOME:
            second = replace(second, address=self.address(), household=second.key)
        return first, second

    def namesakes(self) -> Sequence[SimulatedPerson]:
        """A father and a son of the same name at one address."""
        young = _day(self._rng, date(1985, 1, 1), _YOUNGEST)
        son = replace(self._of_sex("male", self.person()), birth_date=young)
        older = timedelta(days=self._rng.randrange(21 * 365, 36 * 365))
        father = self._of_sex("male", self.person(housemate=son), housemate=son)
        return son, replace(father, birth_date=young - older, forename=son.forename, surname=son.surname)

    def couple(self) -> Sequence[SimulatedPerson]:
        """Two adults of one surname and address."""
        first = self.person()
        second = self._of_sex(
            "male" if first.sex == "female" else "female", self.person(housemate=first), housemate=first
        )
        return first, replace(second, surname=first.surname)

    def _of_sex(
        self, sex: Sex, person: SimulatedPerson, *, housemate: SimulatedPerson | None = None
    ) -> SimulatedPerson:
        if person.sex == sex:
            return person
        forename = self._forename(person.group, sex, housemate)
        return replace(person, sex=sex, forename=forename, height_cm=_height_cm(self._rng, sex))

    def _forename(self, group: str, sex: Sex, housemate: SimulatedPerson | None) -> str:
        names = self._names.forenames(group, sex)
        return self._drawn(self._rng, names, 8, but=housemate.forename if housemate else None)

    def _surname(self, group: str, but: str | None = None) -> str:
        return self._drawn(self._rng, self._names.surnames(group), self._names.surname_flatness, but=but)

    @staticmethod
    def _drawn(rng: Random, names: Sequence[str], flatness: int, *, but: str | None = None) -> str:
        """A name by its rank among all `but` one."""
        left_out = names.index(but) if but in names else len(names)
        ranks = range(len(names) - (left_out < len(names)))
        rank = rng.choices(ranks, cum_weights=_chances(len(ranks), flatness))[0]
        return names[rank + (rank >= left_out)]

    def _twin_sex(self, first: SimulatedPerson) -> Sex:
        same = self._rng.random() < 2 / 3  # all identical and half of the other twins
        return first.sex if same else ("male" if first.sex == "female" else "female")

    def _group(self) -> str:
        shares = [self._rates.people[group] for group in _GROUPS]
        return self._rng.choices(("white", *_GROUPS), (1 - sum(shares), *shares))[0]

    def _birth_date(self, group: str) -> date:
        born = _day(self._rng, _OLDEST, _YOUNGEST)
        unknown_day = self._rates.people["january_first_south_asian" if group == "south_asian" else "january_first"]
        return born.replace(month=1, day=1) if self._rng.random() < unknown_day else born


def _day(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randrange((last - first).days + 1))


def _height_cm(rng: Random, sex: Sex) -> int:
    return round(rng.gauss(163 if sex == "female" else 176, 6.5))  # Health Survey for England means, rounded


@cache
def _chances(ranks: int, flatness: int) -> tuple[float, ...]:
    """Frequency falls with rank: with flatness 8 the commonest of 200 is drawn about 3.6 % of the time."""
    return tuple(accumulate(1 / (rank + flatness) for rank in range(ranks)))


def _mobile(rng: Random) -> str:
    # 070 is for personal numbering in Ofcom's plan: no mobile telephone has such a number
    return f"070{rng.randrange(10**8):08d}"


def _of_home(person: SimulatedPerson) -> Random:
    return Random(f"{person.address.line}/{person.address.postcode}")
