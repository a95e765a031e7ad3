"""The senders' journal: what was sent and how it was answered, written by the sender, never by the engine.

One JSON line per entry per sending, written when its answer is known. Identifiers are never in it: an entry
is its uuid5.

A sender may die between a door's answer and the line about it. So before anything is sent, its lines are put into a
small file in `<journal>.under-way/`, which is removed when the answer has been noted; whoever reads the
journal finds what is left there as `unknown`. The journal itself then has one line per entry, not two, and
`unknown` in it means that a provider gave up.
"""

import itertools
import json
import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
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
    kind: str = ""  # what was sent, in terms of the sender (ADT^A01, csv row); for reports only


class Journal:
    """An append-only file; safe for several sender threads, and for several processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._under_way = path.with_name(f"{path.name}.under-way")
        self._name = secrets.token_hex(8)  # no sender overwrites what another one left
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def begin(self, sent: Iterable[Sent]) -> Path:
        """These entries are about to be sent: from now on the journal has them as `unknown`.

        Returns what `note` wants as `begun` when the answer is there.
        """
        self._under_way.mkdir(exist_ok=True)
        begun = self._under_way / f"{self._name}-{next(self._numbers)}"
        begun.write_text(_lines(replace(entry, answer="unknown") for entry in sent))
        return begun

    def note(self, sent: Iterable[Sent], *, begun: Path | None = None) -> None:
        """The lines are in the file when this returns, and replace those of `begin`."""
        lines = _lines(sent)
        with self._lock, self._path.open("a") as file:
            file.write(lines)
        if begun is not None:
            begun.unlink(missing_ok=True)

    def read(self) -> Iterator[Sent]:
        """Every line in the order written, then what is under way or was when its sender died.

        Nothing for a journal that was never begun.
        """
        # listed first: what is noted while the journal is read may be read twice, never not at all
        begun = sorted(self._under_way.iterdir()) if self._under_way.is_dir() else []
        under_way = [entry for path in begun for entry in _whole_lines(path)]
        yield from _whole_lines(self._path)
        yield from under_way


def _lines(sent: Iterable[Sent]) -> str:
    return "".join(json.dumps(asdict(entry)) + "\n" for entry in sent)


def _whole_lines(path: Path) -> Iterator[Sent]:
    """A last line without its end was being written when its sender died: it is still under way."""
    try:
        file = path.open()
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if line.endswith("\n"):
                yield Sent(**json.loads(line))
