"""The terms of a comparison: every field, every level of agreement in it, and the named interactions: agreements that
mean less, or more, together than apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter

from linkage.frequency import BIRTH_CLASSES, CLASSES

# Every level of every field, the closest agreement first. "missing": one side or both say nothing.
# "sounds": same soundex; "sounds_begins": that and the same three first letters; "part": a middle name or one
# part of a compound surname; "close": a street or town that sounds or begins the same, an e-mail with the same
# mailbox, or one that begins or ends the same. "near": one wrong digit or two swapped, and at most one of the two
# numbers is valid. A frequency is that of the name or birth date both agree in exactly, "missing" where they do
# not; a birth date is "crowded" where one of the two is, unless one full name at one front door stands beside it (the
# crowd is of strangers), and "nameless" where neither record has a forename.
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
    "birth_date_frequency": ("nameless", *BIRTH_CLASSES, "missing"),
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
    birth_date_frequency: str = "missing"
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


UNRELATED_BIRTH = ("none", "year")  # birth dates that agree in nothing a typing error would leave


def _household(at: Levels) -> bool:
    return at.family in ("exact", "edit") and at.postcode == "exact" and at.house != "none"


# Each is a name and a test on an agreement pattern. Explanations and model files hold the names, so a name keeps its
# meaning. Names that agree only when forename and surname are crossed are the field `crossed`.
INTERACTIONS: dict[str, Callable[[Levels], bool]] = {
    "household": _household,
    "same_birth_date_other_given": lambda at: at.birth_date == "exact" and at.given == "none",
    "twin": lambda at: _household(at) and at.birth_date == "exact" and at.given == "none",
    "father_son": lambda at: _household(at) and at.given in ("exact", "nickname") and at.birth_date in UNRELATED_BIRTH,
    # One address, one forename, one birth date: two people are nearly never that alike, one who married is. Of one
    # street in one postcode, some 15 homes, that holds too: a flat is left out, "12A" is "12". Surname change is the
    # largest known bias of linkage in England (women 5.7 % of record pairs, men 1.3 %).
    "renamed": lambda at: (
        at.given in ("exact", "nickname")
        and at.family == "none"
        and at.birth_date == "exact"
        and at.postcode == "exact"
        and (at.house == "equal" or at.street == "exact")
    ),
    # One address and one full name, birth dates one slip apart: namesakes in a household are a generation apart.
    "birth_date_mistyped": lambda at: _household(at) and at.given == "exact" and at.birth_date == "edit",
    # Each name may change by itself, in marriage or in translation; both at once is nearly always somebody else.
    "unrelated_names": lambda at: at.given == "none" and at.family == "none",
}


def held(at: Levels) -> tuple[str, ...]:
    """The names of the interactions that hold in an agreement pattern, in the order of INTERACTIONS."""
    return tuple(name for name, holds in INTERACTIONS.items() if holds(at))
