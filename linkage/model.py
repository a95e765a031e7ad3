"""The model: what each agreement is worth, in thousandths of a bit, as one readable JSON text.

Whole numbers, so a sum does not depend on the order it is taken in, and a model read back is the model written.
score = prior + weight of each field's level + weight of each named interaction: the log-odds, base 2, in thousandths
of a bit, that two records which share a block are one person.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from linkage.compare import LEVELS, Levels, common_block, levels
from linkage.errors import ModelInvalid
from linkage.frequency import CLASSES
from linkage.levels import INTERACTIONS, held
from linkage.tokens import EncodedIdentity

FORMAT = "linkage-model/2"
WEIGHT_MAX = 60_000  # 60 bits: more than any population needs to tell two people apart
REMEMBERED_MAX = 1 << 16  # patterns a model remembers the score of: some 30 MB; candidates show a few thousand

# Thresholds stated as chances: link from odds of 19 to 1 (p = .95), review from 1 to 4 (p = .2), and two people
# whose odds differ by less than 19 to 1 are both possible.
LINK, REVIEW, AMBIGUOUS = 4_250, -2_000, 4_250

# The NHS number is the label of a fit, so it cannot be fitted itself: its weights are a rule, above the odds of a
# pair that shares a block. The whole number; all but a slip of it; two different valid ones.
NUMBER_WEIGHTS = {"equal": 14_000, "near": 8_000, "differ": -30_000, "missing": 0}
# A crowded day says 5 bits (32 times) less than another. It is a rule, an assumption of 2026-11-29 and no estimate, for
# two reasons of one size. 1 January: as if 32 in 365 of one year and name, 9 %, were written down on it; no table tells
# how many are. The commonest names (linkage.frequency): on one day a good thousand children of one sex are born; .33 %
# of surnames times some 3 % of forenames leaves 0.1 namesakes, the tables' average name (.08 % times .5 %) 0.004.
BIRTH_DATE_WEIGHTS = {"nameless": -5_000, "crowded": -5_000, "usual": 0, "missing": 0}
RULE_WEIGHTS: dict[str, dict[str, int]] = {
    "nhs_number": NUMBER_WEIGHTS,
    "birth_date_frequency": BIRTH_DATE_WEIGHTS,
}
NUMBER_RULE = "The NHS number is set aside while fitting; its weights are a rule."

_PARTS = ("format", "name", "provenance", "fitted", "unit", "prior", "thresholds", "weights", "interactions")
_THRESHOLDS = ("link", "review", "ambiguous")


@dataclass(frozen=True, slots=True)
class Origin:
    """What only the caller of a fit knows: the model's name, words on whose records were counted (and what was
    tried on whom), when, and with which version of the code.
    """

    name: str
    provenance: str
    counted: str
    code: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """What weights were fitted on. `method` is "anchored" or "em"; `pairs` counts the pairs fitted on, `matches` those
    taken as one person. `counted` (when) and `code` (version of the code) are words of whoever counted.
    """

    method: str
    pairs: int
    matches: int
    counted: str
    code: str


@dataclass(frozen=True, slots=True)
class Score:
    """What a pair scored and why: `bits` in milli-bits, each field's level, the interactions that held."""

    bits: int
    levels: Levels
    interactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights in milli-bits. A pair at `link` or above is linked, below `review` left apart, between them shown to a
    person. `provenance` says in words where the numbers come from, `fitted` in figures; it is None where they were set
    by hand. `remembered` holds scores already worked out (linkage.model.weigh); it is no part of what the model says.
    """

    name: str
    provenance: str
    prior: int
    link: int
    review: int
    ambiguous: int
    weights: Mapping[str, Mapping[str, int]]
    interactions: Mapping[str, int]
    fitted: Fitted | None = None
    remembered: dict[Levels, Score] = field(default_factory=dict, init=False, repr=False, compare=False)


def millibits(bits: float) -> int:
    """Bits as whole milli-bits, within what a model may hold."""
    return max(-WEIGHT_MAX, min(WEIGHT_MAX, round(bits * 1000)))


def unlisted_as_average(
    weights: Mapping[str, Mapping[str, int]], pairs: Mapping[tuple[str, str], float]
) -> dict[str, dict[str, int]]:
    """The weights, with a name that no table has worth what names are worth on average over these pairs: a table
    cannot tell a rare name from a word that is none.
    """
    made = {field: dict(by) for field, by in weights.items()}
    for name in ("given_frequency", "family_frequency"):
        shown = {level: pairs.get((name, level), 0) for level in CLASSES}
        if total := sum(shown.values()):
            average = sum(made[name][level] * count for level, count in shown.items()) / total
            made[name]["unlisted"] = round(average)
    return made


def fitted_model(
    origin: Origin,
    fitted: Fitted,
    *,
    prior: int,
    weights: Mapping[str, Mapping[str, int]],
    interactions: Mapping[str, int],
) -> Model:
    """A model as a fit leaves it: thresholds by default, fields in the order of LEVELS, and its provenance saying
    which weights are a rule.
    """
    return Model(
        name=origin.name,
        provenance=f"{origin.provenance} {NUMBER_RULE}",
        prior=prior,
        link=LINK,
        review=REVIEW,
        ambiguous=AMBIGUOUS,
        weights={field: weights[field] for field in LEVELS},
        interactions={name: interactions[name] for name in INTERACTIONS},
        fitted=fitted,
    )


def parse(text: str) -> Model:
    """The model of a JSON text. Raises ModelInvalid unless every weight this code uses is there, whole, in
    range, and nothing else is.
    """
    try:
        tree = json.loads(text, parse_float=_no_fraction, parse_constant=_no_fraction)
    except (ValueError, RecursionError):
        raise ModelInvalid("model", rule="JSON with whole numbers only") from None
    _only(tree, "model", _PARTS)
    if tree["format"] != FORMAT or tree["unit"] != "millibit":
        raise ModelInvalid("format", rule=f"{FORMAT} in millibit")
    _only(tree["weights"], "weights", tuple(LEVELS))
    return Model(
        name=_text(tree["name"], "name"),
        provenance=_text(tree["provenance"], "provenance"),
        prior=_whole({"prior": tree["prior"]}, "model", ("prior",))["prior"],
        **_thresholds(tree["thresholds"]),
        weights={field: _whole(tree["weights"][field], f"weights.{field}", known) for field, known in LEVELS.items()},
        interactions=_whole(tree["interactions"], "interactions", tuple(INTERACTIONS)),
        fitted=_fitted(tree["fitted"]),
    )


def dump(model: Model) -> str:
    """The JSON text of a model: parse(dump(m)) == m, and equal models give equal texts.
    Raises ModelInvalid where parse would refuse the text.
    """
    text = _written(model)
    parse(text)
    return text


def _written(model: Model) -> str:
    tree = {
        "format": FORMAT,
        "name": model.name,
        "provenance": model.provenance,
        "fitted": None if model.fitted is None else asdict(model.fitted),
        "unit": "millibit",
        "prior": model.prior,
        "thresholds": {name: getattr(model, name) for name in _THRESHOLDS},
        "weights": {field: _in_order(model.weights.get(field, {}), known) for field, known in LEVELS.items()},
        "interactions": _in_order(model.interactions, tuple(INTERACTIONS)),
    }
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _in_order(weights: Mapping[str, int], names: tuple[str, ...]) -> dict[str, int]:
    return {name: weights[name] for name in names if name in weights}


def _thresholds(tree: object) -> dict[str, int]:
    thresholds = _whole(tree, "thresholds", _THRESHOLDS)
    if not thresholds["review"] < thresholds["link"] or thresholds["ambiguous"] < 0:
        raise ModelInvalid("thresholds", rule="review below link, ambiguous not negative")
    return thresholds


def _fitted(tree: object) -> Fitted | None:
    if tree is None:
        return None
    _only(tree, "fitted", ("method", "pairs", "matches", "counted", "code"))
    assert isinstance(tree, dict)
    for name in ("pairs", "matches"):
        if type(tree[name]) is not int or tree[name] < 0:
            raise ModelInvalid(f"fitted.{name}", rule="a whole number, not negative")
    if tree["matches"] > tree["pairs"]:
        raise ModelInvalid("fitted.matches", rule="no more than pairs")
    words = {name: _text(tree[name], f"fitted.{name}") for name in ("method", "counted", "code")}
    return Fitted(pairs=tree["pairs"], matches=tree["matches"], **words)


def _no_fraction(text: str) -> int:
    raise ValueError


def _only(tree: object, field: str, names: tuple[str, ...]) -> None:
    if not isinstance(tree, dict) or set(tree) != set(names):
        raise ModelInvalid(field, rule="exactly " + ", ".join(names))


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelInvalid(field, rule="text")
    return value


def _whole(tree: object, field: str, names: tuple[str, ...]) -> dict[str, int]:
    _only(tree, field, names)
    assert isinstance(tree, dict)
    for name in names:
        if type(tree[name]) is not int or abs(tree[name]) > WEIGHT_MAX:
            raise ModelInvalid(f"{field}.{name}", rule=f"a whole number of milli-bits within {WEIGHT_MAX}")
    return {name: tree[name] for name in names}


def score(model: Model, a: EncodedIdentity, b: EncodedIdentity, *, block: bytes | None = None) -> Score | None:
    """The score of a pair, seen through `block` or else the least block they share; None when they share
    none. Symmetric.
    """
    seen_through = block if block is not None else common_block(a, b)
    return None if seen_through is None else weigh(model, levels(a, b, block=seen_through))


def weigh(model: Model, at: Levels) -> Score:
    """The score of an agreement pattern. The model remembers it: the same pattern gives the same object, until
    REMEMBERED_MAX patterns have been met and it starts anew.
    """
    remembered = model.remembered
    found = remembered.get(at)
    if found is None:
        if len(remembered) >= REMEMBERED_MAX:
            remembered.clear()
        found = remembered[at] = _weighed(model, at)
    return found


def _weighed(model: Model, at: Levels) -> Score:
    together = held(at)
    fields = sum(model.weights[field][level] for field, level in at.pairs())
    return Score(model.prior + fields + sum(model.interactions[name] for name in together), at, together)
