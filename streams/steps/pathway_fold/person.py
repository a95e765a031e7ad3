"""What is known about the person as a whole: what figures are grouped by, conditions, age."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from schemas.codes import ethnic_group_of
from schemas.facts import Body, Comorbidity, Demographics, Referral
from schemas.pathway import DemographicsView
from schemas.pathway_episode import AgeGroup
from streams.steps.pathway_fold.current_facts import CurrentFact, of_type

ADULT_YEARS = 18
# a part with the version it is in: never one source's quintile with another's index
_TAKEN_TOGETHER = (
    ("sex",), ("birth_year",), ("ethnic_category", "ethnic_system"), ("imd_quintile", "imd_version"), ("lsoa_version",),
    ("council",), ("practice_ods",),
)  # fmt: skip
_UNKNOWN_SEX = "unknown"


def demographics(facts: Iterable[CurrentFact[Body]]) -> DemographicsView:
    """Of each part what is known rather than not, then the most recently reported, then the higher version."""
    newest_first = sorted(
        of_type(facts, Demographics), key=lambda fact: (fact.body.on, fact.version, fact.fact_id), reverse=True
    )
    chosen: dict[str, object] = {}
    for names in _TAKEN_TOGETHER:
        bodies = [fact.body for fact in newest_first if getattr(fact.body, names[0]) is not None]
        known = [body for body in bodies if _is_known(body, names[0])]
        for body in (known or bodies)[:1]:
            chosen |= {name: getattr(body, name) for name in names}
    category, system = chosen.get("ethnic_category"), chosen.get("ethnic_system")
    group = ethnic_group_of(str(category), str(system) if system else None) if category else None
    return DemographicsView.model_validate({**chosen, "ethnic_group": group})


def conditions(facts: Iterable[CurrentFact[Comorbidity]], until: date | None = None) -> Mapping[str, bool]:
    """Each condition anybody reported, by name: whether it is present by the newest report, of those up to a day."""
    newest: dict[str, CurrentFact[Comorbidity]] = {}
    for fact in facts:
        if until is not None and fact.body.on > until:
            continue
        last = newest.get(fact.body.condition)
        if last is None or (fact.body.on, fact.version) > (last.body.on, last.version):
            newest[fact.body.condition] = fact
    return {condition: fact.body.present for condition, fact in sorted(newest.items())}


def age_on(on: date, referrals: Sequence[CurrentFact[Referral]], birth_year: int | None) -> tuple[int | None, AgeGroup]:
    """The age reported with a referral, and whether the person was under 18 on that day.

    Without it the year of birth decides, except in the year in which the person turns 18.
    """
    age_years = next((fact.body.age_years for fact in referrals if fact.body.age_years is not None), None)
    if age_years is not None:
        return age_years, "child" if age_years < ADULT_YEARS else "adult"
    if birth_year is None or on.year - birth_year == ADULT_YEARS:
        return None, "not_known"
    return None, "child" if on.year - birth_year < ADULT_YEARS else "adult"


def _is_known(body: Demographics, name: str) -> bool:
    if name == "sex":
        return body.sex != _UNKNOWN_SEX
    if name == "ethnic_category":
        return ethnic_group_of(str(body.ethnic_category), body.ethnic_system) is not None
    return True
