"""The JSON of a published snapshot as the report reads it: of each object the fields that are used."""

from typing import TypedDict


class WeightJson(TypedDict):
    """One weight."""

    on: str
    kg: float
    method: str
    plausible: bool


class OutcomeJson(TypedDict):
    """The loss of weight at one horizon by one definition, and the denominators it is in."""

    definition: str
    weeks: int
    end_on: str | None
    loss_pct: float | None
    achieved: bool | None
    in_starters: bool
    in_closed: bool
    in_completers: bool


class WaitsJson(TypedDict):
    """Waits in days, by one definition."""

    definition: str
    received_to_acceptance_days: int | None
    received_to_first_session_days: int | None


class CompletionJson(TypedDict):
    """Whether the programme was completed, by one definition."""

    definition: str
    basis: str
    met: bool | None
    on: str | None


class EpisodeJson(TypedDict):
    """One received referral at one service."""

    id: str
    tier: str
    referral_retracted: bool
    ending: str
    received_on: str | None
    accepted_on: str | None
    acceptance_definition: str | None
    declined_on: str | None
    decline_reason: str | None
    started_on: str | None
    start_definition: str | None
    first_session_on: str | None
    withdrawn_on: str | None
    discharged_on: str | None
    completions: list[CompletionJson]
    waits: WaitsJson
    weights: list[WeightJson]
    outcomes: list[OutcomeJson]


class HandoverJson(TypedDict):
    """One referral that was sent on."""

    definition: str
    from_tier: str
    to_tier: str
    sent_on: str
    interval_days: int | None
    status: str
    answer: str | None
    overdue_since: str | None
    episode: str | None


class DemographicsJson(TypedDict):
    """The attributes by which results may differ."""

    imd_quintile: int | None


class SnapshotJson(TypedDict):
    """One person's pathway."""

    person: str
    current_stage: str | None
    three_tier: bool
    demographics: DemographicsJson
    episodes: list[EpisodeJson]
    handovers: list[HandoverJson]
