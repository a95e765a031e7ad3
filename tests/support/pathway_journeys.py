"""A table of what came in (`journey_tables`) and its pathway."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journey_tables import body_of, day, facts, keyed

from ops.lab.known_keys import known_keys
from schemas import definitions
from schemas.facts import StoredFact
from schemas.keyring import Keyring
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.fold import Pathway, fold

__all__ = ["DEFINITIONS", "FOLDER", "TEXTS", "body_of", "day", "facts", "journey", "keyed", "keyring", "person_fact"]
FOLDER = Path(definitions.__file__).parent
TEXTS = tuple(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml")))
DEFINITIONS = definitions.parse(TEXTS)


def keyring(*recipients: str, seed: str = "journeys") -> Keyring:
    """The pathway zone's keys for these recipients."""
    return known_keys(seed, recipients=recipients).zone("pathway")


def person_fact(fact: StoredFact) -> PersonFact:
    """The fact under a person, its content named by everything it says."""
    return PersonFact(fact, keyed(repr(fact)))


@dataclass(frozen=True)
class Journey:
    """A folded table with short ways to ask about it."""

    pathway: Pathway

    def episode(self, tier: str) -> Any:
        """The view of the one episode at `tier`."""
        (view,) = [episode.view for episode in self.pathway.episodes if episode.tier == tier]
        return view

    @property
    def handovers(self) -> list[tuple[str, str, str, int | None]]:
        """(from, to, status, interval in days) of each sent referral, in order of sending."""
        views = [handover.view for handover in self.pathway.handovers]
        return [(view.from_tier, view.to_tier, view.status, view.interval_days) for view in views]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the events that follow, by day."""
        return [event.kind for event in sorted(self.pathway.events, key=lambda event: (event.on, event.kind))]


def journey(table: str, *, as_of: int | None = None) -> Journey:
    """The pathway of a table on day `as_of`."""
    found = [person_fact(fact) for fact in facts(table)]
    return Journey(fold(found, as_of=day(as_of) if as_of is not None else None, definitions=DEFINITIONS))
