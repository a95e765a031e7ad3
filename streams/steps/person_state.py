"""What pathway keeps of each person, and how it stands in the changelog.

    <person>/<record>/<fact>   {"fact", "link_revision"}: of what was told of the fact, the highest
    <person>/<record>/w        {"link_revision"}: the highest withdrawal, kept for ever
    <person>/o                 {"events": {name: [kind, digest]}, "unreceived": [days sent]}: as published
    as_of                      {"as_of"}: the latest day told

What is read back stays bytes until its person is touched, and people not touched for long become bytes again:
a worker with a million elements is ready in seconds and holds little more than their bytes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from schemas import canonical
from schemas.errors import Unreadable
from schemas.facts import StoredFact
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.events import Told

AS_OF, WITHDRAWN, OUT = "as_of", "w", "o"
NEVER = -1  # below every link revision
IN_USE_MAX = 2_000  # people held parsed: some 40 KB each, so 80 MB; the others are their bytes
Events = Mapping[str, tuple[str, str]]  # name -> (kind, digest)
_UNRECEIVED = b'"unreceived":'


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
        """As it stands in the changelog, in canonical JSON."""
        return b'{"fact":%b,"link_revision":%d}' % (self.fact.text, self.link_revision)

    @classmethod
    def parse(cls, value: bytes) -> "Held":
        """As `value` wrote it."""
        held = canonical.load_object(value)
        fact = StoredFact.model_validate_json(canonical.dump(held["fact"]))
        return cls(held["link_revision"], PersonFact.of(fact))


@dataclass(slots=True)
class PersonState:
    """What is known under one person id. Facts read back from the changelog stay bytes until needed."""

    facts: dict[tuple[str, str], Held | bytes] = field(default_factory=dict)  # (record, fact id)
    withdrawn: dict[str, int] = field(default_factory=dict)  # record -> link revision
    events: Events = field(default_factory=dict)  # as published
    unreceived: tuple[date, ...] = ()
    told: Told = field(default_factory=dict)  # events of facts folded before, to be found and not made again

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

    def out(self) -> bytes | None:
        """The value of the `/o` element, None when nothing is published."""
        if not self.events and not self.unreceived:
            return None
        return canonical.dump(
            {
                "events": {name: list(sent) for name, sent in self.events.items()},
                "unreceived": [day.isoformat() for day in self.unreceived],
            }
        )

    def put(self, name: str, value: bytes) -> None:
        """Take in one element as the changelog has it, by its key without the person."""
        record_id, _, last = name.rpartition("/")
        if name == OUT:
            published = canonical.load_object(value)
            self.events = {name: (kind, digest) for name, (kind, digest) in published["events"].items()}
            self.unreceived = _days(published["unreceived"])
        elif last == WITHDRAWN:
            self.withdrawn[record_id] = canonical.load_object(value)["link_revision"]
        else:
            self.facts[record_id, last] = value

    def elements(self) -> list[tuple[str, bytes]]:
        """Every element by its key without the person: what `put` takes."""
        found = [
            (f"{record_id}/{fact_id}", held if isinstance(held, bytes) else held.value())
            for (record_id, fact_id), held in self.facts.items()
        ]
        found += [(f"{record_id}/{WITHDRAWN}", withdrawal(at)) for record_id, at in self.withdrawn.items()]
        out = self.out()
        return found if out is None else [*found, (OUT, out)]


@dataclass(slots=True)
class PathwayState:
    """One task's people, and the latest day told."""

    people: dict[str, PersonState] = field(default_factory=dict)  # in use, the one touched last at the end
    as_of: date | None = None
    unreceived: dict[str, tuple[date, ...]] = field(default_factory=dict)  # of everybody who has any
    # person -> the elements of people not in use: key, value, key, value, ...
    unread: dict[bytes, list[bytes]] = field(default_factory=dict)
    in_use_max: int = IN_USE_MAX

    @classmethod
    def of_changelog(cls, kept: Iterable[tuple[bytes, bytes]]) -> "PathwayState":
        """The people of one task. Raises Unreadable for a key of another form."""
        state = cls()
        unread = state.unread
        for key, value in kept:
            parts = key.split(b"/")
            if len(parts) == 3 or (len(parts) == 2 and parts[1] == b"o"):
                own = unread.get(parts[0])
                if own is None:
                    unread[parts[0]] = [key, value]
                else:
                    own += (key, value)
                if len(parts) == 2:
                    state.note_unreceived(parts[0].decode("ascii"), _days_at_the_end(value))
            elif key == b"as_of":
                state.as_of = date.fromisoformat(canonical.load_object(value)["as_of"])
            else:
                raise Unreadable("pathway state", rule="has a key of another form")
        return state

    def of(self, person_id: str) -> PersonState:
        """The person, made when new; who has not been touched for longest goes out of use."""
        person = self.people.pop(person_id, None) or self._read(person_id)
        self.people[person_id] = person
        if len(self.people) > self.in_use_max:
            self._put_away(next(iter(self.people)))
        return person

    def note_unreceived(self, person_id: str, days: tuple[date, ...]) -> None:
        """The sending days of the person's referrals not yet received: whom a tick may concern."""
        if days:
            self.unreceived[person_id] = days
        else:
            self.unreceived.pop(person_id, None)

    def _read(self, person_id: str) -> PersonState:
        person, own = PersonState(), self.unread.pop(person_id.encode("ascii"), [])
        for key, value in zip(own[::2], own[1::2], strict=True):
            person.put(key.decode("ascii").partition("/")[2], value)
        return person

    def _put_away(self, person_id: str) -> None:
        kept = self.people.pop(person_id).elements()
        if kept:
            pairs = (((f"{person_id}/{name}").encode("ascii"), value) for name, value in kept)
            self.unread[person_id.encode("ascii")] = [part for pair in pairs for part in pair]


def withdrawal(link_revision: int) -> bytes:
    """The value of a `/w` element."""
    return canonical.dump({"link_revision": link_revision})


def _days_at_the_end(out: bytes) -> tuple[date, ...]:
    """The sending days of an `/o` element, its events not looked at: in canonical JSON they come last."""
    return _days(json.loads(out[out.rindex(_UNRECEIVED) + len(_UNRECEIVED) : -1]))


def _days(told: Iterable[str]) -> tuple[date, ...]:
    return tuple(date.fromisoformat(day) for day in told)
