"""Whose pathway can be held against the truth: people whose records are together, and nobody else's."""

from hypothesis import given
from hypothesis import strategies as st

from ops.lab.demo.judging import rightly_linked

TRUTH = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B", "c1": "C"}
FOUND = {"a1": "p", "a2": "p", "a3": "p", "b1": "q", "b2": "q", "c1": "r"}


def test_everybody_is_rightly_linked_when_the_groups_are_the_people() -> None:
    assert rightly_linked(FOUND, TRUTH) == {"A", "B", "C"}


def test_a_record_under_the_wrong_person_spoils_both() -> None:
    assert rightly_linked({**FOUND, "a3": "q"}, TRUTH) == {"C"}


def test_a_person_in_two_parts_is_not_rightly_linked() -> None:
    assert rightly_linked({**FOUND, "a3": "s"}, TRUTH) == {"B", "C"}


def test_a_record_that_was_not_found_stands_alone() -> None:
    assert rightly_linked({}, TRUTH) == {"C"}
    assert rightly_linked({"a1": "p"}, TRUTH) == {"C"}


def test_two_people_in_one_group_are_both_wrong() -> None:
    assert rightly_linked(dict.fromkeys(TRUTH, "p"), TRUTH) == set()


def test_records_that_the_truth_does_not_know_do_not_count() -> None:
    assert rightly_linked({**FOUND, "x": "p"}, TRUTH) == {"A", "B", "C"}


groups = st.dictionaries(st.integers(0, 8), st.sampled_from("pqr"))


@given(groups, groups)
def test_as_by_comparing_sets_of_records(found: dict[int, str], truth: dict[int, str]) -> None:
    def parts(of: dict[int, str]) -> set[frozenset[int]]:
        named = {frozenset(record for record in truth if of.get(record) == name) for name in of.values()}
        return {part for part in named if part} | {frozenset({record}) for record in truth if record not in of}

    together = {truth[min(part)] for part in parts(truth) & parts(found)}
    assert rightly_linked(found, truth) == together
