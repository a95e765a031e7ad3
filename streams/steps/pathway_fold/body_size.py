"""Weights, heights and body mass index of a person: which count, and what was known at a referral."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from schemas.definitions import BmiRule, PlausibilityRule
from schemas.facts import Body, Measurement
from schemas.pathway_episode import Waist, Weight
from streams.steps.pathway_fold.current_facts import CurrentFact, of_type
from streams.steps.pathway_fold.plausibility import (
    Doubts,
    adult_heights,
    doubted_bmis,
    doubted_heights,
    doubted_waists,
    doubted_weights,
)

Measured = CurrentFact[Measurement]


@dataclass(frozen=True, slots=True)
class BodySize:
    """All that was measured of a person, by day and fact id, and what of it is doubted."""

    weights: tuple[Measured, ...]
    heights: tuple[Measured, ...]
    bmis: tuple[Measured, ...]
    waists: tuple[Measured, ...]
    doubts: Doubts
    birth_year: int | None
    counted_weights: tuple[Measured, ...]  # that figures may use

    @classmethod
    def of(
        cls,
        facts: Iterable[CurrentFact[Body]],
        birth_year: int | None,
        rule: PlausibilityRule,
        *,
        apart: Iterable[CurrentFact[Body]] = (),
    ) -> "BodySize":
        """Of the person's facts, which are sorted. Weights `apart` may be another's: doubted by each other alone."""
        weights, heights, bmis, waists = (_of(facts, quantity) for quantity in ("weight", "height", "bmi", "waist"))
        doubts = {**doubted_weights(weights, rule), **doubted_heights(heights, birth_year, rule)}
        counted = tuple(weight for weight in weights if weight.fact_id not in doubts) if doubts else weights
        others = _of(apart, "weight")
        waists = (*waists, *_of(apart, "waist"))
        doubts |= {**doubted_weights(others, rule), **doubted_waists(waists, rule)}
        size = cls((*weights, *others), heights, bmis, waists, doubts, birth_year, counted)
        if not bmis:
            return size
        return replace(size, doubts={**doubts, **doubted_bmis(bmis, counted, size.height(frozenset()), rule)})

    def height(self, sources: frozenset[str]) -> Decimal | None:
        """The latest adult height that is not doubted, of these sources before others; in centimetres."""
        heights = [h for h in adult_heights(self.heights, self.birth_year) if h.fact_id not in self.doubts]
        return next((h.body.value for h in sorted(heights, key=lambda h: h.source in sources)[::-1]), None)

    def bmi_at(self, on: date, height_cm: Decimal | None, rule: BmiRule) -> float | None:
        """By `bmi-at-referral/1`."""
        reported = [fact for fact in _near(self.bmis, on, rule) if fact.fact_id not in self.doubts]
        if reported:
            return _rounded(min(reported, key=lambda fact: _nearness(fact, on)).body.value)
        weights = _near(self.counted_weights, on, rule)
        if not weights or height_cm is None:
            return None
        metres = height_cm / 100
        return _rounded(min(weights, key=lambda fact: _nearness(fact, on)).body.value / (metres * metres))


def shown_weights(facts: Iterable[CurrentFact[Body]], doubts: Doubts) -> tuple[Weight, ...]:
    """The weights among these facts as they are published."""
    return tuple(
        Weight(
            on=fact.body.on,
            kg=float(fact.body.value),
            method=fact.body.method,
            plausible=fact.fact_id not in doubts,
            doubt=doubts.get(fact.fact_id),
        )
        for fact in _of(facts, "weight")
    )


def shown_waists(facts: Iterable[CurrentFact[Body]], doubts: Doubts) -> tuple[Waist, ...]:
    """Waists of these facts, by day."""
    return tuple(
        Waist(
            on=fact.body.on,
            cm=float(fact.body.value),
            method=fact.body.method,
            plausible=fact.fact_id not in doubts,
            doubt=doubts.get(fact.fact_id),
        )
        for fact in _of(facts, "waist")
    )


def _of(facts: Iterable[CurrentFact[Body]], quantity: str) -> tuple[Measured, ...]:
    return tuple(fact for fact in of_type(facts, Measurement) if fact.body.quantity == quantity)


def _near(measured: Sequence[Measured], on: date, rule: BmiRule) -> Sequence[Measured]:
    """Those of the days around, of what is by day."""
    return between(measured, on - timedelta(days=rule.before_days), on + timedelta(days=rule.after_days))


def between(measured: Sequence[Measured], first_on: date, last_on: date) -> Sequence[Measured]:
    """Those of the days between, of what is by day."""
    first = bisect_left(measured, first_on, key=_day)
    return measured[first : bisect_right(measured, last_on, lo=first, key=_day)]


def _day(fact: Measured) -> date:
    return fact.body.on


def _nearness(fact: Measured, on: date) -> tuple[int, str]:
    return abs((fact.body.on - on).days), fact.fact_id


def _rounded(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))
