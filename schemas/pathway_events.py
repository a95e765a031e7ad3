"""Pathway events: what a recipient reads on `pathway.events.<recipient>.v1`.

An event is one thing that follows from the set of a person's facts, under a key of its own. When the facts
change it is sent again under that key, with a higher revision; what no longer follows is sent again as
`retracted`, with nothing else in it, so that compaction leaves nothing of it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, cast

from pydantic import Field, TypeAdapter

from schemas.facts import Code, Definition, OdsCode, Tier
from schemas.pathway import HandoverAnswer, Id, Instant, Snapshot, schema_uri
from schemas.pathway_episode import Method
from schemas.published_model import PublishedModel


class _Published(PublishedModel):
    id: Id
    person: Id
    revision: Annotated[int, Field(ge=0)]
    known_at: Instant


class Event(_Published):
    """What every event that stands says: the day, the tier that reported it, the episode it belongs to."""

    status: Literal["active"] = "active"
    on: date
    tier: Tier
    episode: Id | None


class _ReferralEvent(Event):
    to_tier: Tier
    programme: Code | None
    referrer_ods: OdsCode | None
    practice_ods: OdsCode | None
    provider_ods: OdsCode | None
    council: Code | None
    referral_source: Code | None
    priority: Code | None
    reasons: tuple[Code, ...]
    consultant_led: bool | None


class ReferralSent(_ReferralEvent):
    """A referral was sent to `to_tier`."""

    event: Literal["referral_sent"] = "referral_sent"


class ReferralReceived(_ReferralEvent):
    """A service received a referral: an episode begins."""

    event: Literal["referral_received"] = "referral_received"


class Triaged(Event):
    """The service set a level."""

    event: Literal["triaged"] = "triaged"
    level: Code | None


class Accepted(Event):
    """The service accepted the referral, by `definition`."""

    event: Literal["accepted"] = "accepted"
    definition: Definition


class Declined(Event):
    """The referral came to nothing before a start."""

    event: Literal["declined"] = "declined"
    declined_by: Code | None
    reason: Code | None


class ChoiceMade(Event):
    """The person chose a provider."""

    event: Literal["choice_made"] = "choice_made"
    provider_ods: OdsCode | None
    offered_count: int | None


class Started(Event):
    """The programme began, by `definition`."""

    event: Literal["started"] = "started"
    definition: Definition
    programme: Code | None = None
    delivery: Code | None = None


class _Appointment(Event):
    attendance: Literal["0", "2", "3", "4", "5", "6", "7"]
    booked_on: date | None
    medium: Code | None
    group: bool | None
    purpose: Code | None
    provider_ods: OdsCode | None


class Booked(_Appointment):
    """An appointment lies ahead."""

    event: Literal["booked"] = "booked"


class Attended(_Appointment):
    """The person was seen (5 or 6)."""

    event: Literal["attended"] = "attended"


class NotAttended(_Appointment):
    """The person was not seen (3 or 7)."""

    event: Literal["not_attended"] = "not_attended"


class Cancelled(_Appointment):
    """The person (2) or the provider (4) cancelled."""

    event: Literal["cancelled"] = "cancelled"


class WeightRecorded(Event):
    """A weight in kilograms."""

    event: Literal["weight_recorded"] = "weight_recorded"
    kg: float
    method: Method
    plausible: bool


class Completed(Event):
    """The programme was completed, by `definition`: definitions differ and are not comparable."""

    event: Literal["completed"] = "completed"
    definition: Definition


class Withdrawn(Event):
    """The person left before completing."""

    event: Literal["withdrawn"] = "withdrawn"
    reason: Code | None


class Discharged(Event):
    """The service closed the episode."""

    event: Literal["discharged"] = "discharged"
    reason: Code | None


class MedicineChanged(Event):
    """A weight-management medicine was started or stopped (dm+d)."""

    event: Literal["medicine"] = "medicine"
    action: Literal["started", "stopped"]
    dmd_code: Code
    indication: Code | None
    setting: Code | None


class Suspended(Event):
    """The programme was suspended, to `ends_on` where that is known."""

    event: Literal["suspended"] = "suspended"
    reason: Code | None
    ends_on: date | None


class ScoreRecorded(Event):
    """The total of a questionnaire."""

    event: Literal["score_recorded"] = "score_recorded"
    questionnaire: Code
    score: float


class ProcedureDone(Event):
    """A Tier 4 procedure was performed."""

    event: Literal["procedure"] = "procedure"
    code: Code
    system: Literal["opcs4", "snomed"]


class ComorbidityRecorded(Event):
    """A comorbidity is present or ruled out."""

    event: Literal["comorbidity"] = "comorbidity"
    condition: Code
    present: bool


class Died(Event):
    """The person has died on or before `on`."""

    event: Literal["died"] = "died"


class HandoverReceived(Event):
    """A sent referral was received on `on`, `interval_days` after it was sent; null where that is before."""

    event: Literal["handover_received"] = "handover_received"
    definition: Definition
    to_tier: Tier
    sent_on: date
    interval_days: int | None


class HandoverAnswered(Event):
    """A sent referral came to nothing, and somebody said so on `on`."""

    event: Literal["handover_answered"] = "handover_answered"
    definition: Definition
    to_tier: Tier
    sent_on: date
    answer: HandoverAnswer


class Gap(Event):
    """A referral sent on `sent_on` was still not received on `on`: referred onward and never received."""

    event: Literal["gap"] = "gap"
    definition: Definition
    to_tier: Tier
    sent_on: date


class LossReached(Event):
    """The weight outcome of an episode at `weeks` after its start, measured on `on`; one for each definition."""

    event: Literal["loss"] = "loss"
    definition: Definition
    weeks: int
    baseline_on: date
    baseline_kg: float
    end_kg: float
    loss_pct: float
    achieved: bool
    completer: bool


EVENTS: Mapping[str, type[Event]] = {
    str(model.model_fields["event"].default): model
    for model in (
        ReferralSent, ReferralReceived, Triaged, Accepted, Declined, ChoiceMade, Started, Booked, Attended,
        NotAttended, Cancelled, WeightRecorded, Completed, Withdrawn, Discharged, MedicineChanged,
        ProcedureDone, Suspended, ScoreRecorded, ComorbidityRecorded, Died, HandoverReceived, HandoverAnswered, Gap,
        LossReached,
    )
}  # fmt: skip


class Retraction(_Published):
    """What was published under this id no longer follows from what is known."""

    status: Literal["retracted"] = "retracted"
    event: Literal[tuple(EVENTS)]  # type: ignore[valid-type]  # the keys of EVENTS, listed once


def json_schemas() -> dict[str, dict[str, object]]:
    """JSON Schema 2020-12 by file name in `schemas/published/`: snapshot, each event or its retraction."""
    models: dict[str, type[object]] = {"snapshot": Snapshot}
    models |= {kind: cast("type[object]", model | Retraction) for kind, model in EVENTS.items()}
    return {
        f"pathway.{what}.v1.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": schema_uri(what),
            **TypeAdapter(model).json_schema(mode="serialization"),
        }
        for what, model in models.items()
    }
