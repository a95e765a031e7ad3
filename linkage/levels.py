"""The words of a comparison: every field, every level of agreement in it, and what they mean."""

from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter

from linkage.frequency import CLASSES

# Every level of every field, the closest agreement first. "missing": one side or both say nothing.
# "sounds": same soundex; "sounds_begins": that and the same three first letters; "part": a middle name or one
# part of a compound surname; "close": a street or town that sounds or begins the same, an e-mail with the same
# mailbox, or one that begins or ends the same. "near": one wrong digit or two swapped, and at most one of the two
# numbers is valid. A frequency is that of the name both agree in exactly, "missing" where they do not.
_NAME = (
    "exact", "nickname", "edit", "sounds_begins", "part", "sounds", "begins", "initial", "none", "missing",
)  # fmt: skip
_TEXT = ("exact", "close", "none", "missing")
LEVELS: dict[str, tuple[str, ...]] = {
    "given": _NAME,
    "family": tuple(level for level in _NAME if level not in ("nickname", "initial")),
    "birth_date": ("exact", "edit", "two_of_three", "year", "none", "missing"),
    "postcode": ("exact", "edit", "sector", "district", "none", "missing"),
    "house": ("equal", "none", "missing"),
    "street": _TEXT,
    "city": _TEXT,
    "sex": ("equal", "none", "missing"),
    "phone": ("equal", "none", "missing"),
    "email": _TEXT,
    "nhs_number": ("equal", "near", "differ", "missing"),
    "crossed": ("yes", "no"),
    "given_frequency": (*CLASSES, "missing"),
    "family_frequency": (*CLASSES, "missing"),
}

Pattern = tuple[int, ...]  # the index of the level reached in each field, in the order of LEVELS


@dataclass(frozen=True, slots=True)
class Levels:
    """The level reached in each field of LEVELS; where nothing is said, nothing was compared."""

    given: str = "missing"
    family: str = "missing"
    birth_date: str = "missing"
    postcode: str = "missing"
    house: str = "missing"
    street: str = "missing"
    city: str = "missing"
    sex: str = "missing"
    phone: str = "missing"
    email: str = "missing"
    nhs_number: str = "missing"
    crossed: str = "no"
    given_frequency: str = "missing"
    family_frequency: str = "missing"

    @staticmethod
    def of(pattern: Pattern) -> "Levels":
        """The words of a pattern. The same object for the same pattern, within reason."""
        return _levels_of(pattern)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(field, level) in the order of LEVELS."""
        return tuple(zip(LEVELS, _every_level(self), strict=True))


_every_level = attrgetter(*LEVELS)
assert tuple(field.name for field in fields(Levels)) == tuple(LEVELS)


@lru_cache(maxsize=1 << 16)
def _levels_of(pattern: Pattern) -> Levels:
    return Levels(*(known[level] for known, level in zip(LEVELS.values(), pattern, strict=True)))
