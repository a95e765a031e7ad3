"""Why two records were linked, held or kept apart: field, level and bits, and the rules. No clear value is needed, and
none is there. `Verdicts` works verdict and evidence out once for every agreement pattern: millions of pairs show some
thousands of patterns.
"""

from typing import NamedTuple

from linkage.compare import Levels, Look, Pattern, pattern_of
from linkage.decide import PairVerdict, Rule, ScoredPair, judge, number_set_aside
from linkage.model import Model, Score, weigh

REMEMBERED_MAX = 1 << 16  # patterns; some 50 MB


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
    """The evidence as a JSON-able object, for a page or a line of output. Bits are bits here, to three places."""
    return {
        "other": found.other,
        "bits": found.bits / 1000,
        "band": found.band,
        "fields": [{"field": field, "level": level, "bits": bits / 1000} for field, level, bits in found.terms],
        "rules": list(found.rules),
    }


class Verdicts:
    """What one model says of pairs."""

    __slots__ = ("_aside", "_model", "_remembered", "_terms")

    def __init__(self, model: Model) -> None:
        self._model = model
        self._remembered: dict[Pattern, ScoredPair] = {}
        self._terms: dict[ScoredPair, Evidence] = {}
        self._aside: dict[ScoredPair, ScoredPair] = {}

    def of(self, a: Look, b: Look) -> ScoredPair:
        """The verdict on two records, each looked at through one block they share; which block makes no
        difference. Symmetric.
        """
        pattern = pattern_of(a, b)
        found = self._remembered.get(pattern)
        return self._judged(pattern) if found is None else found

    def evidence(self, other: str, judged: ScoredPair) -> Evidence:
        """The evidence of a pair, told from the side of the record that is not `other`."""
        known = self._terms.get(judged)
        if known is None:
            if len(self._terms) >= REMEMBERED_MAX:
                self._terms.clear()
            known = self._terms[judged] = evidence(self._model, "", judged.score, judged.verdict)
        return Evidence(other, known.bits, known.band, known.terms, known.rules)

    def set_aside(self, judged: ScoredPair) -> ScoredPair:
        """The same pair, its two numbers being one person's."""
        known = self._aside.get(judged)
        if known is None:
            if len(self._aside) >= REMEMBERED_MAX:
                self._aside.clear()
            known = self._aside[judged] = number_set_aside(self._model, judged)
        return known

    def _judged(self, pattern: Pattern) -> ScoredPair:
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        score = weigh(self._model, Levels.of(pattern))
        found = self._remembered[pattern] = ScoredPair(score, judge(self._model, score))
        return found
