"""The message ledger: every acknowledged entry, followed through the topics to exactly one end.

Imports no step and no linkage. What was acknowledged comes from the senders' journal; the ends come from reading the
topics. An entry whose chain is broken anywhere is `unaccounted`:

    intake (its header) -> receipt -> rejected: its sealed original in dlq.v1
                                   -> linked, held: its manifest and facts in events.v1, its record in link.map.v1,
                                      each fact under its person in pathway.in.v1, the person's snapshot
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.journal import Sent
from ops.topic_reader import Read, last_values, read_topics
from schemas import topics
from schemas.disposition import Disposition
from schemas.envelope import ENTRY_ID_HEADER
from schemas.keyring import Keyring, recipient_purpose
from schemas.sources import Source

DISPOSITIONS = tuple(disposition.value for disposition in Disposition)


@dataclass(frozen=True)
class Books:
    """The topics as the ledger needs them, read once."""

    places: Mapping[str, Sequence[str]]  # entry id -> topic/partition/offset of its intake messages
    receipts: Mapping[str, str]  # entry id -> disposition
    manifests: Mapping[str, tuple[str, Sequence[Sequence[str]]]]  # entry id -> record, facts
    facts: frozenset[str]  # keys record/e/fact of events.v1
    links: Mapping[str, str]  # record -> person
    arrived: frozenset[str]  # keys person/record/fact of pathway.in.v1
    published: frozenset[str]  # published ids with a snapshot
    dead: Mapping[str, str]  # topic/partition/offset -> stage


def read_books(bootstrap: str, sources: Iterable[Source], *, recipient: str) -> Books:
    """Read every topic of the chain once."""
    sources = tuple(sources)
    places: dict[str, list[str]] = defaultdict(list)
    for one in read_topics(bootstrap, [source.intake_topic for source in sources]):
        for name, value in one.headers:
            if name == ENTRY_ID_HEADER:
                places[value.decode()].append(f"{one.topic}/{one.partition}/{one.offset}")
    receipts: dict[str, str] = {}
    for source in sources:
        for key, one in last_values(read_topics(bootstrap, [source.receipts_topic])).items():
            receipts[key.decode()] = _json(one)["disposition"]
    manifests, facts = _events(last_values(read_topics(bootstrap, [topics.EVENTS])))
    links = last_values(read_topics(bootstrap, [topics.LINK_MAP]))
    dead = last_values(read_topics(bootstrap, [topics.DEAD_LETTERS]))
    return Books(
        places=places,
        receipts=receipts,
        manifests=manifests,
        facts=facts,
        links={key.decode(): _json(one)["person_id"] for key, one in links.items()},
        arrived=frozenset(key.decode() for key in last_values(read_topics(bootstrap, [topics.PATHWAY_IN]))),
        published=frozenset(
            key.decode() for key in last_values(read_topics(bootstrap, [topics.pathway_state(recipient)]))
        ),
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
        for ledger in (ledgers[source], ledgers[""]):
            _enter(ledger, entry_id, given, books, keys, recipient)
    return dict(ledgers)


def stalled(books: Books) -> int:
    """Dead letters after ingress: messages of our own making that a later stage could not read. Must be 0."""
    return sum(stage != "ingress" for stage in books.dead.values())


def _enter(
    ledger: Ledger, entry_id: str, given: Sequence[str], books: Books, keys: Keyring, recipient: str
) -> None:
    ledger.refused += given.count("refused")
    acknowledged = given.count("accepted") + given.count("ignored")
    if not acknowledged:
        ledger.unknown += bool(given.count("unknown"))
        return
    ledger.acknowledged += 1
    ledger.duplicates += acknowledged - 1
    if "accepted" not in given:  # the door said `ignored` and kept nothing: the answer is the end
        ledger.dispositions[Disposition.IGNORED.value] += 1
        return
    where = broken_at(entry_id, books, keys=keys, recipient=recipient)
    if where is None:
        ledger.dispositions[books.receipts[entry_id]] += 1
    else:
        ledger.unaccounted += 1
        ledger.broken[where] += 1


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
    if entry_id not in books.manifests:
        return topics.EVENTS
    record, facts = books.manifests[entry_id]
    person = books.links.get(record)
    if person is None:
        return topics.LINK_MAP
    for fact, version in facts:
        if f"{record}/e/{fact}/{version}" not in books.facts:
            return topics.EVENTS
        if f"{person}/{record}/{fact}" not in books.arrived:
            return topics.PATHWAY_IN
    if facts and keys.mac(recipient_purpose(recipient), person) not in books.published:
        return topics.pathway_state(recipient)
    return None


def _events(
    latest: Mapping[bytes, Read],
) -> tuple[dict[str, tuple[str, Sequence[Sequence[str]]]], frozenset[str]]:
    manifests, facts = {}, set()
    for key, one in latest.items():
        record, kind, name = key.decode().split("/", 2)
        if kind == "n":
            manifests[name] = (record, _json(one)["facts"])
        elif kind == "e":
            facts.add(key.decode())
    return manifests, frozenset(facts)


def _json(one: Read) -> dict[str, Any]:
    return json.loads(one.value or b"{}")


def _header(one: Read, wanted: str) -> str:
    return next((value.decode() for name, value in one.headers if name == wanted), "")
