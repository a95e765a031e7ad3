"""The model: what each agreement is worth, in thousandths of a bit, and the score of a pair.

score = prior + weight of each field's level + weight of each named interaction: the log-odds, base 2, that
two records which share a block are one person. Whole numbers, so a sum does not depend on the order it is
taken in. A model is one readable JSON text with its provenance.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from linkage.compare import LEVELS, Levels, common_block, levels
from linkage.errors import ModelInvalid
from linkage.tokens import EncodedIdentity

FORMAT = "linkage-model/1"
UNRELATED_BIRTH = ("none", "year")  # birth dates that agree in nothing a typing error would leave
WEIGHT_MAX = 60_000  # 60 bits: more than any population needs to tell two people apart


def _household(at: Levels) -> bool:
    return at.family in ("exact", "edit") and at.postcode == "exact" and at.house != "none"


# Agreements that mean less, or more, together than apart. Names are the words of explanations and of model
# files.
INTERACTIONS: dict[str, Callable[[Levels], bool]] = {
    "household": _household,
    "same_birth_date_other_given": lambda at: at.birth_date == "exact" and at.given == "none",
    "twin": lambda at: _household(at) and at.birth_date == "exact" and at.given == "none",
    "father_son": lambda at: (
        _household(at) and at.given in ("exact", "nickname") and at.birth_date in UNRELATED_BIRTH
    ),
    # One address, one forename, one birth date: two people are nearly never that alike, one who married is. Surname
    # change is the largest known bias of linkage in England (women 5.7 % of record pairs, men 1.3 %).
    "renamed": lambda at: (
        at.given in ("exact", "nickname")
        and at.family == "none"
        and at.birth_date == "exact"
        and at.postcode == "exact"
        and at.house == "equal"
    ),
    # One address and one full name, birth dates one slip apart: namesakes in a household are a generation apart.
    "birth_date_mistyped": lambda at: _household(at) and at.given == "exact" and at.birth_date == "edit",
}


@dataclass(frozen=True, slots=True)
class Model:
    """Weights in milli-bits. A pair at `link` or above is linked, below `review` left apart, between them
    shown to a person.
    """

    name: str
    provenance: str
    prior: int
    link: int
    review: int
    ambiguous: int
    weights: Mapping[str, Mapping[str, int]]
    interactions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """What a pair scored and why: `bits` in milli-bits, each field's level, the interactions that held."""

    bits: int
    levels: Levels
    interactions: tuple[str, ...]


def parse(text: str) -> Model:
    """The model of a JSON text. Raises ModelInvalid unless every weight this code uses is there, whole, in
    range, and nothing else is.
    """
    try:
        tree = json.loads(text, parse_float=_no_fraction, parse_constant=_no_fraction)
    except (ValueError, RecursionError):
        raise ModelInvalid("model", rule="JSON with whole numbers only") from None
    _only(
        tree,
        "model",
        ("format", "name", "provenance", "unit", "prior", "thresholds", "weights", "interactions"),
    )
    if tree["format"] != FORMAT or tree["unit"] != "millibit":
        raise ModelInvalid("format", rule=f"{FORMAT} in millibit")
    thresholds = _whole(tree["thresholds"], "thresholds", ("link", "review", "ambiguous"))
    if not thresholds["review"] < thresholds["link"] or thresholds["ambiguous"] < 0:
        raise ModelInvalid("thresholds", rule="review below link, ambiguous not negative")
    _only(tree["weights"], "weights", tuple(LEVELS))
    return Model(
        name=_text(tree["name"], "name"),
        provenance=_text(tree["provenance"], "provenance"),
        prior=_whole({"prior": tree["prior"]}, "model", ("prior",))["prior"],
        link=thresholds["link"],
        review=thresholds["review"],
        ambiguous=thresholds["ambiguous"],
        weights={
            field: _whole(tree["weights"][field], f"weights.{field}", known)
            for field, known in LEVELS.items()
        },
        interactions=_whole(tree["interactions"], "interactions", tuple(INTERACTIONS)),
    )


def score(
    model: Model, a: EncodedIdentity, b: EncodedIdentity, *, block: bytes | None = None
) -> Score | None:
    """The score of a pair, seen through `block` or else the least block they share; None when they share
    none. Symmetric.
    """
    seen_through = block if block is not None else common_block(a, b)
    return None if seen_through is None else weigh(model, levels(a, b, block=seen_through))


def weigh(model: Model, at: Levels) -> Score:
    """The score of an agreement pattern."""
    held = tuple(name for name, holds in INTERACTIONS.items() if holds(at))
    fields = sum(model.weights[field][level] for field, level in at.pairs())
    return Score(model.prior + fields + sum(model.interactions[name] for name in held), at, held)


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
