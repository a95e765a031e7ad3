"""Where a partition is read from when the broker cannot say yet what the group has committed."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.commit import OffsetFetchResponse_v1, OffsetFetchResponse_v3
from aiokafka.structs import TopicPartition

from streams.host.commit import Partition
from streams.host.membership import HostConsumerThread

PART = ("a", 0)
COMMITTED = OffsetFetchResponse_v3(0, [("a", [(0, 7, "", 0)])], 0)
NEVER_COMMITTED = OffsetFetchResponse_v3(0, [("a", [(0, -1, "", 0)])], 0)


class ScriptedCoordinator(GroupCoordinator):
    """aiokafka's, with the broker's answers written out."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self.group_id, self._retry_backoff_ms, self.answers, self.left = "echo", 0, list(answers), 0

    async def ensure_coordinator_known(self) -> None:
        """It is."""

    def coordinator_dead(self) -> None:
        self.left += 1

    async def _send_req(self, request: Any) -> Any:
        return self.answers.pop(0)

    def __del__(self, _warnings: Any = None) -> None:
        """Nothing was started."""


class ScriptedThread(HostConsumerThread):
    """Ours, around a consumer that connects to nothing."""

    def __init__(self, coordinator: GroupCoordinator) -> None:
        self.sought: dict[Partition, int] = {}
        consumer = SimpleNamespace(_coordinator=coordinator, _group_id="echo")
        consumer.committed = lambda part: AIOKafkaConsumer.committed(consumer, part)  # type: ignore[arg-type]
        consumer.seek = lambda part, offset: self.sought.update({tuple(part): offset})
        self._consumer = consumer  # type: ignore[assignment]


def start(*answers: Any) -> tuple[dict[Partition, int], ScriptedCoordinator]:
    """The positions sought when the broker answers so, one answer after the other."""
    coordinator = ScriptedCoordinator(answers)
    thread = ScriptedThread(coordinator)
    asyncio.run(thread.seek_to_start({PART: (0, 9)}))
    return thread.sought, coordinator


def failed(code: int) -> Any:
    """The answer has an error and names no partition: so the broker says it since OffsetFetch 2."""
    return OffsetFetchResponse_v3(0, [], code)


@pytest.mark.parametrize("code", [14, 15, 16], ids=["loading", "not available", "not the coordinator"])
def test_a_broker_that_cannot_say_yet_is_asked_again_and_nothing_is_read_twice(code: int) -> None:
    positions, coordinator = start(failed(code), failed(code), COMMITTED)
    assert positions == {PART: 7}
    assert not coordinator.answers


def test_a_broker_that_is_not_the_coordinator_is_left() -> None:
    assert start(failed(16), COMMITTED)[1].left == 1
    assert start(failed(14), COMMITTED)[1].left == 0


@pytest.mark.parametrize(
    "answer",
    [
        OffsetFetchResponse_v3(0, [("a", [(0, -1, "", 3)])], 0),
        OffsetFetchResponse_v1([("a", [(0, -1, "", 14)])]),
        OffsetFetchResponse_v3(0, [], 0),
    ],
    ids=["partition unknown yet", "loading, in the old form", "says nothing"],
)
def test_only_minus_one_without_an_error_means_never_committed(answer: Any) -> None:
    assert start(answer, COMMITTED)[0] == {PART: 7}
    assert start(answer, NEVER_COMMITTED)[0] == {PART: 0}


@pytest.mark.parametrize(
    ("code", "error"),
    [(29, TopicAuthorizationFailedError), (30, GroupAuthorizationFailedError)],
    ids=["topic", "group"],
)
def test_a_refusal_is_an_error_and_no_start_from_the_beginning(code: int, error: type[KafkaError]) -> None:
    with pytest.raises(error):
        start(failed(code))


def test_stock_aiokafka_takes_a_failed_answer_for_a_group_that_never_committed() -> None:
    """Why the answer is checked; when this fails, `refuse_failed_answers` can go."""
    coordinator = ScriptedCoordinator([failed(14)])
    consumer: Any = SimpleNamespace(_coordinator=coordinator, _group_id="echo")
    assert asyncio.run(AIOKafkaConsumer.committed(consumer, TopicPartition(*PART))) is None
