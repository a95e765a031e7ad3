"""Episodes: one received referral at one service, and every fact that belongs to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.definitions import Definitions
from schemas.facts import (
    Attendance,
    Body,
    Comorbidity,
    Death,
    Demographics,
    Measurement,
    ProgrammeStart,
    Referral,
    Tier,
)
from schemas.pathway import EpisodeView, Loss, Weight
from streams.steps.pathway_fold.current_facts import SPECIALIST, CurrentFact, of_type
from streams.steps.pathway_fold.losses import loss
from streams.steps.pathway_fold.milestones import (
    CANCELLED,
    NOT_SEEN,
    SEEN,
    Milestones,
    milestones,
    rtt,
    waits,
)

ABOUT_THE_PERSON = (Referral, Demographics, Death, Comorbidity)  # they belong to no episode and imply none


@dataclass(frozen=True, slots=True)
class FoldedEpisode:
    """An episode under our own id: the fact id of its referral, or `implicit/<record>` without one."""

    id: str
    record_id: str
    tier: Tier
    referral: CurrentFact[Referral] | None
    facts: tuple[CurrentFact[Body], ...]
    dates: Milestones
    loss: Loss | None
    view: EpisodeView

    @property
    def opened_on(self) -> date:
        """When it was referred, or for one without a referral the day of its first fact."""
        return self.referral.body.on if self.referral else self.facts[0].body.on


def episodes(facts: Sequence[CurrentFact[Body]], definitions: Definitions) -> tuple[FoldedEpisode, ...]:
    """Every episode of one person, by the day it opened; `facts` are current, sorted by day and fact id.

    A fact joins the episode whose referral it names; else the episode of its record with the latest referral on or
    before its day; else the first of its record; else, at a specialist record, one episode without a referral.
    """
    received = {
        fact.fact_id: fact
        for fact in of_type(facts, Referral)
        if fact.body.direction == "received" and fact.tier in SPECIALIST
    }
    members: dict[str, list[CurrentFact[Body]]] = {fact_id: [] for fact_id in received}
    for fact in facts:
        episode_id = None if type(fact.body) in ABOUT_THE_PERSON else _episode_of(fact, received)
        if episode_id is not None:
            members.setdefault(episode_id, []).append(fact)
    weights = _weights_by_record(facts)
    found = []
    for episode_id, joined in members.items():
        origin = received.get(episode_id) or joined[0]
        found.append(_episode(episode_id, origin, tuple(joined), weights.get(origin.record_id, ()), definitions))
    return tuple(sorted(found, key=lambda episode: (episode.opened_on, episode.id)))


def _episode_of(fact: CurrentFact[Body], received: Mapping[str, CurrentFact[Referral]]) -> str | None:
    if fact.body.referral in received:
        return fact.body.referral
    of_record = [referral for referral in received.values() if referral.record_id == fact.record_id]
    if of_record:
        before = [referral for referral in of_record if referral.body.on <= fact.body.on]
        return before[-1].fact_id if before else of_record[0].fact_id
    return f"implicit/{fact.record_id}" if fact.tier in SPECIALIST else None


def _weights_by_record(facts: Iterable[CurrentFact[Body]]) -> dict[str, list[CurrentFact[Measurement]]]:
    weights: dict[str, list[CurrentFact[Measurement]]] = {}
    for fact in of_type(facts, Measurement):
        if fact.body.quantity == "weight":
            weights.setdefault(fact.record_id, []).append(fact)
    return weights


def _episode(
    episode_id: str,
    origin: CurrentFact[Body],
    facts: tuple[CurrentFact[Body], ...],
    record_weights: Sequence[CurrentFact[Measurement]],
    definitions: Definitions,
) -> FoldedEpisode:
    """The episode; `record_weights` are all weights of its record, also those of other episodes."""
    referral = next(iter(of_type((origin,), Referral)), None)
    tier = origin.tier
    if referral is not None and referral.body.to_tier in SPECIALIST:
        tier = referral.body.to_tier  # a trust may run Tier 4 beside Tier 3
    dates = milestones(tier, referral, facts)
    lost = loss(dates.started_on, record_weights, definitions.loss) if dates.started_on else None
    consultant_led = referral.body.consultant_led if referral else None
    view = {
        "tier": tier,
        "stage": dates.stage,
        "consultant_led": consultant_led,
        **_referral_fields(referral, facts),
        **_dates_fields(dates),
        **_attendance_counts(facts),
        "weights": _weights(facts),
        "waits": waits(dates),
        "rtt": rtt(dates, consultant_led=consultant_led, rule=definitions.rtt),
        "loss": lost,
    }
    return FoldedEpisode(
        id=episode_id,
        record_id=origin.record_id,
        tier=tier,
        referral=referral,
        facts=facts,
        dates=dates,
        loss=lost,
        view=EpisodeView.model_validate(view),
    )


def _referral_fields(referral: CurrentFact[Referral] | None, facts: Sequence[CurrentFact[Body]]) -> dict[str, object]:
    """Fields of the referral; without a provider or programme in it, those of the other facts."""
    body = referral.body if referral else None
    providers = [fact.body.provider_ods for fact in of_type(facts, Attendance) if fact.body.provider_ods]
    programmes = [fact.body.programme for fact in of_type(facts, ProgrammeStart) if fact.body.programme]
    return {
        "programme": (body and body.programme) or next(iter(programmes), None),
        "provider_ods": (body and body.provider_ods) or next(iter(providers), None),
        "council": body and body.council,
        "referral_source": body and body.referral_source,
        "priority": body and body.priority,
    }


def _dates_fields(dates: Milestones) -> dict[str, object]:
    triage, decline, completion = dates.triage, dates.decline, dates.completion
    withdrawal, discharge = dates.withdrawal, dates.discharge
    return {
        "referred_on": dates.referred_on,
        "triaged_on": triage and triage.body.on,
        "triage_level": triage and triage.body.level,
        "accepted_on": dates.accepted_on,
        "acceptance_definition": dates.accepted and dates.accepted.definition,
        "declined_on": decline and decline.body.on,
        "declined_by": decline and decline.body.declined_by,
        "decline_reason": decline and decline.body.reason,
        "started_on": dates.started_on,
        "start_definition": dates.started and dates.started.definition,
        "first_attended_on": dates.first_attended_on,
        "completed_on": completion and completion.body.on,
        "completion_definition": completion and completion.body.definition,
        "withdrawn_on": withdrawal and withdrawal.body.on,
        "withdrawal_reason": withdrawal and withdrawal.body.reason,
        "discharged_on": discharge and discharge.body.on,
        "discharge_reason": discharge and discharge.body.reason,
    }


def _attendance_counts(facts: Sequence[CurrentFact[Body]]) -> dict[str, object]:
    codes = [fact.body.attendance for fact in of_type(facts, Attendance)]
    return {
        "attended_count": sum(code in SEEN for code in codes),
        "not_attended_count": sum(code in NOT_SEEN for code in codes),
        "cancelled_count": sum(code in CANCELLED for code in codes),
    }


def _weights(facts: Sequence[CurrentFact[Body]]) -> tuple[Weight, ...]:
    return tuple(
        Weight(
            on=fact.body.on,
            kg=float(fact.body.value),
            method=fact.body.method,
            plausible=fact.body.plausible,
        )
        for fact in of_type(facts, Measurement)
        if fact.body.quantity == "weight"
    )
