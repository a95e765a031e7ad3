"""Pathway: a person's facts folded into one pathway, published whole and event by event to each recipient.

    pathway.in.v1 -> pathway.state.<recipient>.v1, pathway.events.<recipient>.v1

State is a set of facts, the view is a fold of it; `person_state.py` lists its elements in the changelog. Messages
change the state one by one; the people they touched are folded and published once for the batch, where they differ
from what was published last.

A batch cut elsewhere after a crash passes through other states, so what was published may follow from none of them.
Therefore everything published is claimed first, by name and digest, and after a restart no claim is trusted: when its
person is touched, it is published again or taken back.

A person has at most FACTS_MAX facts; an entry beyond is a dead letter, `too-many-facts`. Only there arrival decides:
the entries that came first stay.

Of one entry, and of a record's data key, the highest link revision is kept. The facts of an entry are in the fold while
that is above the record's withdrawal and the key is held; of one fact the version with the highest (source_version_at,
content) wins there. So the set, the fold and the last published values are the same for any order and any repetition of
the same messages.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from schemas import canonical, pathway_in
from schemas.data_keys import BucketKeys, Family, KeyNotHeld
from schemas.definitions import Definitions
from schemas.elements import fact_names
from schemas.errors import Unreadable
from schemas.fhir.dates import london_day
from schemas.keyring import Keyring
from schemas.pathway_in import SLICES, EntryInput, KeyInput, TickInput, WithdrawalInput, slice_of
from schemas.recipients import Agreement
from schemas.revision import generation_of, revision_of
from streams.steps.outcome import Answer, Change, Claim, Message, Outcome, Reject, Release
from streams.steps.pathway_fold.fold import Pathway, fold
from streams.steps.person_state import (
    CLAIM,
    DUE,
    FLOOR,
    KEY,
    SNAPSHOT,
    TAKEN_BACK,
    WITHDRAWN,
    Claims,
    Content,
    LinkedEntry,
    LinkedKey,
    PathwayState,
    PersonState,
    current_contents,
    day_name,
    due_element,
    floor_element,
    next_claims,
    publication_after,
    withdrawal,
)
from streams.steps.publishing import About, Publication, Recipient

__all__ = ["LinkedEntry", "PathwayState", "PathwayStep"]

FACTS_MAX = 3_000  # of one person, each version of each: a fold of as many referrals takes some 10 s, sessions 0.2 s
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PathwayStep:
    """pathway.in.v1 -> snapshots and events of every recipient.

    `keys` holds each recipient's key, `data_keys` gives the bucket keys as they are now.
    """

    def __init__(
        self,
        keys: Keyring,
        recipients: tuple[Agreement, ...],
        definitions: Definitions,
        *,
        data_keys: Callable[[], BucketKeys],
        generation: int = 0,
    ) -> None:
        self._data_keys = data_keys
        self._keys = keys
        self._recipients = tuple(Recipient(agreement, keys) for agreement in recipients)
        self._generation = generation
        self._definitions = definitions

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> PathwayState:
        """The people of one task from its changelog."""
        return PathwayState.of_changelog(elements)

    def advance(self, state: PathwayState, message: Message) -> tuple[PathwayState, tuple[Outcome, ...]]:
        """What one entry, one withdrawal or one tick changes; what it leads to, `finish` answers."""
        try:
            received = pathway_in.parse(message.key, message.value)
            if not isinstance(received, TickInput) and generation_of(received.link_revision) > self._generation:
                return state, (Reject("generation"),)
            match received:
                case EntryInput():
                    return state, tuple(self._entry(state, received, message))
                case KeyInput():
                    return state, tuple(self._key(state, received, message))
                case WithdrawalInput():
                    return state, tuple(self._withdrawal(state, received, message))
                case TickInput():
                    return state, tuple(self._tick(state, received, message))
        except KeyNotHeld:
            return state, (Reject("epoch"),)
        except Unreadable:
            return state, (Reject("unreadable"),)

    def finish(self, state: PathwayState) -> tuple[Answer, ...]:
        """What is published of everybody touched since, each in answer to the newest message about them."""
        touched, state.touched = state.touched, {}
        return tuple((message, self._publish(state, person_id, message)) for person_id, message in touched.items())

    def waiting(self, state: PathwayState) -> int:
        """The people touched since the last `finish`."""
        return len(state.touched)

    def _entry(self, state: PathwayState, received: EntryInput, message: Message) -> list[Outcome]:
        person, name = state.of(received.person_id), (received.record_id, received.name)
        new, former = LinkedEntry(received.link_revision, received.entry), person.entry(name)
        data_key = person.data_key(name[0], self._data_keys())
        if data_key is not None:
            new.open(*name, data_key)
        outcomes: list[Outcome] = []
        is_linked = person.has_record(name[0], new.link_revision)
        if is_linked and former is None and _facts_held(person) + len(received.entry["facts"]) > FACTS_MAX:
            return [Reject("too-many-facts")]
        if is_linked and (former is None or new.link_revision > former.link_revision):
            person.entries[name] = new
            outcomes.append(Change(message.key or b"", new.element()))
        state.touch(received.person_id, message)
        return outcomes

    def _key(self, state: PathwayState, received: KeyInput, message: Message) -> list[Outcome]:
        """Raises KeyNotHeld, Unreadable for a key that does not open; one that was destroyed is of no use any more."""
        person, record_id = state.of(received.person_id), received.record_id
        new, former = LinkedKey(received.link_revision, received.wrapped), person.keys.get(record_id)
        data_key = received.wrapped.opened(record_id, Family.BODY, self._data_keys())
        if data_key is None or not person.has_record(record_id, new.link_revision):
            return []
        if former is not None and former.rank >= new.rank:
            return []
        person.keys[record_id], person.opened[record_id] = new, data_key
        state.touch(received.person_id, message)
        return [Change(message.key or b"", new.element())]

    def _withdrawal(self, state: PathwayState, received: WithdrawalInput, message: Message) -> list[Outcome]:
        person_id, record_id, revision = received.person_id, received.record_id, received.link_revision
        person = state.of(person_id)
        outcomes: list[Outcome] = []
        if person.has_record(record_id, revision):
            person.withdrawn[record_id] = revision
            outcomes.append(_change(f"{person_id}/{record_id}/{WITHDRAWN}", withdrawal(revision)))
        for name in [name for name in person.entries if name[0] == record_id]:
            entry = person.entry(name)
            if entry is not None and entry.link_revision <= person.withdrawn[record_id]:
                del person.entries[name]
                outcomes.append(_change(f"{person_id}/{record_id}/{name[1]}", None))
        key = person.keys.get(record_id)
        if key is not None and key.link_revision <= person.withdrawn[record_id]:
            del person.keys[record_id]
            person.opened.pop(record_id, None)
            outcomes.append(_change(f"{person_id}/{record_id}/{KEY}", None))
        state.touch(person_id, message)
        return outcomes

    def _tick(self, state: PathwayState, tick: TickInput, message: Message) -> list[Outcome]:
        """The people of whom something became due are touched. A day that is kept has been answered.

        A day only grows: one far ahead would make everything overdue for ever. It may be a day after its message.
        """
        sent_on = london_day(_EPOCH + timedelta(milliseconds=message.timestamp_ms))
        if tick.is_ahead_of(sent_on):
            return [Reject("tick-ahead")]
        if not _is_after(tick.as_of, state.days.get(None) if tick.slice is None else state.as_of(tick.slice)):
            return []
        for number in range(SLICES) if tick.slice is None else (tick.slice,):
            before = state.as_of(number)
            for person_id, due in sorted(state.due.get(number, {}).items()):
                if any(_is_after(on, before) and on <= tick.as_of for on in due):
                    state.touch(person_id, message)
        superseded = state.set_day(tick.slice, tick.as_of)
        day = canonical.dump({"as_of": tick.as_of.isoformat()})
        return [_change(day_name(tick.slice), day), *(_change(day_name(number), None) for number in superseded)]

    def _publish(self, state: PathwayState, person_id: str, message: Message) -> tuple[Outcome, ...]:
        """The snapshot and the events that differ from those published last, and retractions of former events.

        All that is current while the claims are not sure, each under the revision it was claimed with.
        """
        person = state.of(person_id)
        pathway = self._folded(person, state.as_of(slice_of(person_id)))
        claims, (contents, person.keyed) = person.claims, current_contents(pathway, self._keys, person.keyed)
        answer = self._publication(message)
        now = publication_after(person, answer)
        current = self._claims(person, contents, now)
        differing = [name for name, claim in current.items() if claims.get(name) is not claim]
        changed = differing if person.sure else list(current)
        gone = sorted(current.keys() - contents.keys())
        outcomes: list[Outcome] = [Claim(_claim_key(person_id, name), current[name].element()) for name in differing]
        if differing and now.revision > answer.revision:
            person.floor = now.revision
            outcomes.append(Claim(f"{person_id}/{FLOOR}".encode("ascii"), floor_element(person.floor)))
        for recipient in self._recipients if changed else ():
            if recipient.is_due(message):
                outcomes += _published(
                    recipient, recipient.about(person_id, now), pathway, {name: current[name] for name in changed}
                )
        outcomes += [Release(_claim_key(person_id, name)) for name in gone]
        if pathway.due_on != person.due:
            outcomes.append(_change(f"{person_id}/{DUE}", due_element(pathway.due_on)))
        person.claims = {name: claim for name, claim in current.items() if name in contents}
        person.sure, person.due = True, pathway.due_on
        state.note_due(person_id, person.due)
        return tuple(outcomes)

    def _publication(self, message: Message) -> Publication:
        return Publication(revision_of(self._generation, message.offset), message.timestamp_ms)

    def _claims(self, person: PersonState, contents: Mapping[str, Content], now: Publication) -> Claims:
        return next_claims(person.claims, contents, now)

    def _folded(self, person: PersonState, as_of: date | None) -> Pathway:
        return fold(
            person.linked_facts(self._data_keys()), as_of=as_of, definitions=self._definitions, memory=person.memory
        )


def _published(recipient: Recipient, about: About, pathway: Pathway, claims: Claims) -> list[Outcome]:
    """What the recipient reads of these claims, each under the revision it was claimed with."""
    outcomes: list[Outcome] = []
    if SNAPSHOT in claims:
        outcomes.append(recipient.snapshot(about.under(claims[SNAPSHOT].publication), pathway))
    shown = (event for event in pathway.events if event.name in claims and recipient.shows(event.kind))
    outcomes += [recipient.event(about.under(claims[event.name].publication), event) for event in shown]
    gone = (
        (name, claim) for name, claim in sorted(claims.items()) if claim.content[1] == TAKEN_BACK and name != SNAPSHOT
    )
    for name, ((kind, _), publication) in gone:
        if recipient.shows(kind):
            outcomes.append(recipient.retraction(about.under(publication), name, kind))
    return outcomes


def _is_after(day: date, before: date | None) -> bool:
    return before is None or day > before


def _facts_held(person: PersonState) -> int:
    """The facts of all entries, each version of each."""
    held = (person.entry(name) for name in list(person.entries))
    return sum(1 for linked in held if linked is not None for _ in fact_names(linked.entry))


def _claim_key(person_id: str, name: str) -> bytes:
    return f"{person_id}/{CLAIM}/{name}".encode("ascii")


def _change(key: str, value: bytes | None) -> Change:
    return Change(key.encode("ascii"), value)
