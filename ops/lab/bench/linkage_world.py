"""Tens of thousands of simulated people as records of three tiers, with the truth beside them, in seconds.

The people, their lives and what clerks make of them are the simulator's; what is left out is what linking
does not read: facts, messages, formats. Which sources know a person follows the shares of `rates.routes`.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from linkage.normalise import Identity as LinkageIdentity
from linkage.normalise import Name, normalise
from ops.lab.simulator import default_rates
from ops.lab.simulator.identities import record_identity
from ops.lab.simulator.model import (
    COUNCIL,
    GP,
    TIER_OF,
    TRUST,
    SimulatedIdentity,
    SimulatedPerson,
    SourceSlug,
)
from ops.lab.simulator.population import COUNTY, TEST_REGION, Region, check_digit
from ops.lab.simulator.population import people as population
from ops.lab.simulator.rates import Rates

_SOURCES_OF_ROUTE: Mapping[str, tuple[SourceSlug, ...]] = {
    "gp_to_tier2": (GP, COUNCIL),
    "gp_to_tier2_to_tier3": (GP, COUNCIL, TRUST),
    "gp_to_tier2_lost_before_tier3": (GP, COUNCIL),
    "gp_to_tier2_lost": (GP,),
    "gp_to_tier3": (GP, TRUST),
    "gp_to_tier3_lost": (GP,),
    "self_to_tier2": (COUNCIL,),
}
_SECOND_COUNCIL_RECORD = 0.012  # assumption: 20 % withdraw, 20 % of them come again, 30 % of those as a new client
TIER_RANK = {"primary_care": 1, "tier2": 2, "tier3": 3}


@dataclass(frozen=True, slots=True, repr=False)
class WorldRecord:
    """One patient at one source, with what is true of them. `happened` lists in words why the record may be
    hard to link.
    """

    record_id: str
    source: str
    tier: str
    identity: LinkageIdentity
    person: str
    ethnic_group: str
    imd_quintile: int
    sex: str
    age_band: str
    happened: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class LinkageWorld:
    """Records in the order they arrive, and who has whom at home. Equal arguments give equal worlds."""

    seed: int
    people: int
    records: tuple[WorldRecord, ...]
    relation: Mapping[str, str]  # of people who share a home or a birth: twin, namesake or household

    @classmethod
    def of(
        cls,
        people: int = 30_000,
        *,
        seed: int,
        tier2_numbers: float = 0.6,
        region: Region = TEST_REGION,
    ) -> "LinkageWorld":
        """A world of that many people; `tier2_numbers` is the share of Tier 2 records with an NHS number."""
        rates = default_rates()
        rates = replace(rates, nhs_number_present={**rates.nhs_number_present, COUNCIL: tier2_numbers})
        rng = Random(seed)
        everyone = population(rng, people, rates, names=COUNTY, region=region)
        homes: dict[str, list[SimulatedPerson]] = {}
        for person in everyone:
            homes.setdefault(person.household, []).append(person)
        strangers = _numbers_of_nobody(rng, everyone, region.number_range)
        arrivals = [
            (start + order, record)
            for person in everyone
            for start in (rng.random(),)
            for order, record in _records(rng, person, _at_home(person, homes[person.household], strangers), rates)
        ]
        arrivals.sort(key=lambda arrival: arrival[0])
        relation = _relations(everyone)
        return cls(seed, people, tuple(record for _, record in arrivals), relation)


def _numbers_of_nobody(rng: Random, everyone: tuple[SimulatedPerson, ...], number_range: str) -> Iterator[str]:
    """Valid NHS numbers of people the programme never meets."""
    taken = {person.nhs_number for person in everyone}
    while True:
        nine = f"{number_range}{rng.randrange(10**6):06d}"
        number = f"{nine}{check_digit(nine)}"
        if len(number) == 10 and number not in taken:
            yield number


def _at_home(person: SimulatedPerson, home: list[SimulatedPerson], strangers: Iterator[str]) -> list[str]:
    """NHS numbers of the person's household: nearly everybody in England lives with someone, who is seldom in
    the programme too.
    """
    return [other.nhs_number for other in home if other is not person] or [next(strangers)]


def _records(
    rng: Random, person: SimulatedPerson, others: list[str], rates: Rates
) -> Iterator[tuple[float, WorldRecord]]:
    """The records of one person, each with how much later than the first it arrives (all of time is 1)."""
    route = rng.choices(tuple(rates.routes), tuple(rates.routes.values()))[0]
    sources = list(_SOURCES_OF_ROUTE[route])
    if COUNCIL in sources and rng.random() < _SECOND_COUNCIL_RECORD:
        sources.append(COUNCIL)
    for place, source in enumerate(sources):
        identity = record_identity(rng, person, source, rates=rates, household_numbers=others)
        record = WorldRecord(
            record_id=f"{rng.getrandbits(104):032x}",
            source=source,
            tier=TIER_OF[source],
            identity=as_linkage(identity),
            person=person.key,
            ethnic_group=person.group,
            imd_quintile=person.address.imd_quintile,
            sex=person.sex,
            age_band=_age_band(person),
            happened=tuple(_happened(person, identity, others)),
        )
        yield 0.2 * place, record


def as_linkage(identity: SimulatedIdentity) -> LinkageIdentity:
    """The identity a source sends, as linking receives it: nothing is corrected, and a number that fails
    Modulus 11 only claimed.
    """
    given = (identity.forename, identity.middle_name) if identity.middle_name else (identity.forename,)
    names = [Name(given=given, family=identity.surname)]
    if identity.old_surname:
        names.append(Name(given=(identity.forename,), family=identity.old_surname, use="old"))
    if identity.known_as:
        names.append(Name(given=(identity.known_as,), family=identity.surname, use="nickname"))
    homes = [(identity.postcode or "", identity.address)]
    if identity.former_address:
        homes.append((identity.former_address.postcode, identity.former_address))
    number = identity.nhs_number
    valid = number is not None and str(check_digit(number[:9])) == number[9]
    return LinkageIdentity(
        nhs_number=number if valid else None,
        nhs_number_claimed=None if valid else number,
        names=tuple(names),
        birth_date=identity.birth_date.isoformat() if identity.birth_date else None,
        sex=identity.sex,
        postcodes=tuple(postcode for postcode, _ in homes),
        houses=tuple(address.line for _, address in homes),
        cities=tuple(address.town for _, address in homes),
        phones=(identity.phone,) if identity.phone else (),
        emails=(identity.email,) if identity.email else (),
    )


def _happened(person: SimulatedPerson, identity: SimulatedIdentity, others: list[str]) -> Iterator[str]:
    """Why this record may be hard to link, in words."""
    if identity.nhs_number is None:
        yield "no number"
    elif identity.nhs_number in others:
        yield "number of household member"
    elif identity.nhs_number != person.nhs_number:
        yield "number mistyped"
    if identity.surname == person.forename:
        yield "names swapped"
    else:
        if person.other_surname in identity.surname:
            yield "renamed"
        elif identity.surname != person.surname:
            yield "surname misspelt"
        if identity.forename != person.forename:
            yield "forename otherwise"
    if identity.birth_date is None:
        yield "no birth date"
    elif identity.birth_date != person.birth_date:
        yield "birth date wrong"
    if identity.postcode is None:
        yield "no postcode"
    elif identity.address.postcode != person.address.postcode:
        yield "moved"
    elif identity.postcode != person.address.postcode:
        yield "postcode wrong"
    if identity.sex != person.sex:
        yield "sex wrong or missing"


def _relations(everyone: tuple[SimulatedPerson, ...]) -> dict[str, str]:
    born: dict[tuple[object, ...], list[SimulatedPerson]] = {}
    homes: dict[str, list[SimulatedPerson]] = {}
    for person in everyone:
        born.setdefault((person.birth_date, person.surname, person.ethnic_category), []).append(person)
        homes.setdefault(person.household, []).append(person)
    found: dict[str, str] = {}
    for home in homes.values():
        for person in home if len(home) > 1 else ():
            same = sum(other.forename == person.forename for other in home) > 1
            found[person.key] = "namesake" if same else "household"
    for twins in born.values():
        found.update((person.key, "twin") for person in twins if len(twins) > 1)
    return found


def _age_band(person: SimulatedPerson) -> str:
    decade = (2026 - person.birth_date.year) // 10 * 10
    return f"{decade}-{decade + 9}"


COLUMNS = (
    "record_id person source nhs_number family given middle birth_date gender postcode house city email phone "
    "family_old known_as postcode_former house_former"
).split()


def export_csv(world: LinkageWorld, path: Path) -> None:
    """The records as a table with truth (`person`), one line each in arrival order, for tools that read tables:
    every name and address a record has, cleaned as for our own linker, and its number also where it is not valid.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows(_row(record) for record in world.records)


def _row(record: WorldRecord) -> tuple[str, ...]:
    clean = normalise(record.identity)
    usual = next((name for name in clean.names), Name((), ""))
    postcodes = [f"{text[:-3]} {text[-3:]}" if text else "" for text in clean.postcodes]
    return (
        record.record_id,
        record.person,
        record.source,
        clean.nhs_number or record.identity.nhs_number_claimed or "",
        usual.family,
        "".join(usual.given[:1]),
        " ".join(usual.given[1:]),
        clean.birth_date or "",
        clean.sex or "",
        "".join(postcodes[:1]),
        "".join(clean.houses[:1]),
        "".join(clean.cities[:1]),
        "".join(clean.emails[:1]),
        "".join(clean.phones[:1]),
        "".join(name.family for name in clean.names if name.use == "old"),
        "".join(name.given[0] for name in clean.names if name.use == "nickname"),
        "".join(postcodes[1:2]),
        "".join(clean.houses[1:2]),
    )
