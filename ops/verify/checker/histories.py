"""The history of one topic: does a key end with an older value than it had, and do two values of one version differ?

A crash makes the host answer the last messages again: of one key it may write r1 r2 r3, then r2 r3 once more.
That is allowed; a repeated answer may also know more than it did before. What must hold:

    backwards   the last value of a key has the content of the newest. Newest is the highest revision, and where a
                value has none, the highest offset of the message that caused it (header `src`, per topic of
                the cause). Of what is published the last must *be* the newest.
    rebytes     what carries its own version in its key (events.v1, by content hash; dlq.v1, by place) has the
                same bytes each time; elsewhere the values of one key at its newest revision have one content.
                At older revisions they may differ: the second answer comes from a later state.
    rewound     informational: keys that end on an older revision with the newest content.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ops.admin.topic_reader import TopicMessage
from ops.verify.compare import without_history
from schemas import canonical, topics
from schemas.errors import Unreadable

PLACES_MAX = 5  # examples kept: topic/partition/offset, never a key
SAME_BYTES = (topics.EVENTS, topics.DEAD_LETTERS)
_REVISION = re.compile(rb'"revision": ?(\d+)')

Clock = tuple[str, int]  # what the age is counted in ("" for a revision), and the age
Kind = Literal["backwards", "rebytes", "rewound"]


class KeyedMessage(NamedTuple):
    """One message of a key: its age and clock, its value, its offset."""

    clock: Clock
    value: bytes | None
    offset: int


@dataclass
class AnomalyTally:
    """Keys by anomaly, and the places of some of the messages."""

    counts: dict[Kind, int] = field(default_factory=lambda: {"backwards": 0, "rebytes": 0, "rewound": 0})
    places: dict[Kind, list[str]] = field(default_factory=dict)

    def note(self, kind: Kind, place: str) -> None:
        """Count one more key."""
        self.counts[kind] += 1
        places = self.places.setdefault(kind, [])
        if len(places) < PLACES_MAX:
            places.append(place)


class History:
    """Take every message of one topic, partition by partition in order; then `tally()`."""

    def __init__(self, topic: str) -> None:
        """A topic before its first message."""
        self._topic = topic
        self._age = _age_of(topic)
        self._strict = topic.startswith(("pathway.state.", "pathway.events."))
        self._tally = AnomalyTally()
        self._partition = -1
        self._last: dict[bytes, KeyedMessage] = {}
        self._newest: dict[tuple[bytes, str], KeyedMessage] = {}
        self._rebytes: dict[tuple[bytes, str], int] = {}  # key -> offset of the message that differs
        self._first: dict[bytes, int] = {}  # key -> hash of its first bytes

    def take(self, message: TopicMessage) -> None:
        """Take one more message."""
        if message.partition != self._partition:
            self._close()
            self._partition = message.partition
        if message.key is None:
            return
        if self._topic in SAME_BYTES:
            self._same_bytes(message.key, message)
        elif self._age is not None and (clock := self._age(message)) is not None:
            self._in_versions(message.key, KeyedMessage(clock, message.value, message.offset))

    def tally(self) -> AnomalyTally:
        """What was found."""
        self._close()
        return self._tally

    def _same_bytes(self, key: bytes, message: TopicMessage) -> None:
        if message.value is not None and self._first.setdefault(key, hash(message.value)) != hash(message.value):
            self._rebytes.setdefault((key, ""), message.offset)

    def _in_versions(self, key: bytes, keyed: KeyedMessage) -> None:
        name, age = keyed.clock
        newest = self._newest.get((key, name))
        if newest is None or age > newest.clock[1]:
            self._rebytes.pop((key, name), None)
        elif age == newest.clock[1] and name == "" and not self._same(keyed.value, newest.value):
            self._rebytes.setdefault((key, name), keyed.offset)
        if newest is None or age >= newest.clock[1]:
            self._newest[key, name] = keyed
        self._last[key] = keyed

    def _close(self) -> None:
        """The partition has been read: judge its keys and forget them."""
        for key, last in self._last.items():
            newest = self._newest[key, last.clock[0]]
            if last.clock < newest.clock:
                same = self._same(last.value, newest.value)
                self._tally.note("rewound" if same and not self._strict else "backwards", self._place(last.offset))
        for offset in self._rebytes.values():
            self._tally.note("rebytes", self._place(offset))
        self._last, self._newest, self._rebytes, self._first = {}, {}, {}, {}

    def _same(self, left: bytes | None, right: bytes | None) -> bool:
        return left == right or _content(self._topic, left) == _content(self._topic, right)

    def _place(self, offset: int) -> str:
        return f"{self._topic}/{self._partition}/{offset}"


def _content(topic: str, value: bytes | None) -> object:
    """A value without its history."""
    if value is None:
        return None
    try:
        content = without_history(canonical.load(value))
    except Unreadable:
        return value
    return content


def _age_of(topic: str) -> Callable[[TopicMessage], Clock | None] | None:
    """How the age of a message of the topic is read; None where nothing competes (intake, pathway.in)."""
    if topic in (topics.LINK_MAP, topics.DISPOSITIONS) or topic.startswith(("pathway.state.", "pathway.events.")):
        return _revision
    if topic in (topics.IDENTITY, topics.REVIEW) or topic.startswith("state."):
        return _cause
    return None


def _revision(message: TopicMessage) -> Clock | None:
    """The revision in the value; of a tombstone of a published topic that in `ce_id`, of link.map.v1 its cause."""
    if message.value is not None:
        found = _REVISION.findall(message.value)
        return ("", int(found[-1])) if found else None
    named = dict(message.headers)
    if "ce_id" in named:
        return "", int(named["ce_id"].rpartition(b"/")[2])
    cause = _cause(message) if message.topic == topics.LINK_MAP else None
    return ("", cause[1]) if cause is not None else None


def _cause(message: TopicMessage) -> Clock | None:
    for name, value in message.headers:
        if name == "src":
            topic, _, offset = value.decode().split("/")
            return topic, int(offset)
    return None


def tallies(histories: Mapping[str, "History"]) -> dict[str, AnomalyTally]:
    """Topic -> what was found there, for topics where anything was."""
    found = {name: history.tally() for name, history in histories.items()}
    return {name: tally for name, tally in found.items() if any(tally.counts.values())}
