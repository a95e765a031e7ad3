"""Pathway: what a person's facts add up to, published whole and event by event, to each recipient.

    pathway.in.v1 -> pathway.state.<recipient>.v1, pathway.events.<recipient>.v1

State is a set, the view is a fold of it. State elements, in the changelog:

    <person>/<record>/<fact>   {"link_revision", "fact"}: of what was told of the fact, the highest
    <person>/<record>/w        {"link_revision"}: the highest withdrawal, kept for ever
    <person>/o                 what is published: {"events": {name: [kind, digest]}, "unreceived": [days
    sent]} as_of                      {"as_of"}: the latest day told

Of one fact the entry with the highest (link revision, told_at, content hash) is kept: while its link
revision is above the record's withdrawal it counts, and when it is not, neither would any lower one. So the
set, the fold and what is published last are the same for any order and any repetition of the same messages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from schemas import canonical, pathway_in
from schemas.definitions import Definitions
from schemas.errors import Unreadable
from schemas.facts import StoredFact
from schemas.keyring import Keyring
from schemas.pathway_in import FactTold, TickTold, WithdrawalTold
from streams.steps.folding import fold
from streams.steps.outcome import Change, Message, Outcome, Reject
from streams.steps.pathway_fold.following import kind_of
from streams.steps.pathway_fold.handovers import is_overdue
from streams.steps.pathway_fold.standing import PersonFact
from streams.steps.publishing import Recipient

AS_OF, WITHDRAWN, OUT = "as_of", "w", "o"
NEVER = -1  # below every link revision
Events = Mapping[str, tuple[str, str]]  # name -> (kind, digest)


@dataclass(frozen=True, slots=True)
class Held:
    """A fact as it is held, with the link revision under which it came."""

    link_revision: int
    fact: PersonFact

    @property
    def rank(self) -> tuple[int, object]:
        """The higher is kept."""
        return self.link_revision, self.fact.version

    def value(self) -> bytes:
        """As it stands in the changelog."""
        return canonical.dump(
            {"link_revision": self.link_revision, "fact": self.fact.fact.model_dump(mode="json")}
        )

    @classmethod
    def parse(cls, value: bytes) -> "Held":
        """As `value` wrote it."""
        held = canonical.load_object(value)
        fact = StoredFact.model_validate_json(canonical.dump(held["fact"]))
        return cls(held["link_revision"], PersonFact.of(fact))


@dataclass(slots=True)
class Person:
    """What is known under one person id. Facts read back from the changelog stay bytes until needed."""

    facts: dict[tuple[str, str], Held | bytes] = field(default_factory=dict)  # (record, fact id)
    withdrawn: dict[str, int] = field(default_factory=dict)  # record -> link revision
    events: Events = field(default_factory=dict)  # as published
    unreceived: tuple[date, ...] = ()

    def held(self, key: tuple[str, str]) -> Held | None:
        """What is held under `key`."""
        held = self.facts.get(key)
        if isinstance(held, bytes):
            held = self.facts[key] = Held.parse(held)
        return held

    def counting(self) -> list[PersonFact]:
        """The facts whose record has not left this person since they came."""
        found = []
        for record_id, fact_id in self.facts:
            held = self.held((record_id, fact_id))
            if held is not None and held.link_revision > self.withdrawn.get(record_id, NEVER):
                found.append(held.fact)
        return found

    def out(self) -> dict[str, object] | None:
        """The `/o` element, None when nothing is published."""
        if not self.events and not self.unreceived:
            return None
        return {
            "events": {name: list(sent) for name, sent in self.events.items()},
            "unreceived": [day.isoformat() for day in self.unreceived],
        }


@dataclass(slots=True)
class PathwayState:
    """One task's people, and the latest day told."""

    people: dict[str, Person] = field(default_factory=dict)
    as_of: date | None = None

    def of(self, person_id: str) -> Person:
        """The person, made when new."""
        return self.people.setdefault(person_id, Person())


