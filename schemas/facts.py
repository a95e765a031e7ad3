"""The allow-list: every pseudonymous fact `events.v1` may hold.

`events.v1` is the system of record, so what is not named here is lost, and what is named here leaves the intake zone.
A fact is *made* from these named, typed values; nothing is ever removed from a resource. Free text has no place:
every string is a code from a closed list, an ODS code, an area code or a keyed reference.

A fact's body carries what happened; `StoredFact` adds whose record it is, which thing it is about and when the source
said so. The version that wins is the highest (source_version_at, content hash): by value, never by arrival.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Tier = Literal["primary_care", "tier2", "tier3", "tier4"]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,63}$")]
OdsCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,12}$")]
KeyedReference = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Definition = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,60}/[0-9]{1,4}$")]


class Body(BaseModel):
    """What every body shares: the day it happened, the moment where the source knows it, the referral it is under.

    `referral` is the fact id of the referral this fact belongs to, `None` where the source does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    on: date
    at: AwareDatetime | None = None
    referral: KeyedReference | None = None


class Referral(Body):
    """A referral: sent by this source to `to_tier`, or received by this source (`direction`).

    `on` is the date of referral when sent, of receipt when received. `ubrn` is the keyed e-RS number, `age_years` the
    age on that day, counted before the birth date stayed behind in the intake zone.
    """

    type: Literal["referral"] = "referral"
    direction: Literal["sent", "received"]
    to_tier: Tier
    programme: Code | None = None
    referrer_ods: OdsCode | None = None
    practice_ods: OdsCode | None = None
    provider_ods: OdsCode | None = None
    council: Code | None = None
    referral_source: Code | None = None
    priority: Literal["routine", "urgent", "asap", "stat", "two-week-wait"] | None = None
    reasons: tuple[Code, ...] = ()
    ubrn: KeyedReference | None = None
    consultant_led: bool | None = None
    age_years: int | None = Field(default=None, ge=0, le=130)


class Triage(Body):
    """The service assessed the referral and set a level (DWMP 1 to 3, or a local code)."""

    type: Literal["triage"] = "triage"
    level: Code | None = None


class Acceptance(Body):
    """The service accepted the referral, by `definition` where acceptance is inferred rather than stated."""

    type: Literal["acceptance"] = "acceptance"
    definition: Definition | None = None


class Decline(Body):
    """The referral came to nothing before a start: by whom and why, in codes.

    Under a referral that was sent it is the answer to that: `returned-with-advice`, or why it was rejected.
    """

    type: Literal["decline"] = "decline"
    declined_by: Literal["service", "person", "referrer"] | None = None
    reason: Code | None = None


class Choice(Body):
    """The person was offered providers and chose one."""

    type: Literal["choice"] = "choice"
    provider_ods: OdsCode | None = None
    offered_count: int | None = Field(default=None, ge=0, le=99)


class Attendance(Body):
    """One appointment or contact and what became of it.

    `attendance` is ATTENDED OR DID NOT ATTEND (NHS Data Dictionary): 5 on time, 6 late but seen, 7 late not seen,
    2 cancelled by the person, 3 did not attend, 4 cancelled by the provider, 0 in the future. `on` is the day of the
    appointment, `booked_on` the day it was booked. Moved appointments keep their identity and change `on`.
    """

    type: Literal["attendance"] = "attendance"
    attendance: Literal["0", "2", "3", "4", "5", "6", "7"]
    booked_on: date | None = None
    medium: Literal["in_person", "telephone", "video", "online", "other"] | None = None
    group: bool | None = None
    provider_ods: OdsCode | None = None
    purpose: Literal["assessment", "session", "follow_up"] | None = None


class Measurement(Body):
    """One measured quantity, in the unit the source gave and in ours (kg, cm, kg/m2)."""

    type: Literal["measurement"] = "measurement"
    quantity: Literal["weight", "height", "bmi", "waist"]
    value: Decimal = Field(gt=0, max_digits=10)
    unit_given: Code
    value_given: Decimal = Field(gt=0, max_digits=10)
    method: Literal["measured", "self_reported"] = "measured"
    plausible: bool = True


class ProgrammeStart(Body):
    """The person began the programme (enrolment, or the first session where that is the source's rule)."""

    type: Literal["programme_start"] = "programme_start"
    programme: Code | None = None
    delivery: Literal["group", "individual", "digital", "mixed"] | None = None


class Completion(Body):
    """The person completed the programme under a named definition: definitions differ and are not comparable."""

    type: Literal["completion"] = "completion"
    definition: Definition


