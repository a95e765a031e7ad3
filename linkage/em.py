"""A cold start: weights without a single label, by expectation maximisation (Fellegi and Sunter 1969; Winkler 1988).

Candidate pairs are taken as a mixture of matches and others, fields independent within each. How often two people agree
is counted on random pairs, since candidates agree by their choice. The NHS number is set aside while fitting, so that
labels, where there are any, can judge the result: among households the mixture may settle on "lives together" in place
of "is one person", and only labels tell (linkage.train.refuse_unless_precise).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, log2

from linkage.compare import LEVELS, Levels
from linkage.counts import LABEL_FIELD, RULED, Counts, in_order, without_number
from linkage.errors import ModelRefused
from linkage.levels import INTERACTIONS
from linkage.model import (
    NUMBER_WEIGHTS,
    RULE_WEIGHTS,
    Fitted,
    Model,
    Origin,
    fitted_model,
    millibits,
    unlisted_as_average,
)
from linkage.regression import Group, never_rising, scarce_together, weighing_most_first

ROUNDS_MAX = 300
SETTLED = 1e-5  # a round that moves no pair's chance of being a match by more is the last
ADDED_PAIRS = 0.05  # to every level of both classes, so that nothing is impossible
ADDED_RANDOM = 0.1  # to every level among random pairs, which are a sample
RANDOM_ROUNDS = 5  # to tell which of them are one person; two settle it
MATCH_MIN, RANDOM_MIN = 1e-5, 1e-7  # no frequency is believed below these
SCARCE = 5  # levels shown by fewer pairs share a neighbour's weight
START_SLOPE, START_AT = (
    1.5,
    0.5,
)  # the climb starts from pairs that agree in more fields than they disagree in

COLD = Origin("cold start", "Fitted without labels on the pairs at hand.", "not said", "not said")

Row = tuple[tuple[int, ...], int]  # the columns a pattern shows, and how many pairs showed it

_COLUMNS = tuple((field, level) for field in LEVELS if field not in RULED for level in weighing_most_first(field))
_PLACE = {column: place for place, column in enumerate(_COLUMNS)}
_FIELDS = {
    field: tuple(place for place, column in enumerate(_COLUMNS) if column[0] == field)
    for field in LEVELS
    if field not in RULED
}


@dataclass(frozen=True, slots=True)
class MixtureFit:
    """What the climb settled on: each row's chance of being a match, and by class the pairs at each column."""

    chances: list[float]
    matches: float
    pairs: int


def em(counts: Counts, *, origin: Origin = COLD) -> Model:
    """The model of a mixture fitted on all candidates, labelled or not. The prior is the share of estimated matches
    among all pairs; interactions weigh nothing; the NHS number's weights are NUMBER_WEIGHTS. Deterministic.
    Raises ModelRefused without candidates, random pairs or the number of all pairs.
    """
    if not counts.candidates or not counts.random or counts.pairs_in_all <= 0:
        raise ModelRefused("counts", rule="candidates, random pairs and the number of all pairs")
    patterns = in_order(without_number(counts.candidates))
    rows = [(_shown(at), pairs) for at, pairs in patterns]
    mixture = _settled(rows, [_start(at) for at, _ in patterns])
    random = [(_shown(at), pairs) for at, pairs in in_order(without_number(counts.random))]
    prior = _bits(mixture.matches / max(counts.pairs_in_all, mixture.pairs))
    weights = _weights(rows, mixture, random, _strangers(random, _shares(rows, mixture.chances), prior))
    prior += weights["crossed"]["no"]
    above = _bits(mixture.matches / mixture.pairs) - prior
    whole = {field: {level: millibits(bits) for level, bits in by.items()} for field, by in weights.items()}
    whole["crossed"] = {"yes": millibits(weights["crossed"]["yes"] - weights["crossed"]["no"]), "no": 0}
    shown: Counter[tuple[str, str]] = Counter()
    for at, pairs in patterns:
        shown.update(dict.fromkeys(at.pairs(), pairs))
    whole = unlisted_as_average(whole, shown) | RULE_WEIGHTS
    whole[LABEL_FIELD] = {level: bits + (millibits(above) if bits > 0 else 0) for level, bits in NUMBER_WEIGHTS.items()}
    return fitted_model(
        origin,
        Fitted("em", mixture.pairs, round(mixture.matches), origin.counted, origin.code),
        prior=millibits(prior),
        weights=whole,
        interactions=dict.fromkeys(INTERACTIONS, 0),
    )


