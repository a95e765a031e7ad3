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
from itertools import islice

from schemas import canonical, elements
from schemas.disposition import Disposition
from schemas.errors import Unreadable
from schemas.linking import Link, RecordIdentity, receipt
from schemas.pathway_in import fact_text_message, withdrawal_message
from schemas.topics import DAY_MS, EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN, partition_of
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject
from streams.steps.record_state import (
    ANNOUNCED,
    LINK,
    SINCE,
    FactVersion,
    RecordEntry,
    RecordsState,
    RecordState,
)

__all__ = ["GRACE_MS", "RecordState", "RecordsState", "RecordsStep"]

GRACE_MS = 30 * DAY_MS  # how long an identity may wait for the first fact of its record
EXPIRED_HEADER = ("removed", b"expired")  # marks our own removals, so that a race with a new arrival is seen
EXPIRED_AT_ONCE = 10


class RecordsStep:
    """events.v1, link.map.v1 -> identity.v1, pathway.in.v1, receipts.<source>.v1."""

    def __init__(self, receipts_topics: Mapping[str, str], *, domain: int = 0) -> None:
        self._receipts_topics = receipts_topics
        self._domain = domain

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> RecordsState:
        """The records of one task from its changelog."""
        return RecordsState.of_changelog(elements)

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
            text = record.identities[element.name] = canonical.dump(element.value)
            outcomes.append(_change(record_id, element.kind, element.name, text))
        elif element.kind == elements.MERGE and element.name not in record.merges:
            text = record.merges[element.name] = canonical.dump(element.value)
            outcomes.append(_change(record_id, element.kind, element.name, text))
        elif element.kind == elements.ENTRY and element.name not in record.entries:
            entry = record.entries[element.name] = RecordEntry.of(element.value)
            outcomes.append(_change(record_id, element.kind, element.name, entry.kept()))
        outcomes += self._announce(record, record_id)
        outcomes += self._receipts(record, record_id)
        outcomes += _wait_or_not(state, record, record_id, message)
        return outcomes

    def _linked(self, record: RecordState, record_id: str, answer: Link, message: Message) -> list[Outcome]:
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
                _fact_emit(answer.person_id, (record_id, fact_id), one, since)
                for fact_id, one in record.facts.items()
            ]
        record.link = link
        outcomes += self._receipts(record, record_id)
        # Last: while the link is not in the changelog, the answer given again is taken up again as a whole.
        return [*outcomes, _change(record_id, LINK, "", canonical.dump(link))]

    def _announce(self, record: RecordState, record_id: str) -> list[Outcome]:
        """Tell the linker who this record is about, when that has changed."""
        winning, entry = record.winning_identity(), next(iter(record.entries.values()), None)
        if not record.ours or entry is None:
            return []
        text = record.identities.get(winning) if winning is not None else None
        of = (winning, text is None, entry.tier, record.merged_into())
        if of == record.announced_of:
            return []
        value = RecordIdentity(
            record_id, entry.source, entry.tier, _usable_tokens(text), record.merged_into()
        ).value()
        record.announced_of = of
        if value == record.announced:
            return []
        record.announced = value
        emit = Emit(IDENTITY, self._domain, record_id.encode(), value)
        return [emit, Change(f"{record_id}/{ANNOUNCED}/".encode(), value)]

    def _receipts(self, record: RecordState, record_id: str) -> list[Outcome]:
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
            if one.told == disposition:
                continue
            told = record.entries[name] = one.receipted(disposition)
            topic, entry_id = self._receipts_topics.get(one.source), elements.entry_of(name)
            if topic is not None:
                value = receipt(disposition, revision=revision)
                outcomes.append(Emit(topic, partition_of(entry_id), entry_id.encode(), value))
            outcomes.append(_change(record_id, elements.ENTRY, name, told.kept()))
        return outcomes


def _fact(record: RecordState, record_id: str, element: elements.Element) -> list[Outcome]:
    """Keep the version with the highest (source_version_at, content hash); pass it on when the person is known."""
    fact_id, _, version = element.name.rpartition("/")
    known = record.facts.get(fact_id)
    if known is not None and known.rank >= (element.value["source_version_at"], version):
        return []
    new = record.facts[fact_id] = FactVersion.of(element.value, version)
    outcomes: list[Outcome] = []
    if record.link is not None:
        link = record.link
        outcomes.append(_fact_emit(link["person_id"], (record_id, fact_id), new, link["since"]))
    return [*outcomes, _change(record_id, elements.FACT, fact_id, new.kept())]


def _usable_tokens(identity: bytes | None) -> bytes | None:
    """The sealed tokens of an identity, None when nothing in it can be compared or it has not come yet."""
    told = canonical.load_object(identity) if identity is not None else None
    return base64.b64decode(told["tokens"]) if told is not None and told["usable"] else None


def _fact_emit(person_id: str, name: tuple[str, str], fact: FactVersion, link_revision: int) -> Emit:
    """`name` is (record id, fact id)."""
    return _to_person(person_id, *fact_text_message(person_id, name, fact.text, link_revision=link_revision))


def _to_person(person_id: str, key: bytes, value: bytes) -> Emit:
    return Emit(PATHWAY_IN, partition_of(person_id), key, value)


def _change(record_id: str, kind: str, name: str, value: bytes) -> Change:
    return Change(f"{record_id}/{kind}/{name}".encode(), value)


def _wait_or_not(state: RecordsState, record: RecordState, record_id: str, message: Message) -> list[Outcome]:
    """Start the 30 days' grace of a record that is not ours, or end it when it became ours."""
    if not record.ours and record.since_ms is None:
        record.since_ms = state.waiting[record_id] = message.timestamp_ms
        return [_change(record_id, SINCE, "", canonical.dump({"since_ms": record.since_ms}))]
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
        record = state.remove(record_id)
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
    record = state.known(record_id)
    if message.topic != EVENTS or EXPIRED_HEADER not in message.headers or record is None:
        return []
    key = message.key or b""
    value = _removable(record_id, record).get(key)
    return [Emit(EVENTS, message.partition, key, value)] if value is not None else []


def _removable(record_id: str, record: RecordState) -> dict[bytes, bytes | None]:
    """Key -> value of everything the record has in `events.v1`; None for a version that did not win."""
    told = (canonical.load_object(one.text)["facts"] for one in record.entries.values())
    facts: dict[str, bytes | None] = {"/".join(fact): None for entry in told for fact in entry}
    facts |= {f"{fact_id}/{one.version}": one.text for fact_id, one in record.facts.items()}
    kinds: Mapping[str, Mapping[str, bytes | None]] = {
        elements.FACT: facts,
        elements.IDENTITY: record.identities,
        elements.MERGE: record.merges,
        elements.ENTRY: {name: one.text for name, one in record.entries.items()},
    }
    return {
        f"{record_id}/{kind}/{name}".encode(): value
        for kind, named in kinds.items()
        for name, value in named.items()
    }


def _kept(record_id: str, record: RecordState) -> Iterable[bytes]:
    """The state elements of a record that is not ours, but for the mark that it waits."""
    kinds: Mapping[str, Iterable[str]] = {
        elements.FACT: record.facts,
        elements.IDENTITY: record.identities,
        elements.MERGE: record.merges,
        elements.ENTRY: record.entries,
    }
    return [f"{record_id}/{kind}/{name}".encode() for kind, names in kinds.items() for name in names]
