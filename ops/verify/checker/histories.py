"""One topic's history: does any key end older than it was, and was one thing said in two ways?

A crash makes the host answer the last messages again: of one key it may write r1 r2 r3, then r2 r3 once more.
That is allowed, and so is that an early answer given again already knows more than it did. What must hold:

    backwards   the last value of a key says what the newest did. Newest is the highest revision, and where a
                value has none, the highest offset of the message that caused it (header `src`, per topic of
                the cause). Of a person's snapshot the last must *be* the newest.
    rebytes     what carries its own version in its key (events.v1, by content hash; dlq.v1, by place) has the
                same bytes each time; elsewhere the values of one key at its newest revision say the same.
                At older revisions they may differ: the second answer rests on a state that was further on.
    rewound     informational: keys that end on an older revision with the newest content.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ops.admin.topic_reader import TopicMessage
from ops.verify.compare import without_history
from schemas import canonical, topics
from schemas.errors import Unreadable

PLACES_MAX = 5  # examples kept: topic/partition/offset, never a key
SAME_BYTES = (topics.EVENTS, topics.DEAD_LETTERS)
_REVISION = re.compile(rb'"revision": ?(\d+)')

Clock = tuple[str, int]  # what the age is counted in ("" for a revision of its own), and the age
Kind = Literal["backwards", "rebytes", "rewound"]


class KeyedMessage(NamedTuple):
    """One message of a key: how old by which clock, what it said, where it stands."""

    clock: Clock
    value: bytes | None
    offset: int


@dataclass
class AnomalyTally:
    """Keys by anomaly, and where some of the messages stand."""

    counts: dict[Kind, int] = field(default_factory=lambda: {"backwards": 0, "rebytes": 0, "rewound": 0})
    places: dict[Kind, list[str]] = field(default_factory=dict)

    def note(self, kind: Kind, place: str) -> None:
        """One key more."""
        self.counts[kind] += 1
        places = self.places.setdefault(kind, [])
        if len(places) < PLACES_MAX:
            places.append(place)


class History:
    """Take every message of one topic, partition by partition in order; then `tally()`."""

    def __init__(self, topic: str) -> None:
        """A topic of which nothing has been read."""
        self._topic = topic
        self._age = _age_of(topic)
        self._strict = topic.startswith("pathway.state.")
        self._tally = AnomalyTally()
        self._partition = -1
        self._last: dict[bytes, KeyedMessage] = {}
        self._newest: dict[tuple[bytes, str], KeyedMessage] = {}
        self._rebytes: dict[tuple[bytes, str], int] = {}  # key -> offset of the message that says otherwise
        self._first: dict[bytes, int] = {}  # key -> hash of its first bytes

    def take(self, read: TopicMessage) -> None:
        """One message more."""
        if read.partition != self._partition:
            self._close()
            self._partition = read.partition
        if read.key is None:
            return
        if self._topic in SAME_BYTES:
            self._same_bytes(read.key, read)
        elif self._age is not None and (clock := self._age(read)) is not None:
            self._told(read.key, KeyedMessage(clock, read.value, read.offset))

    def tally(self) -> AnomalyTally:
        """What was found."""
        self._close()
        return self._tally

    def _same_bytes(self, key: bytes, read: TopicMessage) -> None:
        if read.value is not None and self._first.setdefault(key, hash(read.value)) != hash(read.value):
            self._rebytes.setdefault((key, ""), read.offset)

    def _told(self, key: bytes, told: KeyedMessage) -> None:
        name, age = told.clock
        newest = self._newest.get((key, name))
        if newest is None or age > newest.clock[1]:
            self._rebytes.pop((key, name), None)
        elif age == newest.clock[1] and name == "" and not self._same(told.value, newest.value):
            self._rebytes.setdefault((key, name), told.offset)
        if newest is None or age >= newest.clock[1]:
            self._newest[key, name] = told
        self._last[key] = told

    def _close(self) -> None:
        """The partition has been read: judge its keys and forget them."""
        for key, last in self._last.items():
            newest = self._newest[key, last.clock[0]]
            if last.clock < newest.clock:
                same = self._same(last.value, newest.value)
                self._tally.note(
                    "rewound" if same and not self._strict else "backwards", self._place(last.offset)
                )
        for offset in self._rebytes.values():
            self._tally.note("rebytes", self._place(offset))
        self._last, self._newest, self._rebytes, self._first = {}, {}, {}, {}

    def _same(self, one: bytes | None, other: bytes | None) -> bool:
        return one == other or _content(self._topic, one) == _content(self._topic, other)

    def _place(self, offset: int) -> str:
        return f"{self._topic}/{self._partition}/{offset}"


def _content(topic: str, value: bytes | None) -> Any:
    """What a value says, apart from history; of a receipt only what became of the entry."""
    if value is None:
        return None
    try:
        said = without_history(canonical.load(value))
    except Unreadable:
        return value
    if topic.startswith("receipts.") and isinstance(said, dict):
        return said.get("disposition")
    return said


def _age_of(topic: str) -> Callable[[TopicMessage], Clock | None] | None:
    """How a message of the topic tells its age; None where nothing competes (intake, pathway.in)."""
    if topic == topics.LINK_MAP or topic.startswith(("pathway.state.", "pathway.events.", "receipts.")):
        return _revision
    if topic in (topics.IDENTITY, topics.REVIEW) or topic.startswith("state."):
        return _cause
    return None


def _revision(read: TopicMessage) -> Clock | None:
    """The value's own; a tombstone of a published topic tells it in `ce_id`, one of link.map.v1 by its cause."""
    if read.value is not None:
        found = _REVISION.findall(read.value)
        return ("", int(found[-1])) if found else None
    named = dict(read.headers)
    if "ce_id" in named:
        return "", int(named["ce_id"].rpartition(b"/")[2])
    cause = _cause(read) if read.topic == topics.LINK_MAP else None
    return ("", cause[1]) if cause is not None else None


def _cause(read: TopicMessage) -> Clock | None:
    for name, value in read.headers:
        if name == "src":
            topic, _, offset = value.decode().split("/")
            return topic, int(offset)
    return None


def tallies(histories: Mapping[str, "History"]) -> dict[str, AnomalyTally]:
    """Topic -> what was found there, for topics where anything was."""
    found = {name: history.tally() for name, history in histories.items()}
    return {name: tally for name, tally in found.items() if any(tally.counts.values())}
