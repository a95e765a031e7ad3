"""What pathway keeps of each person, and its form in the changelog.

    <person>/<record>/<fact>   {"fact", "link_revision"}: the highest of all versions received of the fact
    <person>/<record>/w        {"link_revision"}: the highest withdrawal, kept for ever
    <person>/o                 {"events": {name: [kind, digest]}, "unreceived": [days sent]}: as published
    as_of                      {"as_of"}: the latest day received

Elements that were read back stay bytes until their person is used, and people not used for long become bytes again:
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
from streams.steps.pathway_fold.events import FactEvents

AS_OF, WITHDRAWN, PUBLISHED = "as_of", "w", "o"
NEVER = -1  # below every link revision
IN_USE_MAX = 2_000  # people held parsed: some 40 KB each, so 80 MB; the others are their bytes
Events = Mapping[str, tuple[str, str]]  # name -> (kind, digest)
_UNRECEIVED = b'"unreceived":'


@dataclass(frozen=True, slots=True)
class LinkedFact:
    """A fact of a person, with the link revision under which it came."""

    link_revision: int
    fact: PersonFact

    @property
    def rank(self) -> tuple[int, object]:
        """The higher is kept."""
        return self.link_revision, self.fact.version

    def element(self) -> bytes:
        """The value in the changelog, in canonical JSON."""
        return b'{"fact":%b,"link_revision":%d}' % (self.fact.text, self.link_revision)

    @classmethod
    def parse(cls, value: bytes) -> "LinkedFact":
        """The fact that `element` wrote."""
        parts = canonical.load_object(value)
        fact = StoredFact.model_validate_json(canonical.dump(parts["fact"]))
        return cls(parts["link_revision"], PersonFact.of(fact))


@dataclass(slots=True)
class PersonState:
    """One person. Facts read back from the changelog stay bytes until needed."""

    facts: dict[tuple[str, str], LinkedFact | bytes] = field(default_factory=dict)  # (record, fact id)
    withdrawn: dict[str, int] = field(default_factory=dict)  # record -> link revision
    events: Events = field(default_factory=dict)  # as published
    unreceived: tuple[date, ...] = ()
    memory: FactEvents = field(default_factory=dict)  # events of facts folded before, not to be made again

    def fact(self, key: tuple[str, str]) -> LinkedFact | None:
        """The fact under (record, fact id), if there is one."""
        fact = self.facts.get(key)
        if isinstance(fact, bytes):
            fact = self.facts[key] = LinkedFact.parse(fact)
        return fact

    def has_record(self, record_id: str, link_revision: int) -> bool:
        """Whether the record has not left this person since it came with that link revision."""
        return link_revision > self.withdrawn.get(record_id, NEVER)

    def linked_facts(self) -> list[PersonFact]:
        """The facts whose record has not left this person since they came."""
        found = []
        for record_id, fact_id in self.facts:
            linked = self.fact((record_id, fact_id))
            if linked is not None and self.has_record(record_id, linked.link_revision):
                found.append(linked.fact)
        return found

    def published(self) -> bytes | None:
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
        """Add one element of the changelog, by its key without the person."""
        record_id, _, last = name.rpartition("/")
        if name == PUBLISHED:
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
            (f"{record_id}/{fact_id}", fact if isinstance(fact, bytes) else fact.element())
            for (record_id, fact_id), fact in self.facts.items()
        ]
        found += [(f"{record}/{WITHDRAWN}", withdrawal(revision)) for record, revision in self.withdrawn.items()]
        published = self.published()
        return found if published is None else [*found, (PUBLISHED, published)]


@dataclass(slots=True)
class PathwayState:
    """One task's people, and the latest day received."""

    people: dict[str, PersonState] = field(default_factory=dict)  # in use, the last used at the end
    as_of: date | None = None
    unreceived: dict[str, tuple[date, ...]] = field(default_factory=dict)  # of all people with any
    # person -> the elements of people not in use: key, value, key, value, ...
    unread: dict[bytes, list[bytes]] = field(default_factory=dict)
    in_use_max: int = IN_USE_MAX

    @classmethod
    def of_changelog(cls, changelog: Iterable[tuple[bytes, bytes]]) -> "PathwayState":
        """The people of one task. Raises Unreadable for a key of another form."""
        state = cls()
        unread = state.unread
        for key, value in changelog:
            parts = key.split(b"/")
            if len(parts) == 3 or (len(parts) == 2 and parts[1] == b"o"):
                pairs = unread.get(parts[0])
                if pairs is None:
                    unread[parts[0]] = [key, value]
                else:
                    pairs += (key, value)
                if len(parts) == 2:
                    state.note_unreceived(parts[0].decode("ascii"), _days_at_the_end(value))
            elif key == b"as_of":
                state.as_of = date.fromisoformat(canonical.load_object(value)["as_of"])
            else:
                raise Unreadable("pathway state", rule="has a key of another form")
        return state

    def of(self, person_id: str) -> PersonState:
        """The person, made when new; the person not used for longest goes out of use."""
        person = self.people.pop(person_id, None) or self._read(person_id)
        self.people[person_id] = person
        if len(self.people) > self.in_use_max:
            self._unload(next(iter(self.people)))
        return person

    def note_unreceived(self, person_id: str, days: tuple[date, ...]) -> None:
        """Set the sending days of the person's referrals not yet received, which a tick may make overdue."""
        if days:
            self.unreceived[person_id] = days
        else:
            self.unreceived.pop(person_id, None)

    def _read(self, person_id: str) -> PersonState:
        person, pairs = PersonState(), self.unread.pop(person_id.encode("ascii"), [])
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            person.put(key.decode("ascii").partition("/")[2], value)
        return person

    def _unload(self, person_id: str) -> None:
        elements = self.people.pop(person_id).elements()
        if elements:
            pairs = (((f"{person_id}/{name}").encode("ascii"), value) for name, value in elements)
            self.unread[person_id.encode("ascii")] = [part for pair in pairs for part in pair]


def withdrawal(link_revision: int) -> bytes:
    """The value of a `/w` element."""
    return canonical.dump({"link_revision": link_revision})


def _days_at_the_end(published: bytes) -> tuple[date, ...]:
    """The sending days of an `/o` element without parsing its events: in canonical JSON the days come last."""
    return _days(json.loads(published[published.rindex(_UNRECEIVED) + len(_UNRECEIVED) : -1]))


def _days(texts: Iterable[str]) -> tuple[date, ...]:
    return tuple(date.fromisoformat(text) for text in texts)
