"""Episodes: every case of a person with its milestones, ending, clocks and outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.definitions import DWMP_COMPLETION, Definitions
from schemas.facts import Comorbidity, Eligibility, Measurement, Tier
from schemas.pathway_episode import AgeGroup, EpisodeView
from streams.steps.pathway_fold import clocks, endings
from streams.steps.pathway_fold import episode_views as parts
from streams.steps.pathway_fold.body_size import BodySize, Measured, shown_waists, shown_weights
from streams.steps.pathway_fold.completions import common_from, completions
from streams.steps.pathway_fold.courses import CoursePart
from streams.steps.pathway_fold.current_facts import CurrentFact, of_type
from streams.steps.pathway_fold.eligibility import KnownAtReferral, eligibility
from streams.steps.pathway_fold.medicines import medicines
from streams.steps.pathway_fold.milestones import Milestones, milestones
from streams.steps.pathway_fold.outcomes import Pregnancy, Programme, baseline_of, outcomes
from streams.steps.pathway_fold.ownership import Case
from streams.steps.pathway_fold.person import age_on, conditions


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What every episode needs of the person, and of all the person's cases."""

    cases: Sequence[Case]
    days: Mapping[str, Milestones]  # by case
    sent_on: Mapping[str, date]  # by case: the day the referral it received was sent
    body_size: BodySize
    birth_year: int | None
    ethnic_group: str | None
    comorbidities: Sequence[CurrentFact[Comorbidity]]
    pregnancies: Sequence[Pregnancy]
    died_on: date | None
    as_of: date | None


@dataclass(frozen=True, slots=True)
class FoldedEpisode:
    """An episode under our own id, that of its case. `early_on`: days of what came before the referral."""

    case: Case
    days: Milestones
    view: EpisodeView
    course_part: CoursePart
    early_on: tuple[date, ...]
    stage_on: date | None
    due_on: tuple[date, ...]  # days on which something changes by itself, past ones too

    @property
    def id(self) -> str:
        """The id of its case."""
        return self.case.id

    @property
    def tier(self) -> Tier:
        """The tier of its service."""
        return self.case.tier


def milestones_by_case(cases: Iterable[Case], died_on: date | None) -> dict[str, Milestones]:
    """The milestones of each case, by its id."""
    return {case.id: milestones(case, died_on) for case in cases}


def folded(case: Case, known: KnownPerson, definitions: Definitions) -> FoldedEpisode:
    """The episode of one case."""
    days, sent_on = known.days[case.id], known.sent_on.get(case.id)
    referral = parts.referral_fields(case, days)
    met = completions(days, definitions, known.as_of)
    ended = endings.ending_of(days, met, _own_rule(referral["programme"]))
    stage, stage_on = endings.stage_of(days, ended)
    waits, early_on = clocks.waits(days, sent_on)
    clock = clocks.rtt(days, _original_on(case, known, definitions), definitions.rtt)
    if not referral["consultant_led"]:
        clock = None
    age, age_group = age_on(case.opened_on, case.referrals, known.birth_year)
    programme = _programme(case, known, is_child=age_group == "child", is_completed=ended.ending == "completed")
    view = EpisodeView.model_validate(
        {
            "tier": case.tier,
            "ambiguous": case.ambiguous,
            "referral_retracted": case.is_retracted,
            "age_at_referral": age,
            "age_group": age_group,
            "stage": stage,
            "ending": ended.ending,
            "ending_on": ended.on,
            "ending_reason": ended.reason,
            "ending_definition": ended.definition,
            **referral,
            **parts.day_fields(days, sent_on),
            **_care_fields(case, days),
            **_size_fields(case, known, age_group, definitions),
            "completions": met,
            "waits": waits,
            "rtt": clock,
            "wait_to_first_attendance": clocks.attendance_wait(days, clock) if clock else None,
            "outcomes": outcomes(programme, definitions.losses, known.as_of) if programme else (),
        }
    )
    part = _course_part(case, view, programme, definitions)
    return FoldedEpisode(case, days, view, part, early_on, stage_on, _due_on(days, view, definitions))


def _care_fields(case: Case, days: Milestones) -> dict[str, object]:
    """What was done."""
    return {
        "suspensions": parts.suspensions(days.suspensions),
        "attendance": parts.attendance_counts(days.attendances),
        "medicines": tuple(medicine.view for medicine in medicines(case.facts)),
        "procedures": parts.procedures(days),
        "scores": parts.scores(case.facts),
        "experience": parts.experience(case.facts),
    }


