"""What the pathway says of the person as a whole: stage, demographics, comorbidities."""

from collections.abc import Sequence

from schemas.facts import Body, Comorbidity, Death, Demographics, Referral
from schemas.pathway import DemographicsView, PathwayView
from streams.steps.pathway_fold.current_facts import SPECIALIST, TIER_ORDER, CurrentFact, of_type
from streams.steps.pathway_fold.episodes import FoldedEpisode

# Fields that mean something only together are taken together, from one source.
TAKEN_TOGETHER = (
    ("sex",),
    ("birth_year",),
    ("ethnic_category", "ethnic_system"),
    ("imd_quintile", "imd_version"),
    ("lsoa_version",),
    ("council",),
    ("practice_ods",),
)


def person(facts: Sequence[CurrentFact[Body]], episodes: Sequence[FoldedEpisode]) -> PathwayView:
    """The person's own lines of the pathway; `facts` stand, sorted by day and fact id."""
    sent = [one for one in of_type(facts, Referral) if one.body.direction == "sent"]
    onward = [one for one in sent if one.body.to_tier in SPECIALIST]
    latest = max(episodes, key=lambda one: (one.opened_on, TIER_ORDER[one.tier], one.id), default=None)
    tiers = {one.tier for one in episodes}
    deaths = of_type(facts, Death)
    return PathwayView(
        current_stage=latest.view.stage if latest else ("referred" if onward else None),
        current_tier=latest.tier if latest else ("primary_care" if onward else None),
        current_to_tier=onward[-1].body.to_tier if onward and latest is None else None,
        three_tier=any(one.tier == "primary_care" for one in sent) and {"tier2", "tier3"} <= tiers,
        demographics=_demographics(facts),
        comorbidities=_present(facts),
        died_on=deaths[0].body.on if deaths else None,
    )


def _demographics(facts: Sequence[CurrentFact[Body]]) -> DemographicsView:
    # primary care first, within a tier the newest version told: stable sorts, the last one weighs most
    told = sorted(of_type(facts, Demographics), key=lambda one: one.version, reverse=True)
    told = sorted(told, key=lambda one: TIER_ORDER[one.tier])
    chosen: dict[str, object] = {}
    for names in TAKEN_TOGETHER:
        by = next((one.body for one in told if getattr(one.body, names[0]) is not None), None)
        chosen |= {name: getattr(by, name) for name in names if by is not None}
    return DemographicsView.model_validate(chosen)


def _present(facts: Sequence[CurrentFact[Body]]) -> tuple[str, ...]:
    newest: dict[str, CurrentFact[Comorbidity]] = {}
    for one in of_type(facts, Comorbidity):
        known = newest.get(one.body.condition)
        if known is None or (one.body.on, one.version) > (known.body.on, known.version):
            newest[one.body.condition] = one
    return tuple(sorted(condition for condition, one in newest.items() if one.body.present))
