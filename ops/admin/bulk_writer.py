"""Many messages written to a broker, each acknowledged."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from ops.errors import BrokerError
from schemas.pathway_in import SLICES, tick_message
from schemas.topics import MESSAGE_BYTES_MAX, PARTITIONS, PATHWAY_IN

Headers = Sequence[tuple[str, bytes]]
# Topic, partition, key, value, time in milliseconds, headers.
Written = tuple[str, int, bytes | None, bytes | None, int, Headers]
LOOK_SECONDS = 600.0  # how often whoever stays looks for a new day
NOW_MS = 0  # for librdkafka: the time of writing

_SETTINGS = {
    "acks": "all",
    "enable.idempotence": True,  # order within a partition is kept
    "message.max.bytes": MESSAGE_BYTES_MAX,
    "queue.buffering.max.kbytes": 64 * 1024,
    "linger.ms": 20,
    "log_level": 0,  # librdkafka prints keys and addresses
}


def write_ticks(bootstrap: str, as_of: date) -> None:
    """Every slice of every partition of pathway has the message that it is at least `as_of`. Raises BrokerError."""
    places = itertools.product(range(PARTITIONS), range(SLICES))
    ticks = [(partition, *tick_message(partition, as_of, number)) for partition, number in places]
    write_all(bootstrap, [(PATHWAY_IN, partition, key, value, NOW_MS, ()) for partition, key, value in ticks])


def days_to_send(today: Callable[[], date], ended: Callable[[float], bool]) -> Iterator[date]:
    """Today at once, then each day that is another than the one before. `ended` waits so many seconds and says
    whether to end.
    """
    last = today()
    yield last
    while not ended(LOOK_SECONDS):
        if today() != last:
            last = today()
            yield last


def write_all(bootstrap: str, messages: Iterable[Written], *, seconds_max: float = 120.0) -> int:
    """Every message is acknowledged, in order within a partition; how many there were.

    Never more than the producer's queue is in memory. `seconds_max` is for what is still on its way when all
    have been handed over. Raises BrokerError when the broker does not take one.
    """
    producer, failures = Producer({**_SETTINGS, "bootstrap.servers": bootstrap}), list[str]()

    def answered(error: KafkaError | None, _: Delivered) -> None:
        if error is not None:
            failures.append(error.name())

    written = 0
    try:
        for message in messages:
            _produce(producer, message, answered)
            written += 1
        left = producer.flush(seconds_max)
    except KafkaException:
        raise BrokerError("the broker took no more messages") from None
    if left or failures:
        why = ", ".join(sorted({*failures, *(["no answer in time"] if left else [])}))
        raise BrokerError(f"the broker did not take {left + len(failures)} of {written} messages: {why}")
    return written


def _produce(producer: Producer, message: Written, answered: Callable[[KafkaError | None, Delivered], None]) -> None:
    topic, partition, key, value, timestamp_ms, headers = message
    while True:
        try:
            producer.produce(topic, value, key, partition, answered, timestamp=timestamp_ms, headers=list(headers))
        except BufferError:  # the queue is full: wait for answers
            producer.poll(1.0)
        else:
            producer.poll(0)
            return
