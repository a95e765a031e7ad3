"""Who was joined, counted in pairs, against who is one person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.score import PairScore, pair_score, rightly_linked

TRUTH = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B", "c1": "C"}


def test_everything_right_is_one() -> None:
    assert pair_score(TRUTH, TRUTH) == PairScore(1.0, 1.0)
    assert pair_score(TRUTH, TRUTH).f1 == 1.0


def test_one_record_joined_to_the_wrong_person() -> None:
    """a3 is filed under B: of the 4 pairs joined 2 are right (a1-a2, b1-b2), of 4 real ones 2 are found."""
    found = {**TRUTH, "a3": "B"}
    assert pair_score(found, TRUTH) == PairScore(2 / 4, 2 / 4)
    assert rightly_linked(found, TRUTH) == {"C"}


def test_nobody_joined_is_precise_and_finds_nothing() -> None:
    score = pair_score({}, TRUTH)
    assert (score.precision, score.recall, score.f1) == (1.0, 0.0, 0.0)
    assert rightly_linked({}, TRUTH) == {"C"}


def test_everybody_joined_finds_all_and_is_wrong() -> None:
    score = pair_score(dict.fromkeys(TRUTH, 1), TRUTH)
    assert score.recall == 1.0
    assert score.precision == pytest.approx(4 / 15)
    assert rightly_linked(dict.fromkeys(TRUTH, 1), TRUTH) == set()


def test_records_that_the_truth_does_not_know_do_not_count() -> None:
    assert pair_score({**TRUTH, "x": "A", "y": "A"}, TRUTH) == PairScore(1.0, 1.0)


def test_no_pairs_at_all_is_no_mistake() -> None:
    assert pair_score({}, {}) == PairScore(1.0, 1.0)


def test_the_score_is_shown_to_four_places() -> None:
    assert PairScore(2 / 3, 1.0).as_json() == {"precision": 0.6667, "recall": 1.0, "f1": 0.8}


groups = st.dictionaries(st.integers(0, 8), st.integers(0, 3))


@given(groups, groups)
def test_scores_by_counting_pairs_one_by_one(found: dict[int, int], truth: dict[int, int]) -> None:
    pairs = [(a, b) for a in truth for b in truth if a < b]
    together = {(a, b) for a, b in pairs if a in found and b in found and found[a] == found[b]}
    real = {(a, b) for a, b in pairs if truth[a] == truth[b]}
    score = pair_score(found, truth)
    assert score.precision == (len(together & real) / len(together) if together else 1.0)
    assert score.recall == (len(together & real) / len(real) if real else 1.0)
