"""A bare librdkafka loop: consume, produce, await every acknowledgement, commit. At least once, nothing else."""

import sys
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from ops.lab.bench.host_hop import BATCH_MAX, Hop, rest, source_headers

FETCH_S, FLUSH_S = 0.1, 60.0


def work(hop: Hop) -> None:
    """On return every message of the input is processed and committed. Raises KafkaException."""
    consumer = Consumer(
        {
            "bootstrap.servers": hop.bootstrap,
            "group.id": hop.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([hop.reads])
    producer = Producer({"bootstrap.servers": hop.bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 5})
    counts: dict[bytes, int] = {}
    done = 0
    while done < hop.events:
        messages = consumer.consume(BATCH_MAX, FETCH_S)
        if messages and not done:
            hop.note_first_message()
        for message in messages:
            answer(hop, message, counts, producer)
        if messages:
            if producer.flush(FLUSH_S):
                sys.exit("not everything was acknowledged in time")
            consumer.commit(asynchronous=False)
            done += len(messages)


def answer(hop: Hop, message: Any, counts: dict[bytes, int], producer: Producer) -> None:
    """One output and one state record go to the producer. Raises KafkaException."""
    if message.error():
        raise KafkaException(message.error())
    key, partition = message.key(), message.partition()
    counts[key] = count = counts.get(key, 0) + 1
    headers: Any = source_headers(hop.reads, partition, message.offset(), message.timestamp()[1])
    producer.produce(hop.writes, message.value(), key, partition, on_delivery=acknowledged, headers=headers)
    producer.produce(hop.changelog, b"%d" % count, key, partition, on_delivery=acknowledged, headers=headers)


def acknowledged(error: KafkaError | None, _message: Message) -> None:
    """Called once for every record sent: what was not delivered ends the run."""
    if error is not None:
        raise KafkaException(error)


if __name__ == "__main__":
    work(Hop.from_arguments())
    rest()
