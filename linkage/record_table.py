"""The roll of records: every record has a slot, a small whole number, so that what is held of a pair or a block
is a number and not a text. Slots are given out again; nothing that leaves the graph depends on them.
"""

from collections.abc import Iterable, Iterator

from linkage.members import Member

_SHARDS = 64  # one table of a million ids would stand still for a tenth of a second when it grows


class RecordTable:
    """Records by id and by slot."""

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
