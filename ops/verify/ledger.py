"""The message ledger: every acknowledged entry, followed through the topics to exactly one end.

Imports no step and no linkage. What was acknowledged comes from the senders' journal; the ends come from
reading the topics. An entry whose chain is broken anywhere is `unaccounted`:

    intake (its header) -> receipt -> rejected: its sealed original in dlq.v1
                                   -> linked, held: its manifest and facts in events.v1, its record in
                                      link.map.v1, each fact under its person in pathway.in.v1, and the
                                      person's snapshot while a fact of theirs stands
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ops.admin.topic_reader import TopicMessage, read_topics
from ops.client.journal import Sent
from schemas import topics
from schemas.disposition import Disposition
from schemas.elements import ENTRY, FACT, entry_of
from schemas.envelope import ENTRY_ID_HEADER
from schemas.keyring import Keyring, recipient_purpose
from schemas.sources import Source

Reader = Callable[[Sequence[str]], Iterable[TopicMessage]]  # topic names -> every message of them, in order
V = TypeVar("V")
DISPOSITIONS = tuple(disposition.value for disposition in Disposition)


@dataclass(frozen=True)
class TopicIndex:
    """The topics as the ledger needs them, read once."""

    places: Mapping[str, Sequence[str]]  # entry id -> topic/partition/offset of its intake messages
    receipts: Mapping[str, str]  # entry id -> disposition
    manifests: Mapping[str, Sequence[tuple[str, Sequence[Sequence[str]]]]]  # entry id -> (record, facts)
    facts: frozenset[str]  # keys record/e/fact/version of events.v1
    links: Mapping[str, str]  # record -> person
    arrived: frozenset[str]  # keys person/record/fact of pathway.in.v1
    standing: frozenset[str]  # people of whom at least one fact is not taken back
    published: frozenset[str]  # published ids with a snapshot
    eventful: frozenset[str]  # published ids with an event, retracted ones too
    dead: Mapping[str, str]  # topic/partition/offset -> stage


def read_topic_index(bootstrap: str, sources: Iterable[Source], *, recipient: str) -> TopicIndex:
    """Read every topic of the chain once."""
    return books_of(lambda names: read_topics(bootstrap, names), sources, recipient=recipient)


def books_of(read: Reader, sources: Iterable[Source], *, recipient: str) -> TopicIndex:
    """The books of the topics that `read` gives."""
    keeper = TopicIndexBuilder(sources, recipient=recipient)
    for one in read(keeper.topics):
        keeper.take(one)
    return keeper.books()


class TopicIndexBuilder:
    """Makes the books message by message; keeps keys and a few words of each value, never the value."""

    def __init__(self, sources: Iterable[Source], *, recipient: str) -> None:
        """Empty books."""
        self._places: dict[str, list[str]] = defaultdict(list)
        self._receipts: dict[str, str] = {}
        self._manifests: dict[str, tuple[str, Sequence[Sequence[str]]]] = {}  # key -> (record, facts)
        self._facts: dict[str, tuple[str, bool]] = {}  # key -> (source_version_at, retracted)
        self._links: dict[str, str] = {}
        self._keys: dict[str, set[str]] = {"arrived": set(), "published": set(), "eventful": set()}
        self._dead: dict[str, str] = {}
        self._takers: dict[str, Callable[[TopicMessage], None]] = {
            topics.EVENTS: self._event,
            topics.LINK_MAP: self._link,
            topics.PATHWAY_IN: lambda one: self._key("arrived", one, _key(one)),
            topics.pathway_state(recipient): lambda one: self._key("published", one, _key(one)),
            topics.pathway_events(recipient): lambda one: self._key("eventful", one, _key(one).split("/")[0]),
            topics.DEAD_LETTERS: self._letter,
        }
        for source in sources:
            self._takers[source.intake_topic] = self._entry
            self._takers[source.receipts_topic] = self._receipt

    @property
    def topics(self) -> Sequence[str]:
        """What has to be read; every other topic is passed over."""
        return tuple(self._takers)

    def take(self, one: TopicMessage) -> None:
        """One message more, those of a partition in order."""
        taker = self._takers.get(one.topic)
        if taker is not None:
            taker(one)

    def books(self) -> TopicIndex:
        """What the messages taken so far say."""
        manifests: dict[str, list[tuple[str, Sequence[Sequence[str]]]]] = defaultdict(list)
        for key, manifest in self._manifests.items():
            # An entry has several when it was sent again with other content, or about another record.
            manifests[entry_of(key.split("/", 2)[2])].append(manifest)
        return TopicIndex(
            places=self._places,
            receipts=self._receipts,
            manifests=manifests,
            facts=frozenset(self._facts),
            links=self._links,
            arrived=frozenset(self._keys["arrived"]),
            standing=_standing(self._facts, self._links),
            published=frozenset(self._keys["published"]),
            eventful=frozenset(self._keys["eventful"]),
            dead=self._dead,
        )

    def _entry(self, one: TopicMessage) -> None:
        self._places[_header(one, ENTRY_ID_HEADER)].append(f"{one.topic}/{one.partition}/{one.offset}")

    def _receipt(self, one: TopicMessage) -> None:
        _put(self._receipts, one, lambda: _json(one)["disposition"])

    def _event(self, one: TopicMessage) -> None:
        record, kind, _ = _key(one).split("/", 2)
        if kind == FACT:
            _put(self._facts, one, lambda: _standing_of(one))
        elif kind == ENTRY:
            _put(self._manifests, one, lambda: (record, _json(one)["facts"]))

    def _link(self, one: TopicMessage) -> None:
        _put(self._links, one, lambda: str(_json(one)["person_id"]))

    def _letter(self, one: TopicMessage) -> None:
        _put(self._dead, one, lambda: _header(one, "stage"))

    def _key(self, name: str, one: TopicMessage, key: str) -> None:
        if one.value is not None:
            self._keys[name].add(key)
        elif name != "eventful":
            self._keys[name].discard(key)


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


def balance(sent: Iterable[Sent], books: TopicIndex, *, keys: Keyring, recipient: str) -> dict[str, Ledger]:
    """Source -> its ledger, and "" -> all of them."""
    ledgers: dict[str, Ledger] = defaultdict(Ledger)
    answers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in sent:
        answers[one.source, one.entry_id].append(one.answer)
    for (source, entry_id), given in answers.items():
        end, broken = Disposition.IGNORED.value, None  # the door kept nothing: its answer is the end
        if "accepted" in given:
            end = books.receipts.get(entry_id, "")
            broken = broken_at(entry_id, books, keys=keys, recipient=recipient)
        for ledger in (ledgers[source], ledgers[""]):
            _enter(ledger, given, end, broken)
    return dict(ledgers)


def stalled(books: TopicIndex) -> int:
    """Dead letters after ingress: messages of our own making that a later stage could not read. Must be 0."""
    return sum(stage != "ingress" for stage in books.dead.values())


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


def broken_at(entry_id: str, books: TopicIndex, *, keys: Keyring, recipient: str) -> str | None:
    """The topic at which the chain of an entry ends too early, or None when it is whole."""
    if entry_id not in books.places:
        return "intake"
    disposition = books.receipts.get(entry_id)
    if disposition is None:
        return "receipts"
    if disposition == Disposition.REJECTED:
        return None if any(place in books.dead for place in books.places[entry_id]) else topics.DEAD_LETTERS
    if disposition not in (Disposition.LINKED, Disposition.HELD):
        return None
    manifests = books.manifests.get(entry_id, ())
    if not manifests:
        return topics.EVENTS
    places = (_broken_after(*manifest, books, keys.mac, recipient) for manifest in manifests)
    return next((place for place in places if place is not None), None)


def _broken_after(
    record: str, facts: Sequence[Sequence[str]], books: TopicIndex, mac: Callable[..., str], recipient: str
) -> str | None:
    """Where the chain from one manifest on ends too early, or None."""
    person = books.links.get(record)
    if person is None:
        return topics.LINK_MAP
    for fact, version in facts:
        if f"{record}/{FACT}/{fact}/{version}" not in books.facts:
            return topics.EVENTS
        if f"{person}/{record}/{fact}" not in books.arrived:
            return topics.PATHWAY_IN
    published = mac(recipient_purpose(recipient), person) in books.published
    if facts and person in books.standing and not published:
        return topics.pathway_state(recipient)
    return None


def _standing(facts: Mapping[str, tuple[str, bool]], links: Mapping[str, str]) -> frozenset[str]:
    """The people with a fact whose winning version, over all their records, is not retracted."""
    newest: dict[tuple[str, str], tuple[str, str, bool]] = {}
    for key, (source_version_at, retracted) in facts.items():
        record, _, name = key.split("/", 2)
        if record in links:
            fact, _, version = name.partition("/")
            found = (source_version_at, version, not retracted)
            newest[links[record], fact] = max(found, newest.get((links[record], fact), found))
    return frozenset(person for (person, _), (_, _, stands) in newest.items() if stands)


def _put(kept: dict[str, V], one: TopicMessage, value: Callable[[], V]) -> None:
    """Keep what a value says. One that cannot be read says nothing: the chain through it is broken."""
    kept.pop(_key(one), None)
    if one.value is not None:
        with suppress(ValueError, LookupError, TypeError):
            kept[_key(one)] = value()


def _key(one: TopicMessage) -> str:
    return (one.key or b"").decode()


def _standing_of(one: TopicMessage) -> tuple[str, bool]:
    value = _json(one)
    return str(value["source_version_at"]), bool(value["retracted"])


def _json(one: TopicMessage) -> dict[str, Any]:
    return json.loads(one.value or b"{}")


def _header(one: TopicMessage, wanted: str) -> str:
    return next((value.decode() for name, value in one.headers if name == wanted), "")
