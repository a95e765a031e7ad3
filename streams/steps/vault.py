"""The vault: what ingress keeps of each record, and its form in its changelog, `vault.v1`.

    <record>/k             the record's data keys, wrapped under its bucket (`WrappedKeys`)
    <record>/i/<content>   who the record is about, as told once: sealed under its data key for identities
    <record>/s/            {"since_ms"}: since when the record waits for a first entry of care
    <record>/x/            the record was erased; stays for ever
    bucket/<number>        {"epoch"}: the epoch that the bucket was turned to

Keys and identities are claims, so on the broker before anything that is sealed under them leaves. In memory only names
and wrapped keys are held: an identity is read by who asks for it, from the topic.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas import canonical
from schemas.data_keys import Family
from schemas.errors import Unreadable
from schemas.record_keys import WrappedKeys
from schemas.topics import DAY_MS

KEYS, IDENTITY, SINCE, ERASED, BUCKET = "k", "i", "s", "x", "bucket"
# longer than records lets a record wait, so that nothing of it stands anywhere when its keys go
WAITING_MAX_MS = 40 * DAY_MS
IN_USE_MAX = 4_096  # records held open: some 1 KB each


@dataclass(slots=True)
class OpenRecord:
    """The open data keys of a record in use, and what of it went to `events.v1` in this life of the process."""

    data_keys: Mapping[Family, bytes] = field(repr=False)
    wrapped: WrappedKeys
    sent: set[str] = field(default_factory=set)  # names of elements that need not be sent again
    identities: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)  # elements made, by name
    ours: bool = False  # only of such a record nothing is ever removed downstream, so that `sent` stays true


@dataclass(slots=True)
class VaultState:
    """One task's records."""

    wrapped: dict[str, bytes] = field(default_factory=dict)  # record -> value of its /k
    identities: dict[str, set[str]] = field(default_factory=dict)  # record -> names of the identities that are kept
    waiting: dict[str, int] = field(default_factory=dict)  # record -> since_ms, in order of arrival
    erased: set[str] = field(default_factory=set)
    epochs: dict[int, int] = field(default_factory=dict)  # bucket -> epoch that it was turned to
    in_use: dict[str, OpenRecord] = field(default_factory=dict)  # the last used at the end

    @classmethod
    def of_changelog(cls, changelog: Iterable[tuple[bytes, bytes]]) -> "VaultState":
        """The records of one task. Raises Unreadable for a key of another form."""
        state, since = cls(), list[tuple[int, str]]()
        for key, value in changelog:
            name, _, rest = key.decode("ascii").partition("/")
            kind, _, element = rest.partition("/")
            if name == BUCKET:
                state.epochs[int(rest)] = canonical.read_object(value)["epoch"]
            elif kind == KEYS:
                state.wrapped[name] = value
            elif kind == IDENTITY:
                state.identities.setdefault(name, set()).add(element)
            elif kind == SINCE:
                since.append((canonical.read_object(value)["since_ms"], name))
            elif kind == ERASED:
                state.erased.add(name)
            else:
                raise Unreadable("vault", rule="has a key of another form")
        state.waiting = {record_id: since_ms for since_ms, record_id in sorted(since)}
        return state

    def use(self, record_id: str, record: OpenRecord) -> OpenRecord:
        """The record is in use now; the one not used for longest is not any more."""
        self.in_use.pop(record_id, None)
        self.in_use[record_id] = record
        if len(self.in_use) > IN_USE_MAX:
            del self.in_use[next(iter(self.in_use))]
        return record

    def wrapped_keys(self, record_id: str) -> WrappedKeys | None:
        """The record's wrapped keys, None when it has none yet."""
        value = self.wrapped.get(record_id)
        return WrappedKeys.parse(value, Family) if value is not None else None

    def forget(self, record_id: str) -> list[bytes]:
        """Nothing of the record is held any more. Returns the keys of the elements that it had."""
        names = [IDENTITY + "/" + name for name in sorted(self.identities.pop(record_id, ()))]
        names += [KEYS] if self.wrapped.pop(record_id, None) is not None else []
        names += [SINCE + "/"] if self.waiting.pop(record_id, None) is not None else []
        self.in_use.pop(record_id, None)
        return [f"{record_id}/{name}".encode("ascii") for name in names]


def sealed_identity(sealed: bytes) -> bytes:
    """The value of an /i element."""
    return canonical.dump({"v": 1, "kind": "identity", "sealed": base64.b64encode(sealed).decode()})
