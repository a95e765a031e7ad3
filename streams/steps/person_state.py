"""What pathway keeps of each person, and its form in the changelog.

    <person>/<record>/<entry>/<content>  {"entry", "link_revision"}: the entry, since the highest revision received
    <person>/<record>/k                  the wrapped data key of the highest link revision and epoch, that revision
    <person>/<record>/w                  {"link_revision"}: the highest withdrawal, kept for ever
    <person>/o/<name>                    {"digest", "kind", "known_at_ms", "revision"}: a claim: an event, or the
                                         snapshot, that may be published, and the revision under which
    <person>/f                           {"revision"}: the highest given in answer to a message that came again
    <person>/u                           {"due": [days]}: on which something changes though nobody sends anything
    as_of, as_of/<slice>                 {"as_of"}: the latest day received, for all people and for those of a slice

A claim that was read back is not sure: its outputs may never have left.

Elements that were read back stay bytes until their person is used, and people not used for long become bytes again:
a worker with a million elements is ready in seconds and holds little more than their bytes.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from schemas import canonical, elements
from schemas.data_keys import BucketKeys, Family, KeyNotHeld
from schemas.errors import Unreadable
from schemas.keyring import Keyring, Purpose
from schemas.pathway_in import slice_of
from schemas.record_keys import WrappedKeys
from streams.steps.outcome import Message
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.fold import FoldMemory, Pathway
from streams.steps.publishing import Publication

AS_OF, KEY, WITHDRAWN, CLAIM, DUE, FLOOR = "as_of", "k", "w", "o", "u", "f"
SNAPSHOT = "snapshot"  # the name and kind of the claim that is no event's
NEVER = -1  # below every link revision
IN_USE_MAX = 2_000  # people held parsed: some 40 KB each, so 80 MB; the others are their bytes
Content = tuple[str, str]  # kind, keyed digest; TAKEN_BACK for what no longer follows
TAKEN_BACK = ""
_SURE = "sure"  # marks, in memory only, the elements of a person whose claims are sure


class ClaimedOutput(NamedTuple):
    """What may be published under a name, and under which revision it is published."""

    content: Content
    publication: Publication

    @classmethod
    def parse(cls, value: bytes) -> "ClaimedOutput":
        """The claim that `element` wrote."""
        parts = canonical.read_object(value)
        return cls((parts["kind"], parts["digest"]), Publication(parts["revision"], parts["known_at_ms"]))

    def element(self) -> bytes:
        """The value in the changelog, in canonical JSON."""
        (kind, digest), (revision, known_at_ms) = self
        return canonical.dump({"digest": digest, "kind": kind, "known_at_ms": known_at_ms, "revision": revision})


Claims = Mapping[str, ClaimedOutput]  # by name


@dataclass(slots=True)
class LinkedEntry:
    """An entry of a person, with the link revision under which it came; its facts once it was opened."""

    link_revision: int
    entry: Mapping[str, object] = field(repr=False)
    facts: tuple[PersonFact, ...] | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, value: bytes) -> "LinkedEntry":
        """The entry that `element` wrote."""
        parts = canonical.read_object(value)
        return cls(parts["link_revision"], parts["entry"])

    def element(self) -> bytes:
        """The value in the changelog, in canonical JSON."""
        return canonical.dump({"entry": self.entry, "link_revision": self.link_revision})

    def open(self, record_id: str, name: str, data_key: bytes) -> tuple[PersonFact, ...]:
        """Its facts. Raises Unreadable when the key does not open it, or a fact is none of ours."""
        if self.facts is None:
            contents = (fact.version for fact in elements.fact_names(self.entry))
            facts = elements.stored_facts(record_id, name, self.entry, data_key)
            self.facts = tuple(map(PersonFact, facts, contents))
        return self.facts


@dataclass(frozen=True, slots=True)
class LinkedKey:
    """A record's data key for bodies, wrapped, with the link revision under which it came."""

    link_revision: int
    wrapped: WrappedKeys

    @property
    def rank(self) -> tuple[int, int]:
        """The higher is kept."""
        return self.link_revision, self.wrapped.epoch

    @classmethod
    def parse(cls, value: bytes) -> "LinkedKey":
        """The key that `element` wrote."""
        parts = canonical.read_object(value)
        return cls(parts["link_revision"], WrappedKeys.of_form(parts, (Family.BODY,)))

    def element(self) -> bytes:
        """The value in the changelog, in canonical JSON."""
        return canonical.dump({"link_revision": self.link_revision, **self.wrapped.form()})


