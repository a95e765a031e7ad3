"""The oracle of promise 2: a run's own intake, replayed once through a fresh engine, must end in the same
topics. However long the topics are, what is kept of them is one number per key.

Compared is the last non-null value per key of every compacted topic. Left out is what depends on when and in which
order things arrived, not on what is true: HISTORY_FIELDS, headers (`ce_time`, lineage), and
the marks of what no longer follows (`retracted`): a person who existed only between two messages leaves such
a mark in one run and none in another. Of what is sealed, what it holds is compared: a key may have been rotated
between the two.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from ops.admin.topic_reader import TopicMessage, last_values
from schemas import elements, topics
from schemas.data_keys import NO_BUCKET_KEYS, BucketKeys, Family
from schemas.errors import Unreadable
from schemas.keyring import Keyring, Purpose
from schemas.record_keys import TRAVELLING, WrappedKeys
from schemas.sealed_body import open_body, open_padded
from schemas.topics import Topic

TopicReader = Callable[[str], Iterable[TopicMessage]]  # a topic's name -> all its messages in order
HISTORY_FIELDS = frozenset({"revision", "known_at", "known_at_ms", "as_of", "formerly", "since_ms"})
RECEIPTS = "receipts."


@dataclass(frozen=True)
class Comparison:
    """How two engines' final topics differ; keys are counted, never shown."""

    keys: int
    differing: int
    by_topic: Mapping[str, tuple[int, int]]


def final_topics(registry: Iterable[Topic]) -> list[str]:
    """The compacted topics that are results. Left out are changelogs, the notes of an engine, and the changes of
    persons: a history, which follows from the order of arrival.
    """
    return [
        topic.name
        for topic in registry
        if "compact" in topic.config["cleanup.policy"]
        and not topic.name.startswith("state.")
        and topic.name != topics.PERSON_CHANGES
    ]


def rebuilt_topics(registry: Iterable[Topic]) -> list[str]:
    """The final topics that follow from `events.v1` alone: not itself, nor what ingress writes beside it."""
    return [
        topic.name
        for topic in registry
        if topic.name in final_topics([topic])
        and topic.name not in (topics.ERASURES, topics.VAULT, topics.EVENTS, topics.DEAD_LETTERS, topics.DISPOSITIONS)
        and not topic.name.startswith(RECEIPTS)
    ]


class Side(NamedTuple):
    """One of two engines that are compared: how its topics are read, and the bucket keys that open what it sealed."""

    read: TopicReader
    held: BucketKeys = NO_BUCKET_KEYS


def compare_topics(run: Side, oracle: Side, names: Iterable[str], *, keys: Keyring) -> Comparison:
    """Read `names` on both sides and count keys whose final values differ or stand on one side only."""
    here, there = (OpenedValue.of(side, keys) for side in (run, oracle))
    finals = {name: finals_of(run.read(name), here) for name in names}
    return compare_finals(finals, lambda name: finals_of(oracle.read(name), there))


def compare_finals(run: Mapping[str, "Finals"], oracle: Callable[[str], "Finals"]) -> Comparison:
    """As `compare_topics`, of what was read before and of what `oracle` gives topic by topic."""
    by_topic: dict[str, tuple[int, int]] = {}
    for name, finals in run.items():
        left, right = finals.digests(), oracle(name).digests()
        keys = left.keys() | right.keys()
        by_topic[name] = (len(keys), sum(left.get(key) != right.get(key) for key in keys))
    counts = by_topic.values()
    return Comparison(sum(keys for keys, _ in counts), sum(found for _, found in counts), by_topic)


@dataclass
class Finals:
    """The final values of one topic as numbers: 64 bits of a key -> 64 bits of its last value without history.

    Values are kept only while their partition is read; `value` says what of a value counts (None: nothing).
    """

    value: Callable[[bytes, bytes], object] = field(default=lambda _, value: final_value(value))
    _digests: dict[int, int] = field(default_factory=dict)
    _last: dict[bytes, bytes | None] = field(default_factory=dict)
    _partition: int | None = None

    def take(self, message: TopicMessage) -> None:
        """Take one more message; messages of a partition come in order."""
        if message.partition != self._partition:
            self._close(message.partition)
        if message.key is not None:
            self._last[message.key] = message.value

    def digests(self) -> Mapping[int, int]:
        """What was taken so far; removed and retracted keys are absent."""
        self._close(None)
        return self._digests

    def _close(self, partition: int | None) -> None:
        for key, value in self._last.items():
            counts = self.value(key, value) if value is not None else None
            if counts is None:
                self._digests.pop(_number(key), None)
            else:
                self._digests[_number(key)] = _number(_bytes(counts))
        self._last, self._partition = {}, partition


