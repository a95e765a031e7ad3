"""The message ledger: every acknowledged entry, followed through the topics to exactly message end.

Imports no step and no linkage. What was acknowledged comes from the senders' journal; the ends come from
reading the topics. An entry whose chain is broken anywhere is `unaccounted`:

    intake (its key)    -> receipt, disposition -> rejected: its sealed original in dlq.v1
                                                -> linked, held: its elements in events.v1, their record in
                                                   link.map.v1, each under its person in pathway.in.v1, and the
                                                   person's snapshot while a fact of theirs stands
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from ops.admin.topic_reader import TopicMessage
from ops.client.journal import Sent
from schemas import topics
from schemas.disposition import Disposition
from schemas.elements import ENTRY, entry_of, fact_names
from schemas.envelope import entry_name
from schemas.keyring import Keyring, recipient_purpose
from schemas.sources import Source

Reader = Callable[[Sequence[str]], Iterable[TopicMessage]]  # topic names -> every message of them, in order
V = TypeVar("V")
_ENTRY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DISPOSITIONS = tuple(disposition.value for disposition in Disposition)


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """One element of an entry in `events.v1`; an entry sent again with other content has several."""

    record: str
    name: str  # of the element: its key without record and kind
    source_version_at: str
    facts: Sequence[tuple[str, str, bool]]  # fact id, version, retracted


@dataclass(frozen=True)
class TopicIndex:
    """The topics as the ledger needs them, read once. Entries go by their keyed names."""

    places: Mapping[str, Sequence[str]]  # entry -> topic/partition/offset of its intake messages
    receipts: Mapping[str, str]  # entry -> what its source was answered
    dispositions: Mapping[str, str]  # entry -> where it ended
    elements: Mapping[str, Sequence[EntryPlace]]  # entry -> where it stands in events.v1
    links: Mapping[str, str]  # record -> person
    arrived: frozenset[str]  # keys person/record/entry of pathway.in.v1
    standing: frozenset[str]  # people of whom at least one fact is not taken back
    published: frozenset[str]  # published ids with a snapshot
    eventful: frozenset[str]  # published ids with an event, retracted ones too
    dead_letters: Mapping[str, str]  # topic/partition/offset -> stage


def read_topic_index(read: Reader, sources: Iterable[Source], *, keys: Keyring, recipient: str) -> TopicIndex:
    """The index of the topics that `read` gives, each read once."""
    builder = TopicIndexBuilder(sources, keys=keys, recipient=recipient)
    for message in read(builder.topics):
        builder.take(message)
    return builder.index()


class TopicIndexBuilder:
    """Makes the index message by message; keeps keys and a few fields of each value, never the value."""

    def __init__(self, sources: Iterable[Source], *, keys: Keyring, recipient: str) -> None:
        """An empty index. `keys` name the entries of the intake as they are called beyond it."""
        self._keys = keys
        self._places: dict[str, list[str]] = defaultdict(list)
        self._receipts: dict[str, str] = {}
        self._dispositions: dict[str, str] = {}
        self._elements: dict[str, EntryPlace] = {}  # by key
        self._links: dict[str, str] = {}
        self._seen: dict[str, set[str]] = {"arrived": set(), "published": set(), "eventful": set()}
        self._dead_letters: dict[str, str] = {}
        self._takers: dict[str, Callable[[TopicMessage], None]] = {
            topics.EVENTS: self._event,
            topics.LINK_MAP: self._link,
            topics.PATHWAY_IN: lambda message: self._key("arrived", message, _key(message)),
            topics.pathway_state(recipient): lambda message: self._key("published", message, _key(message)),
            topics.pathway_events(recipient): lambda message: self._key(
                "eventful", message, _key(message).split("/")[0]
            ),
            topics.DEAD_LETTERS: self._letter,
            topics.DISPOSITIONS: self._disposition,
        }
        for source in sources:
            self._takers[source.intake_topic] = partial(self._entry, source.slug)
            self._takers[source.receipts_topic] = partial(self._receipt, source.slug)

    @property
    def topics(self) -> Sequence[str]:
        """What has to be read; every other topic is ignored."""
        return tuple(self._takers)

    def take(self, message: TopicMessage) -> None:
        """Take one more message; those of a partition come in order."""
        taker = self._takers.get(message.topic)
        if taker is not None:
            taker(message)

    def index(self) -> TopicIndex:
        """The index of the messages taken so far."""
        elements: dict[str, list[EntryPlace]] = defaultdict(list)
        for place in self._elements.values():
            elements[entry_of(place.name)].append(place)
        return TopicIndex(
            places=self._places,
            receipts=self._receipts,
            dispositions=self._dispositions,
            elements=elements,
            links=self._links,
            arrived=frozenset(self._seen["arrived"]),
            standing=_standing(self._elements.values(), self._links),
            published=frozenset(self._seen["published"]),
            eventful=frozenset(self._seen["eventful"]),
            dead_letters=self._dead_letters,
        )

    def _entry(self, source: str, message: TopicMessage) -> None:
        entry_id = (message.key or b"").decode("ascii", "replace")
        name = entry_name(self._keys, source, entry_id) if _ENTRY_ID.fullmatch(entry_id) else ""
        self._places[name].append(f"{message.topic}/{message.partition}/{message.offset}")

    def _receipt(self, source: str, message: TopicMessage) -> None:
        name = entry_name(self._keys, source, _key(message))
        _put(self._receipts, message, lambda: _json(message)["receipt"], key=name)

    def _disposition(self, message: TopicMessage) -> None:
        _put(self._dispositions, message, lambda: _json(message)["disposition"])

    def _event(self, message: TopicMessage) -> None:
        record, kind, name = _key(message).split("/", 2)
        if kind == ENTRY:
            _put(self._elements, message, lambda: _entry_place(record, name, _json(message)))

    def _link(self, message: TopicMessage) -> None:
        _put(self._links, message, lambda: str(_json(message)["person_id"]))

    def _letter(self, message: TopicMessage) -> None:
        _put(self._dead_letters, message, lambda: _header(message, "stage"))

    def _key(self, name: str, message: TopicMessage, key: str) -> None:
        if message.value is not None:
            self._seen[name].add(key)
        elif name != "eventful":
            self._seen[name].discard(key)


@dataclass
class Ledger:
    """Counts of one source, or of all."""

    acknowledged: int = 0
    duplicates: int = 0
    refused: int = 0
    unknown: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)
    unaccounted: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, int]:
        """Flat counts under the names of the architecture's promise 7."""
        return {
            "acknowledged": self.acknowledged,
            "duplicates": self.duplicates,
            "refused": self.refused,
            **{name: self.dispositions[name] for name in DISPOSITIONS},
            "unaccounted": self.unaccounted,
        }


