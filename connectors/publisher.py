"""The only kafka-python producer: acknowledged by every in-sync replica, idempotent, bounded."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from kafka import KafkaProducer
from kafka.errors import KafkaError

REQUEST_BYTES_MAX = (
    16 * 1024 * 1024
)  # a 5 MB body is 6.7 MB in base64 inside the seal, and its Bundle stands beside it
DELIVERY_SECONDS_MAX = (
    10.0  # how long a provider waits for an answer before "try again"; the write may still happen
)


class BrokerAway(Exception):
    """The broker did not acknowledge in time: answer "try again" (503, AE, leave the file) and never "accepted"."""

    retriable = True


@dataclass(frozen=True, slots=True)
class Record:
    """One message to publish at an explicit partition."""

    topic: str
    partition: int
    key: bytes = field(repr=False)
    value: bytes = field(repr=False)
    headers: tuple[tuple[str, bytes], ...] = ()


class Publisher:
    """A producer that returns only when everything is durable."""

    def __init__(self, bootstrap: str, *, delivery_seconds_max: float = DELIVERY_SECONDS_MAX) -> None:
        self._deadline_seconds = delivery_seconds_max
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            max_request_size=REQUEST_BYTES_MAX,
            max_block_ms=int(delivery_seconds_max * 1000),
            # The answer's deadline is ours, below; a batch that outlives it may be written later, which a resend meets
            # with the same entry id.
            delivery_timeout_ms=int(delivery_seconds_max * 1000) * 3,
            request_timeout_ms=int(delivery_seconds_max * 1000),
            compression_type="gzip",
        )

    def publish(self, records: Sequence[Record]) -> None:
        """Returns when every record is acknowledged by all in-sync replicas. Raises BrokerAway otherwise."""
        try:
            pending = [
                self._producer.send(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    partition=record.partition,
                    headers=list(record.headers),
                )
                for record in records
            ]
            for one in pending:
                one.get(timeout=self._deadline_seconds)
        except KafkaError as failure:
            raise BrokerAway(type(failure).__name__) from None

    def close(self) -> None:
        """Closes the connection; nothing is waiting, because `publish` waits. Quiet when the broker is away."""
        with suppress(KafkaError):
            self._producer.close(timeout=self._deadline_seconds)
