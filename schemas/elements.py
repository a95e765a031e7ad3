"""The elements of `events.v1`, the system of record: what ingress writes and records reads.

    <record>/n/<entry>/<content>  one entry: its facts, which identity, which version time
    <record>/i/<identity hash>    one identity of the record: sealed tokens, once however often it is sent
    <record>/m/<content>          the record has been merged into another (HL7 A34, A40)
    <record>/k/<epoch>            the record's data keys, wrapped (`WrappedKeys`); the highest epoch counts
    <record>/x/                   the record is erased

What facts say is sealed under the record's data key for bodies, tokens under that for tokens (decision 0022).

Every value is a pure function of what the provider sent and of the record's keys: no arrival time, so that a replay
gives the same bytes, and nothing that two arrivals could disagree about under one key: compaction keeps the last
arrival. What names a content is keyed: whoever reads the topic cannot try out what it may be.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import starmap
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import Field, TypeAdapter

from schemas import canonical
from schemas.errors import Unreadable
from schemas.facts import Body, FactBody, StoredFact, Tier
from schemas.keyring import Keyring, Purpose
from schemas.linking import record_of_key
from schemas.record_keys import TRAVELLING, WrappedKeys
from schemas.sealed_body import open_body, seal_body

IDENTITY, ENTRY, MERGE, KEYS, ERASED = "i", "n", "m", "k", "x"
# a hospital sends these for every patient: they are not of care
ABOUT_ANYBODY = frozenset({"demographics", "death"})
PLACES = Decimal("0.0001")
_TIERS = frozenset(get_args(Tier))
_BODIES: TypeAdapter[tuple[FactBody, ...]] = TypeAdapter(tuple[Annotated[FactBody, Field(discriminator="type")], ...])


class FactName(NamedTuple):
    """What is said of a fact beside its body: which thing, which version, is it of care, was it taken back."""

    fact_id: str
    version: str
    of_care: bool
    retracted: bool


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it was read: which record, which kind, its own name, and its JSON."""

    record_id: str
    kind: str
    name: str
    value: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EntryContent:
    """What one entry says of one record; `entry` is its keyed name, `source_version_at` the source's version time."""

    record_id: str
    entry: str
    source: str
    tier: str
    source_version_at: datetime
    identity: str
    service_named: bool
    facts: Sequence[StoredFact]


_FORMS: Mapping[type, Callable[[Any], object]] = {
    Decimal: lambda number: f"{number.quantize(PLACES):f}",
    datetime: canonical.instant,
    date: date.isoformat,
    tuple: list,
}


def body_form(body: Body) -> dict[str, object]:
    """What is stored and hashed of a body: its type, and what differs from the defaults, so that an optional field
    added later changes no hash. Numbers are texts of four places: 82, 82.0 and 82.0000 are one content.
    """
    parts = {name: _form(value) for name, value in body.model_dump(exclude_defaults=True).items()}
    return {"type": type(body).model_fields["type"].default, **parts}


def _form(value: object) -> object:
    form = _FORMS.get(type(value))
    return value if form is None else form(value)


def entry_element(content: EntryContent, keys: Keyring, data_key: bytes) -> tuple[str, bytes]:
    """Key and value of one entry, its bodies sealed under `data_key`. Sent again with other content it has two."""
    bodies = [body_form(fact.body) for fact in content.facts]
    names = [_name(fact, body, keys) for fact, body in zip(content.facts, bodies, strict=True)]
    parts = {
        "v": 1,
        "kind": "entry",
        "entry": content.entry,
        "source": content.source,
        "tier": content.tier,
        "source_version_at": canonical.instant(content.source_version_at),
        "identity": content.identity,
        "service_named": content.service_named,
        "facts": [list(name) for name in names],
    }
    version = keys.mac(Purpose.CONTENT, content.record_id, canonical.dump(parts).decode())
    name = f"{content.entry}/{version}"
    sealed = seal_body(data_key, canonical.dump(bodies), context=body_context(content.record_id, name))
    body = base64.b64encode(sealed).decode()
    return f"{content.record_id}/{ENTRY}/{name}", canonical.dump({**parts, "body": body})


def body_context(record_id: str, name: str) -> bytes:
    """What the body of the entry element of that name is bound to."""
    return f"{record_id}/{ENTRY}/{name}".encode("ascii")


def _name(fact: StoredFact, body: Mapping[str, object], keys: Keyring) -> FactName:
    said = {
        "record_id": fact.record_id,
        "fact_id": fact.fact_id,
        "source": fact.source,
        "tier": fact.tier,
        "source_version_at": canonical.instant(fact.source_version_at),
        "retracted": fact.retracted,
        "body": body,
    }
    version = keys.mac(Purpose.CONTENT, canonical.dump(said).decode())
    return FactName(fact.fact_id, version, body["type"] not in ABOUT_ANYBODY, fact.retracted)


def entry_of(name: str) -> str:
    """The keyed name of the entry in the name of its element."""
    return name.partition("/")[0]