def _shown(at: Levels) -> tuple[int, ...]:
    return tuple(_PLACE[column] for column in at.pairs() if column in _PLACE)


def _start(at: Levels) -> float:
    shown = [(field, level) for field, level in at.pairs() if not field.endswith("_frequency")]
    agree = sum(level == LEVELS[field][0] for field, level in shown if field not in ("crossed", LABEL_FIELD))
    return _chance(START_SLOPE * (agree - sum(level == "none" for _, level in shown) - START_AT))


def _settled(rows: Sequence[Row], chances: list[float]) -> MixtureFit:
    """The climb, both classes free: what candidates that are no match agree in is found with the rest."""
    pairs = sum(n for _, n in rows)
    for _ in range(ROUNDS_MAX):
        matches = sum(n * chance for chance, (_, n) in zip(chances, rows, strict=True))
        m = _shares(rows, chances)
        u = _shares(rows, [1 - chance for chance in chances])
        weights = [log(a) - log(b) for a, b in zip(m, u, strict=True)]
        share = min(max(matches / pairs, 1e-6), 1 - 1e-6)
        base = log(share / (1 - share))
        moved = [_chance(base + sum([weights[place] for place in shown])) for shown, _ in rows]
        step = max(abs(a - b) for a, b in zip(moved, chances, strict=True))
        chances = moved
        if step < SETTLED:
            break
    return MixtureFit(chances, sum(n * chance for chance, (_, n) in zip(chances, rows, strict=True)), pairs)


def _shares(rows: Sequence[Row], chances: Sequence[float], *, added: float = ADDED_PAIRS) -> list[float]:
    """How often each level is shown among the pairs of a class that tell the field at all."""
    shown = [added] * len(_COLUMNS)
    for (places, n), chance in zip(rows, chances, strict=True):
        amount = n * chance
        for place in places:
            shown[place] += amount
    for places in _FIELDS.values():
        total = sum(shown[place] for place in places)
        for place in places:
            shown[place] /= total
    return shown


def _strangers(random: Sequence[Row], m: Sequence[float], prior: float) -> list[float]:
    """How often each level is shown among random pairs of two people. In a small file enough random pairs are one
    person to make the rarest agreements look frequent among strangers, so each counts by its chance of being two.
    """
    chances = [0.0] * len(random)
    for _ in range(RANDOM_ROUNDS):
        u = _shares(random, [1 - chance for chance in chances], added=ADDED_RANDOM)
        weights = [log(a) - log(b) for a, b in zip(m, u, strict=True)]
        chances = [_chance(prior * log(2) + sum([weights[place] for place in shown])) for shown, _ in random]
    return u


def _weights(
    rows: Sequence[Row], mixture: MixtureFit, random: Sequence[Row], u: Sequence[float]
) -> dict[str, dict[str, float]]:
    """Bits for each level of each field but the number: log2 of the share among matches over that among strangers,
    never rising with distance. Names that had to be crossed are never evidence for.
    """
    m, pairs, at_random = _shares(rows, mixture.chances), _seen(rows), _seen(random)
    weights: dict[str, dict[str, float]] = {}
    for field, places in _FIELDS.items():
        weights[field] = dict.fromkeys(LEVELS[field], 0.0)
        seen = {_COLUMNS[place][1]: pairs[place] + at_random[place] for place in places}
        if not any(pairs[place] for place in places):
            continue  # no candidate tells the field: it says nothing

        def weight_of(group: Group, field: str = field) -> float:
            of_group = [_PLACE[field, level] for level in group]
            match = max(sum(m[place] for place in of_group), MATCH_MIN)
            return log2(match) - log2(max(sum(u[place] for place in of_group), RANDOM_MIN))

        groups = scarce_together(field, seen, at_least=SCARCE)
        for group in never_rising(groups, weight_of) if field != "crossed" else groups:
            weights[field] |= dict.fromkeys(group, weight_of(group))
    weights["crossed"]["yes"] = min(weights["crossed"].values())
    return weights


def _seen(rows: Sequence[Row]) -> list[int]:
    seen = [0] * len(_COLUMNS)
    for places, n in rows:
        for place in places:
            seen[place] += n
    return seen


def _chance(log_odds: float) -> float:
    return 1 / (1 + exp(-max(-500.0, min(500.0, log_odds))))


def _bits(share: float) -> float:
    share = min(max(share, 1e-12), 1 - 1e-12)
    return log2(share / (1 - share))
