"""What a file mapping may hold for each type of fact: its fields and how a cell of each is read."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal

from schemas import codes, facts

# fixed: the same for every row; code: fixed, or a column with a list of codes; the rest: how a cell is parsed
Kind = Literal["fixed", "code", "ods", "date", "number", "integer", "text"]

FIELDS: Mapping[str, Mapping[str, Kind]] = {
    "referral": {
        "direction": "fixed", "to_tier": "fixed", "programme": "code", "referrer_ods": "ods",
        "practice_ods": "ods", "provider_ods": "ods", "referral_source": "code", "priority": "code", "ubrn": "text",
        "age_years": "integer",
    },
    "triage": {"level": "code"},
    "acceptance": {"definition": "fixed"},
    "decline": {"declined_by": "code", "reason": "code"},
    "choice": {"provider_ods": "ods", "offered_count": "integer"},
    "programme_start": {"programme": "code", "delivery": "code"},
    "attendance": {
        "attendance": "code", "booked_on": "date", "medium": "code", "group": "code", "provider_ods": "ods",
        "purpose": "code",
    },
    "measurement": {
        "quantity": "fixed", "method": "code", "value": "number", "unit": "code", "plus": "number",
        "plus_unit": "fixed",
    },
    "completion": {"definition": "fixed"},
    "discharge": {"reason": "code"},
    "withdrawal": {"reason": "code"},
    "medicine": {
        "action": "code", "dmd_code": "code", "indication": "code", "setting": "code", "dose_mg": "number",
    },
    "procedure": {"code": "code", "system": "fixed"},
    "suspension": {"reason": "code", "ends_on": "date"},
    "rtt_status": {"status": "code"},
    "eligibility": {"rule": "fixed", "met": "code", "why": "code"},
    "experience": {"rating": "code"},
    "comorbidity": {"condition": "fixed", "present": "code"},
    "questionnaire_score": {"questionnaire": "fixed", "score": "number"},
    "demographics": {
        "ethnic_category": "code", "ethnic_system": "fixed", "lsoa": "text", "lsoa_version": "fixed",
        "imd_quintile": "integer", "imd_version": "fixed", "practice_ods": "ods",
    },
}  # fmt: skip

BODIES: Mapping[str, type[facts.Body]] = {
    "referral": facts.Referral, "triage": facts.Triage, "acceptance": facts.Acceptance,
    "decline": facts.Decline, "choice": facts.Choice, "programme_start": facts.ProgrammeStart,
    "attendance": facts.Attendance, "measurement": facts.Measurement, "completion": facts.Completion,
    "discharge": facts.Discharge, "withdrawal": facts.Withdrawal, "medicine": facts.Medicine,
    "procedure": facts.Procedure, "suspension": facts.Suspension, "rtt_status": facts.RttStatus,
    "eligibility": facts.Eligibility, "experience": facts.Experience, "comorbidity": facts.Comorbidity,
    "questionnaire_score": facts.QuestionnaireScore, "demographics": facts.Demographics,
}  # fmt: skip


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


# Fields whose codes come from a list that the body's type does not have: (code, all values) -> in the list.
CLOSED: Mapping[str, Callable[[str, Mapping[str, object]], bool]] = {
    "programme": lambda code, _: code in codes.PROGRAMMES,
    "referral_source": lambda code, _: code in codes.REFERRAL_SOURCES,
    "reason": lambda code, _: codes.canonical("reason", code) in codes.REASONS,
    "level": lambda code, _: codes.canonical("level", code) in codes.TRIAGE_LEVELS,
    "questionnaire": lambda code, _: code in codes.QUESTIONNAIRES,
    "definition": lambda code, _: codes.definition(code) is not None,
    "rule": lambda code, _: codes.definition(code) is not None,
    "why": lambda code, _: code in codes.ELIGIBILITY_REASONS,
    "dmd_code": lambda code, _: codes.medicine(code),
    "procedure.code": lambda code, values: codes.procedure(code, str(values.get("system"))),
    "ethnic_category": lambda code, values: codes.ethnic(code, _text(values.get("ethnic_system"))),
}

# Measurements in two columns: the smaller unit, in which the pair is exact (13 st 5.5 lb = 187.5 lb), and how
# many make one of the larger.
PAIRS: Mapping[str, tuple[str, Decimal]] = {
    "[stone_av]": ("[lb_av]", Decimal(14)),
    "[ft_i]": ("[in_i]", Decimal(12)),
    "m": ("cm", Decimal(100)),
}

# The field whose filled cell says that the row has the fact; `on` where none is named.
TRIGGERS: Mapping[str, str] = {
    "attendance": "attendance", "measurement": "value", "comorbidity": "present",
    "questionnaire_score": "score", "rtt_status": "status", "eligibility": "met", "experience": "rating",
}  # fmt: skip
_SEVERAL = frozenset({"why"})  # fields that hold several codes, of which a cell gives one


def body_of(kind: str, values: Mapping[str, object]) -> facts.Body:
    """The body of a fact of these values. Raises pydantic's ValidationError."""
    several = {name: (value,) for name, value in values.items() if name in _SEVERAL and value is not None}
    return BODIES[kind].model_validate({**values, **several})


PERSON = (
    "local_id", "nhs_number", "family", "given", "birth_date", "sex", "address", "postcode", "city",
    "phone", "email", "known_as", "former_family", "former_address", "former_postcode", "former_city",
)  # fmt: skip
