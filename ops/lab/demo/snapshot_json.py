"""The JSON of a published snapshot as the report reads it: of each object the fields that are used."""

from typing import TypedDict


class WeightJson(TypedDict):
    """One weight."""

    on: str
    kg: float
    method: str


class OutcomeJson(TypedDict):
    """The loss of weight at one horizon."""

    end_on: str
    loss_pct: float
    achieved: bool


class LossJson(TypedDict):
    """The outcome by weeks after the start, by one definition."""

    definition: str
    at_weeks: dict[str, OutcomeJson | None]


class WaitsJson(TypedDict):
    """Waits in days, by one definition."""

    definition: str
    referral_to_acceptance: int | None
    referral_to_start: int | None


class EpisodeJson(TypedDict):
    """One received referral at one service."""

    id: str
    tier: str
    referred_on: str | None
    accepted_on: str | None
    acceptance_definition: str | None
    declined_on: str | None
    decline_reason: str | None
    started_on: str | None
    completed_on: str | None
    completion_definition: str | None
    withdrawn_on: str | None
    discharged_on: str | None
    waits: WaitsJson
    weights: list[WeightJson]
    loss: LossJson | None


class HandoverJson(TypedDict):
    """One referral that was sent on."""

    definition: str
    from_tier: str
    to_tier: str
    sent_on: str
    interval_days: int | None
    status: str
    episode: str | None


class DemographicsJson(TypedDict):
    """The attributes by which results may differ."""

    imd_quintile: int | None


class SnapshotJson(TypedDict):
    """One person's pathway."""

    person: str
    three_tier: bool
    demographics: DemographicsJson
    episodes: list[EpisodeJson]
    handovers: list[HandoverJson]
