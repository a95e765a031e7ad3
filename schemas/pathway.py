"""The published vocabulary: ids and the snapshot that a recipient reads on `pathway.state.<recipient>.v1`.

Pseudonymous by type: every field is a day, a number, a listed word, a code, an ODS code or an id made under the
recipient's own key (`PublishedId`, so ids of two recipients never join; times, revisions and the days themselves still
can be matched). No field can hold free text, an NHS number, a record, person or fact id of ours, or a message id of a
source. Days are exact: these topics are for recipients that may see them; `demo` stands for direct care.

A *snapshot* is the whole pathway of one person; a tombstone says that nothing of this person stands any more. Its
episodes are in `schemas.pathway_episode`, events in `schemas.pathway_events`; the JSON Schemas in `schemas/published/`.
"""

from datetime import date
from typing import Annotated, Literal, NewType

from pydantic import Field

from schemas.facts import Code, Definition, OdsCode, Tier
from schemas.pathway_episode import EpisodeView, MedicineView, Method, Stage
from schemas.published_model import PublishedModel

PublishedId = NewType("PublishedId", str)  # made only by keyring.mac under a recipient's key
Id = Annotated[PublishedId, Field(pattern=r"^[0-9a-f]{32}$")]
Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
HandoverStatus = Literal["received", "answered", "not_received", "overdue"]
HandoverAnswer = Literal["returned_with_advice", "rejected", "withdrawn", "died"]
CourseReason = Literal["transfer", "overlap", "re_entry", "medicine"]
EthnicGroup = Literal["asian", "black", "mixed", "white", "other"]
FindingRule = Literal[
    "negative_wait", "session_before_start", "completion_before_start", "completion_without_start",
    "contradicting_completions", "outcome_before_referral", "after_death", "day_out_of_range", "marked_by_source",
    "weight_out_of_range", "weight_jump", "weight_in_pounds", "height_out_of_range", "height_shrinks",
    "bmi_out_of_range", "bmi_contradicts", "waist_out_of_range",
]  # fmt: skip
SOURCE = "https://tierlink.example/"
SCHEMA_BASE = "https://tierlink.example/schemas/pathway/"


class Episode(EpisodeView):
    """An episode under the recipient's own id for it, and that of the course of care it belongs to."""

    id: Id
    course: Id | None


class HandoverView(PublishedModel):
    """One referral sent, and what became of it. Definition `handover/2`.

    `received`: an episode began. `answered`: it was returned, rejected or withdrawn, or the person died, without one.
    `overdue`: neither within `days_allowed`, since `overdue_since`: sent onward, and nobody knows of it. That day
    stays when it was received or answered late.
    """

    definition: Definition
    from_tier: Tier
    to_tier: Tier
    provider_ods: OdsCode | None
    programme: Code | None
    sent_on: date
    status: HandoverStatus
    received_on: date | None
    interval_days: int | None
    answer: HandoverAnswer | None
    answered_on: date | None
    days_allowed: int
    overdue_since: date | None


class Handover(HandoverView):
    """A handover under the recipient's ids: the episode it came from, where one is known, and the one it led to."""

    id: Id
    from_episode: Id | None
    episode: Id | None


class CourseView(PublishedModel):
    """Episodes that are one course of care, by `course/1`: why, and outcomes against the one baseline of the course."""

    definition: Definition
    reasons: tuple[CourseReason, ...]
    started_on: date
    baseline_on: date | None
    baseline_kg: float | None
    baseline_method: Method | None
    last_on: date | None
    last_kg: float | None
    loss_pct: float | None


class Course(CourseView):
    """A course under the recipient's ids."""

    id: Id
    episodes: tuple[Id, ...]


class FindingView(PublishedModel):
    """Something that cannot be as it was told. The facts are shown; what rests on them is left out."""

    rule: FindingRule
    on: date


class Finding(FindingView):
    """A finding under the recipient's id of its episode, if it has one."""

    episode: Id | None


class DemographicsView(PublishedModel):
    """What figures may be grouped by. What is known outranks "not known", then the most recent counts.

    `ethnic_group` is that of the 2021 census, whatever system the source used; its own code stands beside it.
    """

    sex: Literal["male", "female", "other", "unknown"] | None = None
    birth_year: int | None = None
    ethnic_group: EthnicGroup | None = None
    ethnic_category: Code | None = None
    ethnic_system: Literal["2001", "2021", "dwmp"] | None = None
    imd_quintile: int | None = None
    imd_version: Literal["2019", "2025"] | None = None
    lsoa_version: Literal["2011", "2021"] | None = None
    council: Code | None = None
    practice_ods: OdsCode | None = None


class PathwayView(PublishedModel):
    """One person's pathway without any id. `current_to_tier` is set while only a sent referral is known.

    The current stage is that of the most advanced open episode, without one of the latest that ended. `core20`: lives
    in the most deprived fifth of England; null where that is not known. `comorbidities` are present, `ruled_out` are
    absent by report; what stands in neither is not known.
    """

    current_stage: Stage | None
    current_tier: Tier | None
    current_to_tier: Tier | None
    three_tier: bool
    first_contact_on: date | None
    demographics: DemographicsView
    core20: bool | None
    comorbidities: tuple[Code, ...]
    ruled_out: tuple[Code, ...]
    medicines: tuple[MedicineView, ...]
    died_on: date | None


class Snapshot(PathwayView):
    """One person's whole pathway for one recipient.

    `known_at` is when the newest input came in, `as_of` the day on which it was judged what is due or overdue; null
    while no day was told.
    """

    person: Id
    revision: Annotated[int, Field(ge=0)]
    known_at: Instant
    as_of: date | None
    episodes: tuple[Episode, ...]
    courses: tuple[Course, ...]
    handovers: tuple[Handover, ...]
    findings: tuple[Finding, ...]


def schema_uri(what: str, fields: str = "full") -> str:
    """The `ce_dataschema` of an event kind, or of `snapshot`, for a reader of one set of fields."""
    return f"{SCHEMA_BASE}{what}/v1" if fields == "full" else f"{SCHEMA_BASE}{fields}/{what}/v1"
