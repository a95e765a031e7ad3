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
from dataclasses import dataclass, field
from typing import Any

from ops.journal import Sent
from ops.topic_reader import Read, last_values, read_topics
from schemas import topics
from schemas.disposition import Disposition
from schemas.elements import ENTRY, FACT, entry_of
from schemas.envelope import ENTRY_ID_HEADER
from schemas.keyring import Keyring, recipient_purpose
from schemas.sources import Source

Reader = Callable[[Sequence[str]], Iterable[Read]]  # topic names -> every message of them, in order
DISPOSITIONS = tuple(disposition.value for disposition in Disposition)


@dataclass(frozen=True)
class Books:
    """The topics as the ledger needs them, read once."""

    places: Mapping[str, Sequence[str]]  # entry id -> topic/partition/offset of its intake messages
    receipts: Mapping[str, str]  # entry id -> disposition
    manifests: Mapping[str, Sequence[tuple[str, Sequence[Sequence[str]]]]]  # entry id -> (record, facts)
    facts: frozenset[str]  # keys record/e/fact/version of events.v1
    links: Mapping[str, str]  # record -> person
    arrived: frozenset[str]  # keys person/record/fact of pathway.in.v1
    standing: frozenset[str]  # people of whom at least one fact is not taken back
    published: frozenset[str]  # published ids with a snapshot
    dead: Mapping[str, str]  # topic/partition/offset -> stage


def read_books(bootstrap: str, sources: Iterable[Source], *, recipient: str) -> Books:
    """Read every topic of the chain once."""
    return books_of(lambda names: read_topics(bootstrap, names), sources, recipient=recipient)


def books_of(read: Reader, sources: Iterable[Source], *, recipient: str) -> Books:
    """The books of the topics that `read` gives."""
    sources = tuple(sources)
    places: dict[str, list[str]] = defaultdict(list)
    for one in read([source.intake_topic for source in sources]):
        for name, value in one.headers:
            if name == ENTRY_ID_HEADER:
                places[value.decode()].append(f"{one.topic}/{one.partition}/{one.offset}")
    receipts: dict[str, str] = {}
    for source in sources:
        for key, one in last_values(read([source.receipts_topic])).items():
            receipts[key.decode()] = _json(one)["disposition"]
    events = {key.decode(): one for key, one in last_values(read([topics.EVENTS])).items()}
    answers = last_values(read([topics.LINK_MAP]))
    links = {key.decode(): str(_json(one)["person_id"]) for key, one in answers.items()}
    dead = last_values(read([topics.DEAD_LETTERS]))
    return Books(
        places=places,
        receipts=receipts,
        manifests=_manifests(events),
        facts=frozenset(key for key in events if key.split("/")[1] == FACT),
        links=links,
        arrived=frozenset(key.decode() for key in last_values(read([topics.PATHWAY_IN]))),
        standing=_standing(events, links),
        published=frozenset(key.decode() for key in last_values(read([topics.pathway_state(recipient)]))),
        dead={key.decode(): _header(one, "stage") for key, one in dead.items()},
    )


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


def balance(sent: Iterable[Sent], books: Books, *, keys: Keyring, recipient: str) -> dict[str, Ledger]:
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


def stalled(books: Books) -> int:
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


def broken_at(entry_id: str, books: Books, *, keys: Keyring, recipient: str) -> str | None:
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
    record: str, facts: Sequence[Sequence[str]], books: Books, mac: Callable[..., str], recipient: str
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


def _manifests(events: Mapping[str, Read]) -> dict[str, list[tuple[str, Sequence[Sequence[str]]]]]:
    """An entry has several when it was sent again with other content, or about another record."""
    manifests: dict[str, list[tuple[str, Sequence[Sequence[str]]]]] = defaultdict(list)
    for key, one in events.items():
        record, kind, name = key.split("/", 2)
        if kind == ENTRY:
            manifests[entry_of(name)].append((record, _json(one)["facts"]))
    return manifests


def _standing(events: Mapping[str, Read], links: Mapping[str, str]) -> frozenset[str]:
    """The people with a fact whose winning version, over all their records, is not retracted."""
    newest: dict[tuple[str, str], tuple[str, str, bool]] = {}
    for key, one in events.items():
        record, kind, name = key.split("/", 2)
        if kind == FACT and record in links:
            fact, _, version = name.partition("/")
            told = _json(one)
            found = (told["told_at"], version, not told["retracted"])
            newest[links[record], fact] = max(found, newest.get((links[record], fact), found))
    return frozenset(person for (person, _), (_, _, stands) in newest.items() if stands)


def _json(one: Read) -> dict[str, Any]:
    return json.loads(one.value or b"{}")


def _header(one: Read, wanted: str) -> str:
    return next((value.decode() for name, value in one.headers if name == wanted), "")
