"""How far two encoded identities agree, field by field.

Reads only the tokens of one block both stand in. Equality of values is equality of tokens, so every shared
block gives the same answer. Symmetric by construction: each level is the best over all pairs of values, and
where forename and surname are crossed the better level is the forename's.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter

from linkage.tokens import (
    BIRTH,
    EMAIL,
    FAMILY,
    FAMILY_PART,
    GIVEN,
    GIVEN_PART,
    GROUP_TOKENS,
    HOUSE,
    NAME_TOKENS,
    NUMBER,
    PHONE,
    POSTCODE,
    SALTED_BYTES,
    SEX,
    EncodedIdentity,
)

# Every level of every field, the closest agreement first. "missing": one side or both say nothing.
# "sounds": same soundex; "sounds_begins": that and the same three first letters; "part": a middle name or one
# part of a compound surname.
_NAME = (
    "exact",
    "nickname",
    "edit",
    "sounds_begins",
    "part",
    "sounds",
    "begins",
    "initial",
    "none",
    "missing",
)
LEVELS: dict[str, tuple[str, ...]] = {
    "given": _NAME,
    "family": tuple(level for level in _NAME if level not in ("nickname", "initial")),
    "birth_date": ("exact", "edit", "two_of_three", "year", "none", "missing"),
    "postcode": ("exact", "edit", "sector", "district", "none", "missing"),
    "house": ("equal", "none", "missing"),
    "sex": ("equal", "none", "missing"),
    "phone": ("equal", "none", "missing"),
    "email": ("equal", "none", "missing"),
    "nhs_number": ("equal", "near", "differ", "missing"),
    "crossed": ("yes", "no"),
}

Group = list[bytes]


@dataclass(frozen=True, slots=True)
class Levels:
    """The level reached in each field of LEVELS. `near` of the NHS number: one wrong digit or two swapped,
    and at most one of the two is valid.
    """

    given: str
    family: str
    birth_date: str
    postcode: str
    house: str
    sex: str
    phone: str
    email: str
    nhs_number: str
    crossed: str

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(field, level) in the order of LEVELS."""
        return tuple(zip(LEVELS, _every_level(self), strict=True))


_every_level = attrgetter(*LEVELS)
assert tuple(field.name for field in fields(Levels)) == tuple(LEVELS)


def common_block(a: EncodedIdentity, b: EncodedIdentity) -> bytes | None:
    """The least token of the blocks both stand in, None when they share none."""
    return min(set(a.tokens).intersection(b.tokens), default=None)


def levels(a: EncodedIdentity, b: EncodedIdentity, *, block: bytes) -> Levels:
    """How far the two agree, seen through a block both stand in. levels(a, b) == levels(b, a)."""
    left, right = _groups(a, block), _groups(b, block)
    given, family, crossed = _names(left, right)
    return Levels(
        given=given,
        family=family,
        birth_date=_birth(left.get(BIRTH), right.get(BIRTH)),
        postcode=_postcode(left.get(POSTCODE), right.get(POSTCODE)),
        house=_any_equal(left.get(HOUSE), right.get(HOUSE)),
        sex=_any_equal(left.get(SEX), right.get(SEX)),
        phone=_any_equal(left.get(PHONE), right.get(PHONE)),
        email=_any_equal(left.get(EMAIL), right.get(EMAIL)),
        nhs_number=_number(a, b, left.get(NUMBER), right.get(NUMBER)),
        crossed="yes" if crossed else "no",
    )


def numbers_conflict(a: EncodedIdentity, b: EncodedIdentity) -> bool:
    """Two different valid NHS numbers. Tokens of two epochs say nothing about each other."""
    return a.nhs is not None and b.nhs is not None and a.epoch == b.epoch and a.nhs != b.nhs


def _groups(identity: EncodedIdentity, block: bytes) -> dict[int, list[bytes]]:
    """The salted tokens of each group, one bytes value per group member, by group letter."""
    salted = identity.salted(block)
    groups: dict[int, list[bytes]] = {}
    for group, start, end in _places(identity.layout):
        groups.setdefault(group, []).append(salted[start:end])
    return groups


@lru_cache(maxsize=1024)
def _places(layout: bytes) -> tuple[tuple[int, int, int], ...]:
    """Group letter, start and end of each member of the layout."""
    ends = tuple(accumulate(GROUP_TOKENS[group] * SALTED_BYTES for group in layout))
    return tuple(zip(layout, (0, *ends), ends, strict=False))


def _token(group: bytes, i: int) -> bytes:
    return group[i * SALTED_BYTES : (i + 1) * SALTED_BYTES]


