"""Records: the state of one patient at one source: entries with their facts, winning identity, and their person.

    events.v1    -> identity.v1 when the winning identity changes, once the record is ours
    link.map.v1  -> pathway.in.v1: the record's entries under its person, withdrawn from every former one
                 -> dispositions.v1: where each entry ended

A record is *ours* once an entry named a service or brought a fact of care; a hospital's feed also carries all its
other patients, with sex, birth year and death. Until then its entries are `ignored`, nothing of it leaves this step,
and after 30 days its elements are removed.

An effect that is in the state has been sent and acknowledged (the host writes state after outputs), so a redelivered
message whose effect is in the state has no outcome.
"""

import base64
from collections.abc import Iterable, Mapping
from itertools import islice

from schemas import canonical, elements
from schemas.data_keys import Family
from schemas.disposition import Disposition, disposition_value
from schemas.errors import Unreadable
from schemas.linking import Link, RecordIdentity, record_of_key
from schemas.pathway_in import entry_message, key_message, withdrawal_message
from schemas.record_keys import TRAVELLING, WrappedKeys
from schemas.revision import generation_of, revision_of
from schemas.topics import DAY_MS, DISPOSITIONS, EVENTS, IDENTITY, LINK_MAP, PATHWAY_IN, partition_of
from streams.steps.outcome import Change, Claim, Emit, Message, MessageByMessage, Outcome, Reject
from streams.steps.record_state import (
    ANNOUNCED,
    END,
    LINK,
    PERSON,
    SINCE,
    RecordEntry,
    RecordsState,
    RecordState,
    StoredLink,
)

__all__ = ["GRACE_MS", "RecordState", "RecordsState", "RecordsStep"]

GRACE_MS = 30 * DAY_MS  # how long an identity may wait for the first fact of care of its record
# marks the removals of this step, so that a race with a new arrival is seen
EXPIRED_HEADER = ("removed", b"expired")
EXPIRED_AT_ONCE = 10


