"""The published vocabulary of one episode: what became of one referral at one service.

`stage` and `ending` are two questions. The stage is the latest thing that happened, the ending how it closed: somebody
who completed and was discharged has the stage `discharged` and the ending `completed`. Every value that rests on a rule
names its definition. Days are exact, waits are whole days, weights kilograms.
"""

from datetime import date
from typing import Literal

from schemas.facts import Code, Definition, OdsCode, Tier
from schemas.published_model import PublishedModel

# In this order they outrank each other on one day: who declined and accepted a referral on one day accepted it last.
Stage = Literal[
    "referred", "triaged", "declined", "accepted", "started", "withdrawn", "transferred", "completed", "discharged",
    "died",
]  # fmt: skip
Ending = Literal["none", "completed", "left", "never_started", "declined", "transferred", "died"]
Route = Literal["self", "direct", "hub"]
AgeGroup = Literal["adult", "child", "not_known"]
Answer = Literal["yes", "no", "not_known"]
Method = Literal["measured", "self_reported"]
OutcomeStatus = Literal["not_due", "no_baseline", "no_end", "measured"]
Exclusion = Literal["child", "pregnancy", "death", "superseded", "duplicate"]
RttStart = Literal["referral", "original_referral", "rebooked_after_dna", "after_active_monitoring"]
RttStop = Literal[
    "treatment", "active_monitoring", "decision_not_to_treat", "declined_by_person", "discharged", "rejected", "died"
]


class Weight(PublishedModel):
    """One weight in kilograms. One that is not plausible is shown with the reason and never counted."""

    on: date
    kg: float
    method: Method
    plausible: bool
    doubt: Code | None = None


class Waist(PublishedModel):
    """One waist circumference in centimetres. One that is not plausible is shown with the reason."""

    on: date
    cm: float
    method: Method
    plausible: bool
    doubt: Code | None = None


class Waits(PublishedModel):
    """Whole days, each from the day a referral was sent or received; null while a day is missing. Definition `waits/2`.

    No wait is negative: days in the wrong order give null and a finding.
    """

    definition: Definition
    sent_to_received_days: int | None
    sent_to_acceptance_days: int | None
    sent_to_first_contact_days: int | None
    sent_to_first_session_days: int | None
    sent_to_treatment_days: int | None
    received_to_acceptance_days: int | None
    received_to_first_contact_days: int | None
    received_to_first_session_days: int | None
    received_to_treatment_days: int | None


class Rtt(PublishedModel):
    """The referral-to-treatment clock of a consultant-led service; it runs while `stop_on` is null. `rtt/2`.

    `breach_on` is the first day beyond the standard: whoever still waits on it is a breach. `start_on` is null after a
    first appointment was missed and nobody said when the next was agreed.
    """

    definition: Definition
    start_on: date | None
    start_by: RttStart
    nullified_on: tuple[date, ...]
    stop_on: date | None
    stop_by: RttStop | None
    wait_days: int | None
    breach_on: date | None
    within_standard: bool | None


class AttendanceWait(PublishedModel):
    """From the start of the referral-to-treatment clock to the first attendance, which stops no such clock.

    Definition `wait-to-first-attendance/1`.
    """

    definition: Definition
    start_on: date | None
    stop_on: date | None
    wait_days: int | None


class Outcome(PublishedModel):
    """Weight loss at one horizon by one definition: per cent of the baseline to one decimal place, negative for a gain.

    `due_on` is `weeks` after the start, `closes_on` the last day of the window. Until then an outcome without an end
    weight is `not_due`. `in_starters`, `in_closed` and `in_completers` are the three denominators; who is excluded is
    in none of them (a `duplicate`: one programme told under two referrals counts once); who went on to another
    programme (`superseded`) among all starters alone.
    """

    definition: Definition
    weeks: int
    due_on: date
    closes_on: date
    status: OutcomeStatus
    baseline_on: date | None
    baseline_kg: float | None
    baseline_method: Method | None
    end_on: date | None
    end_kg: float | None
    end_method: Method | None
    loss_pct: float | None
    achieved: bool | None
    excluded: Exclusion | None
    in_starters: bool
    in_closed: bool
    in_completers: bool


