"""The fold: a person's set of facts becomes one pathway. Pure: equal sets give equal pathways, in any order.

The rules are in `schemas/definitions`; each published value names the one it rests on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, cast, get_args

from schemas import canonical
from schemas.definitions import Definitions
from schemas.facts import (
    Body,
    Comorbidity,
    Death,
    Decline,
    Discharge,
    Referral,
    Suspension,
    Tier,
    Withdrawal,
)
from schemas.pathway import DemographicsView, PathwayView
from schemas.published_model import PublishedModel
from streams.steps.pathway_fold.body_size import BodySize
from streams.steps.pathway_fold.courses import PersonCourse, courses
from streams.steps.pathway_fold.current_facts import SPECIALIST, CurrentFact, CurrentFacts, PersonFact, of_type
from streams.steps.pathway_fold.current_facts import current_facts as standing
from streams.steps.pathway_fold.episodes import FoldedEpisode, KnownPerson, folded, milestones_by_case
from streams.steps.pathway_fold.events import DerivedEvent, FactEvents, derived_events
from streams.steps.pathway_fold.findings import PersonFinding, findings
from streams.steps.pathway_fold.handovers import HandoverMatch, handovers
from streams.steps.pathway_fold.medicines import medicines
from streams.steps.pathway_fold.milestones import DIED
from streams.steps.pathway_fold.outcomes import Pregnancy
from streams.steps.pathway_fold.ownership import cases
from streams.steps.pathway_fold.person import conditions, demographics

_ENDINGS = (Discharge, Withdrawal, Decline)  # which say why
TIER_RANK = {tier: rank for rank, tier in enumerate(get_args(Tier))}


@dataclass(frozen=True)
class Pathway:
    """One person's pathway under our ids; `streams.steps.publishing` puts a recipient's on it.

    `is_empty` is True without any current fact: then there is nothing to publish. `due_on` are the days after which
    something changes though nobody sends anything: a referral becomes overdue, a window closes.
    """

    is_empty: bool
    as_of: date | None
    view: PathwayView
    episodes: tuple[FoldedEpisode, ...]
    courses: tuple[PersonCourse, ...]
    handovers: tuple[HandoverMatch, ...]
    findings: tuple[PersonFinding, ...]
    events: tuple[DerivedEvent, ...]

    @property
    def digest(self) -> str:
        """Names everything of it that a snapshot holds but the day."""
        return canonical.digest(canonical.dump(self.content))

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The snapshot as JSON under our ids, without person, revision and days: each part as its model writes it.

        A field that no model of `schemas.pathway` names cannot be here.
        """
        course_of = {episode: course.id for course in self.courses for episode in course.episodes}
        return _json(self.view) | {
            "episodes": [
                _json(episode.view) | {"id": episode.id, "course": course_of.get(episode.id)}
                for episode in self.episodes
            ],
            "courses": [
                _json(course.view) | {"id": course.id, "episodes": list(course.episodes)} for course in self.courses
            ],
            "handovers": [
                _json(handover.view)
                | {
                    "id": handover.sent.fact_id,
                    "from_episode": handover.from_case.id if handover.from_case else None,
                    "episode": handover.case.id if handover.case else None,
                }
                for handover in self.handovers
            ],
            "findings": [_json(finding.view) | {"episode": finding.episode} for finding in self.findings],
        }

    @property
    def due_on(self) -> tuple[date, ...]:
        """The days not yet come, sorted."""
        days = {handover.due_on for handover in self.handovers if handover.due_on is not None}
        days |= {on for episode in self.episodes for on in episode.due_on}
        return tuple(sorted(on for on in days if self.as_of is None or on > self.as_of))


