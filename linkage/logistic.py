"""Ridge logistic regression on rows that each show a few of many columns, by Newton's method with halved steps.

Plain Python and one order of sums: the same rows give the same weights on any machine.
"""

from collections.abc import Sequence
from math import exp, log1p, sqrt
from typing import NamedTuple

from linkage.errors import ModelRefused

ROUNDS_MAX, HALVINGS_MAX = 60, 30
SETTLED = 1e-6  # natural log-odds; a milli-bit is 7e-4
INTERCEPT_RIDGE = 1e-3  # nearly free: how common matches are is no guess of ours
LEFT_MIN = 1e-12  # a column the others say all of has no weight of its own
NO_LEVERAGE = 1e-9  # a row as good as certain bends the curve by less


class PatternRow(NamedTuple):
    """The columns a row shows (rising), its cases, how many of them are positive, and log-odds known beforehand."""

    columns: tuple[int, ...]
    cases: float
    positive: float
    known: float = 0.0


def regress(rows: Sequence[PatternRow], start: Sequence[float], *, ridge: float) -> list[float]:
    """The weights in natural log-odds that maximise likelihood less ridge/2 times their squares; column 0 is the
    intercept, which every row shows. Climbs from `start`. Raises ModelRefused when it does not settle,
    or without a ridge where the rows do not tell every weight.
    """
    weights = list(start)
    penalties = [INTERCEPT_RIDGE] + [ridge] * (len(weights) - 1)
    cost = _cost(rows, weights, penalties)
    for _ in range(ROUNDS_MAX):
        step = _newton_step(rows, weights, penalties)
        for _ in range(HALVINGS_MAX):
            tried = [weight + change for weight, change in zip(weights, step, strict=True)]
            tried_cost = _cost(rows, tried, penalties)
            if tried_cost <= cost + 1e-9 * (1 + cost):
                break
            step = [change / 2 for change in step]
        weights, cost = tried, tried_cost
        if max(abs(change) for change in step) < SETTLED:
            return weights
    raise ModelRefused("fit", rule=f"settles within {ROUNDS_MAX} rounds")


def _log_odds(row: PatternRow, weights: Sequence[float]) -> float:
    return max(-500.0, min(500.0, row.known + sum([weights[place] for place in row.columns])))


def _cost(rows: Sequence[PatternRow], weights: Sequence[float], penalties: Sequence[float]) -> float:
    cost = sum(each * weight * weight for each, weight in zip(penalties, weights, strict=True)) / 2
    for row in rows:
        odds = _log_odds(row, weights)
        cost += row.cases * (max(odds, 0.0) + log1p(exp(-abs(odds)))) - row.positive * odds
    return cost


def _newton_step(
    rows: Sequence[PatternRow], weights: Sequence[float], penalties: Sequence[float]
) -> list[float]:
    size = len(weights)
    slope = [-each * weight for each, weight in zip(penalties, weights, strict=True)]
    curve = [[0.0] * size for _ in range(size)]  # upper triangle: columns rise
    for row in rows:
        chance = 1 / (1 + exp(-_log_odds(row, weights)))
        surplus, bend = row.positive - row.cases * chance, row.cases * chance * (1 - chance)
        for place in row.columns:
            slope[place] += surplus
        if bend > NO_LEVERAGE:
            for i, place in enumerate(row.columns):
                of_place = curve[place]
                for other in row.columns[i:]:
                    of_place[other] += bend
    for place, each in enumerate(penalties):
        curve[place][place] += each
    return _solved(curve, slope)


def _solved(curve: list[list[float]], slope: Sequence[float]) -> list[float]:
    """x of curve·x = slope by Cholesky; `curve` is the upper triangle of a positive definite matrix."""
    size = len(slope)
    lower = [[0.0] * size for _ in range(size)]
    for j in range(size):
        of_j = lower[j][:j]
        left = curve[j][j] - sum([x * x for x in of_j])
        if left < LEFT_MIN:
            raise ModelRefused("fit", rule="every level tells something of its own, or the ridge holds it")
        lower[j][j] = pivot = sqrt(left)
        for i in range(j + 1, size):
            lower[i][j] = (
                curve[j][i] - sum([a * b for a, b in zip(lower[i][:j], of_j, strict=True)])
            ) / pivot
    forward: list[float] = []
    for i in range(size):
        forward.append((slope[i] - sum([lower[i][j] * forward[j] for j in range(i)])) / lower[i][i])
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (forward[i] - sum([lower[j][i] * found[j] for j in range(i + 1, size)])) / lower[i][i]
    return found
