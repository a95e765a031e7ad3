"""The verdict on a pair of records, worked out once for every agreement pattern.

Millions of pairs show some thousands of patterns; all pairs of one pattern share one object.
"""

from linkage.compare import Levels, Look, Pattern, pattern_of
from linkage.decide import ScoredPair, judge, number_set_aside
from linkage.explain import Evidence, evidence
from linkage.model import Model
from linkage.weights import weigh

REMEMBERED_MAX = 1 << 16  # patterns; some 50 MB


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

    def told(self, other: str, judged: ScoredPair) -> Evidence:
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
