"""Pathway: what a person's facts add up to, published whole and event by event, to each recipient.

    pathway.in.v1 -> pathway.state.<recipient>.v1, pathway.events.<recipient>.v1

State is a set, the view is a fold of it; `person_state.py` says which elements it has in the changelog.

Of one fact the entry with the highest (link revision, source_version_at, content hash) is kept: while its link
revision is above the record's withdrawal it counts, and when it is not, neither would any lower one. So the
set, the fold and what is published last are the same for any order and any repetition of the same messages.
"""

from collections.abc import Iterable

from schemas import canonical, pathway_in
from schemas.definitions import Definitions
from schemas.errors import Unreadable
from schemas.facts import StoredFact
from schemas.keyring import Keyring
from schemas.pathway_in import FactInput, TickInput, WithdrawalInput
from streams.steps.folding import fold
from streams.steps.outcome import Change, Message, Outcome, Reject
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.events import kind_of
from streams.steps.pathway_fold.handovers import is_overdue
from streams.steps.person_state import AS_OF, NEVER, OUT, WITHDRAWN, Events, Held, PathwayState, withdrawal
from streams.steps.publishing import Recipient

__all__ = ["Held", "PathwayState", "PathwayStep"]


class PathwayStep:
    """pathway.in.v1 -> snapshots and events of every recipient. `keys` holds each recipient's key."""

    def __init__(self, keys: Keyring, recipients: tuple[str, ...], definitions: Definitions) -> None:
        self._recipients = tuple(Recipient(name, keys) for name in recipients)
        self._definitions = definitions

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> PathwayState:
        """The people of one task from its changelog."""
        return PathwayState.of_changelog(elements)

    def advance(self, state: PathwayState, message: Message) -> tuple[PathwayState, tuple[Outcome, ...]]:
        """What follows from one fact, one withdrawal or one tick; told again, it is answered again."""
        try:
            told = pathway_in.parse(message.key, message.value)
        except Unreadable:
            return state, (Reject("unreadable"),)
        match told:
            case FactInput():
                return state, tuple(self._fact(state, told, message))
            case WithdrawalInput():
                return state, tuple(self._withdrawal(state, told, message))
            case TickInput():
                return state, tuple(self._tick(state, told, message))

    def _fact(self, state: PathwayState, told: FactInput, message: Message) -> list[Outcome]:
        person, record_id, fact_id = state.of(told.person_id), told.fact.record_id, told.fact.fact_id
        new, known = Held(told.link_revision, PersonFact.of(told.fact)), person.held((record_id, fact_id))
        outcomes: list[Outcome] = []
        counts = told.link_revision > person.withdrawn.get(record_id, NEVER)
        if counts and (known is None or new.rank > known.rank):
            person.facts[record_id, fact_id] = new
            outcomes.append(Change(message.key or b"", new.value()))
        return outcomes + self._publish(state, told.person_id, message, told=told.fact)

    def _withdrawal(self, state: PathwayState, told: WithdrawalInput, message: Message) -> list[Outcome]:
        person, record_id = state.of(told.person_id), told.record_id
        outcomes: list[Outcome] = []
        if told.link_revision > person.withdrawn.get(record_id, NEVER):
            person.withdrawn[record_id] = told.link_revision
            key, value = f"{told.person_id}/{record_id}/{WITHDRAWN}", withdrawal(told.link_revision)
            outcomes.append(_change(key, value))
        for name in [name for name in person.facts if name[0] == record_id]:
            held = person.held(name)
            if held is not None and held.link_revision <= person.withdrawn[record_id]:
                del person.facts[name]
                outcomes.append(_change(f"{told.person_id}/{record_id}/{name[1]}", None))
        return outcomes + self._publish(state, told.person_id, message)

    def _tick(self, state: PathwayState, told: TickInput, message: Message) -> list[Outcome]:
        """Publish who has become overdue; told the same day again, who is: ticks are for once a day."""
        before, outcomes = state.as_of, list[Outcome]()
        if before is None or told.as_of > before:
            state.as_of = told.as_of
            outcomes.append(_change(AS_OF, canonical.dump({"as_of": told.as_of.isoformat()})))
        elif told.as_of < before:
            return []
        else:
            before = None
        rule = self._definitions.handover
        for person_id, unreceived in sorted(state.unreceived.items()):
            if any(is_overdue(d, state.as_of, rule) and not is_overdue(d, before, rule) for d in unreceived):
                outcomes += self._publish(state, person_id, message)
        return outcomes

    def _publish(
        self, state: PathwayState, person_id: str, message: Message, *, told: StoredFact | None = None
    ) -> list[Outcome]:
        """The snapshot, every event that changed or rests on the fact `told`, and what no longer follows."""
        person = state.of(person_id)
        pathway = fold(person.counting(), as_of=state.as_of, definitions=self._definitions, told=person.told)
        follows = {one.name: (one.kind, one.digest) for one in pathway.events}
        told_id = told.fact_id if told else None
        changed = [
            one
            for one in pathway.events
            if person.events.get(one.name) != follows[one.name] or told_id in one.facts
        ]
        gone = _gone(person.events, follows, told)
        outcomes: list[Outcome] = []
        for recipient in self._recipients:
            about = recipient.about(person_id, message)
            outcomes.append(recipient.snapshot(about, pathway))
            outcomes += [recipient.event(about, one) for one in changed]
            outcomes += [recipient.retraction(about, name, kind) for name, kind in gone]
        was = person.events, person.unreceived
        person.events, person.unreceived = follows, pathway.unreceived
        state.note_unreceived(person_id, person.unreceived)
        if (person.events, person.unreceived) != was:
            outcomes.append(_change(f"{person_id}/{OUT}", person.out()))
        return outcomes


def _gone(published: Events, follows: Events, told: StoredFact | None) -> list[tuple[str, str]]:
    """(name, kind) of the events to retract: published and not following now, or taken back by `told`."""
    gone = {name: kind for name, (kind, _) in published.items() if name not in follows}
    if told is not None and told.retracted and told.fact_id not in follows:
        kind = kind_of(told.body)  # a retraction told again is answered again
        gone |= {told.fact_id: kind} if kind is not None else {}
    return sorted(gone.items())


def _change(key: str, value: bytes | None) -> Change:
    return Change(key.encode("ascii"), value)
