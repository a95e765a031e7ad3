"""Agreements that mean less, or more, together than apart.

Each is a name and a test on an agreement pattern. The names are the words of explanations and of model files: a
name keeps its meaning. Names that agree only when forename and surname are crossed are the field `crossed`.
"""

from collections.abc import Callable

from linkage.compare import Levels

UNRELATED_BIRTH = ("none", "year")  # birth dates that agree in nothing a typing error would leave


def _household(at: Levels) -> bool:
    return at.family in ("exact", "edit") and at.postcode == "exact" and at.house != "none"


INTERACTIONS: dict[str, Callable[[Levels], bool]] = {
    "household": _household,
    "same_birth_date_other_given": lambda at: at.birth_date == "exact" and at.given == "none",
    "twin": lambda at: _household(at) and at.birth_date == "exact" and at.given == "none",
    "father_son": lambda at: (
        _household(at) and at.given in ("exact", "nickname") and at.birth_date in UNRELATED_BIRTH
    ),
    # One address, one forename, one birth date: two people are nearly never that alike, one who married is. Surname
    # change is the largest known bias of linkage in England (women 5.7 % of record pairs, men 1.3 %).
    "renamed": lambda at: (
        at.given in ("exact", "nickname")
        and at.family == "none"
        and at.birth_date == "exact"
        and at.postcode == "exact"
        and at.house == "equal"
    ),
    # One address and one full name, birth dates one slip apart: namesakes in a household are a generation apart.
    "birth_date_mistyped": lambda at: _household(at) and at.given == "exact" and at.birth_date == "edit",
    # Each name may change by itself, in marriage or in translation; both at once is nearly always somebody else.
    "unrelated_names": lambda at: at.given == "none" and at.family == "none",
}


def held(at: Levels) -> tuple[str, ...]:
    """The names of the interactions that hold in an agreement pattern, in the order of INTERACTIONS."""
    return tuple(name for name, holds in INTERACTIONS.items() if holds(at))
