"""How far one value of one field agrees with another: the indexes of linkage.levels, from tokens alone.

Each function takes the tokens of two values as they stand in a block, in the order of linkage.token_format; b"" is no
value, and the level of that is "missing". All are symmetric.
"""

import struct

from linkage.levels import LEVELS
from linkage.token_format import (
    BIRTH,
    BIRTH_NEAR,
    NAME_NEAR,
    NICK_TOKENS,
    NUMBER_NEAR,
    POSTCODE_NEAR,
    SINGLE_BYTES,
    TOKENS,
    EncodedIdentity,
    plan_of,
)

NO_GIVEN, NO_FAMILY = (LEVELS[field].index("none") for field in ("given", "family"))
NUMBER_EQUAL, NUMBER_NEAR_LEVEL, NUMBERS_DIFFER, NUMBER_MISSING = range(4)
# The levels of a forename as those of a surname, which has no nicknames and no initials.
AS_FAMILY = tuple(LEVELS["family"].index(level if level in LEVELS["family"] else "none") for level in LEVELS["given"])
_MAYBE_NICKNAME = frozenset(range(2, LEVELS["given"].index("initial"))) | {NO_GIVEN}


def _token(at: int) -> slice:
    return slice(at * SINGLE_BYTES, (at + 1) * SINGLE_BYTES)


WHOLE = _token(0)
_SOUND, _THREE, _INITIAL, _LAST = map(_token, range(1, 5))
_SWAPPED, _DATE_PARTS, _YEAR = _token(1), tuple(map(_token, (2, 3, 4))), _token(5)
_SECTOR, _DISTRICT = _token(1), _token(2)
_TEXT_SOUND, _TEXT_BEGINS = _token(1), _token(2)
_MAILBOX, _MAILBOX_ENDS = _token(1), _token(3)
_DATE_BYTES = TOKENS[BIRTH] * SINGLE_BYTES


def _near(first: int, count: int) -> struct.Struct:
    return struct.Struct(f"{first * SINGLE_BYTES}x" + f"{SINGLE_BYTES}s" * count)


_of_name = _near(5, NAME_NEAR).unpack_from
_of_birth = _near(6, BIRTH_NEAR).unpack_from
_of_postcode = _near(3, POSTCODE_NEAR).unpack_from
_of_nicknames = _near(5 + NAME_NEAR, NICK_TOKENS).unpack_from
_of_number = _near(0, NUMBER_NEAR).unpack


class Look:
    """One record as seen through one block, made ready to be compared with many. Made by `look` alone."""

    __slots__ = ("plan", "record", "values")

    def __init__(self, record: EncodedIdentity, block: bytes) -> None:
        """Raises KeyError where the record does not stand in the block."""
        plan = plan_of(record.layout)
        self.record = record
        self.plan = plan
        self.values = plan.read(record.packed, record.place(block))

    def __repr__(self) -> str:
        return "Look(**)"


def look(encoded: EncodedIdentity, block: bytes) -> Look:
    """The record as seen through a block it stands in. Raises KeyError where it does not."""
    return Look(encoded, block)


def equal_level(x: bytes, y: bytes) -> int:
    """Level of two values that are equal or are not."""
    return 2 if not x or not y else 0 if x == y else 1


def name_level(x: bytes, y: bytes) -> int:
    """Level of two names, as of forenames, nicknames apart."""
    if not x or not y:
        return 9
    if x[WHOLE] == y[WHOLE]:
        return 7 if x[WHOLE] == x[_INITIAL] else 0
    mine, theirs = x[_INITIAL], y[_INITIAL]
    if x[WHOLE] == theirs or y[WHOLE] == mine:
        return 7
    may_be_slip = mine == theirs or x[_LAST] == y[_LAST]  # one slip leaves the first letter or the last
    if may_be_slip and not set(_of_name(x)).isdisjoint(_of_name(y)):
        return 2
    if x[_SOUND] == y[_SOUND]:
        return 3 if x[_THREE] == y[_THREE] else 5
    return 6 if x[_THREE] == y[_THREE] else 8


def given_level(x: bytes, y: bytes) -> int:
    """Level of two forenames."""
    level = name_level(x, y)
    if level in _MAYBE_NICKNAME:
        return level if set(_of_nicknames(x)).isdisjoint(_of_nicknames(y)) else 1
    return level


def family_level(x: bytes, y: bytes) -> int:
    """Level of two surnames."""
    return AS_FAMILY[name_level(x, y)]


def birth_date_level(x: bytes, y: bytes) -> int:
    """Level of two birth dates, or of what is known of them. A slip of one digit, or of two that stand side by side,
    leaves two of year, month and day as they were.
    """
    if not x or not y:
        return 5
    if not len(x) == len(y) == _DATE_BYTES:
        return _less_than_dates_level(x, y)
    if x == y:
        return 0
    if x[WHOLE] == y[_SWAPPED]:
        return 1
    for part in _DATE_PARTS:
        if x[part] == y[part]:
            return 2 if set(_of_birth(x)).isdisjoint(_of_birth(y)) else 1
    return 3 if x[_YEAR] == y[_YEAR] else 4


def _less_than_dates_level(x: bytes, y: bytes) -> int:
    """Level where a side has no day, or only a year."""
    (my_month, my_year), (their_month, their_year) = map(_month_and_year, (x, y))
    if my_month and my_month == their_month:
        return 2
    return 3 if my_year == their_year else 4


def _month_and_year(birth: bytes) -> tuple[bytes, bytes]:
    if len(birth) == _DATE_BYTES:
        return birth[_DATE_PARTS[0]], birth[_YEAR]
    return birth[:-SINGLE_BYTES], birth[-SINGLE_BYTES:]


def postcode_level(x: bytes, y: bytes) -> int:
    """Level of two postcodes."""
    if not x or not y:
        return 5
    if x == y:
        return 0
    if not set(_of_postcode(x)).isdisjoint(_of_postcode(y)):
        return 1
    return 2 if x[_SECTOR] == y[_SECTOR] else 3 if x[_DISTRICT] == y[_DISTRICT] else 4


def text_level(x: bytes, y: bytes) -> int:
    """Level of two streets or cities."""
    if not x or not y:
        return 3
    if x == y:
        return 0
    return 1 if x[_TEXT_SOUND] == y[_TEXT_SOUND] or x[_TEXT_BEGINS] == y[_TEXT_BEGINS] else 2


def email_level(x: bytes, y: bytes) -> int:
    """Level of two e-mails. The first five letters of the mailbox say no more than the forename does again."""
    if not x or not y:
        return 3
    if x == y:
        return 0
    return 1 if x[_MAILBOX] == y[_MAILBOX] or x[_MAILBOX_ENDS] == y[_MAILBOX_ENDS] else 2


def number_level(a: EncodedIdentity, b: EncodedIdentity) -> int:
    """Level of the NHS numbers of two records. Where one is said to have superseded the other they say nothing: they
    no longer differ, and anybody can write such a line.
    """
    x, y = a.nhs, b.nhs
    if a.epoch != b.epoch:
        return NUMBER_MISSING
    if x and y:
        superseded = x in b.former or y in a.former
        return NUMBER_EQUAL if x == y else NUMBER_MISSING if superseded else NUMBERS_DIFFER
    if a.near and b.near and not set(_of_number(a.near)).isdisjoint(_of_number(b.near)):
        return NUMBER_NEAR_LEVEL
    return NUMBER_MISSING
