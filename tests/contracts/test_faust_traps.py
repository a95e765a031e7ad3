"""What stock Faust 0.15.3 and its clients do at the places where the host hooks in, and why it must.

Each test says what would surprise who relied on it; when an upgrade changes it, the test fails and says which
part of the host to reconsider. The sources themselves are pinned by `test_faust_hooks.py`. No broker.
"""

import asyncio
import logging
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import CommitFailedError, RequestTimedOutError
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.structs import TopicPartition
from confluent_kafka import KafkaError, Producer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP
from stock_parts import INPUT, StockApp

UNREACHABLE = "127.0.0.1:9"  # the discard port: nothing listens


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Faust logs every failure these tests provoke, at length."""
    caplog.set_level(logging.CRITICAL)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=30))


def consumer_thread(app: StockApp) -> AIOKafkaConsumerThread:
    """Faust's, in the loop of the test instead of a thread of its own."""
    loop = asyncio.get_running_loop()
    return AIOKafkaConsumerThread(app.stock_consumer, loop=loop, thread_loop=loop)


def test_without_tables_and_standbys_round_robin_is_chosen_and_splits_a_task_between_five_workers() -> None:
    async def story() -> None:
        chosen = {}
        for standbys in (0, 1):
            app = StockApp(table_standby_replicas=standbys)
            thread = consumer_thread(app)
            client = thread._create_worker_consumer(app.transport)  # type: ignore[arg-type]
            chosen[standbys] = thread._assignor
            await client.stop()
        assert chosen[0] is RoundRobinPartitionAssignor, "0 no longer means round robin: see faust_settings"
        assert chosen[1] is not RoundRobinPartitionAssignor, "1 no longer selects Faust's assignor"

    run(story())
    topics = {"a", "b"}
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: set(range(12)))
    member: ConsumerProtocolMemberMetadata = RoundRobinPartitionAssignor.metadata(topics)
    answers = RoundRobinPartitionAssignor.assign(cluster, {f"w{n}": member for n in range(5)})
    held = [dict(answer.assignment) for answer in answers.values()]
    assert any(set(item.get("a", ())) != set(item.get("b", ())) for item in held), (
        "round robin co-partitions: the setting table_standby_replicas=1 may be needless"
    )


def test_seeking_to_the_commits_leaves_a_partition_without_a_commit_where_it_stands() -> None:
    async def story() -> None:
        sought: dict[TopicPartition, int] = {}
        with_commit, without = TopicPartition("input", 0), TopicPartition("input", 1)

        async def committed(partition: TopicPartition) -> int | None:
            return {with_commit: 7}.get(partition)

        client = SimpleNamespace(
            _subscription=SimpleNamespace(assigned_partitions=lambda: {with_commit, without}),
            _fetcher=SimpleNamespace(seek_to=sought.__setitem__),
            committed=committed,
        )
        await AIOKafkaConsumer.seek_to_committed(client)
        assert sought == {with_commit: 7}, (
            "a partition without a commit is sought too: HostConsumerThread.seek_to_start may be needless"
        )

    run(story())


def test_waiting_for_the_flow_to_stop_waits_for_nothing() -> None:
    async def story() -> None:
        consumer: Any = StockApp().stock_consumer
        fetching, fetched = asyncio.Event(), asyncio.Event()

        async def getmany(**_: Any) -> dict[Any, Any]:
            fetching.set()
            await fetched.wait()
            return {}

        consumer._getmany = getmany
        consumer._active_partitions = {INPUT}
        fetch = asyncio.ensure_future(consumer._wait_next_records(1.0))
        await fetching.wait()
        consumer.stop_flow()
        async with asyncio.timeout(5):
            await consumer.wait_for_stopped_flow()
        still_fetching = not fetch.done()
        fetched.set()
        await fetch
        assert still_fetching, "wait_for_stopped_flow now waits: the assignment number might be simpler"

    run(story())


