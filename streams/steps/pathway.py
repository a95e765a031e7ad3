"""Pathway: a person's facts folded into one pathway, published whole and event by event to each recipient.

    pathway.in.v1 -> pathway.state.<recipient>.v1, pathway.events.<recipient>.v1

State is a set of facts, the view is a fold of it; `person_state.py` lists its elements in the changelog.

Of one fact the version with the highest (link revision, source_version_at, content hash) is kept. It is in the fold
while its link revision is above the record's withdrawal; when it is not above, no lower one is. So the set, the fold
and the last published values are the same for any order and any repetition of the same messages.
"""

from collections.abc import Iterable

from schemas import canonical, pathway_in
from schemas.definitions import Definitions
from schemas.errors import Unreadable
from schemas.facts import StoredFact
from schemas.keyring import Keyring
from schemas.pathway_in import FactInput, TickInput, WithdrawalInput
from schemas.recipients import Agreement
from streams.steps.outcome import Change, Message, Outcome, Reject
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.events import kind_of
from streams.steps.pathway_fold.fold import fold
from streams.steps.pathway_fold.handovers import is_overdue
from streams.steps.person_state import (
    AS_OF,
    PUBLISHED,
    WITHDRAWN,
    Events,
    LinkedFact,
    PathwayState,
    withdrawal,
)
from streams.steps.publishing import Recipient

__all__ = ["LinkedFact", "PathwayState", "PathwayStep"]


class PathwayStep:
    """pathway.in.v1 -> snapshots and events of every recipient. `keys` holds each recipient's key."""

    def __init__(self, keys: Keyring, recipients: tuple[Agreement, ...], definitions: Definitions) -> None:
        self._recipients = tuple(Recipient(agreement, keys) for agreement in recipients)
        self._definitions = definitions

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> PathwayState:
        """The people of one task from its changelog."""
        return PathwayState.of_changelog(elements)

    def advance(self, state: PathwayState, message: Message) -> tuple[PathwayState, tuple[Outcome, ...]]:
        """What follows from one fact, one withdrawal or one tick; a message that comes again is answered again."""
        try:
            received = pathway_in.parse(message.key, message.value)
        except Unreadable:
            return state, (Reject("unreadable"),)
        match received:
            case FactInput():
                return state, tuple(self._fact(state, received, message))
            case WithdrawalInput():
                return state, tuple(self._withdrawal(state, received, message))
            case TickInput():
                return state, tuple(self._tick(state, received, message))

    def _fact(self, state: PathwayState, received: FactInput, message: Message) -> list[Outcome]:
        person, fact = state.of(received.person_id), received.fact
        name = fact.record_id, fact.fact_id
        new, former = LinkedFact(received.link_revision, PersonFact.of(fact)), person.fact(name)
        outcomes: list[Outcome] = []
        is_linked = person.has_record(fact.record_id, received.link_revision)
        if is_linked and (former is None or new.rank > former.rank):
            person.facts[name] = new
            outcomes.append(Change(message.key or b"", new.element()))
        return outcomes + self._publish(state, received.person_id, message, cause=fact)

    def _withdrawal(self, state: PathwayState, received: WithdrawalInput, message: Message) -> list[Outcome]:
        person_id, record_id, revision = received.person_id, received.record_id, received.link_revision
        person = state.of(person_id)
        outcomes: list[Outcome] = []
        if person.has_record(record_id, revision):
            person.withdrawn[record_id] = revision
            outcomes.append(_change(f"{person_id}/{record_id}/{WITHDRAWN}", withdrawal(revision)))
        for name in [name for name in person.facts if name[0] == record_id]:
            fact = person.fact(name)
            if fact is not None and fact.link_revision <= person.withdrawn[record_id]:
                del person.facts[name]
                outcomes.append(_change(f"{person_id}/{record_id}/{name[1]}", None))
        return outcomes + self._publish(state, person_id, message)

    def _tick(self, state: PathwayState, tick: TickInput, message: Message) -> list[Outcome]:
        """Publish the people with a referral that became overdue; for a day received again, all that have one."""
        before, outcomes = state.as_of, list[Outcome]()
        if before is None or tick.as_of > before:
            state.as_of = tick.as_of
            outcomes.append(_change(AS_OF, canonical.dump({"as_of": tick.as_of.isoformat()})))
        elif tick.as_of < before:
            return []
        else:
            before = None
        rule = self._definitions.handover
        for person_id, unreceived in sorted(state.unreceived.items()):
            if any(is_overdue(d, state.as_of, rule) and not is_overdue(d, before, rule) for d in unreceived):
                outcomes += self._publish(state, person_id, message)
        return outcomes

    def _publish(
        self, state: PathwayState, person_id: str, message: Message, *, cause: StoredFact | None = None
    ) -> list[Outcome]:
        """The snapshot, every event that changed or rests on the fact `cause`, and retractions of former events."""
        person = state.of(person_id)
        pathway = fold(person.linked_facts(), as_of=state.as_of, definitions=self._definitions, memory=person.memory)
        current = {event.name: (event.kind, event.digest) for event in pathway.events}
        cause_id = cause.fact_id if cause else None
        changed = [
            event
            for event in pathway.events
            if person.events.get(event.name) != current[event.name] or cause_id in event.facts
        ]
        retracted = _retracted(person.events, current, cause)
        outcomes: list[Outcome] = []
        for recipient in self._recipients:
            if not recipient.is_due(message):
                continue
            about = recipient.about(person_id, message)
            outcomes.append(recipient.snapshot(about, pathway))
            outcomes += [recipient.event(about, event) for event in changed if recipient.shows(event.kind)]
            outcomes += [recipient.retraction(about, name, kind) for name, kind in retracted if recipient.shows(kind)]
        former = person.events, person.unreceived
        person.events, person.unreceived = current, pathway.unreceived
        state.note_unreceived(person_id, person.unreceived)
        if (person.events, person.unreceived) != former:
            outcomes.append(_change(f"{person_id}/{PUBLISHED}", person.published()))
        return outcomes


def _retracted(published: Events, current: Events, cause: StoredFact | None) -> list[tuple[str, str]]:
    """(name, kind) of the events to retract: published and not current, or of the retracted fact `cause`."""
    gone = {name: kind for name, (kind, _) in published.items() if name not in current}
    if cause is not None and cause.retracted and cause.fact_id not in current:
        kind = kind_of(cause.body)  # a retraction that comes again is answered again
        gone |= {cause.fact_id: kind} if kind is not None else {}
    return sorted(gone.items())


def _change(key: str, value: bytes | None) -> Change:
    return Change(key.encode("ascii"), value)
