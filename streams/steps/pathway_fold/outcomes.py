"""Weight loss of one episode at each horizon, by `loss-5pct-nearest/1` and `loss-5pct-last/1`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from schemas.definitions import LOSS_NEAREST, LossRule
from schemas.facts import Measurement
from schemas.pathway_episode import Exclusion, Outcome, OutcomeStatus
from streams.steps.pathway_fold.current_facts import CurrentFact
from streams.steps.pathway_fold.starts import Later

WeightFact = CurrentFact[Measurement]
TERM_DAYS = 280


class Pregnancy(NamedTuple):
    """From the day it was reported until it ended, where that was told."""

    from_on: date
    to_on: date | None

    def meets(self, first_on: date, last_on: date) -> bool:
        """Whether the person was, or may have been, pregnant on a day between these."""
        return self.from_on <= last_on and (self.to_on or self.from_on + timedelta(days=TERM_DAYS)) >= first_on


@dataclass(frozen=True, slots=True)
class Programme:
    """What outcomes rest on: the start, the counted weights of its services, and what limits or excludes them.

    `later` is the next start at the same source, to which weights from then on belong; `is_duplicate`: of a programme
    told twice this is the one not counted.
    """

    started_on: date
    weights: Sequence[WeightFact]
    later: Later | None
    is_duplicate: bool
    is_child: bool
    pregnancies: Sequence[Pregnancy]
    died_on: date | None
    is_completed: bool


def outcomes(programme: Programme, rules: Iterable[LossRule], as_of: date | None) -> tuple[Outcome, ...]:
    """Every outcome of a started programme on the day `as_of` (None: no day is known, so no window has closed)."""
    found = []
    for rule in rules:
        baseline = baseline_of(programme, rule)
        found += [_outcome(programme, rule, weeks, baseline, as_of) for weeks in rule.horizon_weeks]
    return tuple(found)


def weighed_between(started_on: date, rules: Iterable[LossRule]) -> tuple[date, date]:
    """The first and the last day whose weights any outcome may use."""
    found = [started_on]
    for rule in rules:
        found.append(started_on + timedelta(days=rule.baseline_days))
        found += [started_on + timedelta(weeks=min(rule.horizon_weeks) - rule.window_weeks)]
        found += [started_on + timedelta(weeks=max(rule.horizon_weeks) + rule.window_weeks)]
    return min(found), max(found)


def baseline_of(programme: Programme, rule: LossRule) -> WeightFact | None:
    """The weight that loss is measured from."""
    last_on = programme.started_on + timedelta(days=rule.baseline_days)
    early = [w for w in programme.weights if programme.started_on <= w.body.on <= last_on]
    return min(early, key=lambda w: (_is_self_reported(w), w.body.on, w.fact_id), default=None)


def loss_pct(baseline: WeightFact, end: WeightFact) -> Decimal:
    """Per cent of the baseline, not rounded."""
    return (baseline.body.value - end.body.value) / baseline.body.value * 100


def shown_pct(loss: Decimal) -> float:
    """To one decimal place, halves away from zero."""
    return float(loss.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))


def _outcome(
    programme: Programme, rule: LossRule, weeks: int, baseline: WeightFact | None, as_of: date | None
) -> Outcome:
    due_on = programme.started_on + timedelta(weeks=weeks)
    closes_on = due_on + timedelta(weeks=rule.window_weeks)
    if programme.later is not None:
        closes_on = min(closes_on, programme.later.on - timedelta(days=1))
    is_closed = as_of is not None and closes_on < as_of
    end = _end(programme, due_on, rule)
    excluded = _exclusion(programme, due_on - timedelta(weeks=rule.window_weeks), closes_on, end)
    loss = loss_pct(baseline, end) if baseline and end and excluded is None else None
    return Outcome(
        definition=rule.name,
        weeks=weeks,
        due_on=due_on,
        closes_on=closes_on,
        status=_status(baseline, end, is_closed),
        baseline_on=baseline.body.on if baseline else None,
        baseline_kg=float(baseline.body.value) if baseline else None,
        baseline_method=baseline.body.method if baseline else None,
        end_on=end.body.on if end else None,
        end_kg=float(end.body.value) if end else None,
        end_method=end.body.method if end else None,
        loss_pct=None if loss is None else shown_pct(loss),
        achieved=None if loss is None else loss >= rule.threshold_pct,  # before rounding: 4.96 % is not 5 %
        excluded=excluded,
        in_starters=excluded in (None, "superseded"),
        in_closed=excluded is None and is_closed,
        in_completers=excluded is None and programme.is_completed,
    )


def _status(baseline: WeightFact | None, end: WeightFact | None, is_closed: bool) -> OutcomeStatus:
    if baseline and end:
        return "measured"
    if not is_closed:
        return "not_due"
    return "no_end" if baseline else "no_baseline"


def _end(programme: Programme, due_on: date, rule: LossRule) -> WeightFact | None:
    window = rule.window_weeks * 7
    late = [w for w in programme.weights if abs((w.body.on - due_on).days) <= window]
    if rule.name == LOSS_NEAREST:  # of two as near the later
        return min(
            late,
            key=lambda w: (
                _is_self_reported(w), abs((w.body.on - due_on).days), -w.body.on.toordinal(), w.fact_id,
            ),
            default=None,
        )  # fmt: skip
    return min(late, key=lambda w: (-w.body.on.toordinal(), _is_self_reported(w), w.fact_id), default=None)


def _is_self_reported(weight: WeightFact) -> bool:
    return weight.body.method == "self_reported"


def _exclusion(programme: Programme, opens_on: date, closes_on: date, end: WeightFact | None) -> Exclusion | None:
    if programme.is_duplicate:
        return "duplicate"
    if programme.is_child:
        return "child"
    if any(pregnancy.meets(programme.started_on, closes_on) for pregnancy in programme.pregnancies):
        return "pregnancy"
    if programme.died_on is not None and programme.died_on <= closes_on and end is None:
        return "death"
    went_on = programme.later is not None and programme.later.is_another
    return "superseded" if went_on and closes_on < opens_on and end is None else None
