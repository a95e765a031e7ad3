"""Links of several generations at records: a rebuild, a rolling restart, a forgery."""

import pytest
from memory_engine import START_MS, real_step
from records_alone import LETTER, RECORD, A, B, C, Records, told_to

from schemas.linking import Link
from schemas.revision import revision_of
from schemas.topics import LINK_MAP
from streams.steps.outcome import Claim, Message, Reject


def test_a_rebuilt_linker_that_knows_no_former_person_leaves_no_fact_behind() -> None:
    """Of a rebuild every answer is the first: `formerly` is empty. Records knows itself whom it sent to."""
    records = Records(generation=1)
    records.hear(LETTER)
    records.link(A, 5)
    records.restart()
    rebuilt = revision_of(1, 0)
    assert told_to(records.link(B, rebuilt)) == [("withdrawal", A, rebuilt), ("entry", B, rebuilt)]


def test_an_answer_of_the_former_generation_that_comes_late_changes_nothing() -> None:
    """As in a rolling restart: the linker of before has answered, and the one of after too."""
    records = Records(generation=1)
    records.hear(LETTER)
    assert told_to(records.link(A, 7)) == [("entry", A, 7)]
    records.link(B, revision_of(1, 2), A)
    assert records.link(A, 8, B) == []


def test_whom_facts_are_sent_to_is_claimed_before_they_are_sent() -> None:
    records = Records()
    records.hear(LETTER)
    key, value = RECORD.encode(), Link(A, "linked", (), (), (), 1).value()
    _, outcomes = real_step("records").advance(records.state, Message(LINK_MAP, 0, 99, key, value, (), START_MS))
    assert [outcome.key for outcome in outcomes if isinstance(outcome, Claim)] == [f"{RECORD}/p/{A}".encode()]


@pytest.mark.parametrize("revision", [revision_of(1, 0), 10**18])
def test_an_answer_of_a_generation_that_has_not_begun_is_a_dead_letter(revision: int) -> None:
    """Whoever forges one with a high number would have the last word for ever."""
    records = Records()
    records.hear(LETTER)
    records.link(A, 3)
    key, value = RECORD.encode(), Link(B, "linked", (), (), (A,), revision).value()
    _, outcomes = real_step("records").advance(records.state, Message(LINK_MAP, 0, 99, key, value, (), START_MS))
    assert outcomes == (Reject("generation"),)
    assert told_to(records.link(C, 4, A)) == [("withdrawal", A, 4), ("entry", C, 4)]
