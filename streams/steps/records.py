"""Records: the state of one patient at one source: facts, winning identity, entries, and the person they
belong to.

    events.v1    -> identity.v1 when the winning identity changes, once the record is ours
    link.map.v1  -> pathway.in.v1: the record's facts under its person, withdrawn from every former one
                 -> receipts.<source>.v1: what became of each entry

A record is *ours* once an entry named a service or told a fact of care; a hospital's feed carries everybody
else too, with sex, birth year and death. Until then its entries are `ignored`, nothing of it leaves this
step, and after 30 days its elements are removed.

What the state already shows has been sent and acknowledged (the host writes state after outputs), so a
redelivered message whose effect is in the state is answered with nothing.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from schemas import canonical, elements
from schemas.disposition import Disposition
from schemas.errors import Unreadable
from schemas.linking import Link, RecordIdentity, receipt
from schemas.pathway_in import fact_message, withdrawal_message
from schemas.topics import DAY_MS, EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN, partition_of
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject

GRACE_MS = 30 * DAY_MS  # how long an identity may wait for the first fact of its record
EXPIRED_HEADER = ("removed", b"expired")  # marks our own removals, so that a race with a new arrival is seen
EXPIRED_AT_ONCE = 10
# every patient of the hospital has these: they claim nobody
ABOUT_ANYBODY = frozenset({"demographics", "death"})

# State elements: `<record>/<kind>/<name>`, the kinds of events.v1 and three of our own.
LINK, ANNOUNCED, SINCE = "l", "a", "s"


@dataclass(slots=True)
class Record:
    """What is known of one record, by the element's name; of a fact only the version that won."""

    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # fact id -> {"version", "fact"}
    identities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    entries: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # {"entry", "told": disposition}
    merges: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    link: Mapping[str, Any] | None = None
    announced: bytes | None = None
    since_ms: int | None = None

    @property
    def ours(self) -> bool:
        """True once the record has a fact of care, or an entry that named a service of ours."""
        of_care = (one["fact"]["body"]["type"] not in ABOUT_ANYBODY for one in self.facts.values())
        return any(of_care) or any(one["entry"]["service_named"] for one in self.entries.values())

    def winning_identity(self) -> Mapping[str, Any] | None:
        """The manifest's identity with the highest (told_at, hash): by value, never by arrival."""
        told = [(e["entry"]["told_at"], e["entry"]["identity"]) for e in self.entries.values()]
        return self.identities.get(max(told)[1]) if told else None

    def merged_into(self) -> str | None:
        """Where the latest merge sent this record, or None."""
        merges = [(merge["told_at"], merge["into"]) for merge in self.merges.values()]
        return max(merges)[1] if merges else None


@dataclass(slots=True)
class RecordsState:
    """One task's records, and those that wait for a first fact in order of arrival."""

    records: dict[str, Record] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)  # record -> since_ms

    def of(self, record_id: str) -> Record:
        """The record, made when it is new."""
        return self.records.setdefault(record_id, Record())


