"""Parts of an episode's published view that only restate its facts."""

from collections.abc import Sequence
from datetime import date

from schemas.facts import Attendance, Body, Experience, QuestionnaireScore, Suspension
from schemas.pathway_episode import (
    AttendanceCounts,
    ExperienceCounts,
    ProcedureView,
    Route,
    ScoreView,
    SuspensionView,
)
from streams.steps.pathway_fold.current_facts import CurrentFact, of_type
from streams.steps.pathway_fold.handovers import SELF_REFERRED
from streams.steps.pathway_fold.milestones import SEEN, Milestones, last_of
from streams.steps.pathway_fold.ownership import Case


def attendance_counts(attendances: Sequence[CurrentFact[Attendance]]) -> AttendanceCounts:
    """Each code apart; those seen also by medium and purpose."""
    codes = [fact.body.attendance for fact in attendances]
    seen = [fact.body for fact in attendances if fact.body.attendance in SEEN]
    media, purposes = [body.medium for body in seen], [body.purpose for body in seen]
    return AttendanceCounts(
        attended=len(seen),
        did_not_attend=codes.count("3"),
        late_not_seen=codes.count("7"),
        cancelled_by_person=codes.count("2"),
        cancelled_by_provider=codes.count("4"),
        seen_in_person=media.count("in_person"),
        seen_by_telephone=media.count("telephone"),
        seen_by_video=media.count("video"),
        seen_online=media.count("online"),
        seen_in_group=sum(body.group is True for body in seen),
        seen_for_assessment=purposes.count("assessment"),
        seen_for_session=purposes.count("session"),
        seen_for_follow_up=purposes.count("follow_up"),
    )


def programme_of(case: Case, days: Milestones) -> str | None:
    """As the last referral that names it says, else as the start was reported."""
    named = [*(fact.body.programme for fact in case.referrals[::-1]), *(fact.body.programme for fact in days.starts)]
    return next((programme for programme in named if programme), None)


def referral_fields(case: Case, days: Milestones) -> dict[str, object]:
    """Of several referrals under one number the last that says it: a provider's counts before its hub's."""
    newest_first = [referral.body for referral in case.referrals[::-1]]

    def said(name: str) -> object:
        return next((getattr(body, name) for body in newest_first if getattr(body, name) is not None), None)

    choice = last_of(days.choices)
    providers = [fact.body.provider_ods for fact in days.attendances if fact.body.provider_ods]
    chosen = choice.provider_ods if choice else None
    return {
        "route": _route(case),
        "programme": programme_of(case, days),
        "provider_ods": said("provider_ods") or chosen or next(iter(providers), None),
        "council": said("council"),
        # who sent the person on is what the first was told: the second received it from the hub
        "referral_source": next((r.body.referral_source for r in case.referrals if r.body.referral_source), None),
        "priority": said("priority"),
        "consultant_led": said("consultant_led"),
        "offered_count": choice.offered_count if choice else None,
        "chosen_on": choice.on if choice else None,
        "chosen_provider_ods": chosen,
    }


def day_fields(days: Milestones, sent_on: date | None) -> dict[str, object]:
    """The days of the milestones and what was said with them."""
    triage, decline = last_of(days.triages), last_of(days.declines)
    withdrawal, discharge = last_of(days.withdrawals), last_of(days.discharges)
    return {
        "sent_on": sent_on,
        "received_on": days.received_on,
        "triaged_on": triage and triage.on,
        "triage_level": next((fact.body.level for fact in days.triages[::-1] if fact.body.level), None),
        "accepted_on": days.accepted and days.accepted.on,
        "acceptance_definition": days.accepted and days.accepted.definition,
        "declined_on": decline and decline.on,
        "declined_by": decline and decline.declined_by,
        "decline_reason": decline and decline.reason,
        "first_contact_on": days.first_contact_on,
        "first_session_on": days.first_session_on,
        "started_on": days.started_on,
        "start_definition": days.started and days.started.definition,
        "treated_on": days.treated_on,
        "withdrawn_on": withdrawal and withdrawal.on,
        "withdrawal_reason": withdrawal and withdrawal.reason,
        "discharged_on": discharge and discharge.on,
        "discharge_reason": discharge and discharge.reason,
    }


def suspensions(facts: Sequence[CurrentFact[Suspension]]) -> tuple[SuspensionView, ...]:
    """Each suspension, by day."""
    return tuple(SuspensionView(reason=f.body.reason, from_on=f.body.on, to_on=f.body.ends_on) for f in facts)


def procedures(days: Milestones) -> tuple[ProcedureView, ...]:
    """Each procedure, by day."""
    return tuple(ProcedureView(on=f.body.on, code=f.body.code, system=f.body.system) for f in days.procedures)


def scores(facts: Sequence[CurrentFact[Body]]) -> tuple[ScoreView, ...]:
    """First and last score of each questionnaire, by name; facts are sorted by day."""
    by_name: dict[str, list[QuestionnaireScore]] = {}
    for fact in of_type(facts, QuestionnaireScore):
        by_name.setdefault(fact.body.questionnaire, []).append(fact.body)
    return tuple(
        ScoreView(
            questionnaire=name,
            first_on=found[0].on,
            first_score=float(found[0].score),
            last_on=found[-1].on,
            last_score=float(found[-1].score),
            score_change=float(found[-1].score - found[0].score),
        )
        for name, found in sorted(by_name.items())
    )


def experience(facts: Sequence[CurrentFact[Body]]) -> ExperienceCounts:
    """How the service was rated; who does not know has answered: NHS England counts all responses (FFT guidance)."""
    ratings = [fact.body.rating for fact in of_type(facts, Experience)]
    return ExperienceCounts(
        answered=len(ratings), positive=sum(r <= 2 for r in ratings), negative=sum(r in (4, 5) for r in ratings)
    )


def _route(case: Case) -> Route | None:
    if not case.referrals:
        return None
    if len(case.sources) > 1:
        return "hub"
    is_self = any(referral.body.referral_source == SELF_REFERRED for referral in case.referrals)
    return "self" if is_self else "direct"
