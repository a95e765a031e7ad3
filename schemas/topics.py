"""The registry of topics, and the one function that says which partition a message goes to.

One rule: compacted, keyed by the id of the thing. Compaction keeps the last arrival, so where versions compete each
version is its own key. Creation, the README's table and the tests read this registry; it lists only topics that exist.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.intake_keys import KEPT_DAYS
from schemas.sources import Source

PARTITIONS = 12  # fixed for life: a record stays where it is
DAY_MS = 24 * 60 * 60 * 1000
MESSAGE_BYTES_MAX = 16 * 2**20  # a 5 MB original, base64 in a Bundle (6.7 MB), sealed, with room

ERASURES = "erasures.v1"
VAULT = "vault.v1"
EVENTS = "events.v1"
IDENTITY = "identity.v1"
LINK_MAP = "link.map.v1"
REVIEW = "review.v1"
PERSON_CHANGES = "person.changes.v1"
PATHWAY_IN = "pathway.in.v1"
DISPOSITIONS = "dispositions.v1"
DEAD_LETTERS = "dlq.v1"
RECORDS_STATE = "state.records.v1"
LINKER_STATE = "state.linker.v1"
PATHWAY_STATE = "state.pathway.v1"

# A worker that was down must still read every version a former one answered, or a withdrawal could be missed;
# so nothing is compacted away within twelve hours. Erasure promises 24 h, which leaves the cleaner twelve.
_COMPACTED = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(DAY_MS // 2),
    "max.compaction.lag.ms": str(DAY_MS),
    "delete.retention.ms": str(7 * DAY_MS),  # longer than the longest outage a consumer may have
    "min.cleanable.dirty.ratio": "0.1",
}
_CHANGELOG = {**_COMPACTED, "min.compaction.lag.ms": "0"}
# The broker stamps what doors write: session, door key and age are judged by a time that no door can choose.
_INTAKE = {
    "cleanup.policy": "delete",
    "retention.ms": str(KEPT_DAYS * DAY_MS),
    "message.timestamp.type": "LogAppendTime",
}
Zone = Literal["intake", "linkage", "published", "operations"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what its key is, which zone may read it, how it is cleaned."""

    name: str
    key: str
    zone: Zone
    partitions: int
    config: Mapping[str, str]
    holds: str


def registry(sources: Iterable[Source], recipients: Iterable[str]) -> tuple[Topic, ...]:
    """Every topic of an engine with these sources and recipients, in the order the data flows."""
    topics = [
        _topic(source.intake_topic, "entry", "intake", _INTAKE, "sealed entries of one source") for source in sources
    ]
    topics += [
        _topic(ERASURES, "record, or turn / bucket", "intake", _COMPACTED, "records to erase, buckets to turn"),
        _topic(VAULT, "state element", "intake", _CHANGELOG, "each record's wrapped data keys and sealed identities"),
        _topic(EVENTS, "record / n, i, m, k, x / content", "linkage", _COMPACTED, "entries: the system of record"),
        _topic(
            IDENTITY,
            "record, or decision / pair / id",
            "linkage",
            _COMPACTED,
            "sealed tokens of the winning identity, and stewards' decisions",
            partitions=1,
        ),
        _topic(LINK_MAP, "record", "linkage", _COMPACTED, "record to person, with the evidence"),
        _topic(REVIEW, "pair of records", "linkage", _COMPACTED, "doubtful pairs for a steward", partitions=1),
        _topic(
            PERSON_CHANGES,
            "person / revision",
            "linkage",
            _COMPACTED,
            "what became of a person, and why",
            partitions=1,
        ),
        _topic(PATHWAY_IN, "person / record / entry, k or w", "linkage", _DELETE_30_DAYS, "entries under their person"),
        _topic(RECORDS_STATE, "state element", "linkage", _CHANGELOG, "changelog of records"),
        _topic(LINKER_STATE, "state element", "linkage", _CHANGELOG, "changelog of the linker", partitions=1),
        _topic(PATHWAY_STATE, "state element", "linkage", _CHANGELOG, "changelog of pathway"),
    ]
    for recipient in recipients:
        states, events = pathway_state(recipient), pathway_events(recipient)
        topics += [
            _topic(states, "published person", "published", _COMPACTED, "whole pathway snapshots"),
            _topic(events, "published person / event", "published", _COMPACTED, "pathway events"),
        ]
    for source in sources:
        holds = "what its source learns of each entry"
        topics.append(_topic(source.receipts_topic, "entry", "published", _COMPACT_90_DAYS, holds))
    topics += [
        _topic(DISPOSITIONS, "keyed entry", "operations", _COMPACT_90_DAYS, "where each entry ended"),
        _topic(DEAD_LETTERS, "topic / partition / offset", "operations", _COMPACT_90_DAYS, "sealed originals"),
    ]
    return tuple(topics)


_COMPACT_90_DAYS = {"cleanup.policy": "compact,delete", "retention.ms": str(90 * DAY_MS)}
_DELETE_30_DAYS = {"cleanup.policy": "delete", "retention.ms": str(30 * DAY_MS)}


def _topic(
    name: str, key: str, zone: Zone, config: Mapping[str, str], holds: str, *, partitions: int = PARTITIONS
) -> Topic:
    return Topic(name, key, zone, partitions, config, holds)


def pathway_state(recipient: str) -> str:
    """Snapshots for one recipient."""
    return f"pathway.state.{recipient}.v1"


def pathway_events(recipient: str) -> str:
    """Pathway events for one recipient."""
    return f"pathway.events.{recipient}.v1"


def source_of_intake(topic: str) -> str:
    """The source whose entries the topic holds: the inverse of `Source.intake_topic`."""
    return topic.removeprefix("intake.").removesuffix(".v1")


def partition_of(identifier: str, partitions: int = PARTITIONS) -> int:
    """Where everything about one record, person or entry goes: the identifier's SHA-256 modulo the partitions.

    Ours rather than a client's default, so that two clients can never disagree.
    """
    digest = hashlib.sha256(identifier.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") % partitions


def intake_partition(record: Sequence[str]) -> int:
    """Where an entry goes: by the parts that name its record (`linkage.record_name`), so that ingress can check it."""
    return partition_of("".join(f"{len(part)}:{part}" for part in record))
