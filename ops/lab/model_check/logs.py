"""Topics in memory: partitions with gaps in their offsets, and a broker that refuses what was stamped too long ago."""

import hashlib
import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ops.admin.topic_reader import TopicMessage
from streams.host.commit import Partition
from streams.steps.outcome import Emit, Message

GAP_SHARE = 0.1  # of the messages have a gap before them, as compaction and aborted transactions leave


@dataclass(slots=True)
class Log:
    """One partition."""

    messages: list[Message] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    end: int = 0  # the offset after the last message

    def since(self, offset: int) -> int:
        """The index of the first message at or above `offset`."""
        return bisect_left(self.offsets, offset)


class Logs:
    """All partitions of one simulated cluster."""

    def __init__(self, chance: random.Random) -> None:
        """Empty; `chance` draws the gaps."""
        self._chance = chance
        self.of: dict[Partition, Log] = {}

    def append(self, emit: Emit, *, stamp_ms: int) -> Message:
        """The message as it now stands at the end of its partition."""
        place = (emit.topic, emit.partition)
        log = self.of.get(place)
        if log is None:
            log = self.of[place] = Log()
        offset = log.end
        if self._chance.random() < GAP_SHARE:
            offset += 1 + int(self._chance.random() * 3)
        message = Message(*place, offset, emit.key, emit.value, emit.headers, stamp_ms)
        log.messages.append(message)
        log.offsets.append(offset)
        log.end = offset + 1
        return message

    def end(self, place: Partition) -> int:
        """The offset after the last message of a partition; 0 when nothing was ever written there."""
        log = self.of.get(place)
        return log.end if log is not None else 0

    def folded(self, place: Partition, *, end: int | None = None) -> dict[bytes, bytes]:
        """The last value of every key below `end`, removed keys left out."""
        kept: dict[bytes, bytes] = {}
        log = self.of.get(place)
        for message in log.messages if log is not None else ():
            if end is not None and message.offset >= end:
                break
            assert message.key is not None
            if message.value is None:
                kept.pop(message.key, None)
            else:
                kept[message.key] = message.value
        return kept

    def read(self, topic: str) -> Iterator[TopicMessage]:
        """Every message of one topic, partition by partition in order, as the independent reader gives them."""
        for name, partition in sorted(place for place in self.of if place[0] == topic):
            for one in self.of[name, partition].messages:
                yield TopicMessage(
                    name, partition, one.offset, one.key, one.value, one.headers, one.timestamp_ms
                )

    def digest(self, unequal: Iterable[str]) -> str:
        """One hash of all logs; of the topics `unequal` without values, whose seal differs at every making."""
        found, left_out = hashlib.sha256(), frozenset(unequal)
        for place in sorted(self.of):
            for one in self.of[place].messages:
                value = None if one.topic in left_out else one.value
                found.update(repr((place, one.offset, one.key, value, one.timestamp_ms)).encode())
        return found.hexdigest()