def balance(sent: Iterable[Sent], index: TopicIndex, *, keys: Keyring, recipient: str) -> dict[str, Ledger]:
    """Source -> its ledger, and "" -> all of them."""
    ledgers: dict[str, Ledger] = defaultdict(Ledger)
    answers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry in sent:
        answers[entry.source, entry_name(keys, entry.source, entry.entry_id)].append(entry.answer)
    for (source, name), given in answers.items():
        end, broken = Disposition.IGNORED.value, None  # the door published nothing: its answer is the end
        if "accepted" in given:
            end = index.dispositions.get(name, "")
            broken = broken_at(name, index, keys=keys, recipient=recipient)
        for ledger in (ledgers[source], ledgers[""]):
            _enter(ledger, given, end, broken)
    return dict(ledgers)


def stalled(index: TopicIndex) -> int:
    """Dead letters after ingress: messages that a stage wrote and a later one could not read. Must be 0."""
    return sum(stage != "ingress" for stage in index.dead_letters.values())


def _enter(ledger: Ledger, given: Sequence[str], end: str, broken: str | None) -> None:
    ledger.refused += given.count("refused")
    acknowledged = given.count("accepted") + given.count("ignored")
    if not acknowledged:
        ledger.unknown += bool(given.count("unknown"))
        return
    ledger.acknowledged += 1
    ledger.duplicates += acknowledged - 1
    if broken is None:
        ledger.dispositions[end] += 1
    else:
        ledger.unaccounted += 1
        ledger.broken[broken] += 1


def broken_at(entry: str, index: TopicIndex, *, keys: Keyring, recipient: str) -> str | None:
    """The topic at which the chain of an entry ends too early, or None when it is whole."""
    if entry not in index.places:
        return "intake"
    if entry not in index.receipts:
        return "receipts"
    disposition = index.dispositions.get(entry)
    if disposition is None:
        return topics.DISPOSITIONS
    if disposition == Disposition.REJECTED:
        return None if any(place in index.dead_letters for place in index.places[entry]) else topics.DEAD_LETTERS
    if disposition not in (Disposition.LINKED, Disposition.HELD):
        return None
    elements = index.elements.get(entry, ())
    if not elements:
        return topics.EVENTS
    broken = (_broken_after(place, index, keys.mac, recipient) for place in elements)
    return next((topic for topic in broken if topic is not None), None)


def _broken_after(place: EntryPlace, index: TopicIndex, mac: Callable[..., str], recipient: str) -> str | None:
    """Where the chain from one element on ends too early, or None."""
    person = index.links.get(place.record)
    if person is None:
        return topics.LINK_MAP
    if f"{person}/{place.record}/{place.name}" not in index.arrived:
        return topics.PATHWAY_IN
    published = mac(recipient_purpose(recipient), person) in index.published
    if place.facts and person in index.standing and not published:
        return topics.pathway_state(recipient)
    return None


def _standing(elements: Iterable[EntryPlace], links: Mapping[str, str]) -> frozenset[str]:
    """The people with a fact whose winning version, over all their records, is not retracted."""
    newest: dict[tuple[str, str], tuple[str, str, bool]] = {}
    for place in elements:
        if place.record in links:
            person = links[place.record]
            for fact, version, retracted in place.facts:
                found = (place.source_version_at, version, not retracted)
                newest[person, fact] = max(found, newest.get((person, fact), found))
    return frozenset(person for (person, _), (_, _, stands) in newest.items() if stands)


def _put(values: dict[str, V], message: TopicMessage, value: Callable[[], V], *, key: str | None = None) -> None:
    """Keep part of a value. A value that cannot be read is left out: the chain through it is broken."""
    key = _key(message) if key is None else key
    values.pop(key, None)
    if message.value is not None:
        with suppress(ValueError, LookupError, TypeError):
            values[key] = value()


def _key(message: TopicMessage) -> str:
    return (message.key or b"").decode()


def _entry_place(record: str, name: str, entry: Mapping[str, Any]) -> EntryPlace:
    facts = tuple((name.fact_id, name.version, name.retracted) for name in fact_names(entry))
    return EntryPlace(record, name, str(entry["source_version_at"]), facts)


def _json(message: TopicMessage) -> dict[str, Any]:
    return json.loads(message.value or b"{}")


def _header(message: TopicMessage, wanted: str) -> str:
    return next((value.decode() for name, value in message.headers if name == wanted), "")
