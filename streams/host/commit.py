"""Which offset may be committed: pure, so that it can be checked against every schedule.

Per partition and assignment three offsets only ever grow:
`committed <= acknowledged <= delivered`, each the offset of the *next* message. Delivered: handed to the
step. Acknowledged: all that follows from the messages below is on the broker. Only that may be committed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Partition = tuple[str, int]  # topic, number: equal to Faust's TP and to aiokafka's TopicPartition


class NotAssigned(LookupError):
    """A message of a partition this assignment does not hold: it belongs to somebody else."""


class Overlapping(RuntimeError):
    """A second batch was begun before the first was acknowledged."""


@dataclass
class Progress:
    """How far one assignment has come. Made anew at every assignment, from the positions it starts at."""

    _delivered: dict[Partition, int]
    _acknowledged: dict[Partition, int] = field(init=False)
    _committed: dict[Partition, int] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is in flight: what lies below the start is the business of whoever committed it."""
        self._delivered = dict(self._delivered)
        self._acknowledged = dict(self._delivered)
        self._committed = dict(self._delivered)

    def is_new(self, partition: Partition, offset: int) -> bool:
        """False for a message delivered before in this assignment, as after a rewind. Raises NotAssigned."""
        return offset >= self.position(partition)

    def position(self, partition: Partition) -> int:
        """The offset of the next message to deliver. Raises NotAssigned."""
        if partition not in self._delivered:
            raise NotAssigned(f"{partition[0]}/{partition[1]}")
        return self._delivered[partition]

    def deliver(self, last_offsets: Mapping[Partition, int]) -> None:
        """A batch begins, whose last message per partition is given. Raises Overlapping, NotAssigned."""
        if self._delivered != self._acknowledged:
            raise Overlapping("one batch in flight")
        for partition, offset in last_offsets.items():
            if self.is_new(partition, offset):
                self._delivered[partition] = offset + 1

    def acknowledge(self) -> None:
        """Every output and every state change of the batch in flight has been acknowledged by the broker."""
        self._acknowledged = dict(self._delivered)

    def committable(self, owned: Collection[Partition]) -> dict[Partition, int]:
        """What to commit now: acknowledged, above what is committed already, of an owned partition."""
        return {
            partition: offset
            for partition, offset in self._acknowledged.items()
            if partition in owned and offset > self._committed[partition]
        }

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """The broker has accepted these offsets."""
        self._committed.update(offsets)
