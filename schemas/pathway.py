"""The published vocabulary: ids and the snapshot that a recipient reads on `pathway.state.<recipient>.v1`.

Pseudonymous by type: every field is a day, a number, a listed word, a code, an ODS code or an id made under the
recipient's own key (`PublishedId`, so ids of two recipients never join; times, revisions and the days themselves still
can be matched). No field can hold free text, an NHS number, a record, person or fact id of ours, or a message id of a
source. Days are exact: these topics are for recipients that may see them; `demo` stands for direct care.

A *snapshot* is the whole pathway of one person; a tombstone says that nothing of this person stands any more. Events
are in `schemas.pathway_events`; the JSON Schemas of both in `schemas/published/`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, NewType

from pydantic import BaseModel, ConfigDict, Field

from schemas.facts import Code, Definition, OdsCode, Tier

PublishedId = NewType("PublishedId", str)  # made only by keyring.mac under a recipient's key
Id = Annotated[PublishedId, Field(pattern=r"^[0-9a-f]{32}$")]
Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
Stage = Literal["referred", "accepted", "started", "completed", "declined", "withdrawn", "discharged"]
Method = Literal["measured", "self_reported"]
HandoverStatus = Literal["received", "not_received", "overdue"]
SOURCE = "https://tierlink.example/"
SCHEMA_BASE = "https://tierlink.example/schemas/pathway/"


class PublishedModel(BaseModel):
    """What every published value shares: frozen, and nothing in it that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Weight(PublishedModel):
    """One weight in kilograms. An implausible one (outside 35 to 500 kg) is shown and never counted."""

    on: date
    kg: float
    method: Method
    plausible: bool


class Waits(PublishedModel):
    """Whole days between two dates of one episode; null while either is missing. Definition `waits/1`."""

    definition: Definition
    referral_to_acceptance: int | None
    acceptance_to_first_attendance: int | None
    referral_to_first_attendance: int | None
    referral_to_start: int | None


class Rtt(PublishedModel):
    """The 18-week clock of a consultant-led service; it runs while `stop_on` is null. Definition `rtt/1`."""

    definition: Definition
    start_on: date
    stop_on: date | None
    wait_days: int | None
    within_standard: bool | None


class LossOutcome(PublishedModel):
    """Loss at one horizon: per cent of the baseline to one decimal place, negative for a gain."""

    end_on: date
    end_kg: float
    loss_pct: float
    achieved: bool


class Loss(PublishedModel):
    """Weight loss since the start, by horizon in weeks ("12", "26", "52"). Definition `loss-5pct/1`.

    Present for every started episode, so all starters are counted by it: an outcome of null is "not achieved"
    among starters, and left out among completers (`completed_on`, baseline and end all there).
    """

    definition: Definition
    baseline_on: date | None
    baseline_kg: float | None
    baseline_method: Method | None
    at_weeks: Mapping[str, LossOutcome | None]


class EpisodeView(PublishedModel):
    """What became of one referral at one service; `referred_on` is null where it never reported a referral."""

    tier: Tier
    stage: Stage
    programme: Code | None
    provider_ods: OdsCode | None
    council: Code | None
    referral_source: Code | None
    priority: Code | None
    consultant_led: bool | None
    referred_on: date | None
    triaged_on: date | None
    triage_level: Code | None
    accepted_on: date | None
    acceptance_definition: Definition | None
    declined_on: date | None
    declined_by: Code | None
    decline_reason: Code | None
    started_on: date | None
    start_definition: Definition | None
    first_attended_on: date | None
    attended_count: int
    not_attended_count: int
    cancelled_count: int
    completed_on: date | None
    completion_definition: Definition | None
    withdrawn_on: date | None
    withdrawal_reason: Code | None
    discharged_on: date | None
    discharge_reason: Code | None
    weights: tuple[Weight, ...]
    waits: Waits
    rtt: Rtt | None
    loss: Loss | None


class Episode(EpisodeView):
    """An episode under the recipient's own id for it."""

    id: Id


class HandoverView(PublishedModel):
    """One referral sent, and whether it was received; `overdue` is the gap: sent onward, never received."""

    definition: Definition
    from_tier: Tier
    to_tier: Tier
    sent_on: date
    received_on: date | None
    interval_days: int | None
    status: HandoverStatus


class Handover(HandoverView):
    """A handover under the recipient's ids; `episode` is the one that received it."""

    id: Id
    episode: Id | None


class DemographicsView(PublishedModel):
    """What figures may be grouped by: primary care's value first, then Tier 2's, Tier 3's, Tier 4's."""

    sex: Literal["male", "female", "other", "unknown"] | None = None
    birth_year: int | None = None
    ethnic_category: Code | None = None
    ethnic_system: Literal["2001", "2021", "dwmp"] | None = None
    imd_quintile: int | None = None
    imd_version: Literal["2019", "2025"] | None = None
    lsoa_version: Literal["2011", "2021"] | None = None
    council: Code | None = None
    practice_ods: OdsCode | None = None


class PathwayView(PublishedModel):
    """One person's pathway without any id. `current_to_tier` is set while only a sent referral is known."""

    current_stage: Stage | None
    current_tier: Tier | None
    current_to_tier: Tier | None
    three_tier: bool
    demographics: DemographicsView
    comorbidities: tuple[Code, ...]
    died_on: date | None


class Snapshot(PathwayView):
    """One person's whole pathway for one recipient; `known_at` is when the newest input came in."""

    person: Id
    revision: Annotated[int, Field(ge=0)]
    known_at: Instant
    episodes: tuple[Episode, ...]
    handovers: tuple[Handover, ...]


def schema_uri(what: str, fields: str = "full") -> str:
    """The `ce_dataschema` of an event kind, or of `snapshot`, for a reader of one set of fields."""
    return f"{SCHEMA_BASE}{what}/v1" if fields == "full" else f"{SCHEMA_BASE}{fields}/{what}/v1"