class RecordsStep(MessageByMessage):
    """events.v1, link.map.v1 -> identity.v1, pathway.in.v1, dispositions.v1."""

    def __init__(self, *, domain: int = 0, generation: int = 0) -> None:
        self._domain = domain
        self._generation = generation

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> RecordsState:
        """The records of one task from its changelog."""
        return RecordsState.of_changelog(elements)

    def advance(self, state: RecordsState, message: Message) -> tuple[RecordsState, tuple[Outcome, ...]]:
        """What follows from one element or one answer of the linker."""
        expired = _expire(state, message.timestamp_ms)
        try:
            if message.value is None:
                return state, (*expired, *_removed(state, message))
            if message.topic == LINK_MAP:
                record_id, answer = record_of_key(message.key), Link.parse(message.value)
                if generation_of(answer.revision) > self._generation:
                    return state, (*expired, Reject("generation"))
                outcomes = self._on_link(state.of(record_id), record_id, answer)
            else:
                element = elements.parse(message.key or b"", message.value)
                outcomes = self._on_element(state, element, message)
        except (Unreadable, UnicodeError):  # a key, or an id that cannot be part of one
            return state, (*expired, Reject("unreadable"))
        return state, (*expired, *outcomes)

    def _on_element(self, state: RecordsState, element: elements.Element, message: Message) -> list[Outcome]:
        record, record_id, name = state.of(element.record_id), element.record_id, element.name
        outcomes: list[Outcome] = []
        if element.kind == elements.ERASED:
            return self._erase(state, record_id)
        if record.erased:  # sent by a task that did not know it: an entry has its end all the same
            removed = Emit(EVENTS, message.partition, message.key or b"", None, (EXPIRED_HEADER,))
            if element.kind != elements.ENTRY:
                return [removed]
            return [removed, self._withdrawn(name, str(element.value["source"]))]
        if element.kind == elements.ENTRY:
            outcomes += self._on_entry(record, record_id, element)
        elif element.kind == elements.KEYS:
            outcomes += _on_keys(record, record_id, element)
        else:
            texts = record.identities if element.kind == elements.IDENTITY else record.merges
            if name not in texts:
                text = texts[name] = canonical.dump(element.value)
                outcomes.append(_change(record_id, element.kind, name, text))
        outcomes += self._announce(record, record_id)
        outcomes += self._dispositions(record, record_id)
        outcomes += _wait_or_not(state, record, record_id, message)
        return outcomes

    def _on_entry(self, record: RecordState, record_id: str, element: elements.Element) -> list[Outcome]:
        """Keep a new entry, pass it on when the person is known, and write its end when that is known."""
        name = element.name
        if name in record.entries:
            return []
        entry = record.entries[name] = RecordEntry.of(element.value, canonical.dump(element.value))
        outcomes: list[Outcome] = []
        link = record.link
        if link is not None:
            outcomes.append(_entry_emit(link.person_id, (record_id, name), entry, link.since))
        if record.end is not None and record.end == self._end(record)[0]:
            outcomes.append(self._ended(record, name))
        return [*outcomes, _change(record_id, elements.ENTRY, name, entry.text)]

    def _on_link(self, record: RecordState, record_id: str, answer: Link) -> list[Outcome]:
        last, formerly = record.link, list(answer.formerly)
        others = sorted({*formerly, *record.persons} - {answer.person_id})
        if record.erased or (last is not None and answer.revision <= last.revision):
            return []
        # another `formerly` under the same person: compaction removed an answer before it was read
        moved = last is None or (last.person_id, last.formerly) != (answer.person_id, formerly)
        since = answer.revision if moved or last is None else last.since
        outcomes: list[Outcome] = []
        if answer.person_id not in record.persons:
            record.persons.add(answer.person_id)
            outcomes.append(Claim(f"{record_id}/{PERSON}/{answer.person_id}".encode(), b"{}"))
        if moved:
            outcomes += [
                _to_person(former, *withdrawal_message(former, record_id, answer.revision)) for former in others
            ]
            if record.wrapped is not None:
                outcomes.append(_key_emit(answer.person_id, record_id, record.wrapped, since))
            outcomes += [
                _entry_emit(answer.person_id, (record_id, name), entry, since) for name, entry in record.entries.items()
            ]
        record.link = StoredLink(
            answer.person_id, answer.status, formerly, answer.revision, since, sorted(answer.reasons)
        )
        outcomes += self._dispositions(record, record_id)
        # Last: while the link is not in the changelog, the answer that comes again has all its outcomes again.
        return [*outcomes, _change(record_id, LINK, "", record.link.element())]

    def _announce(self, record: RecordState, record_id: str) -> list[Outcome]:
        """Send the record's identity to the linker when it changed."""
        winning, entry = record.winning_identity(), next(iter(record.entries.values()), None)
        if not record.ours or entry is None:
            return []
        text = record.identities.get(winning) if winning is not None else None
        epoch = record.wrapped.epoch if record.wrapped is not None else 0
        made_from = (winning, text is None, epoch, entry.tier, record.merged_into())
        if made_from == record.announced_from:
            return []
        tokens = _usable_tokens(text)
        key = record.wrapped.only(Family.TOKENS) if tokens is not None and record.wrapped is not None else None
        value = RecordIdentity(record_id, entry.source, entry.tier, tokens, key, record.merged_into()).value()
        record.announced_from = made_from
        if value == record.announced:
            return []
        record.announced = value
        emit = Emit(IDENTITY, self._domain, record_id.encode(), value)
        return [emit, _change(record_id, ANNOUNCED, "", value)]

    def _erase(self, state: RecordsState, record_id: str) -> list[Outcome]:
        """Everybody who was sent the record is told that it has left for good, and nothing of it stays anywhere.

        The mark comes last: while it is not in the changelog, what is left is taken back again.
        """
        record, place = state.remove(record_id), partition_of(record_id)
        state.of(record_id).erased = True
        if record.erased:
            return []
        last, removed = self._last(), _removable(record_id, record)
        outcomes: list[Outcome] = [
            _to_person(person, *withdrawal_message(person, record_id, last)) for person in sorted(record.persons)
        ]
        if record.announced is not None:
            outcomes.append(Emit(IDENTITY, self._domain, record_id.encode(), None))
        outcomes += [self._withdrawn(name, entry.source) for name, entry in record.entries.items()]
        outcomes += [Emit(EVENTS, place, key, None, (EXPIRED_HEADER,)) for key in removed]
        outcomes += [Change(key, None) for key in removed]
        outcomes += [_change(record_id, kind, "", None) for kind in (END, SINCE, ANNOUNCED, LINK)]
        outcomes += [_change(record_id, PERSON, person, None) for person in sorted(record.persons)]
        return [*outcomes, _change(record_id, elements.ERASED, "", b"{}")]

    def _last(self) -> int:
        """Above every revision of this generation."""
        return revision_of(self._generation + 1, 0) - 1

    def _withdrawn(self, name: str, source: str) -> Emit:
        entry_name = elements.entry_of(name)
        value = disposition_value(Disposition.WITHDRAWN, source, revision=self._last())
        return Emit(DISPOSITIONS, partition_of(entry_name), entry_name.encode(), value)

    def _dispositions(self, record: RecordState, record_id: str) -> list[Outcome]:
        """A disposition for every entry when the last one was another; none until the linker has answered."""
        end = self._end(record)[0]
        if end is None or end == record.end:
            return []
        record.end = end
        ended = [self._ended(record, name) for name in record.entries]
        return [*ended, _change(record_id, END, "", canonical.dump({"end": list(end)}))]

    def _end(self, record: RecordState) -> tuple[tuple[str, ...] | None, int]:
        """Where the record's entries end as things stand, None while that is open, and the revision of that.

        It is one above that of the link, and the lowest of the generation for `ignored`: higher means newer.
        """
        if not record.ours:
            return (Disposition.IGNORED.value,), revision_of(self._generation, 0)
        if record.link is None:
            return None, 0
        return (record.link.status, *record.link.why), record.link.revision + 1

    def _ended(self, record: RecordState, name: str) -> Emit:
        end, revision = self._end(record)
        assert end is not None
        entry_name, source = elements.entry_of(name), record.entries[name].source
        value = disposition_value(Disposition(end[0]), source, revision=revision, why=list(end[1:]))
        return Emit(DISPOSITIONS, partition_of(entry_name), entry_name.encode(), value)


