"""The score of a pair.

score = prior + weight of each field's level + weight of each named interaction: the log-odds, base 2, in
thousandths of a bit, that two records which share a block are one person.
"""

from linkage.compare import Levels, common_block, levels
from linkage.levels import INTERACTIONS, UNRELATED_BIRTH, held
from linkage.model import FORMAT, WEIGHT_MAX, Fitted, Model, Score, dump, parse
from linkage.tokens import EncodedIdentity

__all__ = [
    "FORMAT",
    "INTERACTIONS",
    "UNRELATED_BIRTH",
    "WEIGHT_MAX",
    "Fitted",
    "Model",
    "Score",
    "dump",
    "parse",
    "score",
    "weigh",
]

REMEMBERED_MAX = 1 << 16  # patterns a model remembers the score of: some 30 MB; candidates show a few thousand


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