def finals_of(messages: Iterable[TopicMessage], value: Callable[[bytes, bytes], object]) -> Finals:
    """The finals of one topic's messages; `value` says what of a value counts."""
    finals = Finals(value)
    for message in messages:
        finals.take(message)
    return finals


@dataclass(frozen=True)
class OpenedValue:
    """As `final_value`, with what is sealed opened: under another key, or another version of one, it is another text.

    What nothing here opens is compared as it is. Wrapped data keys are no result, and not compared.
    """

    keys: Keyring
    held: BucketKeys = NO_BUCKET_KEYS
    wrapped: Mapping[str, WrappedKeys] = field(default_factory=dict)  # by record

    @classmethod
    def of(cls, side: Side, keys: Keyring) -> "OpenedValue":
        """What opens the topics of this side: its records' data keys are the last of `events.v1`, or of the vault."""
        wrapped: dict[str, WrappedKeys] = {}
        for topic, families in ((topics.EVENTS, TRAVELLING), (topics.VAULT, tuple(Family))):
            for message in side.read(topic):
                record, _, rest = (message.key or b"").decode("ascii", "replace").partition("/")
                if rest.partition("/")[0] == elements.KEYS and message.value is not None:
                    with suppress(Unreadable):
                        found = WrappedKeys.parse(message.value, families)
                        if record not in wrapped or found.epoch >= wrapped[record].epoch:
                            wrapped[record] = found
        return cls(keys, side.held, wrapped)

    def __call__(self, key: bytes, value: bytes) -> object:
        """What is compared of the value under this key, which is what it was sealed for."""
        parsed = final_value(value)
        if isinstance(parsed, bytes):
            return self._dead_letter(parsed, key)
        if not isinstance(parsed, dict):
            return parsed
        record = key.partition(b"/")[0].decode("ascii", "replace")
        if isinstance(parsed.get("tokens"), str):
            opened = self._opened(record, Family.TOKENS, parsed["tokens"], record.encode(), open_padded)
            return {**parsed, "tokens": opened, "key": None}
        if isinstance(parsed.get("sealed"), str):
            return {**parsed, "sealed": self._opened(record, Family.IDENTITY, parsed["sealed"], key, open_body)}
        if isinstance(parsed.get("body"), str):
            return {**parsed, "body": self._opened(record, Family.BODY, parsed["body"], key, open_body)}
        return parsed

    def _dead_letter(self, sealed: bytes, key: bytes) -> bytes:
        try:
            return self.keys.unseal(Purpose.DEAD_LETTER, sealed, context=key)
        except Unreadable:
            return sealed

    def _opened(self, record: str, family: Family, text: str, context: bytes, opening: Callable[..., bytes]) -> str:
        try:
            data_key = self.wrapped[record].opened(record, family, self.held)
            return text if data_key is None else opening(data_key, base64.b64decode(text), context=context).hex()
        except (Unreadable, LookupError, ValueError):  # garbage stands on the topic until it is compacted away
            return text


def final_values(messages: Iterable[TopicMessage]) -> dict[bytes, object]:
    """Key -> final value without history; retracted entries are absent."""
    finals = {key: final_value(message.value or b"") for key, message in last_values(messages).items()}
    return {key: value for key, value in finals.items() if value is not None}


def final_value(value: bytes) -> object:
    """What is compared of one value: JSON without history, None for a retracted entry and for wrapped data keys; sealed
    bytes unchanged.
    """
    try:
        parsed = without_history(json.loads(value))
    except ValueError:
        return value
    is_no_result = isinstance(parsed, dict) and (parsed.get("status") == "retracted" or parsed.get("kind") == "key")
    return None if is_no_result else parsed


def _number(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, sort_keys=True).encode()


def without_history(value: object) -> object:
    """A JSON value without HISTORY_FIELDS, at every depth."""
    if isinstance(value, dict):
        return {name: without_history(part) for name, part in value.items() if name not in HISTORY_FIELDS}
    if isinstance(value, list):
        return [without_history(part) for part in value]
    return value