def _meet(a: bytes, b: bytes, start: int, end: int | None = None) -> bool:
    """Whether the tokens from `start` to before `end` of the two have one in common."""
    stop = len(a) if end is None else end * SALTED_BYTES
    cut = range(start * SALTED_BYTES, stop, SALTED_BYTES)
    return not {a[i : i + SALTED_BYTES] for i in cut}.isdisjoint([b[i : i + SALTED_BYTES] for i in cut])


def _any_equal(left: Group | None, right: Group | None) -> str:
    if not left or not right:
        return "missing"
    return "none" if set(left).isdisjoint(right) else "equal"


def _closest(left: Group, right: Group, order: tuple[str, ...]) -> str:
    """The best level over all pairs of names; "missing" when a side has none."""
    found = [_name(a, b, order) for a in left for b in right]
    return min(found, key=order.index, default="missing")


def _name(a: bytes, b: bytes, order: tuple[str, ...]) -> str:
    initial_alone = _token(a, 0) == _token(b, 3) or _token(b, 0) == _token(a, 3)
    if initial_alone:
        return "initial" if "initial" in order else "none"
    if _token(a, 0) == _token(b, 0):
        return "exact"
    if "nickname" in order and len(a) == len(b) > NAME_TOKENS * SALTED_BYTES and _meet(a, b, NAME_TOKENS):
        return "nickname"
    if _meet(a, b, 4, NAME_TOKENS):
        return "edit"
    sounds, begins = _token(a, 1) == _token(b, 1), _token(a, 2) == _token(b, 2)
    if sounds or begins:
        return "sounds_begins" if sounds and begins else "sounds" if sounds else "begins"
    return "none"


def _with_parts(level: str, field: str, *wholes_and_parts: tuple[Group, Group]) -> str:
    """`part` where it beats the level: a whole name equals a middle name or a part of a compound one."""
    order = LEVELS[field]
    if order.index(level) <= order.index("part") or level == "missing":
        return level
    met = any(_token(whole, 0) in parts for wholes, parts in wholes_and_parts for whole in wholes)
    return "part" if met else level


def _names(left: dict[int, Group], right: dict[int, Group]) -> tuple[str, str, bool]:
    """Levels of forename and surname, and whether they had to be crossed to agree."""
    given_a, given_b, family_a, family_b = (
        side.get(kind, []) for kind in (GIVEN, FAMILY) for side in (left, right)
    )
    order = LEVELS["given"]
    given = _closest(given_a, given_b, order)
    given = _with_parts(
        given, "given", (given_a, right.get(GIVEN_PART, [])), (given_b, left.get(GIVEN_PART, []))
    )
    family = _closest(family_a, family_b, LEVELS["family"])
    family = _with_parts(
        family, "family", (family_a, right.get(FAMILY_PART, [])), (family_b, left.get(FAMILY_PART, []))
    )
    if "none" not in (given, family):
        return given, family, False
    turned = sorted(
        (_closest(given_a, family_b, LEVELS["family"]), _closest(family_a, given_b, LEVELS["family"])),
        key=order.index,
    )
    if turned[0] in ("exact", "edit") and turned[1] in ("exact", "edit", "sounds_begins", "sounds"):
        return turned[0], turned[1], True
    return given, family, False


def _birth(left: Group | None, right: Group | None) -> str:
    if not left or not right:
        return "missing"
    a, b = left[0], right[0]
    if _token(a, 0) == _token(b, 0):
        return "exact"
    if _token(a, 1) == _token(b, 0) or _meet(a, b, 6):
        return "edit"
    if any(_token(a, i) == _token(b, i) for i in (2, 3, 4)):
        return "two_of_three"
    return "year" if _token(a, 5) == _token(b, 5) else "none"


def _postcode(left: Group | None, right: Group | None) -> str:
    if not left or not right:
        return "missing"
    order = LEVELS["postcode"]
    return min((_one_postcode(a, b) for a in left for b in right), key=order.index)


def _one_postcode(a: bytes, b: bytes) -> str:
    if _token(a, 0) == _token(b, 0):
        return "exact"
    if _meet(a, b, 3):
        return "edit"
    return (
        "sector" if _token(a, 1) == _token(b, 1) else "district" if _token(a, 2) == _token(b, 2) else "none"
    )


def _number(a: EncodedIdentity, b: EncodedIdentity, left: Group | None, right: Group | None) -> str:
    if a.nhs is not None and b.nhs is not None and a.epoch == b.epoch:
        return "equal" if a.nhs == b.nhs else "differ"
    if left and right and _meet(left[0], right[0], 0):
        return "near"
    return "missing"
