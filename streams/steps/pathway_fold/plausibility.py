"""What was measured and cannot be as it was told, by `plausibility/1`: kept, marked, and used in no figure."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from statistics import median

from schemas.definitions import PlausibilityRule
from schemas.facts import Measurement
from schemas.pathway import FindingRule
from streams.steps.pathway_fold.current_facts import CurrentFact

Measured = CurrentFact[Measurement]
KG_PER_LB = Decimal("0.45359237")
_POUNDS_OFF = Decimal("0.15")  # somebody lost or gained meanwhile; the units differ by 55 %
_NEIGHBOURS = 3  # on each side: a thousand weights of one week cost no more than seven
DAYS_PER_YEAR = 365.25
ADULT_YEARS = 18
Doubts = Mapping[str, FindingRule]  # fact id -> why it is not counted


def doubted_weights(weights: Sequence[Measured], rule: PlausibilityRule) -> Doubts:
    """The weights of a person that are not counted, and why; `weights` are by day and fact id."""
    lowest, highest = rule.weight_kg
    doubts: dict[str, FindingRule] = {w.fact_id: "marked_by_source" for w in weights if not w.body.plausible}
    doubts |= {w.fact_id: "weight_out_of_range" for w in weights if not lowest <= w.body.value <= highest}
    plausible = [weight for weight in weights if weight.fact_id not in doubts]
    values = [weight.body.value for weight in plausible]
    if not values or max(values) * 100 <= min(values) * (100 + rule.jump_pct):
        return doubts  # no two are far from each other: most people's
    explained = {w.fact_id for w in plausible if _is_explained(w, plausible, rule)}
    doubts |= {
        w.fact_id: "weight_in_pounds"
        for w in plausible
        if w.fact_id in explained and not _is_vouched_for(w, plausible, explained, rule)
    }
    plausible = [weight for weight in plausible if weight.fact_id not in doubts]
    return doubts | {w.fact_id: "weight_jump" for w in plausible if _is_jump(w, plausible, rule)}


def doubted_heights(heights: Sequence[Measured], birth_year: int | None, rule: PlausibilityRule) -> Doubts:
    """The heights of a person that are not counted, and why; those of a child are not among the adult heights."""
    lowest, highest = rule.height_cm
    doubts: dict[str, FindingRule] = {
        height.fact_id: "height_out_of_range" for height in heights if not lowest <= height.body.value <= highest
    }
    adult = [height for height in adult_heights(heights, birth_year) if height.fact_id not in doubts]
    if adult:
        middle = median(height.body.value for height in adult)
        shrunk = [height for height in adult if middle - height.body.value >= rule.shrink_cm]
        if 2 * len(shrunk) == len(adult):  # of two nobody knows which is wrong
            shrunk = adult
        doubts |= {height.fact_id: "height_shrinks" for height in shrunk}
    return doubts


def doubted_bmis(
    bmis: Iterable[Measured], weights: Iterable[Measured], height_cm: Decimal | None, rule: PlausibilityRule
) -> Doubts:
    """The body mass indices that are not counted, and why; `weights` and the adult height are those that count."""
    doubts = _outside(bmis, rule.bmi, "bmi_out_of_range")
    if height_cm is None:
        return doubts
    of_day: dict[date, list[Decimal]] = {}
    for weight in weights:
        of_day.setdefault(weight.body.on, []).append(weight.body.value * 10_000 / (height_cm * height_cm))
    contradicting = (bmi for bmi in bmis if not _is_near_any(bmi.body.value, of_day.get(bmi.body.on, ()), rule))
    return {**{bmi.fact_id: "bmi_contradicts" for bmi in contradicting}, **doubts}


def doubted_waists(waists: Iterable[Measured], rule: PlausibilityRule) -> Doubts:
    """The waists that cannot be as they were told, and why."""
    return _outside(waists, rule.waist_cm, "waist_out_of_range")


def _outside(measured: Iterable[Measured], limits: Sequence[int], outside: FindingRule) -> Doubts:
    lowest, highest = limits
    doubts: dict[str, FindingRule] = {}
    for fact in measured:
        if not fact.body.plausible:
            doubts[fact.fact_id] = "marked_by_source"
        elif not lowest <= fact.body.value <= highest:
            doubts[fact.fact_id] = outside
    return doubts


def _is_near_any(bmi: Decimal, computed: Sequence[Decimal], rule: PlausibilityRule) -> bool:
    """Whether the index is near one computed of its day, or there is none to compare it with."""
    near = [abs(bmi - other) * 100 <= rule.bmi_off_pct * other for other in computed]
    return not near or any(near)


def adult_heights(heights: Iterable[Measured], birth_year: int | None) -> list[Measured]:
    """Heights taken when the person was surely 18, or whose age nobody knows."""
    return [height for height in heights if birth_year is None or height.body.on.year - birth_year > ADULT_YEARS]


def _near(weight: Measured, weights: Sequence[Measured], days: int) -> list[Measured]:
    """The neighbours of a weight within so many days, some on each side."""
    place = bisect_left(weights, (weight.body.on, weight.fact_id), key=lambda w: (w.body.on, w.fact_id))
    around = [*weights[max(0, place - _NEIGHBOURS) : place], *weights[place + 1 : place + 1 + _NEIGHBOURS]]
    return [other for other in around if abs((other.body.on - weight.body.on).days) <= days]


def _is_explained(weight: Measured, weights: Sequence[Measured], rule: PlausibilityRule) -> bool:
    """Whether it would fit a weight near it if it were in pounds."""
    if weight.body.unit_given not in ("kg", "KG", "Kg"):
        return False  # the source named another unit, and it was converted
    in_kg = weight.body.value * KG_PER_LB
    return any(_is_within(in_kg, other.body.value) for other in _near(weight, weights, rule.pounds_days))


def _is_vouched_for(
    weight: Measured, weights: Sequence[Measured], explained: Collection[str], rule: PlausibilityRule
) -> bool:
    """Whether a weight near it that is surely in kilograms is like it."""
    near = [other for other in _near(weight, weights, rule.pounds_days) if other.fact_id not in explained]
    return any(_is_within(weight.body.value, other.body.value) for other in near)


def _is_within(kg: Decimal, other_kg: Decimal) -> bool:
    return abs(kg - other_kg) <= _POUNDS_OFF * other_kg


def _is_jump(weight: Measured, weights: Sequence[Measured], rule: PlausibilityRule) -> bool:
    """Whether no majority of its neighbours is near it."""
    near = _near(weight, weights, rule.jump_days)
    far = [w for w in near if abs(weight.body.value - w.body.value) * 100 > rule.jump_pct * w.body.value]
    return bool(far) and 2 * len(far) >= len(near)
