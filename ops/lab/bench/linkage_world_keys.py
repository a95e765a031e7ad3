"""The two ways records are joined today, on clear text: the NHS number, and a cascade of match keys.

A match key is a set of fields that must all agree; two records with one key in common are one person, and so
are those a chain of such pairs connects. The keys follow what is published: HESID (steps 1 and 3 of hesonline
"PSEUDO_HESID": sex, birth date and NHS number; sex, birth date and postcode), the kinds of key ONS used on
encoded names in "Beyond 2011: matching anonymous data" (exact names, initials, first letters, names crossed,
one field left out) and the sound-alike keys of PHE's enhanced matching (Aldridge 2015). Written down here in
our words: no list was copied, and the published ones differ in details.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import jellyfish

from linkage.normalise import NormalisedIdentity, normalise
from ops.lab.bench.linkage_world_records import WorldRecord

Clusters = dict[str, str]  # record id -> name of its cluster


def number_join(records: Iterable[WorldRecord]) -> Clusters:
    """Records with one valid NHS number are one person; a record without one is alone."""
    return {record.record_id: record.identity.nhs_number or f"alone/{record.record_id}" for record in records}


@dataclass(frozen=True, slots=True, repr=False)
class Keyed:
    """One record's valid NHS number and its match keys, in the order of KEYS; None where a field is missing."""

    record_id: str
    number: str | None
    keys: tuple[str | None, ...]


def keyed(records: Iterable[WorldRecord]) -> list[Keyed]:
    """The match keys of every record, from its cleaned identity: its first name and its first address."""
    found = []
    for record in records:
        fields = _Fields(normalise(record.identity))
        keys = tuple(key(fields) for key in KEYS.values())
        found.append(Keyed(record.record_id, fields.number, keys))
    return found


def match_keys(known: Sequence[Keyed], *, veto: bool = False) -> Clusters:
    """Records with any key in common are one person, and so on along the chain.

    With `veto`, a key joins no two clusters that hold different valid NHS numbers; joins are then taken key
    by key, in the order of KEYS.
    """
    groups = _Groups(known, veto=veto)
    for place in range(len(KEYS)):
        first: dict[str, str] = {}
        for one in known:
            value = one.keys[place]
            if value is not None:
                groups.join(one.record_id, first.setdefault(value, one.record_id))
    return {one.record_id: groups.root(one.record_id) for one in known}


class _Fields:
    """One record's fields as keys read them; None where it says nothing."""

    def __init__(self, clean: NormalisedIdentity) -> None:
        name = clean.names[0] if clean.names else None
        self.number = clean.nhs_number
        self.given = name.given[0].replace("-", "") if name and name.given else None
        self.family = (name.family.replace("-", "") or None) if name else None
        self.born = clean.birth_date
        self.sex = clean.sex
        self.postcode = clean.postcodes[0] if clean.postcodes and clean.postcodes[0] else None
        self.house = clean.houses[0] if clean.houses and clean.houses[0] else None

    def first(self, name: str | None, letters: int) -> str | None:
        return name[:letters] if name else None

    def sound(self, name: str | None) -> str | None:
        return jellyfish.soundex(name) if name and name.isalpha() else None

    def crossed(self) -> str | None:
        return "+".join(sorted((self.given, self.family))) if self.given and self.family else None


def _all(*parts: str | None) -> str | None:
    return None if None in parts else "/".join(str(part) for part in parts)


KEYS: Mapping[str, Callable[[_Fields], str | None]] = {
    "number, sex, birth date": lambda f: _all(f.number, f.sex, f.born),
    "number, forename, surname": lambda f: _all(f.number, f.given, f.family),
    "names, birth date, sex, postcode": lambda f: _all(f.given, f.family, f.born, f.sex, f.postcode),
    "names crossed, birth date, postcode": lambda f: _all(f.crossed(), f.born, f.postcode),
    "sounds of names, birth date, sex, postcode": lambda f: _all(
        f.sound(f.given), f.sound(f.family), f.born, f.sex, f.postcode
    ),
    "forename initial, birth date, sex, postcode": lambda f: _all(
        f.first(f.given, 1), f.born, f.sex, f.postcode
    ),
    "surname initial, birth date, sex, postcode": lambda f: _all(
        f.first(f.family, 1), f.born, f.sex, f.postcode
    ),
    "names, birth date, sex": lambda f: _all(f.given, f.family, f.born, f.sex),
    "names crossed, birth date, sex": lambda f: _all(f.crossed(), f.born, f.sex),
    "sounds of names, birth date, sex": lambda f: _all(f.sound(f.given), f.sound(f.family), f.born, f.sex),
    "three letters of names, birth date, sex, district": lambda f: _all(
        f.first(f.given, 3), f.first(f.family, 3), f.born, f.sex, f.postcode and f.postcode[:-3]
    ),
    "names, sex, postcode, house": lambda f: _all(f.given, f.family, f.sex, f.postcode, f.house),
    "names, year of birth, sex, postcode": lambda f: _all(
        f.given, f.family, f.born and f.born[:4], f.sex, f.postcode
    ),
}


class _Groups:
    """Disjoint sets of records, each with the NHS numbers it holds."""

    def __init__(self, known: Iterable[Keyed], *, veto: bool) -> None:
        self._veto = veto
        self._parent = {one.record_id: one.record_id for one in known}
        self._numbers = {one.record_id: {one.number} if one.number else set() for one in known}

    def root(self, record_id: str) -> str:
        parent = self._parent
        while parent[record_id] != record_id:
            parent[record_id] = parent[parent[record_id]]
            record_id = parent[record_id]
        return record_id

    def join(self, a: str, b: str) -> None:
        a, b = sorted((self.root(a), self.root(b)))
        if a == b:
            return
        numbers = self._numbers[a] | self._numbers[b]
        if self._veto and len(numbers) > 1:
            return
        self._parent[b] = a
        self._numbers[a] = numbers
