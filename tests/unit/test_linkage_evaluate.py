"""The yardstick itself: counted by hand on five records."""

from linkage.evaluate import at_threshold, best_threshold, pairs_in_truth, pairwise

TRUTH = {"a": "P", "b": "P", "c": "P", "d": "Q", "e": "R"}
FILES = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "2"}


def test_pairs_are_counted_right_wrong_and_missed() -> None:
    quality = pairwise({"a": "1", "b": "1", "c": "2", "d": "2", "e": "3"}, TRUTH)
    assert (quality.true, quality.false, quality.missed) == (1, 1, 2)
    assert (quality.precision, quality.recall) == (1 / 2, 1 / 3)
    assert quality.f1 == 2 / (2 + 1 + 2)


def test_between_files_only_pairs_of_two_files_count() -> None:
    together = dict.fromkeys(TRUTH, "one")
    quality = pairwise(together, TRUTH, file_of=FILES)
    assert (quality.true, quality.false, quality.missed) == (2, 4, 0)  # a-c b-c; a-d a-e b-d b-e
    assert (pairs_in_truth(TRUTH), pairs_in_truth(TRUTH, file_of=FILES)) == (3, 2)


def test_a_threshold_links_what_weighs_as_much_or_more() -> None:
    scored = [(5, True), (4, False), (4, True), (1, False)]
    quality = at_threshold(scored, 4, real=3)
    assert (quality.true, quality.false, quality.missed) == (2, 1, 1)


def test_the_best_threshold_never_parts_pairs_of_one_weight() -> None:
    scored = [(9, True), (5, False), (5, True), (5, True), (1, False)]
    threshold, quality = best_threshold(scored, real=3)
    assert threshold == 5
    assert (quality.true, quality.false) == (3, 1)
    assert all(at_threshold(scored, at, real=3).f1 <= quality.f1 for at in range(12))


def test_no_threshold_is_best_where_nothing_right_was_scored() -> None:
    assert best_threshold([(3, False)], real=1)[0] is None


def test_a_perfect_partition_scores_one_and_so_does_nothing_at_all() -> None:
    assert pairwise(TRUTH, TRUTH).f1 == 1.0
    assert pairwise({}, {}).f1 == 1.0


def test_records_without_truth_do_not_count() -> None:
    assert pairwise({"a": "1", "x": "1"}, TRUTH).false == 0
