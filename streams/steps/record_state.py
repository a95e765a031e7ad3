"""What records keeps of each record, and its form in the changelog.

    <record>/n/<entry>/<content>  the entry, as in events.v1
    <record>/i/<identity hash>    the identity, as in events.v1
    <record>/m/<content>          the merge, as in events.v1
    <record>/k/<epoch>            the record's wrapped data keys of the highest epoch, as in events.v1
    <record>/x/                   the record is erased; nothing else of it is held
    <record>/d/                   {"end"}: the disposition that was written last for every entry, with its reasons
    <record>/p/<person>           a claim: entries of the record were, or may have been, sent to this person
    <record>/l/                   the linker's answer, without its evidence
    <record>/a/                   the identity as last sent to the linker
    <record>/s/                   {"since_ms"}: since when the record waits for a first fact of care

Elements that were read back stay bytes until their record is used, and a record in use keeps its JSON texts as bytes
beside the few parts that decide. So a worker with a million elements is ready in seconds and holds little more than
their bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas import canonical, elements
from schemas.errors import Unreadable
from schemas.record_keys import TRAVELLING, WrappedKeys

LINK, ANNOUNCED, SINCE, PERSON, END = "l", "a", "s", "p", "d"
ELEMENTS = (elements.IDENTITY, elements.ENTRY, elements.MERGE, elements.KEYS, elements.ERASED)
_KINDS = frozenset(kind.encode() for kind in (*ELEMENTS, LINK, ANNOUNCED, SINCE, PERSON, END))


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One entry of the record: the parts that decide, and its JSON as in events.v1."""

    source_version_at: str
    identity: str
    source: str
    tier: str
    ours: bool  # it named a service, or brought a fact of care
    text: bytes = field(repr=False)

    @classmethod
    def of(cls, entry: Mapping[str, Any], text: bytes) -> "RecordEntry":
        """The entry of one element, and that element's bytes."""
        return cls(
            source_version_at=entry["source_version_at"],
            identity=entry["identity"],
            source=entry["source"],
            tier=entry["tier"],
            ours=entry["service_named"] or any(name.of_care for name in elements.fact_names(entry)),
            text=text,
        )


class StoredLink(NamedTuple):
    """The linker's answer as records keeps it. `since`: the revision with which the record came to this person."""

    person_id: str
    status: str
    formerly: list[str]
    revision: int
    since: int
    why: list[str]  # rules that hold it

    def element(self) -> bytes:
        """The value in the changelog."""
        return canonical.dump(self._asdict())

    @classmethod
    def parse(cls, value: bytes) -> "StoredLink":
        """The link that `element` wrote."""
        return cls(**canonical.read_object(value))


@dataclass(slots=True)
class RecordState:
    """One record, by the names of its elements. Identities and merges are their JSON."""

    entries: dict[str, RecordEntry] = field(default_factory=dict)
    identities: dict[str, bytes] = field(default_factory=dict)
    merges: dict[str, bytes] = field(default_factory=dict)
    wrapped: WrappedKeys | None = None
    erased: bool = False
    persons: set[str] = field(default_factory=set)  # whom it may have been sent to
    end: tuple[str, ...] | None = None  # of every entry: the disposition, then why it is held
    link: StoredLink | None = None
    announced: bytes | None = None
    announced_from: tuple[object, ...] | None = None  # what `announced` was made from; None: not known yet
    since_ms: int | None = None

    @property
    def ours(self) -> bool:
        """True once an entry brought a fact of care, or named a service of ours."""
        return any(entry.ours for entry in self.entries.values())

    def winning_identity(self) -> str | None:
        """The identity hash with the highest (source_version_at, hash) of all entries: by value, never by arrival."""
        versions = ((entry.source_version_at, entry.identity) for entry in self.entries.values())
        return max(versions, default=("", None))[1]

    def merged_into(self) -> str | None:
        """Where the latest merge sent this record, or None."""
        merges = (canonical.read_object(text) for text in self.merges.values())
        return max(((merge["source_version_at"], merge["into"]) for merge in merges), default=("", None))[1]

    def put(self, kind: str, name: str, value: bytes) -> None:
        """Add one element of the changelog."""
        match kind:
            case elements.ENTRY:
                self.entries[name] = RecordEntry.of(canonical.read_object(value), value)
            case elements.IDENTITY:
                self.identities[name] = value
            case elements.MERGE:
                self.merges[name] = value
            case elements.KEYS:
                wrapped = WrappedKeys.parse(value, TRAVELLING)
                self.wrapped = wrapped if wrapped.supersedes(self.wrapped) else self.wrapped
            case elements.ERASED:
                self.erased = True
            case "d":
                self.end = tuple(canonical.read_object(value)["end"])
            case "p":
                self.persons.add(name)
            case "l":
                self.link = StoredLink.parse(value)
            case "a":
                self.announced = value
            case _:
                self.since_ms = _since(value)


@dataclass(slots=True)
class RecordsState:
    """One task's records, and those that wait for a first fact of care, in order of arrival."""

    records: dict[str, RecordState] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)  # record -> since_ms
    # record -> its elements as read back and not yet parsed: key, value, key, value, ...
    unread: dict[bytes, list[bytes]] = field(default_factory=dict)

    @classmethod
    def of_changelog(cls, changelog: Iterable[tuple[bytes, bytes]]) -> "RecordsState":
        """The records of one task. Raises Unreadable for a key of another form."""
        state, since = cls(), []
        unread = state.unread
        for key, value in changelog:
            end = key.find(b"/")
            kind = key[end + 1 : end + 2]
            if end < 0 or kind not in _KINDS or key[end + 2 : end + 3] != b"/":
                raise Unreadable("records state", rule="has a key of another form")
            record_id = key[:end]
            pairs = unread.get(record_id)
            if pairs is None:
                unread[record_id] = [key, value]
            else:
                pairs += (key, value)
            if kind == b"s":
                since.append((_since(value), record_id.decode()))
        state.waiting = {record_id: since_ms for since_ms, record_id in sorted(since)}
        return state

    def of(self, record_id: str) -> RecordState:
        """The record, made when it is new."""
        record = self.find(record_id)
        if record is None:
            record = self.records[record_id] = RecordState()
        return record

    def find(self, record_id: str) -> RecordState | None:
        """The record, None when it has no element."""
        record = self.records.get(record_id)
        if record is None and (pairs := self.unread.pop(record_id.encode(), None)) is not None:
            record = self.records[record_id] = RecordState()
            for key, value in zip(pairs[::2], pairs[1::2], strict=True):
                _, kind, name = key.decode().split("/", 2)
                record.put(kind, name, value)
        return record

    def remove(self, record_id: str) -> RecordState:
        """Forget the record. Returns what it was."""
        record = self.of(record_id)
        del self.records[record_id]
        self.waiting.pop(record_id, None)
        return record


def _since(value: bytes) -> int:
    return int(canonical.read_object(value)["since_ms"])
