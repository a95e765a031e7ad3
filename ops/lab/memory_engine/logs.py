"""Topics in memory: partitions in order, if wanted with gaps in their offsets, read as the topic reader reads."""

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
    """All partitions of one cluster in memory."""

    def __init__(self, gaps: random.Random | None = None) -> None:
        """Empty; `gaps` draws the gaps between offsets, None leaves none."""
        self._gaps = gaps
        self.partitions: dict[Partition, Log] = {}

    def append(self, emit: Emit, *, stamp_ms: int) -> Message:
        """Append to the end of its partition; returns the stored message."""
        place = (emit.topic, emit.partition)
        log = self.partitions.get(place)
        if log is None:
            log = self.partitions[place] = Log()
        offset = log.end
        if self._gaps is not None and self._gaps.random() < GAP_SHARE:
            offset += 1 + int(self._gaps.random() * 3)
        message = Message(*place, offset, emit.key, emit.value, emit.headers, stamp_ms)
        log.messages.append(message)
        log.offsets.append(offset)
        log.end = offset + 1
        return message

    def end(self, place: Partition) -> int:
        """The offset after the last message of a partition; 0 when nothing was ever written to it."""
        log = self.partitions.get(place)
        return log.end if log is not None else 0

    def compact(self, place: Partition, below: int) -> int:
        """Remove every message below an offset that has a later one of its key below it; how many there were."""
        log = self.partitions[place]
        last = {message.key: message.offset for message in log.messages if message.offset < below}
        kept = [m for m in log.messages if m.offset >= below or last[m.key] == m.offset]
        removed = len(log.messages) - len(kept)
        log.messages, log.offsets = kept, [message.offset for message in kept]
        return removed

    def messages(self, place: Partition) -> list[Message]:
        """Every message of a partition; none when nothing was ever written to it."""
        log = self.partitions.get(place)
        return log.messages if log is not None else []

    def folded(self, place: Partition, *, end: int | None = None) -> dict[bytes, bytes]:
        """The last value of every key below `end`, removed keys left out."""
        values: dict[bytes, bytes] = {}
        for message in self.messages(place):
            if end is not None and message.offset >= end:
                break
            assert message.key is not None
            if message.value is None:
                values.pop(message.key, None)
            else:
                values[message.key] = message.value
        return values

    def read(self, names: Iterable[str]) -> Iterator[TopicMessage]:
        """Every message of these topics, partition by partition in order, as the independent reader gives them."""
        for name in names:
            for place in sorted(place for place in self.partitions if place[0] == name):
                for message in self.partitions[place].messages:
                    yield TopicMessage(*message)
