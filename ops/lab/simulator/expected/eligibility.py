"""Whether three rules admit the person on the day of referral: yes, no, or not known."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from ops.lab.simulator.expected.ages import is_adult
from ops.lab.simulator.expected.body_size import bmi_at_referral
from ops.lab.simulator.expected.definitions import (
    COHORT_CONDITIONS,
    COHORTS,
    DWMP_ELIGIBLE,
    ETHNIC_GROUP,
    NICE_BMI,
    TIRZEPATIDE,
)
from ops.lab.simulator.expected.episodes import ExpectedEpisode
from ops.lab.simulator.expected.outcomes import PersonFacts
from ops.lab.simulator.expected.people import conditions_of

Pathway = dict[str, object]
_THRESHOLD, _LOWER = Decimal(30), Decimal("27.5")
_ANSWERS = {True: "yes", False: "no", None: "not_known"}


def eligibility_of(episode: ExpectedEpisode, about: PersonFacts, category: str | None) -> list[Pathway]:
    """Every rule, computed; what the source itself told beside it."""
    on = episode.received_on
    shown: list[Pathway] = [
        {"rule": fact.definition, "basis": "reported", "met": fact.met} for fact in episode.of("eligibility")
    ]
    if on is None:
        return shown
    adult = is_adult(episode, about.person, on)
    bmi, conditions = bmi_at_referral(episode, about), conditions_of(about.person, on)
    answers = {
        DWMP_ELIGIBLE: _hub(bmi, conditions, category, adult),
        NICE_BMI: None if adult is False else _nice(bmi, category, _THRESHOLD),
        TIRZEPATIDE: _cohort(bmi, conditions, category, on),
    }
    shown += [{"rule": rule, "basis": "computed", "met": _ANSWERS[met]} for rule, met in answers.items()]
    return sorted(shown, key=lambda item: (str(item["basis"]), str(item["rule"])))


def _hub(bmi: Decimal | None, conditions: Mapping[str, bool], category: str | None, adult: bool | None) -> bool | None:
    diabetes = [conditions.get(name) for name in ("diabetes", "diabetes_type1", "diabetes_type2")]
    has_diabetes = True if True in diabetes else False if conditions.get("diabetes") is False else None
    either = (has_diabetes, conditions.get("hypertension"))
    has_condition = True if True in either else None if None in either else False
    group = ETHNIC_GROUP.get(category or "")
    lower = None if group is None else group != "white"
    return _all(adult, has_condition, _reaches(bmi, _THRESHOLD, _LOWER, lower))


def _all(*answers: bool | None) -> bool | None:
    """No where one is no; else not known where one is not."""
    return False if False in answers else None if None in answers else True


def _reaches(bmi: Decimal | None, threshold: Decimal, lower: Decimal, is_lower: bool | None) -> bool | None:
    if bmi is None:
        return None
    if bmi >= threshold or bmi < lower:
        return bmi >= threshold
    return is_lower


def _nice(bmi: Decimal | None, category: str | None, threshold: Decimal) -> bool | None:
    """For Asian and Black groups 2.5 less; of mixed and other groups, and unknown ones, nobody knows."""
    group = ETHNIC_GROUP.get(category or "")
    is_lower = {"asian": True, "black": True, "white": False}.get(group or "")
    return _reaches(bmi, threshold, threshold - Decimal("2.5"), is_lower)


def _cohort(bmi: Decimal | None, conditions: Mapping[str, bool], category: str | None, on: date) -> bool | None:
    answers = []
    for begun_on, least_bmi, least_conditions in COHORTS:
        if begun_on > on:
            continue
        known = [conditions.get(name) for name in COHORT_CONDITIONS]
        present, possible = known.count(True), known.count(True) + known.count(None)
        enough = True if present >= least_conditions else False if possible < least_conditions else None
        answers.append(_all(enough, _nice(bmi, category, Decimal(least_bmi))))
    return True if True in answers else None if None in answers else False
