"""What may be sent and committed when: pure, so that it can be checked against every schedule.

A *flight* is one batch between its delivery to the step and the commit of its offsets. There are several at
once, and each goes through the same order, each step after the acknowledgement of the one before:

    claims -> outputs -> state -> committable

Each of the three leaves in the order of the flights. The claims and outputs of a later flight may be sent while an
earlier one waits for an acknowledgement; its state may not before the earlier flight's state is sent. And only a
gapless run of finished flights is committable. So an output that is there proves that its claim is there; a state
element that is there proves that its outputs are there, and those of every message before it; and a committed offset
proves all three.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Partition = tuple[str, int]  # topic, number: equal to Faust's TP and to aiokafka's TopicPartition


class NotAssigned(LookupError):
    """A message of a partition this assignment does not hold: it belongs to somebody else."""


class OutOfOrder(RuntimeError):
    """A flight cannot have taken this step yet."""


@dataclass(eq=False)
class Flight:
    """One batch in flight: the offset of the next message after it, per partition it has messages of."""

    upto: Mapping[Partition, int]
    claims_acknowledged: bool = False
    outputs_sent: bool = False
    outputs_acknowledged: bool = False
    state_sent: bool = False
    state_acknowledged: bool = False


@dataclass
class Progress:
    """How far one assignment has come. Made anew at every assignment, from the positions it starts at.

    Per partition three offsets only ever grow: `committed <= acknowledged <= delivered`, each the offset of
    the *next* message. Offsets below the start belong to whoever committed them.
    """

    _delivered: dict[Partition, int]
    _acknowledged: dict[Partition, int] = field(init=False)
    _committed: dict[Partition, int] = field(init=False)
    _flights: deque[Flight] = field(init=False, default_factory=deque)

    def __post_init__(self) -> None:
        """Nothing is in flight."""
        self._delivered = dict(self._delivered)
        self._acknowledged = dict(self._delivered)
        self._committed = dict(self._delivered)

    @property
    def flights(self) -> int:
        """How many batches are in flight."""
        return len(self._flights)

    def partitions(self) -> Collection[Partition]:
        """The partitions of this assignment."""
        return self._delivered.keys()

    def position(self, partition: Partition) -> int:
        """The offset of the next message to deliver. Raises NotAssigned."""
        if partition not in self._delivered:
            raise NotAssigned(f"{partition[0]}/{partition[1]}")
        return self._delivered[partition]

    def is_new(self, partition: Partition, offset: int) -> bool:
        """False for a message delivered before in this assignment, as after a rewind. Raises NotAssigned."""
        return offset >= self.position(partition)

    def deliver(self, last_offsets: Mapping[Partition, int]) -> Flight:
        """A batch begins, whose last message per partition is given. Raises NotAssigned."""
        upto = {part: max(last + 1, self.position(part)) for part, last in last_offsets.items()}
        self._delivered.update(upto)
        flight = Flight(upto)
        self._flights.append(flight)
        return flight

    def acknowledge_claims(self, flight: Flight) -> None:
        """Every claim of the flight is on the broker."""
        flight.claims_acknowledged = True

    def may_send_outputs(self) -> Flight | None:
        """The flight whose outputs are to be sent next: the first that has not, once its claims are there."""
        first = next((flight for flight in self._flights if not flight.outputs_sent), None)
        return first if first is not None and first.claims_acknowledged else None

    def send_outputs(self, flight: Flight) -> None:
        """The outputs of the flight are being sent. Raises OutOfOrder when it is not its turn."""
        if flight is not self.may_send_outputs():
            raise OutOfOrder("outputs follow claims, flight after flight")
        flight.outputs_sent = True

    def acknowledge_outputs(self, flight: Flight) -> None:
        """Every output of the flight is on the broker. Raises OutOfOrder when none was sent."""
        if not flight.outputs_sent:
            raise OutOfOrder("nothing was sent")
        flight.outputs_acknowledged = True

    def may_send_state(self) -> Flight | None:
        """The flight whose state is to be sent next: the first that has not, once its outputs are there."""
        first = next((flight for flight in self._flights if not flight.state_sent), None)
        return first if first is not None and first.outputs_acknowledged else None

    def send_state(self, flight: Flight) -> None:
        """The state of the flight is being sent. Raises OutOfOrder when it is not its turn."""
        if flight is not self.may_send_state():
            raise OutOfOrder("state follows outputs, flight after flight")
        flight.state_sent = True

    def acknowledge_state(self, flight: Flight) -> None:
        """Every state element of the flight is on the broker. Raises OutOfOrder when none was sent."""
        if not flight.state_sent:
            raise OutOfOrder("nothing was sent")
        flight.state_acknowledged = True
        while self._flights and self._flights[0].state_acknowledged:
            self._acknowledged.update(self._flights.popleft().upto)

    def committable(self, owned: Collection[Partition]) -> dict[Partition, int]:
        """What to commit now: acknowledged, above what is committed already, of an owned partition."""
        return {
            partition: offset
            for partition, offset in self._acknowledged.items()
            if offset > self._committed[partition] and partition in owned
        }

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """The broker has accepted these offsets."""
        self._committed.update(offsets)
