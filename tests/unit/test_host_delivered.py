"""The worker's own memory of what it was given."""

from pathlib import Path

import pytest

from streams.host.delivered import DeliveredMarker
from streams.steps.outcome import Message


def messages(*offsets: int, partition: int = 0) -> list[Message]:
    return [Message("in", partition, offset, None, None, (), 0) for offset in offsets]


def test_messages_that_come_again_are_counted_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "delivered.json"
    first = DeliveredMarker(path)
    assert first.mark(messages(3, 4, 5)) == 0
    assert first.mark(messages(3, partition=1)) == 0
    again = DeliveredMarker(path)
    assert again.mark(messages(4, 5, 6)) == 2
    assert again.mark(messages(7)) == 0
    assert DeliveredMarker(path).redelivered == 2


def test_an_older_message_does_not_take_the_mark_back(tmp_path: Path) -> None:
    marker = DeliveredMarker(tmp_path / "delivered.json")
    marker.mark(messages(9))
    assert marker.mark(messages(2)) == 1
    assert marker.mark(messages(8)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"offsets": {"in": 3}, "redelivered": 0}', '{"offsets": {}}'])
def test_an_unreadable_file_is_begun_anew(content: str, tmp_path: Path) -> None:
    path = tmp_path / "delivered.json"
    path.write_text(content)
    marker = DeliveredMarker(path)
    assert marker.mark(messages(0)) == 0
    assert DeliveredMarker(path).mark(messages(0)) == 1


def test_a_marker_that_cannot_be_written_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="delivered"):
        DeliveredMarker(tmp_path / "absent" / "delivered.json").mark(messages(0))