def fact_names(entry: Mapping[str, Any]) -> Iterator[FactName]:
    """The facts in the value of an entry element."""
    return starmap(FactName, entry["facts"])


def stored_facts(record_id: str, name: str, entry: Mapping[str, Any], data_key: bytes) -> tuple[StoredFact, ...]:
    """The facts in the value of the entry element of that name, in the order of their names.

    Raises Unreadable when the body does not open, a part of it is none of ours, or there are not as many as names.
    """
    try:
        sealed = base64.b64decode(entry["body"], validate=True)
        bodies = _BODIES.validate_json(open_body(data_key, sealed, context=body_context(record_id, name)))
        source_version_at = canonical.moment(entry["source_version_at"])
        return tuple(
            StoredFact(record_id, name.fact_id, entry["source"], entry["tier"], source_version_at, body, name.retracted)
            for name, body in zip(fact_names(entry), bodies, strict=True)
        )
    except ValueError:  # pydantic's is one; its text would repeat the value
        raise Unreadable("events element", rule="has a fact that is none of ours") from None


def identity_element(record_id: str, identity_hash: str, *, sealed_tokens: bytes, usable: bool) -> tuple[str, bytes]:
    """Key and value of one identity. `usable` says whether anything in it can be compared."""
    tokens = base64.b64encode(sealed_tokens).decode()
    value = {"v": 1, "kind": "identity", "identity": identity_hash, "tokens": tokens, "usable": usable}
    return f"{record_id}/{IDENTITY}/{identity_hash}", canonical.dump(value)


def keys_element(record_id: str, wrapped: WrappedKeys) -> tuple[str, bytes]:
    """Key and value of the data keys that travel."""
    return f"{record_id}/{KEYS}/{wrapped.epoch}", wrapped.only(*TRAVELLING).value()


def erased_element(record_id: str) -> tuple[str, bytes]:
    """Key and value that say that the record is erased."""
    return f"{record_id}/{ERASED}/", canonical.dump({"v": 1, "kind": "erased"})


def merge_element(retired: str, into: str, source_version_at: datetime, keys: Keyring) -> tuple[str, bytes]:
    """Key and value of a merge: the record `retired` continues as `into`."""
    value = canonical.dump(
        {"v": 1, "kind": "merge", "into": into, "source_version_at": canonical.instant(source_version_at)}
    )
    return f"{retired}/{MERGE}/{keys.mac(Purpose.CONTENT, retired, value.decode())}", value


def parse(key: bytes, value: bytes) -> Element:
    """The element of one message of `events.v1`. Raises Unreadable for what this version does not write."""
    try:
        record_id, kind, name = key.decode("ascii").split("/", 2)
    except ValueError:
        raise Unreadable("events element", rule="has a key of another form") from None
    record_of_key(key.partition(b"/")[0])
    if kind not in _PARTS:
        raise Unreadable("events element", rule="is of an unknown kind")
    parsed = canonical.read_object(value)
    if parsed.get("v") != 1:
        raise Unreadable("events element", rule="is of an unknown version")
    _require_parts(kind, parsed)
    if kind == ENTRY:
        require_entry(name, parsed)
    if kind == KEYS and str(WrappedKeys.of_form(parsed, TRAVELLING).epoch) != name:
        raise Unreadable("events element", rule="is of another epoch than its key says")
    if kind == IDENTITY and not _is_base64(parsed["tokens"]):
        raise Unreadable("events element", rule="holds tokens that are not base64")
    return Element(record_id, kind, name, parsed)


def require_entry(name: str, entry: Mapping[str, Any]) -> None:
    """Raises Unreadable when the value is no entry element of this name; its bodies are not looked at."""
    _require_parts(ENTRY, entry)
    if entry["entry"] != entry_of(name) or "/" not in name:
        raise Unreadable("events element", rule="is another entry than its key says")
    if entry["tier"] not in _TIERS:
        raise Unreadable("events element", rule="is of an unknown tier")
    if not all(map(_is_fact_name, entry["facts"])):
        raise Unreadable("events element", rule="names a fact in another form")


def _require_parts(kind: str, value: Mapping[str, Any]) -> None:
    for part, type_ in _PARTS[kind].items():
        if not isinstance(value.get(part), type_):
            raise Unreadable("events element", rule="lacks a part")


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _is_fact_name(name: object) -> bool:
    return isinstance(name, list) and [type(part) for part in name] == [str, str, bool, bool]


# what records reads of each kind; what is sealed is for the stage that opens it
_PARTS: Mapping[str, Mapping[str, type]] = {
    IDENTITY: {"tokens": str, "usable": bool},
    ENTRY: {
        "entry": str,
        "source": str,
        "tier": str,
        "source_version_at": str,
        "identity": str,
        "service_named": bool,
        "facts": list,
        "body": str,
    },
    MERGE: {"into": str, "source_version_at": str},
    KEYS: {"epoch": int, "wrapped": dict},
    ERASED: {},
}