def test_waiting_until_empty_returns_while_a_batch_of_ours_is_in_flight() -> None:
    async def answering(begun: asyncio.Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def story() -> None:
        app, begun = StockApp(), asyncio.Event()
        in_flight = app.stock_consumer.add_future(answering(begun))
        await begun.wait()
        async with asyncio.timeout(5):
            await app.consumer.wait_empty()
        assert not in_flight.done(), "only messages of streams count, not the consumer's own work"
        in_flight.cancel()
        await asyncio.wait({in_flight})

    run(story())


def test_stopping_the_fetcher_cancels_what_it_drains() -> None:
    async def story() -> None:
        app, begun, ended = StockApp(), asyncio.Event(), []

        async def drain(fetcher: Any) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                ended.append(type(error))
                raise

        app.stock_consumer._drain_messages = drain
        await app._fetcher.start()
        await begun.wait()
        await app._stop_fetcher()
        assert ended == [asyncio.CancelledError], (
            "the drain is no longer cancelled: shielding the work in flight may be needless"
        )

    run(story())


def test_a_commit_leaves_revoked_partitions_out_and_says_yes() -> None:
    committed: list[Any] = []

    async def commit(offsets: Any) -> None:
        committed.append(offsets)

    async def story() -> None:
        app = StockApp()
        thread = consumer_thread(app)
        held, revoked = TP("input", 0), TP("input", 1)
        client: Any = SimpleNamespace(commit=commit, assignment=lambda: {TopicPartition("input", 0)})
        thread._consumer = client
        answer = await thread._commit({held: 5, revoked: 9})
        assert (answer, [set(item) for item in committed]) == (True, [{TopicPartition("input", 0)}]), (
            "a commit of a revoked partition is now refused: commit_owned may be simpler"
        )

        async def rebalanced(offsets: Any) -> None:
            raise CommitFailedError("already rebalanced")

        client.commit = rebalanced
        assert await thread._commit({held: 6}) is False
        assert not thread.crashed, "a lost membership crashes now: until 0.15.3 it was only answered with False"

    run(story())


def test_an_idempotent_batch_never_expires_and_a_plain_one_does() -> None:
    def retries(*, idempotent: bool) -> bool:
        sender = SimpleNamespace(client=None, _txn_manager=object() if idempotent else None, _retry_backoff=0)
        handler = SendProduceReqHandler(sender, {})
        return bool(handler._can_retry(RequestTimedOutError(), SimpleNamespace(expired=lambda: True)))

    assert retries(idempotent=True), "idempotent batches expire now: the host's delivery deadline may be theirs"
    assert not retries(idempotent=False)


def test_a_consumer_that_does_not_fetch_for_long_leaves_its_group() -> None:
    """Why max_poll_interval is out of reach: a worker that reads its state back does not fetch."""
    left = []

    async def yes() -> bool:
        return True

    async def leave() -> None:
        left.append(True)
        coordinator.member_id = ""

    coordinator = SimpleNamespace(
        member_id="member",
        ensure_coordinator_known=yes,
        _do_heartbeat=yes,
        _maybe_leave_group=leave,
        _heartbeat_interval_ms=1,
        _session_timeout_ms=1_000,
        _retry_backoff_ms=1,
        _max_poll_interval=5.0,
        _subscription=SimpleNamespace(fetcher_idle_time=6.0),
    )
    run(GroupCoordinator._heartbeat_routine(coordinator))
    assert left == [True]


def test_librdkafka_reports_a_delivery_that_was_not_made_in_time() -> None:
    """The other side of P5, and why the host's producer is librdkafka's: it ends, and it says so."""
    reports: list[Any] = []
    producer = Producer(
        {
            "bootstrap.servers": UNREACHABLE,
            "enable.idempotence": True,
            "delivery.timeout.ms": 200,
            "linger.ms": 0,
            "log_level": 0,
        }
    )
    producer.produce(
        "output",
        value=b"1",
        partition=0,
        on_delivery=lambda error, message: reports.append(error and error.code()),
    )
    producer.flush(20)
    assert reports == [KafkaError._MSG_TIMED_OUT]
