"""Whom three published rules admit, from what is known on the day of referral; "not known" is an answer."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from schemas.definitions import HUB_ELIGIBILITY, NICE_BMI, TIRZEPATIDE
from schemas.facts import Eligibility
from schemas.pathway_episode import Answer, EligibilityView
from streams.steps.pathway_fold.current_facts import CurrentFact

ADULT_YEARS = 18
_BMI, _LOWER_BMI = 30.0, 27.5
_LOWER_BY = 2.5
# nice-bmi-threshold/1: the groups of the 2021 census that surely have such a family background, and surely have not
_LOWER_GROUPS, _WHITE = frozenset({"asian", "black"}), "white"
_COUNTED = ("diabetes_type2", "hypertension", "cardiovascular", "sleep_apnoea", "dyslipidaemia")
# tirzepatide-cohort/1: begun on, BMI, conditions
_COHORTS = ((date(2025, 6, 23), 40.0, 4), (date(2026, 6, 23), 35.0, 4), (date(2027, 4, 1), 40.0, 3))


@dataclass(frozen=True, slots=True)
class KnownAtReferral:
    """What the rules ask for; None where nobody said."""

    on: date
    is_child: bool | None
    bmi: float | None
    ethnic_group: str | None
    present: Collection[str]
    ruled_out: Collection[str]


def eligibility(
    known: KnownAtReferral | None, reported: Iterable[CurrentFact[Eligibility]]
) -> tuple[EligibilityView, ...]:
    """As reported, by rule the newest; then computed, where a referral gives the day."""
    newest = {fact.body.rule: fact.body for fact in reported}
    views = [
        EligibilityView(rule=rule, basis="reported", met=body.met, why=body.why)
        for rule, body in sorted(newest.items())
    ]
    return (*views, *(_computed(known) if known else ()))


def _computed(known: KnownAtReferral) -> Iterable[EligibilityView]:
    for rule, answers in (
        (HUB_ELIGIBILITY, [_adult(known), _hub_bmi(known), _hub_condition(known)]),
        (NICE_BMI, [_nice(known)]),
        (TIRZEPATIDE, [_tirzepatide(known)]),
    ):
        met, why = _all(answers)
        yield EligibilityView(rule=rule, basis="computed", met=met, why=why)


def _all(answers: Iterable[tuple[Answer, str]]) -> tuple[Answer, tuple[str, ...]]:
    """All must be met: one that is not excludes, else one that is not known leaves it open; `why` names those."""
    found = list(answers)
    for wanted in ("no", "not_known"):
        why = tuple(sorted(reason for answer, reason in found if answer == wanted))
        if why:
            return ("no" if wanted == "no" else "not_known"), why
    return "yes", ()


def _adult(known: KnownAtReferral) -> tuple[Answer, str]:
    if known.is_child is None:
        return "not_known", "age"
    return ("no" if known.is_child else "yes"), "age"


def _nice(known: KnownAtReferral) -> tuple[Answer, str]:
    """The thresholds are for adults; of a child they say nothing."""
    return ("not_known", "age") if known.is_child else _bmi_from(known, _BMI)


def _hub_bmi(known: KnownAtReferral) -> tuple[Answer, str]:
    """The hub's rule: the lower threshold for everybody whose group is not white."""
    if known.bmi is not None and _LOWER_BMI <= known.bmi < _BMI:
        if known.ethnic_group is None:
            return "not_known", "ethnic-group"
        return ("no" if known.ethnic_group == _WHITE else "yes"), "bmi"
    return _at_least(known.bmi, _BMI)


def _bmi_from(known: KnownAtReferral, threshold: float) -> tuple[Answer, str]:
    """NICE's thresholds: the lower one for family backgrounds that not every group of the census settles."""
    if known.bmi is not None and threshold - _LOWER_BY <= known.bmi < threshold:
        if known.ethnic_group in _LOWER_GROUPS:
            return "yes", "bmi"
        return ("no", "bmi") if known.ethnic_group == _WHITE else ("not_known", "ethnic-group")
    return _at_least(known.bmi, threshold)


def _at_least(bmi: float | None, threshold: float) -> tuple[Answer, str]:
    if bmi is None:
        return "not_known", "bmi"
    return ("yes" if bmi >= threshold else "no"), "bmi"


def _hub_condition(known: KnownAtReferral) -> tuple[Answer, str]:
    diabetes = {"diabetes", "diabetes_type1", "diabetes_type2"}
    if (diabetes | {"hypertension"}) & set(known.present):
        return "yes", "condition"
    is_out = "hypertension" in known.ruled_out and (
        "diabetes" in known.ruled_out or {"diabetes_type1", "diabetes_type2"} <= set(known.ruled_out)
    )
    return ("no" if is_out else "not_known"), "condition"


def _tirzepatide(known: KnownAtReferral) -> tuple[Answer, str]:
    """Whether any cohort that had begun admits the person."""
    answers = [_cohort(known, bmi, count) for begun_on, bmi, count in _COHORTS if begun_on <= known.on]
    if not answers:
        return "no", "not-begun"
    for wanted in ("yes", "not_known"):
        for answer in answers:
            if answer[0] == wanted:
                return answer
    return answers[-1]


def _cohort(known: KnownAtReferral, bmi: float, count: int) -> tuple[Answer, str]:
    present = sum(condition in known.present for condition in _COUNTED)
    possible = sum(condition not in known.ruled_out for condition in _COUNTED)
    conditions: Answer = "yes" if present >= count else "not_known" if possible >= count else "no"
    met, why = _all([_adult(known), _bmi_from(known, bmi), (conditions, "condition")])
    return met, why[0] if why else "bmi"
