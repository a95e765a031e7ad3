"""Why two records were linked, held or kept apart: field, level and bits, and the rules. No clear value is
needed, and none is there.
"""

from typing import NamedTuple

from linkage.decide import PairVerdict, Rule
from linkage.model import Model, Score


class Evidence(NamedTuple):
    """One pair, told from one of its records: `other` is the other one; `terms` are (what, level, milli-bits)
    and sum to `bits`.

    The first term is the prior; interactions follow the fields with level "yes". Empty where it is the
    source's own merge or a steward's decision that is told.
    """

    other: str
    bits: int
    band: str
    terms: tuple[tuple[str, str, int], ...]
    rules: tuple[str, ...]


def evidence(model: Model, other: str, score: Score, verdict: PairVerdict) -> Evidence:
    """The evidence of a scored pair. The terms sum to the score exactly."""
    fields = tuple((field, level, model.weights[field][level]) for field, level in score.levels.pairs())
    together = tuple((name, "yes", model.interactions[name]) for name in score.interactions)
    terms = (("prior", "", model.prior), *fields, *together)
    return Evidence(other, score.bits, verdict.band.value, terms, tuple(rule.value for rule in verdict.rules))


def merged(other: str) -> Evidence:
    """The evidence that is no weight: the source says both records are one."""
    return Evidence(other, 0, "auto", (), (Rule.MUST_LINK.value,))


def decided(other: str, rule: Rule) -> Evidence:
    """The evidence that is no weight: a steward's word on both records."""
    band = {Rule.DECIDED_LINK: "auto", Rule.DECIDED_APART: "apart"}.get(rule, "review")
    return Evidence(other, 0, band, (), (rule.value,))


def explain(found: Evidence) -> dict[str, object]:
    """The evidence as a JSON-able object, for a page or a line of output. Bits are bits here, to three
    places.
    """
    return {
        "other": found.other,
        "bits": found.bits / 1000,
        "band": found.band,
        "fields": [
            {"field": field, "level": level, "bits": bits / 1000} for field, level, bits in found.terms
        ],
        "rules": list(found.rules),
    }
