"""The oracle of promise 2: a run's own intake, replayed once through a fresh engine, must end in the same
topics.

Compared is the last non-null value per key of every compacted topic. Left out is what tells when and in which
order things arrived, not what is true: `revision`, `known_at`, `formerly`, headers (`ce_time`, lineage), and
the marks of what no longer follows (`retracted`): a person who existed only between two messages leaves such
a mark in one run and none in another.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer

from ops.topic_reader import Read, last_values, read_topics
from schemas import topics
from schemas.elements import IDENTITY
from schemas.sources import Source
from schemas.topics import Topic

TopicReader = Callable[[str], Iterable[Read]]  # a topic's name -> all its messages in order
HISTORY_FIELDS = frozenset({"revision", "known_at", "formerly"})
RECEIPTS = "receipts."  # those of rejected entries come from ingress
REPLAYED_KEYS = b"tick/"  # ticks are input too: the one thing pathway.in.v1 gets from outside


@dataclass(frozen=True)
class Comparison:
    """How two engines' final topics differ; keys are counted, never shown."""

    keys: int
    differing: int
    by_topic: Mapping[str, tuple[int, int]]


def final_topics(registry: Iterable[Topic]) -> list[str]:
    """The compacted topics that are results: changelogs are an engine's own notes and are left out."""
    return [
        one.name
        for one in registry
        if "compact" in one.config["cleanup.policy"] and not one.name.startswith("state.")
    ]


def rebuilt_topics(registry: Iterable[Topic]) -> list[str]:
    """The final topics that follow from `events.v1` alone: not itself, nor what ingress writes beside it."""
    return [
        one.name
        for one in registry
        if one.name in final_topics([one])
        and one.name not in (topics.EVENTS, topics.DEAD_LETTERS)
        and not one.name.startswith(RECEIPTS)
    ]


def compare(one: str, other: str, names: Iterable[str]) -> Comparison:
    """Read `names` on both brokers and count keys whose final values differ or stand on one side only."""
    return compare_topics(
        lambda name: read_topics(one, [name]), lambda name: read_topics(other, [name]), names
    )


def compare_topics(one: TopicReader, other: TopicReader, names: Iterable[str]) -> Comparison:
    """As `compare`, of the topics that two readers give."""
    by_topic: dict[str, tuple[int, int]] = {}
    for name in names:
        left, right = final_values(one(name)), final_values(other(name))
        keys = left.keys() | right.keys()
        by_topic[name] = (len(keys), sum(left.get(key) != right.get(key) for key in keys))
    counts = by_topic.values()
    return Comparison(sum(keys for keys, _ in counts), sum(found for _, found in counts), by_topic)


def final_values(messages: Iterable[Read]) -> dict[bytes, Any]:
    """Key -> final value without history; retracted entries are absent."""
    finals: dict[bytes, Any] = {}
    for key, read in last_values(messages).items():
        value = _without_history(read.value or b"")
        if not (isinstance(value, dict) and value.get("status") == "retracted"):
            finals[key] = value
    return finals


def copy_inputs(one: str, other: str, sources: Iterable[Source], *, drop_one: bool = False) -> int:
    """Write every intake message and tick of `one` to the same partition of `other`, in order; how many there
    were.

    `drop_one` leaves the first intake message out: the negative control of the comparison.
    """
    inputs = list(read_topics(one, [source.intake_topic for source in sources]))
    return _send([*(inputs[1:] if drop_one else inputs), *_ticks(one)], other)


def copy_events(one: str, other: str, *, drop_one: bool = False) -> int:
    """Write the system of record and the ticks of `one` to the same partitions of `other`, in order; how many.

    `drop_one` leaves out the only identity of one record: the negative control.
    """
    events = list(read_topics(one, [topics.EVENTS]))
    if drop_one:
        identities = Counter(record for read in events if (record := _identity_of(read)) is not None)
        events.remove(next(read for read in events if identities[_identity_of(read) or ""] == 1))
    return _send([*events, *_ticks(one)], other)


def _identity_of(read: Read) -> str | None:
    """The record whose identity this is; None for every other element."""
    record, kind, _ = (read.key or b"//").decode().split("/", 2)
    return record if kind == IDENTITY and read.value is not None else None


def _ticks(bootstrap: str) -> Iterable[Read]:
    return (
        one
        for one in read_topics(bootstrap, [topics.PATHWAY_IN])
        if (one.key or b"").startswith(REPLAYED_KEYS)
    )


def _send(inputs: Iterable[Read], bootstrap: str) -> int:
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_request_size=16 * 1024 * 1024
    )
    pending = [
        producer.send(
            read.topic,
            key=read.key,
            value=read.value,
            partition=read.partition,
            headers=list(read.headers),
            timestamp_ms=read.timestamp_ms,
        )
        for read in inputs
    ]
    for sent in pending:
        sent.get(timeout=60)
    producer.close()
    return len(pending)


def _without_history(value: bytes) -> Any:
    try:
        parsed = json.loads(value)
    except ValueError:
        return value  # sealed bytes: compared as they are
    return _strip(parsed)


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strip(one) for name, one in value.items() if name not in HISTORY_FIELDS}
    if isinstance(value, list):
        return [_strip(one) for one in value]
    return value