class RecordsStep:
    """events.v1, link.map.v1 -> identity.v1, pathway.in.v1, receipts.<source>.v1."""

    def __init__(self, receipts_topics: Mapping[str, str], *, domain: int = 0) -> None:
        self._receipts_topics = receipts_topics
        self._domain = domain

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> RecordsState:
        """The records of one task from its changelog."""
        state = RecordsState()
        for key, value in elements:
            record_id, kind, name = key.decode().split("/", 2)
            _put(state.of(record_id), kind, name, value)
        since = [(r.since_ms, i) for i, r in state.records.items() if r.since_ms is not None]
        state.waiting = {record_id: since_ms for since_ms, record_id in sorted(since)}
        return state

    def advance(self, state: RecordsState, message: Message) -> tuple[RecordsState, tuple[Outcome, ...]]:
        """What follows from one element or one answer of the linker."""
        expired = _expire(state, message.timestamp_ms)
        if message.value is None:
            return state, (*expired, *_removed(state, message))
        try:
            if message.topic == LINK_MAP:
                record_id, answer = (message.key or b"").decode("ascii"), Link.parse(message.value)
                outcomes = self._linked(state.of(record_id), record_id, answer, message)
            else:
                element = elements.parse(message.key or b"", message.value)
                outcomes = self._told(state, element, message)
        except (Unreadable, UnicodeError):  # a key, or an id that cannot be part of one
            return state, (*expired, Reject("unreadable"))
        return state, (*expired, *outcomes)

    def _told(self, state: RecordsState, element: elements.Element, message: Message) -> list[Outcome]:
        record, record_id = state.of(element.record_id), element.record_id
        outcomes: list[Outcome] = []
        if element.kind == elements.FACT:
            outcomes += _fact(record, record_id, element)
        elif element.kind == elements.IDENTITY and element.name not in record.identities:
            record.identities[element.name] = element.value
            outcomes.append(_change(record_id, element.kind, element.name, element.value))
        elif element.kind == elements.MERGE and element.name not in record.merges:
            record.merges[element.name] = element.value
            outcomes.append(_change(record_id, element.kind, element.name, element.value))
        elif element.kind == elements.ENTRY and element.name not in record.entries:
            record.entries[element.name] = {"entry": element.value, "told": None}
            outcomes.append(_change(record_id, element.kind, element.name, record.entries[element.name]))
        outcomes += self._announce(record, record_id)
        outcomes += self._receipts(record, record_id)
        outcomes += _wait_or_not(state, record, record_id, message)
        return outcomes

    def _linked(self, record: Record, record_id: str, answer: Link, message: Message) -> list[Outcome]:
        known = record.link
        if known is not None and answer.revision <= known["revision"]:
            return []
        # another `formerly` under the same person: an answer in between never reached us, compacted away
        moved = (
            known is None
            or known["person_id"] != answer.person_id
            or known["formerly"] != list(answer.formerly)
        )
        since = answer.revision if moved or known is None else known["since"]
        link = {
            "person_id": answer.person_id,
            "status": answer.status,
            "revision": answer.revision,
            "since": since,
            "formerly": list(answer.formerly),
        }
        outcomes: list[Outcome] = []
        if moved:
            outcomes += [
                _to_person(former, *withdrawal_message(former, record_id, answer.revision))
                for former in answer.formerly
            ]
            outcomes += [
                _fact_emit(answer.person_id, stored["fact"], since) for stored in record.facts.values()
            ]
        record.link = link
        outcomes += self._receipts(record, record_id)
        # Last: while the link is not in the changelog, the answer given again is taken up again as a whole.
        return [*outcomes, _change(record_id, LINK, "", link)]

    def _announce(self, record: Record, record_id: str) -> list[Outcome]:
        """Tell the linker who this record is about, when that has changed."""
        identity, tier = record.winning_identity(), _tier(record)
        if not record.ours or tier is None:
            return []
        usable = identity is not None and identity["usable"]
        sealed = base64.b64decode(identity["tokens"]) if identity is not None and usable else None
        value = RecordIdentity(record_id, tier, sealed, record.merged_into()).value()
        if value == record.announced:
            return []
        record.announced = value
        emit = Emit(IDENTITY, self._domain, record_id.encode(), value)
        return [emit, Change(f"{record_id}/{ANNOUNCED}/".encode(), value)]

    def _receipts(self, record: Record, record_id: str) -> list[Outcome]:
        """A receipt for every entry whose disposition is not yet told; none while the linker has not
        answered.

        Its revision is 0 for `ignored`, else one above that of the link: higher means newer.
        """
        if not record.ours:
            disposition, revision = Disposition.IGNORED.value, 0
        elif record.link is None:
            return []
        else:
            disposition, revision = record.link["status"], record.link["revision"] + 1
        outcomes: list[Outcome] = []
        for name, one in record.entries.items():
            if one["told"] == disposition:
                continue
            record.entries[name] = {**one, "told": disposition}
            topic, entry_id = self._receipts_topics.get(one["entry"]["source"]), elements.entry_of(name)
            if topic is not None:
                value = receipt(disposition, revision=revision)
                outcomes.append(Emit(topic, partition_of(entry_id), entry_id.encode(), value))
            outcomes.append(_change(record_id, elements.ENTRY, name, record.entries[name]))
        return outcomes


def _fact(record: Record, record_id: str, element: elements.Element) -> list[Outcome]:
    """Keep the version with the highest (told_at, content hash); pass it on when the person is known."""
    fact_id, _, version = element.name.rpartition("/")
    known = record.facts.get(fact_id)
    if known is not None and _rank(known) >= (element.value["told_at"], version):
        return []
    stored: dict[str, Any] = {"version": version, "fact": dict(element.value)}
    record.facts[fact_id] = stored
    outcomes: list[Outcome] = []
    if record.link is not None:
        outcomes.append(_fact_emit(record.link["person_id"], stored["fact"], record.link["since"]))
    return [*outcomes, _change(record_id, elements.FACT, fact_id, stored)]