class PathwayStep:
    """pathway.in.v1 -> snapshots and events of every recipient. `keys` holds each recipient's key."""

    def __init__(self, keys: Keyring, recipients: tuple[str, ...], definitions: Definitions) -> None:
        self._recipients = tuple(Recipient(name, keys) for name in recipients)
        self._definitions = definitions

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> PathwayState:
        """The people of one task from its changelog."""
        state = PathwayState()
        for key, value in elements:
            _put(state, key.decode("ascii").split("/"), value)
        return state

    def advance(self, state: PathwayState, message: Message) -> tuple[PathwayState, tuple[Outcome, ...]]:
        """What follows from one fact, one withdrawal or one tick; told again, it is answered again."""
        try:
            told = pathway_in.parse(message.key, message.value)
        except Unreadable:
            return state, (Reject("unreadable"),)
        match told:
            case FactTold():
                return state, tuple(self._fact(state, told, message))
            case WithdrawalTold():
                return state, tuple(self._withdrawal(state, told, message))
            case TickTold():
                return state, tuple(self._tick(state, told, message))

    def _fact(self, state: PathwayState, told: FactTold, message: Message) -> list[Outcome]:
        person, record_id, fact_id = state.of(told.person_id), told.fact.record_id, told.fact.fact_id
        new, known = Held(told.link_revision, PersonFact.of(told.fact)), person.held((record_id, fact_id))
        outcomes: list[Outcome] = []
        counts = told.link_revision > person.withdrawn.get(record_id, NEVER)
        if counts and (known is None or new.rank > known.rank):
            person.facts[record_id, fact_id] = new
            outcomes.append(Change(message.key or b"", new.value()))
        return outcomes + self._publish(state, told.person_id, message, told=told.fact)

    def _withdrawal(self, state: PathwayState, told: WithdrawalTold, message: Message) -> list[Outcome]:
        person, record_id = state.of(told.person_id), told.record_id
        outcomes: list[Outcome] = []
        if told.link_revision > person.withdrawn.get(record_id, NEVER):
            person.withdrawn[record_id] = told.link_revision
            outcomes.append(
                _change(f"{told.person_id}/{record_id}/{WITHDRAWN}", {"link_revision": told.link_revision})
            )
        for key in [key for key in person.facts if key[0] == record_id]:
            held = person.held(key)
            if held is not None and held.link_revision <= person.withdrawn[record_id]:
                del person.facts[key]
                outcomes.append(_change(f"{told.person_id}/{record_id}/{key[1]}", None))
        return outcomes + self._publish(state, told.person_id, message)

    def _tick(self, state: PathwayState, told: TickTold, message: Message) -> list[Outcome]:
        """Publish who has become overdue; told the same day again, who is: ticks are for once a day."""
        before, outcomes = state.as_of, list[Outcome]()
        if before is None or told.as_of > before:
            state.as_of = told.as_of
            outcomes.append(_change(AS_OF, {"as_of": told.as_of.isoformat()}))
        elif told.as_of < before:
            return []
        else:
            before = None
        rule = self._definitions.handover
        for person_id in sorted(state.people):
            unreceived = state.people[person_id].unreceived
            if any(is_overdue(d, state.as_of, rule) and not is_overdue(d, before, rule) for d in unreceived):
                outcomes += self._publish(state, person_id, message)
        return outcomes

    def _publish(
        self, state: PathwayState, person_id: str, message: Message, *, told: StoredFact | None = None
    ) -> list[Outcome]:
        """The snapshot, every event that changed or rests on the fact `told`, and what no longer follows."""
        person = state.of(person_id)
        pathway = fold(person.counting(), as_of=state.as_of, definitions=self._definitions)
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
            outcomes.append(recipient.snapshot(person_id, pathway, message))
            outcomes += [recipient.event(person_id, one, message) for one in changed]
            outcomes += [recipient.retraction(person_id, name, kind, message) for name, kind in gone]
        was = person.out()
        person.events = follows
        person.unreceived = pathway.unreceived
        if person.out() != was:
            outcomes.append(_change(f"{person_id}/{OUT}", person.out()))
        return outcomes


def _gone(published: Events, follows: Events, told: StoredFact | None) -> list[tuple[str, str]]:
    """(name, kind) of the events to retract: published and not following now, or taken back by `told`."""
    gone = {name: kind for name, (kind, _) in published.items() if name not in follows}
    if told is not None and told.retracted and told.fact_id not in follows:
        kind = kind_of(told.body)  # a retraction told again is answered again
        gone |= {told.fact_id: kind} if kind is not None else {}
    return sorted(gone.items())


def _put(state: PathwayState, parts: list[str], value: bytes) -> None:
    match parts:
        case [str(only)] if only == AS_OF:
            state.as_of = date.fromisoformat(canonical.load_object(value)["as_of"])
        case [person_id, str(out)] if out == OUT:
            published = canonical.load_object(value)
            person = state.of(person_id)
            person.events = {name: (kind, digest) for name, (kind, digest) in published["events"].items()}
            person.unreceived = tuple(date.fromisoformat(day) for day in published["unreceived"])
        case [person_id, record_id, str(withdrawn)] if withdrawn == WITHDRAWN:
            state.of(person_id).withdrawn[record_id] = canonical.load_object(value)["link_revision"]
        case [person_id, record_id, fact_id]:
            state.of(person_id).facts[record_id, fact_id] = value
        case _:
            raise Unreadable("pathway state", rule="has a key of another form")


def _change(key: str, value: Mapping[str, object] | None) -> Change:
    return Change(key.encode("ascii"), canonical.dump(value) if value is not None else None)
