"""The elements of `events.v1`, the system of record: what ingress writes and records reads.

    <record>/e/<fact>/<content hash>   one version of one fact
    <record>/i/<identity hash>         one identity of the record: sealed tokens, once however often it is sent
    <record>/n/<entry>/<content hash>  the manifest of one entry: which facts, which identity, which version time
    <record>/m/<hash>                  the record has been merged into another (HL7 A34, A40)

Every value is a pure function of what the provider sent: no arrival time, so that a replay gives the same bytes, and
nothing that two arrivals could disagree about under one key, because compaction keeps the last arrival.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas import canonical
from schemas.errors import Unreadable
from schemas.facts import StoredFact
from schemas.linking import record_of_key

FACT, IDENTITY, ENTRY, MERGE = "e", "i", "n", "m"


def content_hash(value: bytes) -> str:
    """128 bits of SHA-256: names one version of a pseudonymous value."""
    return hashlib.sha256(value).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it was read: which record, which kind, its own name, and its JSON."""

    record_id: str
    kind: str
    name: str
    value: Mapping[str, object]


def fact_element(fact: StoredFact) -> tuple[str, bytes, str]:
    """Key, value and content hash of one fact version."""
    value = canonical.dump(fact.model_dump(mode="json"))
    version = content_hash(value)
    return f"{fact.record_id}/{FACT}/{fact.fact_id}/{version}", value, version


def identity_element(record_id: str, identity_hash: str, *, sealed_tokens: bytes, usable: bool) -> tuple[str, bytes]:
    """Key and value of one identity. `usable` says whether anything in it can be compared."""
    tokens = base64.b64encode(sealed_tokens).decode()
    value = {"v": 1, "kind": "identity", "identity": identity_hash, "tokens": tokens, "usable": usable}
    return f"{record_id}/{IDENTITY}/{identity_hash}", canonical.dump(value)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one entry held. `facts` are (fact id, content hash); `source_version_at` is the source's version time."""

    record_id: str
    entry: str  # its keyed name
    source: str
    tier: str
    source_version_at: datetime
    identity: str
    service_named: bool
    facts: Sequence[tuple[str, str]]


def manifest_element(manifest: Manifest) -> tuple[str, bytes]:
    """Key and value of one entry's manifest. An entry sent again with other content has two."""
    parts = {
        "v": 1,
        "kind": "entry",
        "entry": manifest.entry,
        "source": manifest.source,
        "tier": manifest.tier,
        "source_version_at": canonical.instant(manifest.source_version_at),
        "identity": manifest.identity,
        "service_named": manifest.service_named,
        "facts": [list(fact) for fact in manifest.facts],
    }
    value = canonical.dump(parts)
    return f"{manifest.record_id}/{ENTRY}/{manifest.entry}/{content_hash(value)}", value


def entry_of(name: str) -> str:
    """The keyed name of the entry in the name of a manifest element."""
    return name.partition("/")[0]


def merge_element(retired: str, into: str, source_version_at: datetime) -> tuple[str, bytes]:
    """Key and value of a merge: the record `retired` continues as `into`."""
    value = canonical.dump(
        {"v": 1, "kind": "merge", "into": into, "source_version_at": canonical.instant(source_version_at)}
    )
    return f"{retired}/{MERGE}/{content_hash(value)}", value


def parse(key: bytes, value: bytes) -> Element:
    """The element of one message of `events.v1`. Raises Unreadable for what this version does not write."""
    try:
        record_id, kind, name = key.decode("ascii").split("/", 2)
    except ValueError:
        raise Unreadable("events element", rule="has a key of another form") from None
    record_of_key(key.partition(b"/")[0])
    if kind not in (FACT, IDENTITY, ENTRY, MERGE):
        raise Unreadable("events element", rule="is of an unknown kind")
    parsed = canonical.load_object(value)
    if parsed.get("v") != 1:
        raise Unreadable("events element", rule="is of an unknown version")
    if any(not isinstance(parsed.get(part), type_) for part, type_ in _PARTS[kind].items()):
        raise Unreadable("events element", rule="lacks a part")
    if kind == ENTRY and not all(_is_fact_name(pair) for pair in parsed["facts"]):
        raise Unreadable("events element", rule="names a fact in another form")
    if kind == FACT and not _is_of(parsed, record_id, name.rpartition("/")[0]):
        raise Unreadable("events element", rule="is another fact than its key says, or of no type")
    if kind == IDENTITY and not _is_base64(parsed["tokens"]):
        raise Unreadable("events element", rule="holds tokens that are not base64")
    return Element(record_id, kind, name, parsed)


def _is_of(fact: Mapping[str, object], record_id: str, fact_id: str) -> bool:
    named, body = fact["record_id"] == record_id and fact["fact_id"] == fact_id, fact["body"]
    return named and isinstance(body, dict) and isinstance(body.get("type"), str)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _is_fact_name(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)


# What records reads of each kind; the rest of a fact is for the pathway, which checks it itself.
_PARTS: Mapping[str, Mapping[str, type]] = {
    FACT: {"record_id": str, "fact_id": str, "source_version_at": str, "body": dict},
    IDENTITY: {"tokens": str, "usable": bool},
    ENTRY: {
        "source": str,
        "tier": str,
        "source_version_at": str,
        "identity": str,
        "service_named": bool,
        "facts": list,
    },
    MERGE: {"into": str, "source_version_at": str},
}