@dataclass(slots=True)
class PersonState:
    """One person. Entries read back from the changelog stay bytes until needed.

    `sure`: everything claimed, and nothing else, was published in this life of the process.
    """

    entries: dict[tuple[str, str], LinkedEntry | bytes] = field(default_factory=dict)  # (record, element's name)
    keys: dict[str, LinkedKey] = field(default_factory=dict)  # by record
    opened: dict[str, bytes] = field(default_factory=dict, repr=False)  # record -> its data key
    withdrawn: dict[str, int] = field(default_factory=dict)  # record -> link revision
    claims: Claims = field(default_factory=dict)
    sure: bool = False
    floor: int = NEVER  # the highest revision that was above that of its message
    due: tuple[date, ...] = ()
    keyed: Mapping[str, str] = field(default_factory=dict)  # digest of what is claimed -> its keyed digest
    memory: FoldMemory = field(default_factory=FoldMemory)  # made of facts folded before, not to be made again

    def entry(self, key: tuple[str, str]) -> LinkedEntry | None:
        """The entry under (record, element's name), if there is one."""
        entry = self.entries.get(key)
        if isinstance(entry, bytes):
            entry = self.entries[key] = LinkedEntry.parse(entry)
        return entry

    def has_record(self, record_id: str, link_revision: int) -> bool:
        """Whether the record has not left this person since it came with that link revision."""
        return link_revision > self.withdrawn.get(record_id, NEVER)

    def data_key(self, record_id: str, held: BucketKeys) -> bytes | None:
        """The record's data key; None when it has not come, or its bucket key is not held or was destroyed."""
        if record_id not in self.opened and record_id in self.keys:
            with suppress(KeyNotHeld):
                data_key = self.keys[record_id].wrapped.opened(record_id, Family.BODY, held)
                if data_key is not None:
                    self.opened[record_id] = data_key
        return self.opened.get(record_id)

    def linked_facts(self, held: BucketKeys) -> list[PersonFact]:
        """The facts of the entries whose record has not left this person since they came, and whose key is held."""
        found: list[PersonFact] = []
        data_keys = {record_id: self.data_key(record_id, held) for record_id in {name[0] for name in self.entries}}
        for name in self.entries:
            linked, data_key = self.entry(name), data_keys[name[0]]
            if linked is None or data_key is None or not self.has_record(name[0], linked.link_revision):
                continue
            if linked.facts is not None:
                found += linked.facts
                continue
            with suppress(Unreadable):  # it came before its key, so nobody could see that it is none of ours
                found += linked.open(*name, data_key)
        return found

    def put(self, name: str, value: bytes) -> None:
        """Add one element of the changelog, by its key without the person."""
        first, _, rest = name.partition("/")
        if name == DUE:
            self.due = _days(value)
        elif name == FLOOR:
            self.floor = canonical.read_object(value)["revision"]
        elif name == _SURE:
            self.sure = True
        elif first == CLAIM:
            self.claims = {**self.claims, rest: ClaimedOutput.parse(value)}
        elif rest == KEY:
            self.keys[first] = LinkedKey.parse(value)
        elif rest == WITHDRAWN:
            self.withdrawn[first] = canonical.read_object(value)["link_revision"]
        else:
            self.entries[first, rest] = value

    def elements(self) -> list[tuple[str, bytes]]:
        """Every element by its key without the person: what `put` takes."""
        found = [
            (f"{record_id}/{name}", entry if isinstance(entry, bytes) else entry.element())
            for (record_id, name), entry in self.entries.items()
        ]
        found += [(f"{record}/{KEY}", key.element()) for record, key in self.keys.items()]
        found += [(f"{record}/{WITHDRAWN}", withdrawal(revision)) for record, revision in self.withdrawn.items()]
        found += [(f"{CLAIM}/{name}", claim.element()) for name, claim in self.claims.items()]
        if element := due_element(self.due):
            found.append((DUE, element))
        if self.floor > NEVER:
            found.append((FLOOR, floor_element(self.floor)))
        return [*found, (_SURE, b"")] if found and self.sure else found


