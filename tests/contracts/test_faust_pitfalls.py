"""Six ways in which stock Faust 0.15.3 loses messages: P1 to P6.

Each test says what stock does *wrong*. When an upgrade repairs one, its test fails and says what to
reconsider: part of the host may then be needless. No broker: the conductor, streams, acknowledgements and
commit rule are Faust's own; only the consumer's thread and the producer's connection are stood in for.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import RequestTimedOutError
from faust.transport.producer import ProducerBuffer
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from stock_parts import INPUT, NoProducer, StockApp, message_at, until

FIRST = 100


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Faust logs every failure these tests provoke, at length."""
    caplog.set_level(logging.CRITICAL)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=30))


def test_p1_a_message_whose_agent_raised_is_committed() -> None:
    async def story() -> None:
        app, seen = StockApp(), []

        async def answer(stream: Any) -> None:
            async for value in stream:
                seen.append(value)
                if value == b"bad":
                    raise LookupError("a bug")

        agent = app.agent(app.input())(answer)
        await app.begin(agent, committed=FIRST)
        await app.deliver(FIRST, b"good")
        failed = await app.deliver(FIRST + 1, b"bad")
        after = await app.deliver(FIRST + 2, b"good")
        await until(lambda: after.acked, why="the supervisor has restarted the agent, which went on")
        committed = await app.commit_all()
        await app.end(agent)
        assert (seen.count(b"bad"), failed.acked, committed) == (1, True, FIRST + 3), (
            "Faust no longer passes a message whose agent raised: agents might be fit for use again, "
            "and fail-stop inside the step (streams.host.consumer) for another look"
        )

    run(story())


def test_p2_a_message_that_was_never_acknowledged_is_committed_by_those_behind_it() -> None:
    async def story() -> None:
        app = StockApp()

        async def answer(stream: Any) -> None:
            async for event in stream.noack().events():
                if event.value != b"in flight":
                    await stream.ack(event)

        agent = app.agent(app.input())(answer)
        await app.begin(agent, committed=FIRST)
        in_flight = await app.deliver(FIRST, b"in flight")
        behind = [await app.deliver(FIRST + 1 + number, b"done") for number in range(3)]
        await until(lambda: all(item.acked for item in behind), why="those behind are done")
        committed = await app.commit_all()
        await app.end(agent)
        assert (in_flight.acked, committed) == (False, FIRST + 4), (
            "Faust no longer commits over an unacknowledged message: manual acknowledgement might do "
            "where streams.host.commit keeps its own count"
        )

    run(story())


def test_p3_an_undecodable_message_commits_over_the_one_in_flight_before_it() -> None:
    async def story() -> None:
        app, unfinished = StockApp(), asyncio.Event()

        async def answer(stream: Any) -> None:
            async for _ in stream:
                await unfinished.wait()

        agent = app.agent(app.input(value_type=int, value_serializer="json"))(answer)
        await app.begin(agent, committed=FIRST)
        in_flight = await app.deliver(FIRST, b"1")
        await app.deliver(FIRST + 1, b"{")
        committed = await app.commit_all()
        assert (in_flight.acked, committed) == (False, FIRST + 2), (
            "a poison message no longer commits what is in flight before it: Faust's decoding might be used, "
            "where the host gives bytes to the step"
        )
        unfinished.set()
        await until(lambda: in_flight.acked, why="the agent ends in order")
        await app.end(agent)

    run(story())


def test_p4_flush_returns_although_nothing_was_handed_over() -> None:
    class Waiting(ProducerBuffer):
        """The connection takes nothing for now."""

        async def _send_pending(self, fut: Any) -> None:
            await asyncio.Event().wait()

    async def story() -> None:
        app = StockApp()
        buffer = Waiting(loop=asyncio.get_running_loop())
        buffer.app = app
        await buffer.start()
        topic = app.topic("state", key_serializer="raw", value_serializer="raw")
        for key in (b"1", b"2", b"3"):
            buffer.put(topic.as_future_message(key=key, value=b"kept"))
        async with asyncio.timeout(10):
            await buffer.flush()
        left = buffer.size
        await buffer.crash(RuntimeError("the story is told"))
        buffer.set_shutdown()
        for task in buffer._futures:
            task.cancel()
        assert left >= 2, (
            "flush waits until everything is handed over: a commit might now be trusted to come after the "
            "changelog, where streams.host.batch awaits each state record itself"
        )

    run(story())


def test_p5_a_failed_delivery_is_logged_and_its_input_committed() -> None:
    async def story() -> None:
        app, producer = StockApp(), NoProducer()
        stock: Any = app.producer
        stock.send, stock.flush = producer.send, producer.flush

        async def started() -> None:
            return None

        stock.maybe_start = started
        output = app.topic("output", key_serializer="raw", value_serializer="raw")
        raised: list[Exception] = []
        unheard: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, item: unheard.append(item["message"]))

        async def answer(stream: Any) -> None:
            async for event in stream.events():
                try:
                    await output.send(key=b"key", value=event.value, partition=0)
                except Exception as error:
                    raised.append(error)
                    raise

        agent = app.agent(app.input())(answer)
        await app.begin(agent, committed=FIRST)
        message = await app.deliver(FIRST, b"1")
        await until(lambda: message.acked, why="the agent has sent its output")
        producer.taken[0].set_exception(RequestTimedOutError())
        committed = await app.commit_all()
        await app.end(agent)
        producer.taken.clear()
        gc.collect()
        assert unheard == ["FutureMessage exception was never retrieved"], "somebody listens to it now"
        assert (raised, committed) == ([], FIRST + 1), (
            "a failed delivery now stops the commit of its input: the producer of streams.host might be Faust's"
        )

    run(story())


def test_p6_a_topic_with_gaps_is_committed_gap_by_gap() -> None:
    """Offsets 0, 2, 4, ...: what a transactional producer or compaction leaves."""

    async def story() -> None:
        app = StockApp()
        consumer: Any = app.stock_consumer
        app.topics._acking_topics.add(INPUT.topic)  # type: ignore[attr-defined]
        offsets = list(range(0, 60, 2))

        async def getmany(**_: Any) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
            for offset in offsets:
                yield INPUT, message_at(offset, b"1")
            consumer._stopped.set()

        async def answered(message: ConsumerMessage) -> None:
            message.incref()
            message.ack(consumer)

        consumer.getmany, consumer.callback = getmany, answered
        consumer._committed_offset[INPUT] = 0
        await consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event()))
        commits = [await app.commit_all() for _ in range(3)]
        assert commits == [1, 5, 7], (
            f"all up to {offsets[-1]} was answered: Faust's gap arithmetic might be right now, and topics of "
            "transactional producers fit for it"
        )

    run(story())
