"""Ticks: today's date, sent to every partition of pathway, so that what depends on waiting can be answered."""

from datetime import date

from kafka import KafkaProducer

from schemas.pathway_in import tick_message
from schemas.topics import PARTITIONS, PATHWAY_IN


def tick(bootstrap: str, as_of: date) -> None:
    """Every partition has the message that it is at least `as_of`; acknowledged on return."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        pending = []
        for partition in range(PARTITIONS):
            key, value = tick_message(partition, as_of)
            pending.append(producer.send(PATHWAY_IN, key=key, value=value, partition=partition))
        for delivery in pending:
            delivery.get(timeout=30)
    finally:
        producer.close()
