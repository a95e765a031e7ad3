"""What records keeps of each record, and how it stands in the changelog.

    <record>/e/<fact>            {"fact", "version"}: of a fact only the version that won
    <record>/i/<identity hash>   the identity, as in events.v1
    <record>/n/<entry>/<hash>    {"entry", "told"}: the manifest, and the disposition last told in a receipt
    <record>/m/<hash>            the merge, as in events.v1
    <record>/l/                  the linker's answer
    <record>/a/                  the identity as it was announced to the linker
    <record>/s/                  {"since_ms"}: since when the record waits for a first fact of care

What is read back stays bytes until its record is touched, and of a record in use the JSON texts stay bytes
beside the few parts that decide. So a worker with a million elements is ready in seconds and holds little
more than their bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas import canonical, elements
from schemas.errors import Unreadable

LINK, ANNOUNCED, SINCE = "l", "a", "s"
_KINDS = frozenset(
    kind.encode()
    for kind in (elements.FACT, elements.IDENTITY, elements.ENTRY, elements.MERGE, LINK, ANNOUNCED, SINCE)
)
# every patient of the hospital has these: they claim nobody
ABOUT_ANYBODY = frozenset({"demographics", "death"})


@dataclass(frozen=True, slots=True)
class FactVersion:
    """The version of a fact that won: its rank, whether it is a fact of care, and its JSON as in events.v1."""

    source_version_at: str
    version: str
    of_care: bool
    text: bytes = field(repr=False)

    @classmethod
    def of(cls, fact: Mapping[str, Any], version: str) -> "FactVersion":
        """`fact` as it was told under the content hash `version`."""
        of_care = fact["body"]["type"] not in ABOUT_ANYBODY
        return cls(fact["source_version_at"], version, of_care, canonical.dump(fact))

    @property
    def rank(self) -> tuple[str, str]:
        """The higher is kept: by value, never by arrival."""
        return self.source_version_at, self.version

    def kept(self) -> bytes:
        """As it stands in the changelog, in canonical JSON."""
        return b'{"fact":%b,"version":%b}' % (self.text, canonical.dump(self.version))


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One entry of the record: what decides of its manifest, and its JSON as in events.v1.

    `told` is the disposition of the last receipt, None before the first.
    """

    source_version_at: str
    identity: str
    source: str
    tier: str
    service_named: bool
    text: bytes = field(repr=False)
    told: str | None = None

    @classmethod
    def of(cls, manifest: Mapping[str, Any], told: str | None = None) -> "RecordEntry":
        """The entry of one manifest."""
        return cls(
            source_version_at=manifest["source_version_at"],
            identity=manifest["identity"],
            source=manifest["source"],
            tier=manifest["tier"],
            service_named=manifest["service_named"],
            text=canonical.dump(manifest),
            told=told,
        )

    def receipted(self, disposition: str) -> "RecordEntry":
        """The same entry once its receipt told `disposition`."""
        return replace(self, told=disposition)

    def kept(self) -> bytes:
        """As it stands in the changelog, in canonical JSON."""
        return b'{"entry":%b,"told":%b}' % (self.text, canonical.dump(self.told))


@dataclass(slots=True)
class RecordState:
    """What is known of one record, by the name of the element. Identities and merges are their JSON."""

    facts: dict[str, FactVersion] = field(default_factory=dict)  # by fact id
    identities: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, RecordEntry] = field(default_factory=dict)
    merges: dict[str, bytes] = field(default_factory=dict)
    link: Mapping[str, Any] | None = None
    announced: bytes | None = None
    announced_of: tuple[object, ...] | None = None  # what `announced` was made of; None: not looked at yet
    since_ms: int | None = None

    @property
    def ours(self) -> bool:
        """True once the record has a fact of care, or an entry that named a service of ours."""
        return any(one.of_care for one in self.facts.values()) or any(
            one.service_named for one in self.entries.values()
        )

    def winning_identity(self) -> str | None:
        """The identity hash with the highest (source_version_at, hash) of all entries: by value, never by arrival."""
        return max(
            ((one.source_version_at, one.identity) for one in self.entries.values()), default=("", None)
        )[1]

    def merged_into(self) -> str | None:
        """Where the latest merge sent this record, or None."""
        merges = (canonical.load_object(text) for text in self.merges.values())
        return max(((one["source_version_at"], one["into"]) for one in merges), default=("", None))[1]

    def put(self, kind: str, name: str, value: bytes) -> None:
        """Take in one element as the changelog has it."""
        match kind:
            case elements.FACT:
                parts = canonical.load_object(value)
                self.facts[name] = FactVersion.of(parts["fact"], parts["version"])
            case elements.ENTRY:
                parts = canonical.load_object(value)
                self.entries[name] = RecordEntry.of(parts["entry"], parts["told"])
            case elements.IDENTITY:
                self.identities[name] = value
            case elements.MERGE:
                self.merges[name] = value
            case "l":
                self.link = canonical.load_object(value)
            case "a":
                self.announced = value
            case _:
                self.since_ms = _since(value)


@dataclass(slots=True)
class RecordsState:
    """One task's records, and those that wait for a first fact in order of arrival."""

    records: dict[str, RecordState] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)  # record -> since_ms
    # record -> its elements as read back and not yet looked at: key, value, key, value, ...
    unread: dict[bytes, list[bytes]] = field(default_factory=dict)

    @classmethod
    def of_changelog(cls, kept: Iterable[tuple[bytes, bytes]]) -> "RecordsState":
        """The records of one task. Raises Unreadable for a key of another form."""
        state, since = cls(), []
        unread = state.unread
        for key, value in kept:
            end = key.find(b"/")
            kind = key[end + 1 : end + 2]
            if end < 0 or kind not in _KINDS or key[end + 2 : end + 3] != b"/":
                raise Unreadable("records state", rule="has a key of another form")
            record_id = key[:end]
            own = unread.get(record_id)
            if own is None:
                unread[record_id] = [key, value]
            else:
                own += (key, value)
            if kind == b"s":
                since.append((_since(value), record_id.decode()))
        state.waiting = {record_id: since_ms for since_ms, record_id in sorted(since)}
        return state

    def of(self, record_id: str) -> RecordState:
        """The record, made when it is new."""
        known = self.known(record_id)
        if known is None:
            known = self.records[record_id] = RecordState()
        return known

    def known(self, record_id: str) -> RecordState | None:
        """The record, None when there is nothing of it."""
        known = self.records.get(record_id)
        if known is None and (own := self.unread.pop(record_id.encode(), None)) is not None:
            known = self.records[record_id] = RecordState()
            for key, value in zip(own[::2], own[1::2], strict=True):
                _, kind, name = key.decode().split("/", 2)
                known.put(kind, name, value)
        return known

    def remove(self, record_id: str) -> RecordState:
        """Forget the record. Returns what was known of it."""
        record = self.of(record_id)
        del self.records[record_id]
        return record


def _since(value: bytes) -> int:
    return int(canonical.load_object(value)["since_ms"])
