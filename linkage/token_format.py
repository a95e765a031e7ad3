"""The bytes of an encoded identity: which comparison tokens it has, how long each is and where it stands.

A layout is one byte a value: the low seven bits say what it is (a forename, a postcode), the highest, of a name,
whether no table of common names has it, and of a birth date whether many share it (linkage.frequency). The first value
of each group comes in the order of the groups, then every further one. So a layout tells how many names and addresses
a record has and nothing of what they are; lengths are fixed.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from linkage.errors import EncodingInvalid

VERSION = 2
TOKEN_BYTES = 8  # a blocking token: among 10^7 tokens two blocks are taken for one with chance 3 in 10^6
NUMBER_BYTES = 16  # an NHS-number token: 128 bits, unique for any population
# A comparison token: two values are taken for one with chance 2^-24, two neighbourhoods of twelve with 10^-5. That
# is chance of the block, so who wants one answer for a pair looks through the least block it shares.
SINGLE_BYTES = 3
NUMBER_NEAR = 11  # a number and its ten deletions; unique as numbers are, so they need no salt and stand once

GIVEN, FAMILY, BIRTH, BIRTH_MONTH, BIRTH_YEAR, POSTCODE = 1, 2, 3, 4, 5, 6
HOUSE, STREET, CITY, SEX, PHONE, EMAIL, GIVEN_PART, FAMILY_PART = 7, 8, 9, 10, 11, 12, 13, 14
NAME_NEAR, NICK_TOKENS, BIRTH_NEAR, POSTCODE_NEAR = 12, 4, 8, 9

# Tokens of a value of each group, one behind the other.
_NAME = 5 + NAME_NEAR  # whole, sound, first three letters, first letter, last letter; near
TOKENS: dict[int, int] = {
    GIVEN: _NAME + NICK_TOKENS,
    FAMILY: _NAME,
    BIRTH: 6 + BIRTH_NEAR,  # whole, day and month swapped, YM, YD, MD, Y; near
    BIRTH_MONTH: 2,  # YM, Y
    BIRTH_YEAR: 1,
    POSTCODE: 3 + POSTCODE_NEAR,  # whole, sector, district; near
    HOUSE: 1,
    STREET: 3,  # whole, sound, first five
    CITY: 3,
    SEX: 1,
    PHONE: 1,
    EMAIL: 4,  # whole, mailbox, its first five, its last five
    GIVEN_PART: 1,
    FAMILY_PART: 1,
}
_DATES = (BIRTH, BIRTH_MONTH, BIRTH_YEAR)
_SLOTS = ((GIVEN,), (FAMILY,), _DATES, (POSTCODE,), (HOUSE,), (STREET,), (CITY,), (SEX,), (PHONE,), (EMAIL,))
_PARTS = (GIVEN_PART, FAMILY_PART)
_ONCE = (*_DATES, SEX)  # a record has no two of them
_COUNTED = (GIVEN, FAMILY, BIRTH)  # groups that have a frequency
VALUES_MAX = 60  # values of one identity


def item(group: int, frequency: int = 0) -> int:
    """One byte of a layout. `frequency`: the highest bit, 0 or 1 (linkage.frequency)."""
    return group | frequency << 7


def group_of(item: int) -> int:
    """The group of a byte of a layout."""
    return item & 0x7F


@dataclass(frozen=True, slots=True)
class BlockFormat:
    """How the blocks of one layout are read. `read` takes bytes and a place and gives every value: the first of each
    group at the same index in every plan (b"" where there is none), further ones after them. `more`: a bit, 1 shifted
    left by the group, for every group of more than one value; `parts`: there are middle names or parts of compound
    ones. `values` are the indexes of the values of a group; `frequency` is by that index.
    """

    step: int
    read: Callable[[bytes, int], tuple[bytes, ...]]
    more: int
    parts: bool
    values: dict[int, tuple[int, ...]]
    frequency: dict[int, int]


# The index of the first value of each group in every plan.
FIRST = {group: at for at, slot in enumerate(_SLOTS) for group in slot}


@lru_cache(maxsize=4096)
def plan_of(layout: bytes) -> BlockFormat:
    """The plan of a layout. Raises EncodingInvalid for one that is not canonical."""
    groups = [group_of(item_byte) for item_byte in layout]
    if not TOKENS.keys() >= set(groups) or len(layout) > VALUES_MAX:
        raise EncodingInvalid("layout", rule=f"at most {VALUES_MAX} values of known groups")
    sizes: list[int] = []
    values: dict[int, tuple[int, ...]] = {}
    taken = 0
    for slot in _SLOTS:
        there = taken < len(groups) and groups[taken] in slot
        sizes.append(TOKENS[groups[taken]] * SINGLE_BYTES if there else 0)
        if there:
            values[groups[taken]] = (FIRST[groups[taken]],)
            taken += 1
    further = groups[taken:]
    single = [group for group in further if group not in _PARTS and (group in _ONCE or group not in values)]
    if single or further != sorted(further):
        raise EncodingInvalid("layout", rule="canonical order")
    for group in further:
        values[group] = (*values.get(group, ()), len(sizes))
        sizes.append(TOKENS[group] * SINGLE_BYTES)
    form = struct.Struct("".join(f"{size}s" for size in sizes))
    return BlockFormat(
        step=TOKEN_BYTES + form.size,
        read=form.unpack_from,
        more=sum({1 << group for group in further if group not in _PARTS}),
        parts=any(group in _PARTS for group in further),
        values=values,
        frequency=_frequencies(layout, values),
    )


@lru_cache(maxsize=4096)
def _numbers_at(step: int, blocks: int) -> Callable[[bytes], tuple[int, ...]]:
    """Reads the first TOKEN_BYTES of every block, big end first: as numbers they rise as they do as bytes."""
    return struct.Struct(">" + f"Q{step - TOKEN_BYTES}x" * blocks).unpack


def _frequencies(layout: bytes, values: dict[int, tuple[int, ...]]) -> dict[int, int]:
    """The highest bit of each name and birth date, by its index. Raises EncodingInvalid where another has one."""
    found: dict[int, int] = {}
    for group in _COUNTED:
        ranks = [item_byte >> 7 for item_byte in layout if group_of(item_byte) == group]
        found.update(zip(values.get(group, ()), ranks, strict=True))
    if any(item_byte >> 7 and group_of(item_byte) not in _COUNTED for item_byte in layout):
        raise EncodingInvalid("layout", rule="a frequency for names and birth dates only")
    return found


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """One block a record stands in: its token, and the record's comparison tokens salted for it, in the order
    of the layout.
    """

    token: bytes
    salted: bytes

    def __repr__(self) -> str:
        return "Block(**)"


@dataclass(frozen=True, slots=True, repr=False)
class EncodedIdentity:
    """All that linking may know of an identity. Equal identities and keys give equal bytes; tokens of two
    epochs are never compared.

    `nhs` is the token of the valid NHS number, `former` those of numbers the source says were superseded;
    `near` lets a mistyped number meet the right one. `packed` are the blocks by rising token, each its token and
    then its salted comparison tokens: a linker holds a million of these, and one object for all blocks takes
    half the room of one for each.
    """

    epoch: int
    nhs: bytes | None
    layout: bytes
    packed: bytes
    former: tuple[bytes, ...] = ()
    near: bytes = b""

    @classmethod
    def of(
        cls,
        epoch: int,
        nhs: bytes | None,
        layout: bytes,
        blocks: Iterable[Block],
        *,
        former: tuple[bytes, ...] = (),
        near: bytes = b"",
    ) -> "EncodedIdentity":
        """An identity of these blocks, in the order given; only a rising one is canonical."""
        packed = b"".join([part for block in blocks for part in (block.token, block.salted)])
        return cls(epoch, nhs, layout, packed, former, near)

    @property
    def usable(self) -> bool:
        """Whether any record could ever be found to be the same person."""
        return bool(self.packed)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks it stands in."""
        return tuple(Block(token, salted) for token, salted in self.by_token.items())

    @property
    def tokens(self) -> list[bytes]:
        """The tokens of its blocks, in order."""
        packed, step = self.packed, plan_of(self.layout).step
        return [packed[at : at + TOKEN_BYTES] for at in range(0, len(packed), step)]

    @property
    def keys(self) -> tuple[int, ...]:
        """The tokens of its blocks as whole numbers, in order."""
        step = plan_of(self.layout).step
        return _numbers_at(step, len(self.packed) // step)(self.packed)

    @property
    def by_token(self) -> dict[bytes, bytes]:
        """Salted comparison tokens by block token."""
        packed, step = self.packed, plan_of(self.layout).step
        return {
            packed[at : at + TOKEN_BYTES]: packed[at + TOKEN_BYTES : at + step] for at in range(0, len(packed), step)
        }

    def place(self, token: bytes) -> int:
        """Where in `packed` the comparison tokens of a block begin. Raises KeyError where it does not stand in it."""
        packed, step = self.packed, plan_of(self.layout).step
        blocks = len(packed) // step
        # Tokens are MACs, so they lie evenly: the place is guessed, and nearly always one or two beside.
        at = (int.from_bytes(token) * blocks >> 8 * TOKEN_BYTES) * step
        while at > 0 and packed[at : at + TOKEN_BYTES] > token:
            at -= step
        while at < len(packed) and packed[at : at + TOKEN_BYTES] < token:
            at += step
        if packed[at : at + TOKEN_BYTES] != token or not token:
            raise KeyError("a block it does not stand in")
        return at + TOKEN_BYTES

    def salted(self, token: bytes) -> bytes:
        """The comparison tokens of one block. Raises KeyError where it does not stand in it."""
        at = self.place(token)
        return self.packed[at : at + plan_of(self.layout).step - TOKEN_BYTES]

    def to_bytes(self) -> bytes:
        """Canonical: version, epoch, what follows and how much; number tokens; layout; the blocks by rising token."""
        blocks = len(self.packed) // plan_of(self.layout).step
        known = (self.nhs is not None) | (bool(self.near) << 1)
        head = _HEAD.pack(VERSION, self.epoch, known, len(self.former), len(self.layout), blocks)
        return b"".join((head, self.nhs or b"", *self.former, self.near, self.layout, self.packed))

    @classmethod
    def from_bytes(cls, encoded: bytes) -> "EncodedIdentity":
        """The identity whose `to_bytes` this is. Raises EncodingInvalid for anything else."""
        if len(encoded) < _HEAD.size or encoded[0] != VERSION:
            raise EncodingInvalid("encoded identity", rule=f"version {VERSION}")
        _, epoch, known, former, values, blocks = _HEAD.unpack_from(encoded)
        sizes = (
            *([NUMBER_BYTES] * ((known & 1) + former)),
            NUMBER_NEAR * SINGLE_BYTES * (known >> 1 & 1),
            values,
        )
        parts, at = [], _HEAD.size
        for size in sizes:
            parts.append(encoded[at : at + size])
            at += size
        *numbers, near, layout = parts
        nhs = numbers.pop(0) if known & 1 else None
        identity = cls(epoch, nhs, shared(layout), encoded[at:], tuple(numbers), near)
        whole = len(identity.packed) == plan_of(identity.layout).step * blocks
        rising = whole and all(a < b for a, b in pairwise(identity.tokens))
        if not rising or identity.to_bytes() != encoded:
            raise EncodingInvalid("encoded identity", rule="canonical form")
        return identity

    def __repr__(self) -> str:
        return f"EncodedIdentity(epoch={self.epoch}, blocks={len(self.tokens)})"


_HEAD = struct.Struct(">BIBBBB")


@lru_cache(maxsize=4096)
def shared(layout: bytes) -> bytes:
    """The same object for equal layouts, within reason: a million records have some hundred."""
    return layout
