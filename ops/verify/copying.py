"""Copies the input of an engine to another broker: message by message, in order, however much there is."""

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


def copy_inputs(origin: str, target: str, sources: Iterable[Source], *, drop_one: bool = False) -> int:
    """Write every intake message, erasure, tick and decision of broker `origin` to the same partition of `target`, in
    order; how many there were.

    `drop_one` leaves the first intake message out: the negative control of the comparison.
    """
    inputs = read_topics(origin, [*(source.intake_topic for source in sources), topics.ERASURES])
    if drop_one:
        next(inputs, None)
    return copy(inputs, target) + copy(_from_outside(origin), target)


def copy_events(origin: str, target: str, *, drop_one: bool = False) -> int:
    """Write the system of record, ticks and decisions of broker `origin` to the same partitions of `target`, in order;
    how many there were.

    `drop_one` leaves out the only identity of one record: the negative control.
    """
    events = read_topics(origin, [topics.EVENTS])
    if drop_one:
        left_out = _only_identity(origin)
        events = (message for message in events if (message.partition, message.offset) != left_out)
    return copy(events, target) + copy(_from_outside(origin), target)


def copy(inputs: Iterable[TopicMessage], bootstrap: str) -> int:
    """Write these messages to the same topics and partitions of `bootstrap`, in order; how many there were.

    All are acknowledged on return. Raises TierlinkError when the broker does not take one.
    """
    written = (
        (copied.topic, copied.partition, copied.key, copied.value, copied.timestamp_ms, copied.headers)
        for copied in inputs
    )
    return write_all(bootstrap, written)


def _only_identity(bootstrap: str) -> tuple[int, int]:
    """Partition and offset of the first identity that is its record's only one."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[int, int]] = {}
    for message in read_topics(bootstrap, [topics.EVENTS]):
        record = _identity_of(message)
        if record is not None:
            counts[record] += 1
            first.setdefault(record, (message.partition, message.offset))
    return next(place for record, place in first.items() if counts[record] == 1)


def _identity_of(message: TopicMessage) -> str | None:
    """The record whose identity this is; None for every other element."""
    record, kind, _ = (message.key or b"//").decode().split("/", 2)
    return record if kind == IDENTITY and message.value is not None else None


def _from_outside(bootstrap: str) -> Iterator[TopicMessage]:
    messages = read_topics(bootstrap, list(FROM_OUTSIDE))
    return (message for message in messages if (message.key or b"").startswith(FROM_OUTSIDE[message.topic]))
