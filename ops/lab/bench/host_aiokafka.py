"""A bare aiokafka loop: consume, produce idempotently, await every acknowledgement, commit."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ops.lab.bench.host_hop import BATCH_MAX, Hop, rest, source_headers

FETCH_MS = 100
SEND_BYTES = 256 * 1024


async def work(hop: Hop) -> None:
    """On return every message of the input is processed and committed. Raises KafkaError."""
    consumer = AIOKafkaConsumer(
        hop.reads,
        bootstrap_servers=hop.bootstrap,
        group_id=hop.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=hop.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=SEND_BYTES,
    )
    async with producer, consumer:
        await turns(hop, consumer, producer)


async def turns(hop: Hop, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
    """Batch by batch until everything is committed. Raises KafkaError."""
    counts: dict[bytes, int] = {}
    done = 0
    while done < hop.events:
        fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=BATCH_MAX)
        messages = [message for records in fetched.values() for message in records]
        if messages and not done:
            hop.note_first_message()
        sent = []
        for message in messages:
            key, partition = message.key, message.partition
            counts[key] = count = counts.get(key, 0) + 1
            headers = source_headers(hop.reads, partition, message.offset, message.timestamp)
            about = {"key": key, "partition": partition, "headers": headers}
            sent.append(await producer.send(hop.writes, message.value, **about))
            sent.append(await producer.send(hop.changelog, b"%d" % count, **about))
        if messages:
            await asyncio.gather(*sent)
            await consumer.commit()
            done += len(messages)


if __name__ == "__main__":
    asyncio.run(work(Hop.from_arguments()))
    rest()