class CompletionView(PublishedModel):
    """Whether the programme was completed by one definition: as a service told, or as the attendances show.

    `met` is false only when the rule's time is over and appointments were reported, else null: nobody can say yet.
    """

    definition: Definition
    basis: Literal["reported", "computed"]
    met: bool | None
    on: date | None


class AttendanceCounts(PublishedModel):
    """Appointments by ATTENDED OR DID NOT ATTEND, each code apart; those seen also by medium and purpose."""

    attended: int
    did_not_attend: int
    late_not_seen: int
    cancelled_by_person: int
    cancelled_by_provider: int
    seen_in_person: int
    seen_by_telephone: int
    seen_by_video: int
    seen_online: int
    seen_in_group: int
    seen_for_assessment: int
    seen_for_session: int
    seen_for_follow_up: int


class SuspensionView(PublishedModel):
    """The programme was suspended; it still is while `to_on` is null."""

    reason: Code | None
    from_on: date
    to_on: date | None


class EligibilityView(PublishedModel):
    """Whether one rule admits the person: as a service told, or computed from what is known on the day of referral."""

    rule: Definition
    basis: Literal["reported", "computed"]
    met: Answer
    why: tuple[Code, ...]


class MedicineView(PublishedModel):
    """A weight-management medicine (dm+d): started, and stopped unless it still runs."""

    dmd_code: Code
    indication: Code | None
    setting: Code | None
    dose_mg: float | None
    tier: Tier
    started_on: date | None
    stopped_on: date | None


class ProcedureView(PublishedModel):
    """A procedure performed."""

    on: date
    code: Code
    system: Literal["opcs4", "snomed"]


class ScoreView(PublishedModel):
    """First and last score of one questionnaire; the change is last minus first."""

    questionnaire: Code
    first_on: date
    first_score: float
    last_on: date
    last_score: float
    score_change: float


class ExperienceCounts(PublishedModel):
    """Answers to the Friends and Family Test: positive are very good and good, negative poor and very poor."""

    answered: int
    positive: int
    negative: int


class EpisodeView(PublishedModel):
    """What became of one referral at one service.

    `sent_on` is the day its referral was sent, where that is known; `received_on` is null where the service reported no
    referral. Two services under one e-RS number, a hub and the provider it chose, are one episode by `route` hub.
    `ambiguous`: two referrals were open at once and facts named neither, so they may belong to the other.
    """

    tier: Tier
    route: Route | None
    programme: Code | None
    provider_ods: OdsCode | None
    council: Code | None
    referral_source: Code | None
    priority: Code | None
    consultant_led: bool | None
    ambiguous: bool
    referral_retracted: bool
    age_at_referral: int | None
    age_group: AgeGroup
    bmi_at_referral: float | None
    height_cm: float | None
    stage: Stage
    ending: Ending
    ending_on: date | None
    ending_reason: Code | None
    ending_definition: Definition | None
    sent_on: date | None
    received_on: date | None
    triaged_on: date | None
    triage_level: Code | None
    offered_count: int | None
    chosen_on: date | None
    chosen_provider_ods: OdsCode | None
    accepted_on: date | None
    acceptance_definition: Definition | None
    declined_on: date | None
    declined_by: Code | None
    decline_reason: Code | None
    first_contact_on: date | None
    first_session_on: date | None
    started_on: date | None
    start_definition: Definition | None
    treated_on: date | None
    withdrawn_on: date | None
    withdrawal_reason: Code | None
    discharged_on: date | None
    discharge_reason: Code | None
    suspensions: tuple[SuspensionView, ...]
    completions: tuple[CompletionView, ...]
    attendance: AttendanceCounts
    weights: tuple[Weight, ...]
    waists: tuple[Waist, ...]
    waits: Waits
    rtt: Rtt | None
    wait_to_first_attendance: AttendanceWait | None
    outcomes: tuple[Outcome, ...]
    medicines: tuple[MedicineView, ...]
    procedures: tuple[ProcedureView, ...]
    scores: tuple[ScoreView, ...]
    experience: ExperienceCounts
    eligibility: tuple[EligibilityView, ...]
