"""The one producer of a worker: librdkafka, idempotent, every acknowledgement counted, within a deadline."""

import logging
from collections.abc import Sequence

from confluent_kafka import KafkaError, Producer

from schemas.topics import MESSAGE_BYTES_MAX
from streams.host.batch import Sendable
from streams.host.settings import HostSettings

LINGER_MS = 2  # a batch of ours is handed over at once; two milliseconds let it leave in few requests
QUEUE_MESSAGES_MAX = 200_000
QUEUE_FULL_WAIT_S = 0.05
CLOSE_S = 3.0

logger = logging.getLogger(__name__)


class DeliveryFailed(RuntimeError):
    """A message was refused by the broker, or not acknowledged within the deadline."""

    def __init__(self, error: KafkaError) -> None:
        self.kafka_error = str(error.name())  # a fixed word, such as INVALID_TIMESTAMP or _MSG_TIMED_OUT
        super().__init__(self.kafka_error)


class AwaitedProducer:
    """Sends, and knows whether all of it has been acknowledged. Order within a partition is kept, without gaps.

    Only failures are reported message by message (one call of Python for each costs as much as to send it);
    librdkafka counts what it holds, and it holds a failed one until its report has been given.

    A message not acknowledged within `delivery_deadline_s` has failed: by then the partitions may be another
    worker's (`enable.gapless.guarantee`: what was sent after it has failed too).
    """

    def __init__(self, settings: HostSettings) -> None:
        """Connects on `start`."""
        self._settings = settings
        self._producer: Producer | None = None
        self._failure: KafkaError | None = None

    def start(self) -> None:
        """Ready to send; connections are made in the background."""
        logger.addFilter(_is_not_the_gapless_warning)
        self._producer = Producer(producer_settings(self._settings), logger=logger)

    def stop(self) -> None:
        """Closed, or given up after a few seconds: nothing is owed, as every delivery was awaited."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.flush(CLOSE_S)

    def send(self, messages: Sequence[Sendable], *, stamp_ms: int) -> None:
        """Handed over in this order, with `stamp_ms` as their Kafka time. DeliveryFailed."""
        assert self._producer is not None, "started first"
        produce, report = self._producer.produce, self._report
        for topic, partition, key, value, headers in messages:
            while True:
                try:
                    produce(topic, value, key, partition, report, timestamp=stamp_ms, headers=headers)
                except BufferError:  # the broker is slower than we are: its deadline ends this, if need be
                    self._producer.poll(QUEUE_FULL_WAIT_S)
                    self.is_clear()
                else:
                    break

    def is_clear(self) -> bool:
        """Everything handed over is on every in-sync replica. Raises DeliveryFailed when some never will be."""
        assert self._producer is not None, "started first"
        if self._failure is not None:
            raise DeliveryFailed(self._failure)
        return not len(self._producer)

    def poll(self, wait_s: float) -> None:
        """What was acknowledged meanwhile has been counted; waits so long for the first of it."""
        assert self._producer is not None, "started first"
        self._producer.poll(wait_s)

    def _report(self, error: KafkaError | None, _: object) -> None:
        """Called within `poll`, for failures only."""
        self._failure = error or self._failure


def producer_settings(settings: HostSettings) -> dict[str, str | int | bool]:
    """Every setting of librdkafka that matters, written out."""
    return {
        "bootstrap.servers": settings.bootstrap,
        "acks": "all",
        "enable.idempotence": True,
        "enable.gapless.guarantee": True,
        "delivery.report.only.error": True,
        "delivery.timeout.ms": int(settings.delivery_deadline_s * 1000),
        "linger.ms": LINGER_MS,
        "queue.buffering.max.messages": QUEUE_MESSAGES_MAX,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1_000,
    }


def _is_not_the_gapless_warning(line: logging.LogRecord) -> bool:
    """False for librdkafka's warning, at every start, that the guarantee of no gaps is experimental."""
    return "enable.gapless.guarantee" not in line.getMessage()