@dataclass(slots=True)
class PathwayState:
    """One task's people, and the latest days received."""

    people: dict[str, PersonState] = field(default_factory=dict)  # in use, the last used at the end
    days: dict[int | None, date] = field(default_factory=dict)  # the latest received; by slice, None for all
    due: dict[int, dict[str, tuple[date, ...]]] = field(default_factory=dict)  # by slice, of all people with any
    touched: dict[str, Message] = field(default_factory=dict)  # to be published; the newest message about each
    # person -> the elements of people not in use: key, value, key, value, ...
    unread: dict[bytes, list[bytes]] = field(default_factory=dict)
    in_use_max: int = IN_USE_MAX

    @classmethod
    def of_changelog(cls, changelog: Iterable[tuple[bytes, bytes]]) -> "PathwayState":
        """The people of one task. Raises Unreadable for a key of another form."""
        state = cls()
        unread = state.unread
        for key, value in changelog:
            parts = key.split(b"/", 2)
            if _is_of_a_person(parts):
                pairs = unread.get(parts[0])
                if pairs is None:
                    unread[parts[0]] = [key, value]
                else:
                    pairs += (key, value)
                if parts[1] == DUE.encode():
                    state.note_due(parts[0].decode("ascii"), _days(value))
            elif parts[0] == AS_OF.encode() and all(part.isdigit() for part in parts[1:]):
                number = int(parts[1]) if len(parts) > 1 else None
                state.days[number] = date.fromisoformat(canonical.read_object(value)["as_of"])
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

    def touch(self, person_id: str, message: Message) -> None:
        """The message is about this person, and newer than all before it."""
        self.touched[person_id] = message

    def as_of(self, slice_: int) -> date | None:
        """The latest day received for the people of a slice."""
        days = [day for day in (self.days.get(None), self.days.get(slice_)) if day is not None]
        return max(days, default=None)

    def set_day(self, slice_: int | None, day: date) -> list[int]:
        """Set the latest day received; the slices whose own day a day for all has reached have none any more."""
        self.days[slice_] = day
        if slice_ is not None:
            return []
        reached = [number for number, of_slice in self.days.items() if number is not None and of_slice <= day]
        for number in reached:
            del self.days[number]
        return reached

    def note_due(self, person_id: str, days: tuple[date, ...]) -> None:
        """Set the days on which a tick changes something of the person, though nobody sends anything."""
        due = self.due.setdefault(slice_of(person_id), {})
        if days:
            due[person_id] = days
        else:
            due.pop(person_id, None)

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


def day_name(slice_: int | None) -> str:
    """The key of an `as_of` element."""
    return AS_OF if slice_ is None else f"{AS_OF}/{slice_}"


def floor_element(revision: int) -> bytes:
    """The value of a `/f` element."""
    return canonical.dump({"revision": revision})


def due_element(days: Iterable[date]) -> bytes | None:
    """The value of a `/u` element, None when there is no day."""
    texts = [day.isoformat() for day in days]
    return canonical.dump({"due": texts}) if texts else None


def current_contents(
    pathway: Pathway, keys: Keyring, former: Mapping[str, str]
) -> tuple[Mapping[str, Content], dict[str, str]]:
    """What is to be published of the pathway, by name. Digests are keyed: a weight has few values one could try.

    Second, the keyed digest of each digest: `former` are those of last time, which are not made again.
    """
    digests = {event.name: (event.kind, event.digest) for event in pathway.events}
    if not pathway.is_empty:
        digests[SNAPSHOT] = (SNAPSHOT, pathway.digest)
    keyed = {digest: former.get(digest) or keys.mac(Purpose.CLAIM, digest) for _, digest in digests.values()}
    return {name: (kind, keyed[digest]) for name, (kind, digest) in digests.items()}, keyed


def publication_after(person: PersonState, message: Publication) -> Publication:
    """Under which revision another content than the claimed one is published in answer to this message.

    It is the message's own, but for a message that comes again: the next above all that was claimed, so that a
    revision names one content and the last published is the highest. What was claimed may be released later: so such
    a revision is the person's `floor` from then on.
    """
    claimed = (claim.publication.revision for claim in person.claims.values())
    newest = max(claimed, default=NEVER)
    return message._replace(revision=max(message.revision, 1 + max(newest, person.floor)))


def next_claims(claims: Claims, contents: Mapping[str, Content], publication: Publication) -> Claims:
    """What is claimed now; of what is in `contents` no more, that it is taken back.

    What was claimed as it is keeps the revision it was claimed with.
    """
    taken_back: dict[str, Content] = {name: (claim.content[0], TAKEN_BACK) for name, claim in claims.items()}
    return {
        name: former
        if (former := claims.get(name)) is not None and former.content == content
        else ClaimedOutput(content, publication)
        for name, content in {**taken_back, **contents}.items()
    }


def _days(element: bytes) -> tuple[date, ...]:
    return tuple(date.fromisoformat(text) for text in canonical.read_object(element)["due"])


def _is_of_a_person(parts: list[bytes]) -> bool:
    """Whether the key's parts, three at most, are of one of the forms above."""
    if len(parts) == 3:
        return True
    return len(parts) == 2 and parts[1] in (DUE.encode(), FLOOR.encode())
