"""How weights are fitted: ridge logistic regression, and which levels of a field share one weight.

The regression takes rows that each show a few of many columns, by Newton's method with halved steps; plain Python and
one order of sums, so the same rows give the same weights on any machine. Levels that few pairs showed share a
neighbour's weight, and so do levels whose weights fall against the order of LEVELS, so closer agreement never weighs
less: isotonic regression by pooling adjacent violators.
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log1p, sqrt
from typing import NamedTuple

from linkage.compare import LEVELS
from linkage.errors import ModelRefused

ROUNDS_MAX, HALVINGS_MAX = 60, 30
SETTLED = 1e-6  # natural log-odds; a milli-bit is 7e-4
INTERCEPT_RIDGE = 1e-3  # nearly free: how common matches are is no guess of ours
LEFT_MIN = 1e-12  # a column the others say all of has no weight of its own
NO_LEVERAGE = 1e-9  # a row as good as certain bends the curve by less
Group = tuple[str, ...]


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


def _newton_step(rows: Sequence[PatternRow], weights: Sequence[float], penalties: Sequence[float]) -> list[float]:
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
            lower[i][j] = (curve[j][i] - sum([a * b for a, b in zip(lower[i][:j], of_j, strict=True)])) / pivot
    forward: list[float] = []
    for i in range(size):
        forward.append((slope[i] - sum([lower[i][j] * forward[j] for j in range(i)])) / lower[i][i])
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (forward[i] - sum([lower[j][i] * found[j] for j in range(i + 1, size)])) / lower[i][i]
    return found


def weighing_most_first(field: str) -> Group:
    """The levels of a field that can weigh anything, the one expected to weigh most first: closest agreement, and
    rarest name.
    """
    levels = tuple(level for level in LEVELS[field] if level != "missing")
    return levels[::-1] if field.endswith("_frequency") else levels


def scarce_together(field: str, pairs: Mapping[str, int], *, at_least: int) -> list[Group]:
    """The levels in weighing order, each with the next ones until the group holds `at_least` pairs; what is left
    over joins the last group. So a level nobody showed weighs as the next farther one: the careful side.
    """
    groups: list[Group] = []
    gathering: Group = ()
    for level in weighing_most_first(field):
        gathering = (*gathering, level)
        if sum(pairs.get(each, 0) for each in gathering) >= at_least:
            groups, gathering = [*groups, gathering], ()
    if not groups:
        return [gathering]
    return [*groups[:-1], groups[-1] + gathering]


def never_rising(groups: list[Group], weight_of: Callable[[Group], float]) -> list[Group]:
    """The groups, neighbours pooled until no group weighs more than the one before it. `weight_of` tells the weight
    of a group and of groups pooled.
    """
    kept: list[Group] = []
    for group in groups:
        kept.append(group)
        while len(kept) > 1 and weight_of(kept[-1]) > weight_of(kept[-2]):
            last = kept.pop()
            kept[-1] = kept[-1] + last
    return kept
