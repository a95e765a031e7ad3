"""The pathway of one person: a pure function of the set of facts, so any order gives the same answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schemas import canonical
from schemas.definitions import Definitions
from schemas.facts import Body, Comorbidity, Death, Demographics, Referral
from schemas.linking import TIER_RANK
from schemas.pathway import DemographicsView, PathwayView
from streams.steps.pathway_fold.current_facts import (
    SPECIALIST,
    CurrentFact,
    PersonFact,
    current_facts,
    of_type,
)
from streams.steps.pathway_fold.episodes import FoldedEpisode, episodes
from streams.steps.pathway_fold.events import DerivedEvent, FactEvents, derived_events
from streams.steps.pathway_fold.handovers import HandoverMatch, handovers

# Fields that mean something only together are taken together, from one source.
TAKEN_TOGETHER = (
    ("sex",),
    ("birth_year",),
    ("ethnic_category", "ethnic_system"),
    ("imd_quintile", "imd_version"),
    ("lsoa_version",),
    ("council",),
    ("practice_ods",),
)


@dataclass(frozen=True, slots=True)
class Pathway:
    """One person's pathway under our ids; `streams.steps.publishing` puts a recipient's on it.

    `is_empty` is True without any current fact: then there is nothing to publish. `unreceived` are the days on which
    the referrals without a receipt were sent: only these can change by the passing of days.
    """

    is_empty: bool
    view: PathwayView
    episodes: tuple[FoldedEpisode, ...]
    handovers: tuple[HandoverMatch, ...]
    events: tuple[DerivedEvent, ...]

    @property
    def digest(self) -> str:
        """Names everything of it that a snapshot holds. Of a repr, as an event's digest."""
        episodes = [(episode.id, episode.view) for episode in self.episodes]
        handovers = [
            (handover.sent.fact_id, handover.episode.id if handover.episode else None, handover.view)
            for handover in self.handovers
        ]
        return canonical.digest(repr((self.view, episodes, handovers)).encode())

    @property
    def unreceived(self) -> tuple[date, ...]:
        """Sending days of the referrals not received, sorted."""
        views = (handover.view for handover in self.handovers)
        return tuple(sorted(view.sent_on for view in views if view.received_on is None))


def fold(
    facts: Iterable[PersonFact],
    *,
    as_of: date | None,
    definitions: Definitions,
    memory: FactEvents | None = None,
) -> Pathway:
    """The pathway of `facts` on the day `as_of` (None: no day is known, so nothing is overdue).

    Total: any set of well-formed facts has a pathway. A fact wins by (source_version_at, content hash), never by
    arrival. Rules: schemas/definitions. `memory` is the caller's memory of the events of single facts: with or
    without it the answer is the same.
    """
    current = current_facts(facts)
    found = episodes(current, definitions)
    view = _view(current, found)
    # Nobody waits after death: a gap is judged on the day of death at the latest.
    judged_on = min(as_of, view.died_on) if as_of and view.died_on else as_of
    matched = handovers(current, found, as_of=judged_on, rule=definitions.handover)
    memory = {} if memory is None else memory
    return Pathway(
        is_empty=not current,
        view=view,
        episodes=found,
        handovers=matched,
        events=derived_events(current, found, matched, definitions.handover, memory=memory),
    )


def _view(facts: Sequence[CurrentFact[Body]], found: Sequence[FoldedEpisode]) -> PathwayView:
    """The person as a whole: stage, demographics, comorbidities; `facts` are sorted by day and fact id."""
    sent = [fact for fact in of_type(facts, Referral) if fact.body.direction == "sent"]
    onward = [referral for referral in sent if referral.body.to_tier in SPECIALIST]
    latest = max(found, key=lambda last: (last.opened_on, TIER_RANK[last.tier], last.id), default=None)
    tiers = {episode.tier for episode in found}
    deaths = of_type(facts, Death)
    return PathwayView(
        current_stage=latest.view.stage if latest else ("referred" if onward else None),
        current_tier=latest.tier if latest else ("primary_care" if onward else None),
        current_to_tier=onward[-1].body.to_tier if onward and latest is None else None,
        three_tier=any(fact.tier == "primary_care" for fact in sent) and {"tier2", "tier3"} <= tiers,
        demographics=_demographics(facts),
        comorbidities=_present(facts),
        died_on=deaths[0].body.on if deaths else None,
    )


def _demographics(facts: Sequence[CurrentFact[Body]]) -> DemographicsView:
    # primary care first, within a tier the newest version: stable sorts, the last one weighs most
    newest_first = sorted(of_type(facts, Demographics), key=lambda fact: fact.version, reverse=True)
    by_tier = sorted(newest_first, key=lambda fact: TIER_RANK[fact.tier])
    chosen: dict[str, object] = {}
    for names in TAKEN_TOGETHER:
        body = next((fact.body for fact in by_tier if getattr(fact.body, names[0]) is not None), None)
        chosen |= {name: getattr(body, name) for name in names if body is not None}
    return DemographicsView.model_validate(chosen)


def _present(facts: Sequence[CurrentFact[Body]]) -> tuple[str, ...]:
    newest: dict[str, CurrentFact[Comorbidity]] = {}
    for fact in of_type(facts, Comorbidity):
        last = newest.get(fact.body.condition)
        if last is None or (fact.body.on, fact.version) > (last.body.on, last.version):
            newest[fact.body.condition] = fact
    return tuple(sorted(condition for condition, fact in newest.items() if fact.body.present))
