"""Weight loss of one episode since its start, by `loss-5pct/1`."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from schemas.definitions import LOSS, LossRule
from schemas.facts import Measurement
from schemas.pathway import Loss, LossOutcome
from streams.steps.pathway_fold.current_facts import CurrentFact

Weight = CurrentFact[Measurement]
DAYS_PER_WEEK = 7


def loss(started_on: date, weights: Iterable[Weight], rule: LossRule) -> Loss:
    """The loss of an episode that began on `started_on`; `weights` are all of its record, in any order."""
    counted = [weight for weight in weights if weight.body.plausible]
    baseline = _baseline(started_on, counted, rule)
    at_weeks: dict[str, LossOutcome | None] = {}
    for weeks in rule.horizon_weeks:
        end = _end(started_on, counted, weeks, rule)
        at_weeks[str(weeks)] = _outcome(baseline, end, rule)
    return Loss(
        definition=LOSS,
        baseline_on=baseline.body.on if baseline else None,
        baseline_kg=float(baseline.body.value) if baseline else None,
        baseline_method=baseline.body.method if baseline else None,
        at_weeks=at_weeks,
    )


def _baseline(started_on: date, weights: Sequence[Weight], rule: LossRule) -> Weight | None:
    early = [weight for weight in weights if 0 <= (weight.body.on - started_on).days <= rule.baseline_days]
    return min(early, key=lambda weight: (_method_order(weight), weight.body.on, weight.fact_id), default=None)


def _end(started_on: date, weights: Sequence[Weight], weeks: int, rule: LossRule) -> Weight | None:
    first = (weeks - rule.window_weeks) * DAYS_PER_WEEK
    last = (weeks + rule.window_weeks) * DAYS_PER_WEEK
    late = [weight for weight in weights if first <= (weight.body.on - started_on).days <= last]
    # the last day; on that day measured before self-reported, then the lowest fact id
    return min(late, key=lambda w: (-w.body.on.toordinal(), _method_order(w), w.fact_id), default=None)


def _method_order(weight: Weight) -> int:
    return 0 if weight.body.method == "measured" else 1


def _outcome(baseline: Weight | None, end: Weight | None, rule: LossRule) -> LossOutcome | None:
    if baseline is None or end is None:
        return None
    loss_pct = (baseline.body.value - end.body.value) / baseline.body.value * 100
    return LossOutcome(
        end_on=end.body.on,
        end_kg=float(end.body.value),
        loss_pct=float(loss_pct.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)),
        achieved=loss_pct >= rule.threshold_pct,  # before rounding: 4.96 % is not 5 %
    )
