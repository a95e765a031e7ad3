"""People whose names have a script of their own: Arabic, Cyrillic or Greek in one source, Latin letters in the others.

Common names of their languages, written for this simulator and counted from nobody. The Latin form is the one the
person uses in England; a source's registration desk may have copied the passport instead.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random

from ops.lab.simulator.model import SimulatedEntry, SimulatedIdentity, SimulatedPerson, SourceSlug
from ops.lab.simulator.rates import Rates

Spelt = Mapping[str, str]  # in Latin letters -> in the name's script


@dataclass(frozen=True, slots=True)
class _Script:
    """Names of one script: surnames, and forenames by sex."""

    surnames: Spelt
    forenames: Mapping[str, Spelt]


def _names(text: str) -> Spelt:
    return dict(pair.split("=") for pair in text.split())


SCRIPTS: Mapping[str, _Script] = {
    "arabic": _Script(
        _names("Haddad=حداد Khoury=خوري Mansour=منصور Nasser=ناصر Saleh=صالح Darwish=درويش Hamdan=حمدان"),
        {
            "female": _names("Layla=ليلى Fatima=فاطمة Amal=أمل Noor=نور Maryam=مريم Samira=سميرة"),
            "male": _names("Omar=عمر Khalid=خالد Youssef=يوسف Karim=كريم Hassan=حسن Samir=سمير"),
        },
    ),
    "cyrillic": _Script(
        _names("Kovalenko=Коваленко Shevchenko=Шевченко Bondarenko=Бондаренко Melnyk=Мельник Ivanenko=Іваненко"),
        {
            "female": _names("Olena=Олена Svitlana=Світлана Natalia=Наталія Iryna=Ірина Oksana=Оксана"),
            "male": _names("Andriy=Андрій Serhiy=Сергій Oleksandr=Олександр Dmytro=Дмитро Taras=Тарас"),
        },
    ),
    "greek": _Script(
        _names("Papadopoulos=Παπαδόπουλος Georgiou=Γεωργίου Ioannou=Ιωάννου Dimitriou=Δημητρίου Pavlidis=Παυλίδης"),
        {
            "female": _names("Eleni=Ελένη Katerina=Κατερίνα Sofia=Σοφία Despina=Δέσποινα Anna=Άννα"),
            "male": _names("Giorgos=Γιώργος Nikos=Νίκος Dimitris=Δημήτρης Kostas=Κώστας Petros=Πέτρος"),
        },
    ),
}  # fmt: skip
_SURNAMES = {latin: written for script in SCRIPTS.values() for latin, written in script.surnames.items()}
_FORENAMES = {
    latin: written
    for script in SCRIPTS.values()
    for names in script.forenames.values()
    for latin, written in names.items()
}


def with_names_of_scripts(
    entries: Sequence[SimulatedEntry], people: Sequence[SimulatedPerson], rates: Rates
) -> tuple[SimulatedEntry, ...]:
    """The entries; a quota of those who live with nobody else here bear names of the scripts in turn. Nothing else
    about them changes, and no other draw moves."""
    households = Counter(person.household for person in people)
    alone = [person for person in people if households[person.household] == 1]
    count = math.ceil(rates.people["name_of_another_script"] * len(people))
    drawn = sorted(alone, key=lambda person: _chance(person).random())[:count]
    scripts = dict(zip((person.key for person in drawn), cycle(SCRIPTS.values()), strict=False))
    person_of = {person.key: person for person in drawn}
    return tuple(
        replace(entry, identity=_renamed(entry.identity, person_of[entry.person], scripts[entry.person]))
        if entry.person in scripts
        else entry
        for entry in entries
    )


def _chance(person: SimulatedPerson) -> Random:
    """Of this person alone, so that no other draw moves."""
    return Random(f"{person.key}/{person.nhs_number}/script")


def _renamed(identity: SimulatedIdentity, person: SimulatedPerson, script: _Script) -> SimulatedIdentity:
    """The identity under the names drawn for the person; a changed surname stays a changed one."""
    chance = _chance(person)
    surname, other = chance.sample(sorted(script.surnames), 2)
    forename = chance.choice(sorted(script.forenames[person.sex]))
    email = f"{forename}.{surname}{chance.randrange(1, 1000)}@example.org".lower()
    return replace(
        identity,
        surname=other if identity.surname == person.other_surname else surname,
        forename=forename,
        old_surname=surname if identity.old_surname else None,
        middle_name=None,
        known_as=None,
        email=email if identity.email == person.email else identity.email,
    )


def in_own_script(entries: Sequence[SimulatedEntry]) -> tuple[SimulatedEntry, ...]:
    """The entries; of each person with a name of another script, one source of several writes it in that script."""
    sources: dict[str, set[SourceSlug]] = {}
    numbers: dict[str, set[str]] = {}
    for entry in entries:
        if _is_of_a_script(entry.identity):
            sources.setdefault(entry.person, set()).add(entry.source)
            numbers.setdefault(entry.person, set()).add(entry.local_id)
    chosen = {
        person: Random(f"{person}/{min(numbers[person])}").choice(sorted(held))
        for person, held in sources.items()
        if len(held) > 1
    }
    return tuple(
        replace(entry, identity=_written(entry.identity)) if chosen.get(entry.person) == entry.source else entry
        for entry in entries
    )


def _is_of_a_script(identity: SimulatedIdentity) -> bool:
    return identity.surname in _SURNAMES and identity.forename in _FORENAMES


def _written(identity: SimulatedIdentity) -> SimulatedIdentity:
    if not _is_of_a_script(identity):
        return identity  # a slip of the pen, a name changed to another language's: left in Latin letters
    former = identity.old_surname
    return replace(
        identity,
        surname=_SURNAMES[identity.surname],
        forename=_FORENAMES[identity.forename],
        old_surname=_SURNAMES.get(former, former) if former else None,
    )
