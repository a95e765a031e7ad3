"""A worker's own memory of what it has handed to its step: shows after a kill that messages came again."""

import json
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from streams.host.commit import Partition
from streams.steps.outcome import Message

PARTITION_OF: Callable[[Message], Partition] = itemgetter(0, 1)


class DeliveredMarker:
    """The highest offset per partition handed to the step, and how many messages came again, in one file.

    Evidence only: nothing is skipped because of it. It survives kill -9 of the process (renamed into place),
    not a power cut. A file that cannot be read is begun anew.
    """

    def __init__(self, path: Path) -> None:
        """Continues the file, where there is one."""
        self._path = path
        self._offsets: dict[Partition, int] = {}
        self.redelivered = 0
        self._load()

    def mark(self, messages: Iterable[Message]) -> int:
        """Written down before they are processed: these are handed over. How many came again. OSError."""
        again = 0
        for partition, some in groupby(messages, PARTITION_OF):
            former, offsets = self._offsets.get(partition, -1), [message.offset for message in some]
            if offsets[0] <= former:
                again += sum(offset <= former for offset in offsets)
            self._offsets[partition] = max(former, offsets[-1])
        self.redelivered += again
        self._save()
        return again

    def _load(self) -> None:
        try:
            record = json.loads(self._path.read_bytes())
            self._offsets = {_partition(name): int(offset) for name, offset in record["offsets"].items()}
            self.redelivered = int(record["redelivered"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._offsets, self.redelivered = {}, 0

    def _save(self) -> None:
        offsets = {f"{topic}/{number}": offset for (topic, number), offset in sorted(self._offsets.items())}
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({"offsets": offsets, "redelivered": self.redelivered}))
        part.replace(self._path)


def _partition(name: str) -> Partition:
    topic, _, number = name.rpartition("/")
    return topic, int(number)
