"""Topics on a broker: made from the registry, compared with it, and one message deleted by hand."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from ops.admin.bulk_writer import NOW_MS, write_all
from ops.admin.topic_reader import Selection, read_topic
from ops.errors import TierlinkError
from schemas.topics import MESSAGE_BYTES_MAX, Topic
from streams.host.settings import refused_after_s

FROM_OUTSIDE = "intake."  # written by doors, which are in no group
AHEAD_MS_MAX = "3600000"  # an hour; also Kafka's default


@dataclass(frozen=True)
class Replication:
    """How often a message is kept. Production: 3 replicas, 2 of which must have it before it is acknowledged."""

    factor: int = 1
    min_in_sync: int = 1


def create(
    bootstrap: str,
    topics: Iterable[Topic],
    *,
    replication: Replication,
    session_s: float | None = None,
    original_times: bool = False,
) -> Sequence[str]:
    """Every topic exists afterwards; returns the names of those that were made now.

    With the workers' session timeout given, the broker refuses in the topics they write what is older than
    two thirds of it. A worker stamps what it sends with its last accepted heartbeat, so one that lost its
    partitions while it was frozen can write nothing late. With `original_times` copies of an intake keep the times that
    the first broker gave them, because ingress judges by them, and stay whatever their age.
    """
    made = []
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        present = set(admin.list_topics())
        missing = [topic for topic in topics if topic.name not in present]
        if missing:
            with suppress(TopicAlreadyExistsError):  # two at once: the other process made them
                admin.create_topics(
                    [_new(topic, replication, session_s, original_times=original_times) for topic in missing]
                )
            made = [topic.name for topic in missing]
    return made


def delete_message(bootstrap: str, topic: str, *, partition: int, offset: int) -> None:
    """Take one message out of a topic by hand: its key gets a tombstone at the same partition.

    For drills ("does the ledger notice?"). Raises MissingInput when there is no such topic or partition,
    TierlinkError when there is no such message or it has no key.
    """
    messages = read_topic(bootstrap, topic, Selection(partition=partition, offset=offset))
    found = next(messages, None)
    if found is None or found.offset != offset or found.key is None:
        raise TierlinkError(f"{topic} partition {partition} holds no keyed message at offset {offset}")
    write_all(bootstrap, [(topic, partition, found.key, None, NOW_MS, ())])


def _new(topic: Topic, replication: Replication, session_s: float | None, *, original_times: bool) -> NewTopic:
    config = {
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": AHEAD_MS_MAX,  # no sender chooses a later time: ticks go by it
        **topic.config,
        "max.message.bytes": str(MESSAGE_BYTES_MAX),
        "min.insync.replicas": str(replication.min_in_sync),
    }
    if original_times and topic.name.startswith(FROM_OUTSIDE):  # and nothing goes by them before it is read
        config |= {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    if session_s is not None and not topic.name.startswith(FROM_OUTSIDE):
        config["message.timestamp.before.max.ms"] = str(int(refused_after_s(session_s) * 1000))
    return NewTopic(topic.name, topic.partitions, replication.factor, topic_configs=config)
