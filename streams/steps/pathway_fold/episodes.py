"""Episodes: every case of a person with its milestones, ending, clocks and outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from schemas.definitions import DWMP_COMPLETION, Definitions, LossRule, RttRule
from schemas.facts import Comorbidity, Eligibility, Measurement, Tier
from schemas.pathway_episode import AgeGroup, EpisodeView
from streams.steps.pathway_fold import clocks, endings
from streams.steps.pathway_fold import episode_views as parts
from streams.steps.pathway_fold.body_size import BodySize, Measured, between, shown_waists, shown_weights
from streams.steps.pathway_fold.completions import common_from, completions, weeks_over_on
from streams.steps.pathway_fold.courses import CoursePart
from streams.steps.pathway_fold.current_facts import CurrentFact, of_type
from streams.steps.pathway_fold.eligibility import KnownAtReferral, eligibility
from streams.steps.pathway_fold.medicines import medicines
from streams.steps.pathway_fold.milestones import Milestones, milestones
from streams.steps.pathway_fold.outcomes import Pregnancy, Programme, baseline_of, outcomes, weighed_between
from streams.steps.pathway_fold.ownership import Case
from streams.steps.pathway_fold.person import age_on, conditions
from streams.steps.pathway_fold.plausibility import Doubts
from streams.steps.pathway_fold.starts import Later, Starts


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
class EpisodeInput:
    """All that an episode rests on: equal inputs give equal episodes, so one that is known is not folded again.

    Of the person only what concerns this case: `doubts` of its facts, `original_on` of a rejected referral before it.
    """

    case: Case
    days: Milestones
    sent_on: date | None
    original_on: date | None
    age_years: int | None
    age_group: AgeGroup
    height_cm: Decimal | None
    bmi: float | None
    doubts: Doubts
    ethnic_group: str | None
    by_then: Mapping[str, bool]  # the conditions known on the day of referral
    weights: Sequence[Measured]
    later: Later | None
    is_duplicate: bool
    pregnancies: Sequence[Pregnancy]
    died_on: date | None
    as_of: date | None
    definitions: Definitions


@dataclass(frozen=True, slots=True)
class FoldedEpisode:
    """An episode under our own id, that of its case. `early_on`: days of what came before the referral."""

    case: Case
    days: Milestones
    view: EpisodeView
    form: Mapping[str, object]  # the view as JSON
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


@dataclass(slots=True)
class EpisodeMemory:
    """The episodes of one person as they were folded last, by case: looked up by everything they rest on."""

    days: dict[str, tuple[Case, date | None, Milestones]] = field(default_factory=dict)
    episodes: dict[str, tuple[EpisodeInput, FoldedEpisode]] = field(default_factory=dict)

    def milestones(self, cases: Iterable[Case], died_on: date | None) -> dict[str, Milestones]:
        """The milestones of each case, by its id."""
        former, self.days = self.days, {}
        for case in cases:
            known = former.get(case.id)
            if known is None or known[1] != died_on or known[0] != case:
                known = case, died_on, milestones(case, died_on)
            self.days[case.id] = known
        return {name: days for name, (_, _, days) in self.days.items()}

    def folded(self, known: KnownPerson, definitions: Definitions) -> tuple[FoldedEpisode, ...]:
        """The episode of each case."""
        former, self.episodes = self.episodes, {}
        others = _Others.of(known)
        for case in known.cases:
            found, episode = _input(case, known, others, definitions), former.get(case.id)
            self.episodes[case.id] = episode if episode and episode[0] == found else (found, _folded(found))
        return tuple(episode for _, episode in self.episodes.values())


@dataclass(frozen=True, slots=True)
class _Others:
    """What a case needs of the others of its person, gathered once."""

    starts: Starts
    rejected: Sequence[tuple[Case, Sequence[date]]]  # that never started: the days on which the service said no
    case_of_named: Mapping[str, str]  # the facts that name their referral

    @classmethod
    def of(cls, known: KnownPerson) -> "_Others":
        """Of all cases of the person."""
        rejected = ((case, _rejected_on(known.days[case.id])) for case in known.cases if case.referrals)
        return cls(
            Starts.of(known.cases, known.days),
            [(case, on) for case, on in rejected if on],
            {f.fact_id: case.id for case in known.cases for f in case.facts if f.body.referral is not None},
        )

    def has(self, case: Case, weight: Measured) -> bool:
        """Whether the weight names the referral of another case, and not of this programme told twice."""
        if weight.body.referral is None:
            return False
        named = self.case_of_named.get(weight.fact_id, case.id)
        return self.starts.counted_as.get(named, named) != case.id


def _rejected_on(days: Milestones) -> list[date]:
    if days.started_on is not None:
        return []
    return [fact.body.on for fact in days.declines if fact.body.declined_by != "person"]


def _input(case: Case, known: KnownPerson, others: _Others, definitions: Definitions) -> EpisodeInput:
    days, size = known.days[case.id], known.body_size
    age_years, age_group = age_on(case.opened_on, case.referrals, known.birth_year)
    height_cm = None if age_group == "child" else size.height(case.sources)
    later = others.starts.after(case.id)
    counted = _counted(size, days.started_on, definitions.losses)
    return EpisodeInput(
        case=case,
        days=days,
        sent_on=known.sent_on.get(case.id),
        original_on=_original_on(case, others, definitions.rtt),
        age_years=age_years,
        age_group=age_group,
        height_cm=height_cm,
        bmi=size.bmi_at(case.opened_on, height_cm, definitions.bmi) if case.referrals else None,
        doubts={f.fact_id: size.doubts[f.fact_id] for f in case.facts if f.fact_id in size.doubts}
        if size.doubts
        else {},
        ethnic_group=known.ethnic_group,
        by_then=conditions(known.comorbidities, case.opened_on),
        weights=_weights(case, counted, later, others, size.doubts),
        later=later,
        is_duplicate=case.id in others.starts.counted_as,
        pregnancies=known.pregnancies,
        died_on=known.died_on,
        as_of=known.as_of,
        definitions=definitions,
    )


def _folded(given: EpisodeInput) -> FoldedEpisode:
    case, days, sent_on, definitions = given.case, given.days, given.sent_on, given.definitions
    referral = parts.referral_fields(case, days)
    met = completions(days, definitions, given.as_of)
    ended = endings.ending_of(days, met, _own_rule(referral["programme"]))
    stage, stage_on = endings.stage_of(days, ended)
    waits, early_on = clocks.waits(days, sent_on)
    clock = clocks.rtt(days, given.original_on, definitions.rtt) if referral["consultant_led"] else None
    programme = _programme(given, is_completed=ended.ending == "completed")
    view = EpisodeView.model_validate(
        {
            "tier": case.tier,
            "ambiguous": case.ambiguous,
            "referral_retracted": case.is_retracted,
            "age_at_referral": given.age_years,
            "age_group": given.age_group,
            "stage": stage,
            "ending": ended.ending,
            "ending_on": ended.on,
            "ending_reason": ended.reason,
            "ending_definition": ended.definition,
            **referral,
            **parts.day_fields(days, sent_on),
            **_care_fields(case, days),
            **_size_fields(given),
            "completions": met,
            "waits": waits,
            "rtt": clock,
            "wait_to_first_attendance": clocks.attendance_wait(days, clock) if clock else None,
            "outcomes": outcomes(programme, definitions.losses, given.as_of) if programme else (),
        }
    )
    part = _course_part(case, view, programme, definitions)
    form = view.model_dump(mode="json")
    return FoldedEpisode(case, days, view, form, part, early_on, stage_on, _due_on(days, view, definitions))


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


def _size_fields(given: EpisodeInput) -> dict[str, object]:
    """Weight, waist, height and body mass index, and whom rules that rest on them admit."""
    facts = given.case.facts
    return {
        "bmi_at_referral": given.bmi,
        "height_cm": float(given.height_cm) if given.height_cm is not None else None,
        "weights": shown_weights(facts, given.doubts),
        "waists": shown_waists(facts, given.doubts),
        "eligibility": eligibility(_known_at_referral(given), of_type(facts, Eligibility)),
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
    """The day after each window, and those from which the rules of completion say something."""
    closing = [outcome.closes_on + timedelta(days=1) for outcome in view.outcomes]
    if days.started_on is None:
        return tuple(closing)
    over_on = weeks_over_on(days.started_on, definitions.weeks)
    return (*closing, common_from(days.started_on, definitions.sessions), over_on)


def _own_rule(programme: object) -> str | None:
    """The completion rule a service goes by, where its programme has one."""
    return DWMP_COMPLETION if str(programme).startswith("dwmp") else None


def _weights(
    case: Case, counted: Sequence[Measured], later: Later | None, others: _Others, doubts: Doubts
) -> list[Measured]:
    """The counted weights of the services of the case up to the next programme's start, and those that name it.

    Without those that name another case.
    """
    if case.is_retracted:
        weights = (fact for fact in of_type(case.facts, Measurement) if fact.body.quantity == "weight")
        return [weight for weight in weights if weight.fact_id not in doubts]
    return [
        weight
        for weight in counted
        if weight.source in case.services
        and not others.has(case, weight)
        and (later is None or weight.body.on < later.on or weight.body.referral is not None)
    ]


def _counted(size: BodySize, started_on: date | None, rules: Iterable[LossRule]) -> Sequence[Measured]:
    """The counted weights of the days on which an outcome of a programme may look; none before a start."""
    if started_on is None:
        return ()
    return between(size.counted_weights, *weighed_between(started_on, rules))


def _programme(given: EpisodeInput, *, is_completed: bool) -> Programme | None:
    """None unless it started. A later programme at one of its sources takes the weights from its start on."""
    if given.days.started_on is None:
        return None
    return Programme(
        started_on=given.days.started_on,
        weights=given.weights,
        later=given.later,
        is_duplicate=given.is_duplicate,
        is_child=given.age_group == "child",
        pregnancies=given.pregnancies,
        died_on=given.died_on,
        is_completed=is_completed,
    )


def _original_on(case: Case, others: _Others, rule: RttRule) -> date | None:
    """The receipt of the first of the referrals to the service that were rejected, each not long before the next."""
    first = case
    while (earlier := _rejected_before(first, others, rule)) is not None:
        first = earlier
    return None if first is case else first.opened_on


def _rejected_before(case: Case, others: _Others, rule: RttRule) -> Case | None:
    found = [
        (on, other)
        for other, rejected_on in others.rejected
        if other.tier == case.tier and other.opened_on < case.opened_on and other.sources & case.sources
        for on in rejected_on
        if 0 <= (case.opened_on - on).days <= rule.original_days
    ]
    return min(found, key=lambda pair: (pair[0], pair[1].order))[1] if found else None


def _known_at_referral(given: EpisodeInput) -> KnownAtReferral | None:
    if not given.case.referrals:
        return None
    return KnownAtReferral(
        on=given.case.opened_on,
        is_child=None if given.age_group == "not_known" else given.age_group == "child",
        bmi=given.bmi,
        ethnic_group=given.ethnic_group,
        present=[name for name, present in given.by_then.items() if present],
        ruled_out=[name for name, present in given.by_then.items() if not present],
    )