def _size_fields(case: Case, known: KnownPerson, age_group: AgeGroup, definitions: Definitions) -> dict[str, object]:
    """Weight, waist, height and body mass index, and whom rules that rest on them admit."""
    size = known.body_size
    height_cm = None if age_group == "child" else size.height(case.sources)
    bmi = size.bmi_at(case.opened_on, height_cm, definitions.bmi) if case.referrals else None
    reported = of_type(case.facts, Eligibility)
    return {
        "bmi_at_referral": bmi,
        "height_cm": float(height_cm) if height_cm is not None else None,
        "weights": shown_weights(case.facts, size.doubts),
        "waists": shown_waists(case.facts),
        "eligibility": eligibility(_known_at_referral(case, known, age_group, bmi), reported),
    }


def _course_part(case: Case, view: EpisodeView, programme: Programme | None, definitions: Definitions) -> CoursePart:
    return CoursePart(
        id=case.id,
        tier=case.tier,
        sources=case.sources,
        fact_ids=frozenset(fact.fact_id for fact in case.facts),
        is_excluded=any(outcome.excluded in ("child", "pregnancy") for outcome in view.outcomes),
        programme=view.programme,
        opened_on=case.opened_on,
        started_on=view.started_on,
        ended_on=view.ending_on,
        last_on=max(fact.body.on for fact in (*case.referrals, *case.facts)),
        is_transferred=view.ending == "transferred" or view.ending_reason == "moved-away",
        baseline=baseline_of(programme, definitions.losses[0]) if programme else None,
    )


def _due_on(days: Milestones, view: EpisodeView, definitions: Definitions) -> tuple[date, ...]:
    """The day after each window, and that from which the common rule of completion says something."""
    closing = [outcome.closes_on + timedelta(days=1) for outcome in view.outcomes]
    return (*closing, *([common_from(days.started_on, definitions.sessions)] if days.started_on else ()))


def _own_rule(programme: object) -> str | None:
    """The completion rule a service goes by, where its programme has one."""
    return DWMP_COMPLETION if str(programme).startswith("dwmp") else None


def _weights(case: Case, known: KnownPerson, next_on: date | None) -> list[Measured]:
    """The counted weights of the services of the case up to the next programme's start, and those that name it.

    Without those that name another case.
    """
    if case.is_retracted:
        weights = (fact for fact in of_type(case.facts, Measurement) if fact.body.quantity == "weight")
        return [weight for weight in weights if weight.fact_id not in known.body_size.doubts]
    others = {
        fact.fact_id
        for other in known.cases
        if other is not case and other.services & case.services
        for fact in other.facts
        if fact.body.referral is not None
    }
    return [
        weight
        for weight in known.body_size.counted_weights
        if weight.source in case.services
        and weight.fact_id not in others
        and (next_on is None or weight.body.on < next_on or weight.body.referral is not None)
    ]


def _programme(case: Case, known: KnownPerson, *, is_child: bool, is_completed: bool) -> Programme | None:
    """None unless it started. A later programme at one of its sources takes the weights from its start on."""
    days = known.days[case.id]
    if days.started_on is None:
        return None
    later = [
        other_on
        for other in known.cases
        if other is not case
        and not other.is_retracted
        and other.deliverer == case.deliverer
        and (other_on := known.days[other.id].started_on) is not None
        and (other_on, other.id) > (days.started_on, case.id)
    ]
    next_on = min(later, default=None)
    return Programme(
        started_on=days.started_on,
        weights=_weights(case, known, next_on),
        next_on=next_on,
        is_child=is_child,
        pregnancies=known.pregnancies,
        died_on=known.died_on,
        is_completed=is_completed,
    )


def _original_on(case: Case, known: KnownPerson, definitions: Definitions) -> date | None:
    """The receipt of the first of the referrals to the service that were rejected, each not long before the next."""
    found = [
        (rejected_on, other)
        for other in known.cases
        if other is not case and other.tier == case.tier and other.sources & case.sources and other.referrals
        for rejected_on in (fact.body.on for fact in known.days[other.id].declines if fact.body.declined_by != "person")
        if other.opened_on < case.opened_on
        and 0 <= (case.opened_on - rejected_on).days <= definitions.rtt.original_days
        and known.days[other.id].started_on is None
    ]
    earlier = min(found, key=lambda pair: (pair[0], pair[1].order), default=None)
    return (_original_on(earlier[1], known, definitions) or earlier[1].opened_on) if earlier else None


def _known_at_referral(
    case: Case, known: KnownPerson, age_group: AgeGroup, bmi: float | None
) -> KnownAtReferral | None:
    if not case.referrals:
        return None
    by_then = conditions(known.comorbidities, case.opened_on)
    return KnownAtReferral(
        on=case.opened_on,
        is_child=None if age_group == "not_known" else age_group == "child",
        bmi=bmi,
        ethnic_group=known.ethnic_group,
        present=[name for name, present in by_then.items() if present],
        ruled_out=[name for name, present in by_then.items() if not present],
    )
