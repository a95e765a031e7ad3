"""Copying what went into an engine to another broker: message by message, in order, however much there is."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ops.admin.bulk_writer import write_all
from ops.admin.topic_reader import TopicMessage, read_topics
from schemas import topics
from schemas.elements import IDENTITY
from schemas.linking import DECISION
from schemas.sources import Source

# Input besides intake: what a topic in the middle gets from outside, by how its key begins.
FROM_OUTSIDE = {topics.PATHWAY_IN: b"tick/", topics.IDENTITY: f"{DECISION}/".encode()}


def copy_inputs(one: str, other: str, sources: Iterable[Source], *, drop_one: bool = False) -> int:
    """Write every intake message, tick and decision of `one` to the same partition of `other`, in order; how many there
    were.

    `drop_one` leaves the first intake message out: the negative control of the comparison.
    """
    inputs = read_topics(one, [source.intake_topic for source in sources])
    if drop_one:
        next(inputs, None)
    return copy(inputs, other) + copy(_from_outside(one), other)


def copy_events(one: str, other: str, *, drop_one: bool = False) -> int:
    """Write the system of record, ticks and decisions of `one` to the same partitions of `other`, in order; how many.

    `drop_one` leaves out the only identity of one record: the negative control.
    """
    events = read_topics(one, [topics.EVENTS])
    if drop_one:
        left_out = _only_identity(one)
        events = (read for read in events if (read.partition, read.offset) != left_out)
    return copy(events, other) + copy(_from_outside(one), other)


def copy(inputs: Iterable[TopicMessage], bootstrap: str) -> int:
    """Write these messages to the same topics and partitions of `bootstrap`, in order; how many there were.

    All are acknowledged on return. Raises TierlinkError when the broker does not take one.
    """
    return write_all(
        bootstrap,
        (
            (read.topic, read.partition, read.key, read.value, read.timestamp_ms, read.headers)
            for read in inputs
        ),
    )


def _only_identity(bootstrap: str) -> tuple[int, int]:
    """Partition and offset of the first identity that is its record's only one."""
    told: Counter[str] = Counter()
    first: dict[str, tuple[int, int]] = {}
    for read in read_topics(bootstrap, [topics.EVENTS]):
        record = _identity_of(read)
        if record is not None:
            told[record] += 1
            first.setdefault(record, (read.partition, read.offset))
    return next(place for record, place in first.items() if told[record] == 1)


def _identity_of(read: TopicMessage) -> str | None:
    """The record whose identity this is; None for every other element."""
    record, kind, _ = (read.key or b"//").decode().split("/", 2)
    return record if kind == IDENTITY and read.value is not None else None


def _from_outside(bootstrap: str) -> Iterator[TopicMessage]:
    reads = read_topics(bootstrap, list(FROM_OUTSIDE))
    return (one for one in reads if (one.key or b"").startswith(FROM_OUTSIDE[one.topic]))
