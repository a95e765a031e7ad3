"""How far one value of one field agrees with another: the indexes of linkage.levels, from tokens alone.

Each function takes two looks and, in each, the index of the first piece of a value; where there is no value the
pieces are empty and the level is "missing". All are symmetric.
"""

import struct

from linkage.layout import (
    BIRTH_NEAR,
    NAME_NEAR,
    NICK_TOKENS,
    NUMBER_NEAR,
    POSTCODE_NEAR,
    SINGLE_BYTES,
    EncodedIdentity,
    plan_of,
)
from linkage.levels import LEVELS

Pieces = tuple[bytes, ...]

NO_GIVEN, NO_FAMILY = (LEVELS[field].index("none") for field in ("given", "family"))
NUMBER_EQUAL, NUMBER_NEAR_LEVEL, NUMBERS_DIFFER, NUMBER_MISSING = range(4)
# The levels of a forename as those of a surname, which has no nicknames and no initials.
AS_FAMILY = tuple(
    LEVELS["family"].index(level if level in LEVELS["family"] else "none") for level in LEVELS["given"]
)
_MAYBE_NICKNAME = frozenset(range(2, LEVELS["given"].index("initial"))) | {NO_GIVEN}

_of_name = struct.Struct(f"{SINGLE_BYTES}s" * NAME_NEAR).unpack
_of_nicknames = struct.Struct(f"{SINGLE_BYTES}s" * NICK_TOKENS).unpack
_of_birth = struct.Struct(f"{SINGLE_BYTES}s" * BIRTH_NEAR).unpack
_of_postcode = struct.Struct(f"{SINGLE_BYTES}s" * POSTCODE_NEAR).unpack
_of_number = struct.Struct(f"{SINGLE_BYTES}s" * NUMBER_NEAR).unpack


class Look:
    """One record as seen through one block, made ready to be compared with many. Made by `look` alone."""

    __slots__ = ("pieces", "plan", "record")

    def __init__(self, record: EncodedIdentity, block: bytes) -> None:
        """Raises KeyError where the record does not stand in the block."""
        plan = plan_of(record.layout)
        self.record = record
        self.plan = plan
        self.pieces: Pieces = plan.read(record.packed, record.place(block))

    def __repr__(self) -> str:
        return "Look(**)"


def look(encoded: EncodedIdentity, block: bytes) -> Look:
    """The record as seen through a block it stands in. Raises KeyError where it does not."""
    return Look(encoded, block)


def equal_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two values that are equal or are not."""
    x, y = a.pieces[i], b.pieces[j]
    return 2 if not x or not y else 0 if x == y else 1


def name_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two names, as of forenames, nicknames apart. Pieces: whole, sound, first three, first, last; near."""
    p, q = a.pieces, b.pieces
    x, y = p[i], q[j]
    if not x or not y:
        return 9
    if x == y:
        return 7 if x == p[i + 3] else 0
    if x == q[j + 3] or y == p[i + 3]:
        return 7
    may_be_slip = p[i + 3] == q[j + 3] or p[i + 4] == q[j + 4]  # one slip leaves the first letter or the last
    if may_be_slip and not set(_of_name(p[i + 5])).isdisjoint(_of_name(q[j + 5])):
        return 2
    if p[i + 1] == q[j + 1]:
        return 3 if p[i + 2] == q[j + 2] else 5
    return 6 if p[i + 2] == q[j + 2] else 8


def given_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two forenames. Pieces: as of a name, then the nicknames."""
    level = name_level(a, i, b, j)
    if level in _MAYBE_NICKNAME:
        mine, theirs = _of_nicknames(a.pieces[i + 6]), _of_nicknames(b.pieces[j + 6])
        return level if set(mine).isdisjoint(theirs) else 1
    return level


def family_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two surnames."""
    return AS_FAMILY[name_level(a, i, b, j)]


def birth_date_level(a: Look, i: int, b: Look, j: int) -> int:
    """Pieces: whole, day and month swapped, YM, YD, MD, Y; near. A slip of one digit, or of two that stand side
    by side, leaves two of year, month and day as they were.
    """
    p, q = a.pieces, b.pieces
    x, y = p[i], q[j]
    if not p[i + 5] or not q[j + 5]:
        return 5
    if x and x == y:
        return 0
    if x and x == q[j + 1]:
        return 1
    for k in (2, 3, 4):
        if p[i + k] and p[i + k] == q[j + k]:
            slip = x and y and not set(_of_birth(p[i + 6])).isdisjoint(_of_birth(q[j + 6]))
            return 1 if slip else 2
    return 3 if p[i + 5] == q[j + 5] else 4


def postcode_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two postcodes. Pieces: whole, sector, district; near."""
    p, q = a.pieces, b.pieces
    x, y = p[i], q[j]
    if not x or not y:
        return 5
    if x == y:
        return 0
    if not set(_of_postcode(p[i + 3])).isdisjoint(_of_postcode(q[j + 3])):
        return 1
    return 2 if p[i + 1] == q[j + 1] else 3 if p[i + 2] == q[j + 2] else 4


def text_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two streets or cities. Pieces: whole, sound, first five letters."""
    p, q = a.pieces, b.pieces
    x, y = p[i], q[j]
    if not x or not y:
        return 3
    if x == y:
        return 0
    return 1 if p[i + 1] == q[j + 1] or p[i + 2] == q[j + 2] else 2


def email_level(a: Look, i: int, b: Look, j: int) -> int:
    """Level of two e-mails. Pieces: whole, mailbox, its first five letters, its last five. The first five say no
    more than the forename does again.
    """
    p, q = a.pieces, b.pieces
    if not p[i] or not q[j]:
        return 3
    if p[i] == q[j]:
        return 0
    return 1 if p[i + 1] == q[j + 1] or p[i + 3] == q[j + 3] else 2


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
