"""The yardstick itself: counted by hand on five records."""

from linkage.evaluate import clusterwise, pairwise

TRUTH = {"a": "P", "b": "P", "c": "P", "d": "Q", "e": "R"}


def test_pairs_are_counted_right_wrong_and_missed() -> None:
    quality = pairwise({"a": "1", "b": "1", "c": "2", "d": "2", "e": "3"}, TRUTH)
    assert (quality.true, quality.false, quality.missed) == (1, 1, 2)
    assert (quality.precision, quality.recall) == (1 / 2, 1 / 3)
    assert quality.f1 == 2 / (2 + 1 + 2)


def test_people_are_counted_exact_split_and_mixed() -> None:
    quality = clusterwise({"a": "1", "b": "1", "c": "2", "d": "2", "e": "3"}, TRUTH)
    assert (quality.people, quality.clusters, quality.exact, quality.split, quality.mixed) == (3, 3, 1, 1, 1)


def test_a_perfect_partition_scores_one_and_so_does_nothing_at_all() -> None:
    assert pairwise(TRUTH, TRUTH).f1 == 1.0
    assert pairwise({}, {}).f1 == 1.0


def test_records_without_truth_do_not_count() -> None:
    assert pairwise({"a": "1", "x": "1"}, TRUTH).false == 0