def _on_keys(record: RecordState, record_id: str, element: elements.Element) -> list[Outcome]:
    """Keep the wrapped keys of the highest epoch, and pass them on when the person is known."""
    wrapped, former = WrappedKeys.of_form(element.value, TRAVELLING), record.wrapped
    if not wrapped.supersedes(former):
        return []
    record.wrapped = wrapped
    outcomes: list[Outcome] = []
    if record.link is not None:
        outcomes.append(_key_emit(record.link.person_id, record_id, wrapped, record.link.since))
    outcomes.append(_change(record_id, elements.KEYS, element.name, wrapped.value()))
    if former is not None:
        outcomes.append(_change(record_id, elements.KEYS, str(former.epoch), None))
    return outcomes


def _usable_tokens(identity: bytes | None) -> bytes | None:
    """The sealed tokens of an identity, None when nothing in it can be compared or it has not come yet."""
    parts = canonical.read_object(identity) if identity is not None else None
    return base64.b64decode(parts["tokens"]) if parts is not None and parts["usable"] else None


def _entry_emit(person_id: str, name: tuple[str, str], entry: RecordEntry, link_revision: int) -> Emit:
    """`name` is (record id, name of the entry's element)."""
    return _to_person(person_id, *entry_message(person_id, name, entry.text, link_revision=link_revision))


def _key_emit(person_id: str, record_id: str, wrapped: WrappedKeys, link_revision: int) -> Emit:
    return _to_person(person_id, *key_message(person_id, record_id, wrapped, link_revision))


def _to_person(person_id: str, key: bytes, value: bytes) -> Emit:
    return Emit(PATHWAY_IN, partition_of(person_id), key, value)


def _change(record_id: str, kind: str, name: str, value: bytes | None) -> Change:
    return Change(f"{record_id}/{kind}/{name}".encode(), value)


def _wait_or_not(state: RecordsState, record: RecordState, record_id: str, message: Message) -> list[Outcome]:
    """Start the grace of a record that is not ours, or end it when it became ours."""
    if not record.ours and record.since_ms is None:
        record.since_ms = state.waiting[record_id] = message.timestamp_ms
        return [_change(record_id, SINCE, "", canonical.dump({"since_ms": record.since_ms}))]
    if record.ours and record.since_ms is not None:
        record.since_ms = None
        state.waiting.pop(record_id, None)
        return [_change(record_id, SINCE, "", None)]
    return []


def _expire(state: RecordsState, now_ms: int) -> tuple[Outcome, ...]:
    """Remove records that waited longer than the grace, from `events.v1` and the state; a few with each message."""
    outcomes: list[Outcome] = []
    for record_id, since_ms in list(islice(state.waiting.items(), EXPIRED_AT_ONCE)):
        if now_ms - since_ms < GRACE_MS:
            break
        record = state.remove(record_id)
        place, removed = partition_of(record_id), _removable(record_id, record)
        outcomes += [Emit(EVENTS, place, key, None, (EXPIRED_HEADER,)) for key in removed]
        outcomes += [Change(key, None) for key in removed]
        outcomes += [_change(record_id, kind, "", None) for kind in (END, SINCE)]
    return tuple(outcomes)


def _removed(state: RecordsState, message: Message) -> list[Outcome]:
    """A removal was read. If the same element arrived anew just before, the removal has hidden it: write it again.

    Raises Unreadable when it is of no record's.
    """
    key = message.key or b""
    record_id = record_of_key(key.partition(b"/")[0])
    record = state.find(record_id)
    if message.topic != EVENTS or EXPIRED_HEADER not in message.headers or record is None:
        return []
    value = _removable(record_id, record).get(key)
    return [Emit(EVENTS, message.partition, key, value)] if value is not None else []


def _removable(record_id: str, record: RecordState) -> dict[bytes, bytes]:
    """Key -> value of everything the record has in `events.v1`, and under the same keys in the state."""
    kinds: Mapping[str, Mapping[str, bytes]] = {
        elements.IDENTITY: record.identities,
        elements.MERGE: record.merges,
        elements.ENTRY: {name: entry.text for name, entry in record.entries.items()},
        elements.KEYS: {str(record.wrapped.epoch): record.wrapped.value()} if record.wrapped is not None else {},
    }
    return {
        f"{record_id}/{kind}/{name}".encode(): value for kind, values in kinds.items() for name, value in values.items()
    }
