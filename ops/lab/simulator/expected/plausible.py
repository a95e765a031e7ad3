"""Weights and heights that cannot be as they were reported, by plausibility/1."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from statistics import median

from ops.lab.simulator.expected.definitions import (
    ADULT_YEARS,
    CM_LEAST,
    CM_MOST,
    JUMP_DAYS,
    JUMP_NEIGHBOURS,
    KG_LEAST,
    KG_MOST,
    POUNDS_DAYS,
    SHRINK_CM,
)
from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth

_POUND = Decimal("0.4536")  # of a kilogram, as the definition rounds it


def kilograms(fact: Fact) -> Decimal:
    """The weight of a fact that has one."""
    assert fact.value is not None
    return fact.value


def weights_of(facts: Iterable[Fact]) -> list[Fact]:
    """The weights, in order of day."""
    return sorted((fact for fact in facts if fact.quantity == "weight"), key=lambda fact: (fact.on, fact.key))


def doubts_of(person: PersonTruth, apart: Iterable[Iterable[Fact]] = ()) -> Mapping[Fact, str]:
    """Why each weight of the person that is not plausible is not.

    What stands `apart`, under a referral that was taken back, may be somebody else's: it is judged by itself.
    """
    groups = [list(facts) for facts in apart]
    stray = {fact for facts in groups for fact in facts}
    groups.append([fact for record in person.records for fact in record.facts if fact not in stray])
    return {fact: doubt for facts in groups for fact, doubt in _doubts(weights_of(facts)).items()}


def _doubts(weights: Sequence[Fact]) -> Mapping[Fact, str]:
    doubts = {fact: "weight_out_of_range" for fact in weights if not KG_LEAST <= kilograms(fact) <= KG_MOST}
    in_range = [fact for fact in weights if fact not in doubts]
    doubts |= {fact: "weight_in_pounds" for fact in in_range if _is_in_pounds(fact, in_range)}
    left = [fact for fact in in_range if fact not in doubts]
    return doubts | {fact: "weight_jump" for place, fact in enumerate(left) if _jumps(place, left)}


def _is_in_pounds(fact: Fact, weights: Sequence[Fact]) -> bool:
    """True where it was reported as kilograms, would agree with a weight near it as pounds, and so does not."""
    if fact.unit_given not in ("kg", None):
        return False
    others = [other for other in weights if other is not fact and abs(other.on - fact.on) <= POUNDS_DAYS]
    as_pounds = any(_agree(kilograms(fact) * _POUND, kilograms(other)) for other in others)
    return as_pounds and not any(_agree(kilograms(fact), kilograms(other)) for other in others)


def _agree(kg: Decimal, other_kg: Decimal) -> bool:
    return abs(kg - other_kg) * 100 <= 5 * other_kg


def _jumps(place: int, weights: Sequence[Fact]) -> bool:
    """True where it differs by more than 20 % from most of three on each side."""
    fact = weights[place]
    before = weights[max(0, place - JUMP_NEIGHBOURS) : place]
    after = weights[place + 1 : place + 1 + JUMP_NEIGHBOURS]
    near = [other for other in (*before, *after) if abs(other.on - fact.on) <= JUMP_DAYS]
    far_off = [other for other in near if abs(kilograms(fact) - kilograms(other)) * 100 > 20 * kilograms(other)]
    return 2 * len(far_off) > len(near)


def adult_heights(person: PersonTruth) -> list[Fact]:
    """The heights that count: of an adult, possible, and not far below the person's others; in order of day."""
    heights = [
        fact
        for record in person.records
        for fact in record.facts
        if fact.quantity == "height" and _is_adult(record.identity.birth_date, fact.on)
    ]
    possible = [fact for fact in heights if CM_LEAST <= kilograms(fact) <= CM_MOST]
    middle = median(kilograms(fact) for fact in possible) if possible else Decimal(0)
    counted = [fact for fact in possible if middle - kilograms(fact) < SHRINK_CM]
    return sorted(counted, key=lambda fact: fact.on)


def _is_adult(born: date | None, on: date) -> bool:
    return born is None or years_between(born, on) >= ADULT_YEARS


def years_between(born: date, on: date) -> int:
    """Age in whole years: who was born on 29 February is a year older on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
