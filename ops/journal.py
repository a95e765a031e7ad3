"""The senders' journal: what was sent and how it was answered, written by the sender, never by the engine.

One JSON line per entry per sending. Identifiers never stand in it: an entry is its uuid5.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

# accepted and ignored are acknowledged; refused never was; unknown (a time-out) may be either, never both
Answer = Literal["accepted", "ignored", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry of one sending."""

    source: str
    entry_id: str
    answer: Answer
    kind: str = ""  # what was sent in the sender's words (ADT^A01, csv row); for reports only


class Journal:
    """An append-only file; safe for several sender threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()

    def note(self, sent: Iterable[Sent]) -> None:
        """The lines are in the file when this returns."""
        lines = "".join(json.dumps(asdict(one)) + "\n" for one in sent)
        with self._lock, self._path.open("a") as file:
            file.write(lines)

    def read(self) -> Iterator[Sent]:
        """Every line in the order written; nothing for a journal that was never begun."""
        if not self._path.exists():
            return
        with self._path.open() as file:
            for line in file:
                yield Sent(**json.loads(line))
