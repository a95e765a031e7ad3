"""What a source writes otherwise than usual and means the same by: which entries do, and how an entry's is chosen.

The truth is fixed before a spelling is drawn, so none can change a fact or a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import TypeVar

from ops.lab.simulator.model import SimulatedEntry
from ops.lab.simulator.rates import Rates

T = TypeVar("T")


def spelt(entries: Iterable[SimulatedEntry], rates: Rates) -> tuple[SimulatedEntry, ...]:
    """The entries, each with the spellings of `rates.spelling` that it drew.

    Every draw is the entry's and the spelling's alone: a further spelling moves no other draw.
    """
    return tuple(replace(entry, spellings=_drawn(entry, rates)) for entry in entries)


def _drawn(entry: SimulatedEntry, rates: Rates) -> frozenset[str]:
    return frozenset(
        name
        for (name, source), share in ((key.split(), share) for key, share in rates.spelling.items())
        if source == entry.source and _chance(entry, name).random() < share
    )


def chosen(entry: SimulatedEntry, name: str, usual: T, others: Sequence[T]) -> T:
    """`usual`, or one of `others` where the entry drew the spelling `name`; the same entry, the same choice."""
    return _chance(entry, f"{name}/way").choice(others) if name in entry.spellings else usual


def _chance(entry: SimulatedEntry, name: str) -> Random:
    """A correction is written as what it corrects was: to HL7 the code of a result (OBX-3) is part of its name."""
    return Random(f"{entry.corrects or entry.number}/{name}")


def as_usual(entry: SimulatedEntry) -> SimulatedEntry:
    """The entry without any spelling."""
    return replace(entry, spellings=frozenset())
