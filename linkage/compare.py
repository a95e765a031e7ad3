"""How far two encoded identities agree, field by field.

Reads only the tokens of one block both stand in, and the number tokens. Equality of values is equality of tokens, so
every shared block gives the same answer but for chance (one comparison in 10^5): who wants one answer always looks
through the least block the two share (`common_block`). Symmetric by construction: each level is the best over all pairs
of values, and where forename and surname are crossed the better level is the forename's.

A linker compares one record with many, so the work is parted: `look` reads a record once for a block, and `pattern_of`
compares two looks. Single tokens decide most fields; neighbourhoods are taken apart only where they must.
"""

from collections.abc import Callable

from linkage.fields import (
    NO_FAMILY,
    NO_GIVEN,
    WHOLE,
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
from linkage.levels import LEVELS, Levels, Pattern
from linkage.token_format import (
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

__all__ = [
    "LEVELS", "Levels", "Look", "Pattern", "common_block", "levels", "look", "pattern",
    "pattern_of",
]  # fmt: skip

Compared = Callable[[bytes, bytes], int]

_G, _F, _B, _P, _H = FIRST[GIVEN], FIRST[FAMILY], FIRST[BIRTH], FIRST[POSTCODE], FIRST[HOUSE]
_ST, _C, _SX, _PH, _E = FIRST[STREET], FIRST[CITY], FIRST[SEX], FIRST[PHONE], FIRST[EMAIL]
_NAMES = 1 << GIVEN | 1 << FAMILY
_UNCOUNTED = len(CLASSES)  # "missing" as the frequency of a name
_NAMELESS, _CROWDED, _USUAL, _BIRTH_UNCOUNTED = range(len(LEVELS["birth_date_frequency"]))
_BIRTH_FREQUENCY = list(LEVELS).index("birth_date_frequency")
_NAMESAKES_AT_HOME = [0, 0, 0, 0, 0]  # forename, surname, birth date, postcode and house, all exact
_PART, _FAMILY_PART = (LEVELS[field].index("part") for field in ("given", "family"))
_EDIT, _SOUNDS = (LEVELS["family"].index(level) for level in ("edit", "sounds"))
# Groups a record may have several of, where they stand in a pattern, and how two are compared.
_SEVERAL: tuple[tuple[int, int, Compared], ...] = tuple(
    (group, list(LEVELS).index(field), level)
    for group, field, level in (
        (POSTCODE, "postcode", postcode_level),
        (HOUSE, "house", equal_level),
        (STREET, "street", text_level),
        (CITY, "city", text_level),
        (PHONE, "phone", equal_level),
        (EMAIL, "email", email_level),
    )
)


def pattern(a: EncodedIdentity, b: EncodedIdentity, *, block: bytes) -> Pattern:
    """How far the two agree, seen through a block both stand in. pattern(a, b) == pattern(b, a)."""
    return pattern_of(Look(a, block), Look(b, block))


def levels(a: EncodedIdentity, b: EncodedIdentity, *, block: bytes) -> Levels:
    """How far the two agree, in words. levels(a, b) == levels(b, a)."""
    return Levels.of(pattern(a, b, block=block))


def common_block(a: EncodedIdentity, b: EncodedIdentity) -> bytes | None:
    """The least token of the blocks both stand in, None when they share none."""
    return min(set(a.tokens).intersection(b.tokens), default=None)


def pattern_of(a: Look, b: Look) -> Pattern:
    """How far two records agree, both looked at through one block: of several names or addresses the closest two.
    pattern_of(a, b) == pattern_of(b, a).
    """
    p, q, more = a.values, b.values, a.plan.more | b.plan.more
    given, family, crossed = _names(a, b, more)
    mine, theirs = a.plan.frequency, b.plan.frequency
    birth = birth_date_level(p[_B], q[_B])
    found = [
        given,
        family,
        birth,
        postcode_level(p[_P], q[_P]),
        equal_level(p[_H], q[_H]),
        text_level(p[_ST], q[_ST]),
        text_level(p[_C], q[_C]),
        equal_level(p[_SX], q[_SX]),
        equal_level(p[_PH], q[_PH]),
        email_level(p[_E], q[_E]),
        number_level(a.record, b.record),
        0 if crossed else 1,
        _BIRTH_UNCOUNTED,
        _UNCOUNTED if given or crossed else max(mine[_G], theirs[_G]),
        _UNCOUNTED if family or crossed else max(mine[_F], theirs[_F]),
    ]
    if more:
        if more & _NAMES and not crossed:  # the frequencies stand last
            found[-2:] = (
                _UNCOUNTED if given else _rarest(a, b, GIVEN),
                _UNCOUNTED if family else _rarest(a, b, FAMILY),
            )
        for group, at, level in _SEVERAL:
            if found[at] and more >> group & 1:
                found[at] = _closest(level, _all(a, group), _all(b, group))
    if birth == 0:
        found[_BIRTH_FREQUENCY] = _birth_frequency(a, b, at_home=found[:5] == _NAMESAKES_AT_HOME)
    return tuple(found)


def _birth_frequency(a: Look, b: Look, *, at_home: bool) -> int:
    """Of two equal birth dates. `at_home`: under one full name at one address, where no crowd lives."""
    if not a.values[_G] and not b.values[_G]:
        return _NAMELESS
    return _CROWDED if not at_home and (a.plan.frequency[_B] or b.plan.frequency[_B]) else _USUAL


def _names(a: Look, b: Look, more: int) -> tuple[int, int, bool]:
    """Levels of forename and surname, and whether they had to be crossed: what middle names, parts of compound names
    and an exchange of the two make of them.
    """
    given, family = given_level(a.values[_G], b.values[_G]), family_level(a.values[_F], b.values[_F])
    if more & _NAMES:
        given = given and _closest(given_level, _all(a, GIVEN), _all(b, GIVEN))
        family = family and _closest(family_level, _all(a, FAMILY), _all(b, FAMILY))
    if given < _PART and family < _FAMILY_PART:
        return given, family, False
    if a.plan.parts or b.plan.parts:
        if _PART < given <= NO_GIVEN and _part_met(a, b, GIVEN, GIVEN_PART):
            given = _PART
        if _FAMILY_PART < family <= NO_FAMILY and _part_met(a, b, FAMILY, FAMILY_PART):
            family = _FAMILY_PART
    turned = _turned(a, b, more) if given == NO_GIVEN or family == NO_FAMILY else None
    return (*turned, True) if turned else (given, family, False)


def _part_met(a: Look, b: Look, group: int, part: int) -> bool:
    """Whether a whole name of one side is a middle name, or a part of a compound name, of the other."""
    return _is_part(a, b, group, part) or _is_part(b, a, group, part)


def _is_part(whole: Look, other: Look, group: int, part: int) -> bool:
    parts = other.plan.values.get(part)
    if parts is None:
        return False
    wholes = {whole.values[at][WHOLE] for at in whole.plan.values.get(group, ())}
    return not wholes.isdisjoint([other.values[at] for at in parts])


def _turned(a: Look, b: Look, more: int) -> tuple[int, int] | None:
    """Levels of the names when forename and surname are exchanged on one side, if that makes both agree."""
    level = _crossed(a, b, more)
    if level >= NO_FAMILY:
        return None
    better, worse = sorted((level, _crossed(b, a, more)))
    agree = better <= _EDIT and worse <= _SOUNDS
    return (LEVELS["given"].index(LEVELS["family"][better]), worse) if agree else None


def _crossed(view: Look, other: Look, more: int) -> int:
    """The level of a forename of one side as a surname of the other."""
    if more & _NAMES:
        return _closest(family_level, _all(view, GIVEN), _all(other, FAMILY))
    return family_level(view.values[_G], other.values[_F])


def _all(view: Look, group: int) -> list[bytes]:
    """Every value of a group; one that is empty where there is none."""
    values = view.values
    return [values[at] for at in view.plan.values.get(group, ())] or [b""]


def _closest(level: Compared, mine: list[bytes], theirs: list[bytes]) -> int:
    """The best level over all pairs of two values."""
    return min([level(x, y) for x in mine for y in theirs])


def _rarest(a: Look, b: Look, group: int) -> int:
    """How rare the rarest name is in which both agree exactly."""
    return max(
        max(a.plan.frequency[i], b.plan.frequency[j])
        for i in a.plan.values[group]
        for j in b.plan.values[group]
        if name_level(a.values[i], b.values[j]) == 0
    )
