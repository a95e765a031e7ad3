"""How far two encoded identities agree, field by field.

Reads only the tokens of one block both stand in, and the number tokens. Equality of values is equality of
tokens, so every shared block gives the same answer but for chance (one comparison in 10^5): who wants one answer
always looks through the least block the two share (`common_block`). Symmetric by construction: each level is the
best over all pairs of values, and where forename and surname are crossed the better level is the forename's.

A linker compares one record with many, so the work is parted: `look` reads a record once for a block, and
`pattern_of` compares two looks. Single tokens decide most fields; neighbourhoods are taken apart only where they
must.
"""

from collections.abc import Callable

from linkage.fields import (
    NO_FAMILY,
    NO_GIVEN,
    NUMBERS_DIFFER,
    Look,
    birth_date_level,
    email_level,
    equal_level,
    family_level,
    given_level,
    look,
    name_level,
    number_level,
    postcode_level,
    text_level,
)
from linkage.frequency import CLASSES
from linkage.layout import (
    BIRTH,
    CITY,
    EMAIL,
    FAMILY,
    FAMILY_PART,
    FIRST,
    GIVEN,
    GIVEN_PART,
    HOUSE,
    PHONE,
    POSTCODE,
    SEX,
    STREET,
    EncodedIdentity,
)
from linkage.levels import LEVELS, Levels, Pattern

__all__ = [
    "LEVELS", "Levels", "Look", "Pattern", "common_block", "levels", "look", "numbers_conflict", "pattern",
    "pattern_of",
]  # fmt: skip

Places = tuple[int, ...]
Compared = Callable[[Look, int, Look, int], int]

_G, _F, _B, _P, _H = FIRST[GIVEN], FIRST[FAMILY], FIRST[BIRTH], FIRST[POSTCODE], FIRST[HOUSE]
_ST, _C, _SX, _PH, _E = FIRST[STREET], FIRST[CITY], FIRST[SEX], FIRST[PHONE], FIRST[EMAIL]
_UNCOUNTED = len(CLASSES)  # "missing" as the frequency of a name
_PART, _FAMILY_PART = (LEVELS[field].index("part") for field in ("given", "family"))
_EDIT, _SOUNDS = (LEVELS["family"].index(level) for level in ("edit", "sounds"))


def pattern(a: EncodedIdentity, b: EncodedIdentity, *, block: bytes) -> Pattern:
    """How far the two agree, seen through a block both stand in. pattern(a, b) == pattern(b, a)."""
    return pattern_of(Look(a, block), Look(b, block))


def levels(a: EncodedIdentity, b: EncodedIdentity, *, block: bytes) -> Levels:
    """How far the two agree, in words. levels(a, b) == levels(b, a)."""
    return Levels.of(pattern(a, b, block=block))


def common_block(a: EncodedIdentity, b: EncodedIdentity) -> bytes | None:
    """The least token of the blocks both stand in, None when they share none."""
    return min(set(a.tokens).intersection(b.tokens), default=None)


def numbers_conflict(a: EncodedIdentity, b: EncodedIdentity) -> bool:
    """Two different valid NHS numbers, neither of which superseded the other. Tokens of two epochs say nothing
    about each other.
    """
    return number_level(a, b) == NUMBERS_DIFFER


def pattern_of(a: Look, b: Look) -> Pattern:
    """How far two records agree, both looked at through one block. pattern_of(a, b) == pattern_of(b, a)."""
    if a.plan.several or b.plan.several:
        return _pattern_of_several(a, b)
    p, q = a.pieces, b.pieces
    given, family, crossed = _names(a, b)
    return (
        given,
        family,
        0 if p[_B] == q[_B] and p[_B] else birth_date_level(a, _B, b, _B),
        0 if p[_P] == q[_P] and p[_P] else postcode_level(a, _P, b, _P),
        equal_level(a, _H, b, _H),
        text_level(a, _ST, b, _ST),
        text_level(a, _C, b, _C),
        equal_level(a, _SX, b, _SX),
        equal_level(a, _PH, b, _PH),
        email_level(a, _E, b, _E),
        number_level(a.record, b.record),
        0 if crossed else 1,
        _UNCOUNTED if given or crossed else max(a.plan.frequency[_G], b.plan.frequency[_G]),
        _UNCOUNTED if family or crossed else max(a.plan.frequency[_F], b.plan.frequency[_F]),
    )