def _rank(stored: Mapping[str, Any]) -> tuple[str, str]:
    return stored["fact"]["told_at"], stored["version"]


def _tier(record: Record) -> str | None:
    tiers = [one["entry"]["tier"] for one in record.entries.values()]
    return tiers[0] if tiers else None


def _fact_emit(person_id: str, fact: Mapping[str, Any], link_revision: int) -> Emit:
    return _to_person(person_id, *fact_message(person_id, dict(fact), link_revision))


def _to_person(person_id: str, key: bytes, value: bytes) -> Emit:
    return Emit(PATHWAY_IN, partition_of(person_id), key, value)


def _change(record_id: str, kind: str, name: str, value: Mapping[str, Any]) -> Change:
    return Change(f"{record_id}/{kind}/{name}".encode(), canonical.dump(value))


def _put(record: Record, kind: str, name: str, value: bytes) -> None:
    if kind == ANNOUNCED:
        record.announced = value
        return
    parsed = canonical.load_object(value)
    if kind == LINK:
        record.link = parsed
    elif kind == SINCE:
        record.since_ms = int(parsed["since_ms"])
    else:
        {
            elements.FACT: record.facts,
            elements.IDENTITY: record.identities,
            elements.ENTRY: record.entries,
            elements.MERGE: record.merges,
        }[kind][name] = parsed


def _wait_or_not(state: RecordsState, record: Record, record_id: str, message: Message) -> list[Outcome]:
    """Start the 30 days' grace of a record that is not ours, or end it when it became ours."""
    if not record.ours and record.since_ms is None:
        record.since_ms = state.waiting[record_id] = message.timestamp_ms
        return [_change(record_id, SINCE, "", {"since_ms": record.since_ms})]
    if record.ours and record.since_ms is not None:
        record.since_ms = None
        state.waiting.pop(record_id, None)
        return [Change(f"{record_id}/{SINCE}/".encode(), None)]
    return []


def _expire(state: RecordsState, now_ms: int) -> tuple[Outcome, ...]:
    """Remove what waited longer than the grace, from `events.v1` and the state; a few records a message."""
    outcomes: list[Outcome] = []
    for record_id, since_ms in list(islice(state.waiting.items(), EXPIRED_AT_ONCE)):
        if now_ms - since_ms < GRACE_MS:
            break
        del state.waiting[record_id]
        record = state.records.pop(record_id)
        place = partition_of(record_id)
        outcomes += [
            Emit(EVENTS, place, key, None, (EXPIRED_HEADER,)) for key in _removable(record_id, record)
        ]
        outcomes += [Change(key, None) for key in _kept(record_id, record)]
        outcomes.append(Change(f"{record_id}/{SINCE}/".encode(), None))
    return tuple(outcomes)


def _removed(state: RecordsState, message: Message) -> list[Outcome]:
    """A removal read back. One of ours may have overtaken the same element told anew: then it is written
    again.
    """
    record_id = (message.key or b"").partition(b"/")[0].decode("ascii", "replace")
    record = state.records.get(record_id)
    if message.topic != EVENTS or EXPIRED_HEADER not in message.headers or record is None:
        return []
    key = message.key or b""
    value = _removable(record_id, record).get(key)
    return [Emit(EVENTS, message.partition, key, value)] if value is not None else []


def _removable(record_id: str, record: Record) -> dict[bytes, bytes | None]:
    """Key -> value of everything the record has in `events.v1`; None for a version that did not win."""
    entries = {name: one["entry"] for name, one in record.entries.items()}
    facts: dict[str, Any] = {"/".join(one): None for entry in entries.values() for one in entry["facts"]}
    facts |= {f"{fact_id}/{one['version']}": one["fact"] for fact_id, one in record.facts.items()}
    kinds: Mapping[str, Mapping[str, Any]] = {
        elements.FACT: facts,
        elements.IDENTITY: record.identities,
        elements.MERGE: record.merges,
        elements.ENTRY: entries,
    }
    return {
        f"{record_id}/{kind}/{name}".encode(): canonical.dump(value) if value is not None else None
        for kind, named in kinds.items()
        for name, value in named.items()
    }


def _kept(record_id: str, record: Record) -> Iterable[bytes]:
    """The state elements of a record that is not ours, but for the mark that it waits."""
    kinds: Mapping[str, Iterable[str]] = {
        elements.FACT: record.facts,
        elements.IDENTITY: record.identities,
        elements.MERGE: record.merges,
        elements.ENTRY: record.entries,
    }
    return [f"{record_id}/{kind}/{name}".encode() for kind, names in kinds.items() for name in names]
