"""Which tasks an assignment gives, and where each partition is read from."""

import logging

import pytest

from streams.host.consumer import PartitionsDiffer, assigned_tasks
from streams.host.membership import CommittedBeyondEnd, start_position
from streams.steps.outcome import Stage

STAGE = Stage(name="echo", reads=("a", "b"), changelog=None, partitions=12, dead_letter="dlq")


def test_a_task_has_its_partition_of_every_topic() -> None:
    assert assigned_tasks(STAGE, {("a", 3), ("b", 3), ("a", 7), ("b", 7)}) == {3, 7}
    assert assigned_tasks(STAGE, set()) == set()


def test_an_assignment_that_would_split_a_task_is_refused() -> None:
    with pytest.raises(PartitionsDiffer, match="echo"):
        assigned_tasks(STAGE, {("a", 3), ("b", 3), ("a", 7)})
    with pytest.raises(PartitionsDiffer):
        assigned_tasks(STAGE, {("a", 3)})


@pytest.mark.parametrize(
    ("committed", "first", "end", "start"), [(None, 4, 9, 4), (4, 4, 9, 4), (9, 4, 9, 9), (0, 0, 0, 0)]
)
def test_reading_starts_at_the_commit_or_at_the_first_message_there_is(
    committed: int | None, first: int, end: int, start: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert start_position(("a", 0), committed, first=first, end=end) == start
    assert caplog.text == ""


def test_messages_that_expired_unread_are_told_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert start_position(("a", 0), 2, first=4, end=9) == 4
    assert "expired unread: a/0 from 2 to 4" in caplog.text


def test_a_commit_past_the_end_is_not_waited_for() -> None:
    """The topic was made anew: everything below that offset would be passed over in silence."""
    with pytest.raises(CommittedBeyondEnd, match="a/0"):
        start_position(("a", 0), 10, first=0, end=9)
