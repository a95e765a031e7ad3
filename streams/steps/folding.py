"""The pathway of one person: a pure function of the set of facts, so any order gives the same answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from schemas.definitions import Definitions
from schemas.pathway import PathwayView
from streams.steps.pathway_fold.current_facts import PersonFact, standing
from streams.steps.pathway_fold.episodes import FoldedEpisode, episodes
from streams.steps.pathway_fold.events import Following, Told, following
from streams.steps.pathway_fold.handovers import HandoverMatch, handovers
from streams.steps.pathway_fold.person import person


@dataclass(frozen=True, slots=True)
class Pathway:
    """One person's pathway under our own ids; `streams.steps.pathway_fold.dress` puts a recipient's on it.

    `stands` is False when no fact stands: then there is nothing to publish. `unreceived` are the days on
    which the referrals still without a receipt were sent: what the passing of days alone can change.
    """

    stands: bool
    view: PathwayView
    episodes: tuple[FoldedEpisode, ...]
    handovers: tuple[HandoverMatch, ...]
    events: tuple[Following, ...]

    @property
    def unreceived(self) -> tuple[date, ...]:
        """Sending days of the referrals not received, sorted."""
        return tuple(sorted(one.view.sent_on for one in self.handovers if one.view.received_on is None))


def fold(
    facts: Iterable[PersonFact], *, as_of: date | None, definitions: Definitions, told: Told | None = None
) -> Pathway:
    """The pathway that follows from `facts` on the day `as_of` (None: no day is known, so nothing is
    overdue).

    Total: any set of well-formed facts has a pathway. A fact wins by (source_version_at, content hash), never by
    arrival. Rules: schemas/definitions. `told` is the caller's memory of what single facts tell: with or
    without it the answer is the same.
    """
    stand = standing(facts)
    found = episodes(stand, definitions)
    view = person(stand, found)
    # Nobody waits after death: a gap is judged on the day of death at the latest.
    judged_on = min(as_of, view.died_on) if as_of and view.died_on else as_of
    handed = handovers(stand, found, as_of=judged_on, rule=definitions.handover)
    return Pathway(
        stands=bool(stand),
        view=view,
        episodes=found,
        handovers=handed,
        events=following(stand, found, handed, definitions.handover, told={} if told is None else told),
    )