def _names(a: Look, b: Look) -> tuple[int, int, bool]:
    """Levels of forename and surname where each side has one of each, and whether they had to be crossed."""
    given, family = given_level(a, _G, b, _G), family_level(a, _F, b, _F)
    if given < _PART and family < _FAMILY_PART:
        return given, family, False
    return _with_parts_and_crossed(a, b, given, family)


def _with_parts_and_crossed(a: Look, b: Look, given: int, family: int) -> tuple[int, int, bool]:
    """What middle names, parts of compound names and an exchange of forename and surname make of the levels."""
    if a.plan.parts or b.plan.parts:
        if _PART < given <= NO_GIVEN and _part_met(a, b, GIVEN, GIVEN_PART):
            given = _PART
        if _FAMILY_PART < family <= NO_FAMILY and _part_met(a, b, FAMILY, FAMILY_PART):
            family = _FAMILY_PART
    turned = _turned(a, b) if given == NO_GIVEN or family == NO_FAMILY else None
    return (*turned, True) if turned else (given, family, False)


def _part_met(a: Look, b: Look, whole: int, part: int) -> bool:
    """Whether a whole name of one side is a middle name, or a part of a compound name, of the other."""
    return any(
        one.pieces[i] == other.pieces[j]
        for one, other in ((a, b), (b, a))
        for j in other.plan.values.get(part, ())
        for i in one.plan.values.get(whole, ())
    )


def _turned(a: Look, b: Look) -> tuple[int, int] | None:
    """Levels of the names when forename and surname are exchanged on one side, if that makes both agree."""
    mine, theirs = a.plan.values, b.plan.values
    one = _closest(family_level, a, mine.get(GIVEN, (_G,)), b, theirs.get(FAMILY, (_F,)))
    if one >= NO_FAMILY:
        return None
    other = _closest(family_level, a, mine.get(FAMILY, (_F,)), b, theirs.get(GIVEN, (_G,)))
    better, worse = sorted((one, other))
    agree = better <= _EDIT and worse <= _SOUNDS
    return (LEVELS["given"].index(LEVELS["family"][better]), worse) if agree else None


# ------------------------------------------------------------ several values of some


def _pattern_of_several(a: Look, b: Look) -> Pattern:
    """As pattern_of, where a side has two names or addresses: the closest of all pairs."""
    given, family, crossed = _with_parts_and_crossed(
        a, b, _best(given_level, a, b, GIVEN), _best(family_level, a, b, FAMILY)
    )
    return (
        given,
        family,
        birth_date_level(a, _B, b, _B),
        _best(postcode_level, a, b, POSTCODE),
        _best(equal_level, a, b, HOUSE),
        _best(text_level, a, b, STREET),
        _best(text_level, a, b, CITY),
        _best(equal_level, a, b, SEX),
        _best(equal_level, a, b, PHONE),
        _best(email_level, a, b, EMAIL),
        number_level(a.record, b.record),
        0 if crossed else 1,
        _UNCOUNTED if given or crossed else _rarest(a, b, GIVEN),
        _UNCOUNTED if family or crossed else _rarest(a, b, FAMILY),
    )


def _best(level: Compared, a: Look, b: Look, group: int) -> int:
    """The best level over all pairs of values of a group; "missing" where a side has none."""
    first = (FIRST[group],)  # where there is no value it is empty, and the level of that is "missing"
    mine, theirs = a.plan.values.get(group, first), b.plan.values.get(group, first)
    if len(mine) == len(theirs) == 1:
        return level(a, mine[0], b, theirs[0])
    return _closest(level, a, mine, b, theirs)


def _closest(level: Compared, a: Look, mine: Places, b: Look, theirs: Places) -> int:
    return min([level(a, i, b, j) for i in mine for j in theirs])


def _rarest(a: Look, b: Look, group: int) -> int:
    """How rare the rarest name is in which both agree exactly."""
    return max(
        max(a.plan.frequency[i], b.plan.frequency[j])
        for i in a.plan.values[group]
        for j in b.plan.values[group]
        if name_level(a, i, b, j) == 0
    )
