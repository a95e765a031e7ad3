"""The only producer of the doors: acknowledged by every in-sync replica, idempotent, bounded."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.topics import MESSAGE_BYTES_MAX

logger = logging.getLogger(__name__)

# how long a provider waits for an answer before "try again"; the write may still happen
DELIVERY_SECONDS_MAX = 10.0
LISTEN_SECONDS = 0.1  # at most; it ends with the first acknowledgement


class BrokerUnavailable(Exception):
    """The broker did not acknowledge in time: answer "try again" (503, AE, leave the file) and never "accepted"."""

    retriable = True


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to publish at an explicit partition."""

    topic: str
    partition: int
    key: bytes = field(repr=False)
    value: bytes = field(repr=False)
    headers: tuple[tuple[str, bytes], ...] = ()


class Publisher:
    """A producer that returns only when everything is durable; safe for several threads.

    librdkafka, not kafka-python: that one's idempotent producer, once its batches have expired while the
    broker was away, never sends again (3.0.12, seen).
    """

    def __init__(self, bootstrap: str, *, delivery_seconds_max: float = DELIVERY_SECONDS_MAX) -> None:
        self._deadline_seconds = delivery_seconds_max
        self._producer = Producer(producer_settings(bootstrap, delivery_seconds_max), logger=logger)
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="publisher", daemon=True)
        self._listener.start()

    def publish(self, records: Sequence[OutgoingMessage]) -> None:
        """Returns when every record is acknowledged by all in-sync replicas. Raises BrokerUnavailable otherwise."""
        shipment = _Shipment(len(records))
        try:
            for record in records:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    shipment.report,
                    headers=list(record.headers),
                )
        except (BufferError, KafkaException) as failure:
            raise BrokerUnavailable(type(failure).__name__) from None
        shipment.wait(self._deadline_seconds)

    def close(self) -> None:
        """Closes the connection; nothing is waiting, because `publish` waits. Quiet when the broker is away."""
        self._closing.set()
        self._listener.join()
        self._producer.flush(self._deadline_seconds)

    def _listen(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(LISTEN_SECONDS)


class _Shipment:
    """Records handed over together, and what became of them."""

    def __init__(self, records: int) -> None:
        self._waiting = records
        self._failure: str | None = None
        self._done = threading.Event()
        if not records:
            self._done.set()

    def report(self, error: KafkaError | None, _: object) -> None:
        """The fate of one record; called on the publisher's own thread."""
        self._waiting -= 1
        if error is not None:
            self._failure = str(error.name())
        if error is not None or not self._waiting:
            self._done.set()

    def wait(self, seconds_max: float) -> None:
        """Every record is durable. Raises BrokerUnavailable when one was refused, or time is over."""
        if not self._done.wait(seconds_max):
            raise BrokerUnavailable("no acknowledgement in time")
        if self._failure is not None:
            raise BrokerUnavailable(self._failure)


def producer_settings(bootstrap: str, delivery_seconds_max: float) -> dict[str, object]:
    """Every setting that matters, written out."""
    return {
        "bootstrap.servers": bootstrap,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 2,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        # The answer's deadline is ours, above; a record that outlives it may be written later, which a resend meets
        # with the same entry id.
        "delivery.timeout.ms": int(delivery_seconds_max * 1000) * 3,
        "socket.timeout.ms": max(1_000, int(delivery_seconds_max * 1000)),
        "compression.type": "gzip",
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1_000,
    }
