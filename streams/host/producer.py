"""The one producer of a worker: idempotent, every acknowledgement awaited, within a deadline."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from streams.host.settings import MESSAGE_BYTES_MAX, HostSettings
from streams.steps.outcome import Emit

LINGER_MS = 5  # a batch of ours is sent at once; five milliseconds let it leave in one request per broker
BATCH_BYTES = 256 * 1024
CLOSE_S = 3.0


class AwaitedProducer:
    """Sends and waits. Never says "acknowledged" before every in-sync replica has the message."""

    def __init__(self, settings: HostSettings) -> None:
        """Connects on `start`."""
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connected, with a producer id of the broker. Raises KafkaError."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=MESSAGE_BYTES_MAX,
            request_timeout_ms=int(self._settings.request_timeout_s * 1000),
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Closed, or given up after a few seconds: nothing is owed, as every delivery was awaited."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), CLOSE_S)
            except TimeoutError:
                return

    async def send(self, emits: Sequence[Emit]) -> list[asyncio.Future[object]]:
        """Handed to the sender, in this order within a partition. KafkaError, TimeoutError (deadline)."""
        assert self._producer is not None, "started first"
        async with asyncio.timeout(self._settings.delivery_deadline_s):
            return [await self._send(self._producer, emit) for emit in emits]

    async def acknowledged(self, sent: Sequence[asyncio.Future[object]]) -> None:
        """Every one is on the broker. Raises the first failure, or TimeoutError at the delivery deadline."""
        async with asyncio.timeout(self._settings.delivery_deadline_s):
            await asyncio.gather(*sent)

    @staticmethod
    async def _send(producer: AIOKafkaProducer, emit: Emit) -> "asyncio.Future[object]":
        return await producer.send(
            emit.topic, value=emit.value, key=emit.key, partition=emit.partition, headers=list(emit.headers)
        )
