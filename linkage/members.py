"""One record as linking sees it, pairs of records, and which NHS numbers speak of one person.

Two valid numbers conflict (V1) unless something says they are one person's: a source that names one as
superseded by the other, or a steward who joined their records. Such statements are closed transitively, so
what conflicts is a function of the set of statements, not of their order.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from linkage.tokens import EncodedIdentity

Pair = tuple[str, str]
Number = tuple[int, bytes]  # epoch, NHS-number token
Numbers = frozenset[Number]

NO_NUMBERS: Numbers = frozenset()
_SHARDS = 64  # one table of a million ids would stand still for a tenth of a second when it grows


@dataclass(frozen=True, slots=True)
class Member:
    """One record as linking sees it. `tier_rank` 1 is primary care; `merged_into` is the record its source
    says it now is.

    `unique_ids`: its `source` promises one active record for each person.
    """

    tier_rank: int
    encoded: EncodedIdentity | None
    merged_into: str | None = None
    source: str | None = None
    unique_ids: bool = False

    @property
    def number(self) -> Number | None:
        """Its NHS-number token with its epoch, None when it has none."""
        return (self.encoded.epoch, self.encoded.nhs) if self.encoded and self.encoded.nhs else None

    @property
    def former(self) -> bool:
        """Whether its source says that its number superseded another."""
        return self.encoded is not None and bool(self.encoded.former)

    @property
    def one_persons_numbers(self) -> Numbers:
        """Its number and those its source says that one superseded; empty when it has none of its own."""
        encoded = self.encoded
        if encoded is None or encoded.nhs is None:
            return NO_NUMBERS
        return frozenset((encoded.epoch, token) for token in (encoded.nhs, *encoded.former))


def pair_of(a: str, b: str) -> Pair:
    """The canonical name of a pair."""
    return (a, b) if a < b else (b, a)


def same_source_promised_one(a: Member, b: Member) -> bool:
    """V7: both are active records of one source, which promises one for each person."""
    return (
        a.unique_ids
        and b.unique_ids
        and a.source is not None
        and a.source == b.source
        and a.merged_into is None
        and b.merged_into is None
    )


def conflict(a: Numbers, b: Numbers) -> bool:
    """V1: in some epoch both have a number and none in common."""
    if not a or not b or a == b:
        return False
    for epoch in {epoch for epoch, _ in a} & {epoch for epoch, _ in b}:
        if {number for number in a if number[0] == epoch}.isdisjoint(b):
            return True
    return False


def alike(statements: Iterable[Numbers]) -> Mapping[Number, Numbers]:
    """Of every number named in a statement of more than one, all that are the same person's, itself among
    them: the statements' transitive closure, whatever their order.
    """
    classes: dict[Number, Numbers] = {}
    for statement in statements:
        if len(statement) > 1:
            whole = statement.union(*(classes[number] for number in statement if number in classes))
            classes.update((number, whole) for number in whole)
    return classes


class RecordTable:
    """Records by id and by slot, a small whole number: what is held of a pair or a block is numbers and no texts. Slots
    are given out again; nothing that leaves the graph depends on them.
    """

    __slots__ = ("_free", "_slots", "ids", "members")

    def __init__(self) -> None:
        self._slots: list[dict[str, int]] = [{} for _ in range(_SHARDS)]
        self._free: list[int] = []
        self.ids: list[str] = []  # by slot; of a free slot what was there last
        self.members: list[Member | None] = []  # by slot; None of a free one

    def __len__(self) -> int:
        return len(self.ids) - len(self._free)

    def __iter__(self) -> Iterator[int]:
        return (slot for slot, member in enumerate(self.members) if member is not None)

    def slot(self, record_id: str) -> int | None:
        """The record's slot, None when it is not on the roll."""
        return self._slots[hash(record_id) % _SHARDS].get(record_id)

    def slots(self, record_ids: Iterable[str]) -> set[int]:
        """The slots of those that are on the roll."""
        return {slot for record_id in record_ids if (slot := self.slot(record_id)) is not None}

    def names(self, slots: Iterable[int]) -> frozenset[str]:
        """The ids of the slots that are in use."""
        return frozenset(self.ids[slot] for slot in slots if self.members[slot] is not None)

    def add(self, record_id: str, member: Member) -> int:
        """The record, not on the roll before, is. Returns its slot."""
        if self._free:
            slot = self._free.pop()
            self.ids[slot], self.members[slot] = record_id, member
        else:
            slot = len(self.ids)
            self.ids.append(record_id)
            self.members.append(member)
        self._slots[hash(record_id) % _SHARDS][record_id] = slot
        return slot

    def strike(self, slot: int) -> None:
        """The record of the slot is no longer on the roll."""
        record_id = self.ids[slot]
        del self._slots[hash(record_id) % _SHARDS][record_id]
        self.members[slot], self.ids[slot] = None, ""
        self._free.append(slot)

    def item(self, slot: int) -> tuple[str, Member]:
        """Id and member of a slot in use."""
        member = self.members[slot]
        assert member is not None
        return self.ids[slot], member