def fold(
    facts: Iterable[PersonFact],
    *,
    as_of: date | None,
    definitions: Definitions,
    memory: FactEvents | None = None,
) -> Pathway:
    """The pathway of `facts` on the day `as_of` (None: no day is known, so nothing is overdue or closed).

    Total: any set of well-formed facts has a pathway. A fact wins by (source_version_at, content hash), never by
    arrival. `memory` holds the events of facts folded before and is brought up to date.
    """
    current = standing(facts, definitions.days)
    if memory is None:
        memory = {}
    found_cases, sure = cases(current), _not_retracted(current)
    died_on = _died_on(sure)
    matched = handovers(current.facts, found_cases, died_on=died_on, as_of=as_of, rule=definitions.handover)
    person_demographics = demographics(sure)
    known = KnownPerson(
        cases=found_cases,
        days=milestones_by_case(found_cases, died_on),
        sent_on={match.case.id: match.sent.body.on for match in matched if match.case},
        body_size=_body_size(current, sure, person_demographics, definitions),
        birth_year=person_demographics.birth_year,
        ethnic_group=person_demographics.ethnic_group,
        comorbidities=of_type(sure, Comorbidity),
        pregnancies=_pregnancies(sure),
        died_on=died_on,
        as_of=as_of,
    )
    found = tuple(folded(case, known, definitions) for case in found_cases)
    kept = [episode for episode in found if not episode.case.is_retracted]
    by_condition = conditions(known.comorbidities)
    runs = medicines(sure)
    weights = known.body_size.counted_weights
    return Pathway(
        is_empty=not current.facts and not current.out_of_range,
        as_of=as_of,
        view=PathwayView.model_validate(
            {
                **_current(current.facts, found),
                "three_tier": _is_three_tier(current.facts, kept),
                "first_contact_on": min(
                    (episode.days.first_contact_on for episode in kept if episode.days.first_contact_on), default=None
                ),
                "demographics": person_demographics,
                "core20": _core20(person_demographics.imd_quintile),
                "comorbidities": tuple(name for name, present in by_condition.items() if present),
                "ruled_out": tuple(name for name, present in by_condition.items() if not present),
                "medicines": tuple(run.view for run in runs),
                "died_on": died_on,
            }
        ),
        episodes=found,
        courses=courses([episode.course_part for episode in kept], runs, weights, definitions.course),
        handovers=matched,
        findings=findings(current, known, found),
        events=derived_events(current.facts, found, matched, memory=memory),
    )


def _current(facts: Sequence[CurrentFact[Body]], found: Sequence[FoldedEpisode]) -> dict[str, object]:
    """Stage and tier of the person by `stage-and-ending/1`; before any episode those of the last referral sent."""
    waiting = [fact for fact in of_type(facts, Referral) if fact.body.direction == "sent"]
    onward = [fact for fact in waiting if fact.body.to_tier in SPECIALIST]
    if not found:
        return {
            "current_stage": "referred" if onward else None,
            "current_tier": "primary_care" if onward else None,
            "current_to_tier": onward[-1].body.to_tier if onward else None,
        }
    found = [episode for episode in found if not episode.case.is_retracted] or found
    still = [episode for episode in found if episode.view.ending == "none"]
    if still:
        last = max(still, key=lambda episode: (TIER_RANK[episode.tier], episode.case.order))
    else:
        last = max(
            found, key=lambda episode: (episode.stage_on or date.min, TIER_RANK[episode.tier], episode.case.order)
        )
    return {"current_stage": last.view.stage, "current_tier": last.tier, "current_to_tier": None}


def _body_size(
    current: CurrentFacts, sure: Sequence[CurrentFact[Body]], person: DemographicsView, definitions: Definitions
) -> BodySize:
    """What was measured; a weight of a day after the death is in no figure."""
    apart = [fact for fact in current.facts if fact.body.referral in current.retracted_referrals]
    size = BodySize.of(sure, person.birth_year, definitions.plausibility, apart=apart)
    died_on = _died_on(sure)
    if died_on is None:
        return size
    return replace(size, counted_weights=tuple(w for w in size.counted_weights if w.body.on <= died_on))


def _not_retracted(current: CurrentFacts) -> list[CurrentFact[Body]]:
    """Without the facts under referrals that were taken back: they may be another person's."""
    return [fact for fact in current.facts if fact.body.referral not in current.retracted_referrals]


def _died_on(facts: Sequence[CurrentFact[Body]]) -> date | None:
    """The day of death: as reported, or as a service gave it for the reason why an episode ended."""
    deaths = [fact.body.on for fact in of_type(facts, Death)]
    deaths += [on for on, reason in _reasons(facts) if reason == DIED]
    return min(deaths, default=None)


def _pregnancies(facts: Sequence[CurrentFact[Body]]) -> tuple[Pregnancy, ...]:
    """Every pregnancy that a suspension tells of, or an ending for that reason, whichever service told it."""
    found = [
        Pregnancy(fact.body.on, fact.body.ends_on)
        for fact in of_type(facts, Suspension)
        if fact.body.reason == "pregnancy"
    ]
    found += [Pregnancy(on, None) for on, reason in _reasons(facts) if reason == "pregnancy"]
    return tuple(found)


def _reasons(facts: Sequence[CurrentFact[Body]]) -> Iterator[tuple[date, str | None]]:
    """The day of every ending, and why."""
    for fact in facts:
        if type(fact.body) in _ENDINGS:
            yield fact.body.on, cast(Discharge, fact.body).reason


def _is_three_tier(facts: Sequence[CurrentFact[Body]], found: Iterable[FoldedEpisode]) -> bool:
    sent = any(fact.body.direction == "sent" and fact.tier == "primary_care" for fact in of_type(facts, Referral))
    return sent and {"tier2", "tier3"} <= {episode.tier for episode in found}


def _core20(imd_quintile: int | None) -> bool | None:
    return None if imd_quintile is None else imd_quintile == 1


def _json(view: PublishedModel) -> dict[str, object]:
    return view.model_dump(mode="json")