class Discharge(Body):
    """The service closed the person's episode."""

    type: Literal["discharge"] = "discharge"
    reason: Code | None = None


class Withdrawal(Body):
    """The person left the programme before completing it."""

    type: Literal["withdrawal"] = "withdrawal"
    reason: Code | None = None


class Medicine(Body):
    """A weight-management medicine started or stopped (dm+d code).

    `indication` is what it is for, since one product is licensed for obesity and for diabetes; `setting` is where it is
    prescribed.
    """

    type: Literal["medicine"] = "medicine"
    action: Literal["started", "stopped"]
    dmd_code: Code
    indication: Literal["weight_management", "diabetes", "other"] | None = None
    setting: Literal["primary_care", "community", "specialist", "private"] | None = None
    dose_mg: Decimal | None = Field(default=None, gt=0, max_digits=8)


class Procedure(Body):
    """A Tier 4 procedure performed (OPCS-4 or SNOMED CT code with its system)."""

    type: Literal["procedure"] = "procedure"
    code: Code
    system: Literal["opcs4", "snomed"]


class Suspension(Body):
    """The programme is suspended from `on`, to `ends_on` where that is known."""

    type: Literal["suspension"] = "suspension"
    reason: Literal["pregnancy", "illness", "bereavement", "other"] | None = None
    ends_on: date | None = None


class RttStatus(Body):
    """REFERRAL TO TREATMENT PERIOD STATUS (NHS Data Dictionary) of the activity or decision on `on`."""

    type: Literal["rtt_status"] = "rtt_status"
    status: Literal[
        "10", "11", "12", "20", "21", "30", "31", "32", "33", "34", "35", "36", "90", "91", "92", "98", "99",
    ]  # fmt: skip


class Eligibility(Body):
    """Whether the person meets a rule of admission, as the source told it; "not known" is an answer."""

    type: Literal["eligibility"] = "eligibility"
    rule: Definition
    met: Literal["yes", "no", "not_known"]
    why: tuple[Code, ...] = ()


class Experience(Body):
    """How the person rates the service: Friends and Family Test, 1 very good to 5 very poor, 6 does not know."""

    type: Literal["experience"] = "experience"
    rating: int = Field(ge=1, le=6)


class Comorbidity(Body):
    """A comorbidity is present or ruled out, as reported on `on`.

    The last three are adult conditions of CORE20PLUS5 (NHS England, 2021) that the first do not name.
    """

    type: Literal["comorbidity"] = "comorbidity"
    condition: Literal[
        "diabetes_type1", "diabetes_type2", "diabetes", "hypertension", "cardiovascular", "dyslipidaemia",
        "sleep_apnoea", "severe_mental_illness", "copd", "cancer",
    ]  # fmt: skip
    present: bool


class QuestionnaireScore(Body):
    """The total of a named questionnaire."""

    type: Literal["questionnaire_score"] = "questionnaire_score"
    questionnaire: Code
    score: Decimal = Field(max_digits=8)


class Demographics(Body):
    """What figures are grouped by about the person, one per record; `on` is the day the source reported it.

    LSOA and IMD carry the version of the geography and of the index they come from. Year, never date, of birth.
    """

    type: Literal["demographics"] = "demographics"
    sex: Literal["male", "female", "other", "unknown"] | None = None
    birth_year: int | None = Field(default=None, ge=1880, le=2100)
    ethnic_category: Code | None = None
    ethnic_system: Literal["2001", "2021", "dwmp"] | None = None
    lsoa: Annotated[str, Field(pattern=r"^[EW]01[0-9]{6}$")] | None = None
    lsoa_version: Literal["2011", "2021"] | None = None
    imd_quintile: int | None = Field(default=None, ge=1, le=5)
    imd_version: Literal["2019", "2025"] | None = None
    practice_ods: OdsCode | None = None
    council: Code | None = None


class Death(Body):
    """The person has died on or before `on`."""

    type: Literal["death"] = "death"


FactBody = (
    Referral | Triage | Acceptance | Decline | Choice | Attendance | Measurement | ProgrammeStart |
    Completion | Discharge | Withdrawal | Medicine | Procedure | Suspension | RttStatus | Eligibility |
    Comorbidity | QuestionnaireScore | Experience | Demographics | Death
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredFact:
    """One version of one fact of a record, as `events.v1` holds it within its entry.

    `source_version_at` is the source's own version time (UTC). A `retracted` version says the source took it back.
    """

    record_id: str
    fact_id: str
    source: str
    tier: Tier
    source_version_at: datetime
    body: FactBody
    retracted: bool = False
