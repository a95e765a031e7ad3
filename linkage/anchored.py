"""Weights from free labels: pairs that both carry an NHS number, equal or not.

One additive weight for each level told and each named interaction, by ridge logistic regression on agreement
patterns. What is missing adds nothing, by construction.

Labels err: two people are given one number, and a record carries the number of somebody else at home. Believed
literally, a few such pairs in a thousand cap every weight, since no agreement seems ever to be certain. So each
label counts by the chance that it is right, as the fit itself sees it, and the fit is repeated until these chances
stand still (expectation maximisation over the labels).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

from linkage.compare import LEVELS, Levels
from linkage.counts import RULED, Counts
from linkage.errors import ModelRefused
from linkage.levels import INTERACTIONS, held
from linkage.model import RULE_WEIGHTS, Fitted, Model, Origin, fitted_model, millibits, unlisted_as_average, weigh
from linkage.regression import Group, PatternRow, never_rising, regress, scarce_together

LABEL_ROUNDS_MAX = 10
LABELS_STILL = 1e-4  # of all pairs: labels whose chances move by fewer are settled
LABELS_MIN = 100  # matches, and as many others: fewer fit nothing worth refusing later
Column = tuple[str, Group]  # a field and levels that share a weight, or an interaction and "yes"
_YES = ("yes",)


@dataclass(frozen=True, slots=True)
class Fitting:
    """How to fit. `ridge`: the pull of every weight towards nothing, in pairs' worth of evidence. `scarce`: levels
    and interactions shown by fewer labelled pairs share a neighbour's weight, or have none. `by_hand`: interactions
    given in milli-bits and not fitted. `mistaken`: the share of labels that are wrong, either way; confusions and
    duplicates of numbers are known to happen (NHS England), how often is an assumption.
    """

    ridge: float = 0.3
    scarce: int = 50
    mistaken: float = 0.005
    by_hand: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _LabelledPattern:
    """A pattern without the number, the labelled pairs that showed it, those labelled as one person, and how many
    of the pairs are believed to be.
    """

    at: Levels
    interactions: tuple[str, ...]
    pairs: int
    matches: int
    believed: float


def anchored(counts: Counts, *, origin: Origin, fitting: Fitting | None = None) -> Model:
    """The model fitted on the labelled candidates, the number set aside. The prior is the odds of a candidate that
    tells nothing; closer agreement never weighs less. A function of the counts alone. Raises ModelRefused
    when labels are too few or the fit does not settle.
    """
    fitting = fitting or Fitting()
    labelled = _labelled(counts)
    pairs, matches = sum(each.pairs for each in labelled), sum(each.matches for each in labelled)
    if min(matches, pairs - matches) < LABELS_MIN:
        raise ModelRefused("labels", rule=f"at least {LABELS_MIN} labelled matches and as many others")
    figures = Fitted("anchored", pairs, matches, origin.counted, origin.code)
    for _ in range(LABEL_ROUNDS_MAX):
        prior, weights, interactions = _fit(labelled, fitting)
        model = fitted_model(
            origin,
            figures,
            prior=prior,
            weights=weights | RULE_WEIGHTS,
            interactions=interactions,
        )
        before, labelled = labelled, [_believed(each, model, fitting.mistaken) for each in labelled]
        moved = sum(abs(a.believed - b.believed) for a, b in zip(before, labelled, strict=True))
        if moved <= LABELS_STILL * pairs:
            break
    return model


def _labelled(counts: Counts) -> list[_LabelledPattern]:
    matches, others = counts.matches(), counts.others()
    return [
        _LabelledPattern(at, held(at), right + others.get(at, 0), right, right)
        for at in sorted(matches.keys() | others.keys(), key=Levels.pairs)
        for right in (matches.get(at, 0),)
    ]


def _believed(each: _LabelledPattern, model: Model, mistaken: float) -> _LabelledPattern:
    """The pattern with its labels weighed against the model: how many of its pairs are one person (Bayes)."""
    if mistaken <= 0:
        return each
    odds = 2.0 ** (weigh(model, each.at).bits / 1000)
    of_equal = odds * (1 - mistaken) / (odds * (1 - mistaken) + mistaken)
    of_differing = odds * mistaken / (odds * mistaken + (1 - mistaken))
    believed = each.matches * of_equal + (each.pairs - each.matches) * of_differing
    return replace(each, believed=believed)


def _fit(
    labelled: Sequence[_LabelledPattern], fitting: Fitting
) -> tuple[int, dict[str, dict[str, int]], dict[str, int]]:
    """Prior, weights and interactions in milli-bits. Levels whose weights would rise with distance are pooled and
    the fit repeated until none does.
    """
    shown: Counter[Column] = Counter()
    for each in labelled:
        for column in _single(each):
            shown[column] += each.pairs
    groups = {name: _groups(name, shown, fitting) for name in LEVELS if name not in RULED}
    together = [name for name in INTERACTIONS if name not in fitting.by_hand and shown[name, _YES] >= fitting.scarce]
    worth: dict[Column, float] = {}
    while True:
        columns = [(name, group) for name in groups for group in groups[name]]
        columns += [(name, _YES) for name in together]
        worth, prior = _regressed(labelled, columns, worth, fitting)
        pooled = {name: _pooled(name, groups[name], worth, shown) for name in groups}
        if pooled == groups:
            break
        groups = pooled
    weights = {name: dict.fromkeys(LEVELS[name], 0) for name in groups}
    for (name, group), bits in worth.items():
        if name in weights:
            weights[name] |= dict.fromkeys(group, millibits(bits / log(2)))
    pairs = {(name, level): shown[name, (level,)] for name in weights for level in LEVELS[name]}
    weights = unlisted_as_average(weights, pairs)
    interactions = {name: millibits(worth.get((name, _YES), 0.0) / log(2)) for name in INTERACTIONS}
    return millibits(prior / log(2)), weights, interactions | dict(fitting.by_hand)


def _single(each: _LabelledPattern) -> list[Column]:
    """What a pattern shows, before any level shares a weight."""
    fields: list[Column] = [(name, (level,)) for name, level in each.at.pairs() if level != "missing"]
    return fields + [(name, _YES) for name in each.interactions]


def _groups(name: str, shown: Counter[Column], fitting: Fitting) -> list[Group]:
    """The levels of a field that share a weight to begin with. All in one say nothing: telling is no evidence."""
    if name == "crossed":  # not crossed is the usual case, and weighs 0
        return [_YES] if shown[name, _YES] >= fitting.scarce else []
    seen = {level: shown[name, (level,)] for level in LEVELS[name]}
    groups = scarce_together(name, seen, at_least=fitting.scarce)
    return groups if len(groups) > 1 else []


def _pooled(name: str, groups: list[Group], worth: Mapping[Column, float], shown: Counter[Column]) -> list[Group]:
    of_level = {level: worth[name, group] for group in groups for level in group}

    def weight_of(group: Group) -> float:
        pairs = {level: shown[name, (level,)] for level in group}
        return sum(of_level[level] * n for level, n in pairs.items()) / sum(pairs.values())

    pooled = never_rising(groups, weight_of)
    return pooled if len(pooled) > 1 or name == "crossed" else []


def _regressed(
    labelled: Sequence[_LabelledPattern],
    columns: Sequence[Column],
    before: Mapping[Column, float],
    fitting: Fitting,
) -> tuple[dict[Column, float], float]:
    """The weight of every column in natural log-odds, and the intercept; patterns that show the same columns are
    one row. `before` is where a column starts if it was there before.
    """
    place = {(name, (level,)): i for i, (name, group) in enumerate(columns, start=1) for level in group}
    cases: Counter[tuple[tuple[int, ...], float]] = Counter()
    positive: dict[tuple[tuple[int, ...], float], float] = {}
    for each in labelled:
        shown = sorted({place[column] for column in _single(each) if column in place})
        known = sum(fitting.by_hand.get(name, 0) for name in each.interactions) / 1000 * log(2)
        row = ((0, *shown), known)
        cases[row] += each.pairs
        positive[row] = positive.get(row, 0.0) + each.believed
    rows = [PatternRow(row[0], cases[row], positive[row], row[1]) for row in sorted(cases)]
    start = [0.0, *(before.get(column, 0.0) for column in columns)]
    prior, *weights = regress(rows, start, ridge=fitting.ridge)
    return dict(zip(columns, weights, strict=True)), prior
