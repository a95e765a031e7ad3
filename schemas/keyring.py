"""Keys by purpose: each random, made alone and used for one thing; no zone holds a key it does not use.

A *naming* key makes names: HMAC-SHA-256 cut to 128 bits, 32 hex digits, no version in them (for 60 million people
5e-24 collisions expected; an unkeyed hash of an NHS number is undone in minutes). There is exactly one of each, never
rotated on schedule; one that became known is a new generation of everything it named. A *sealing* key has versions: the
newest seals, a sealed value begins with the version that made it, and older ones still open. Decision 0017.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.errors import InvalidField, Unreadable
from schemas.sealing import length_prefixed, seal, unseal

KEY_BYTES_MIN = 32
VERSION_BYTES = 2
VERSION_MAX = 2 ** (8 * VERSION_BYTES) - 1


class Purpose(StrEnum):
    """What a key is for. A key used for two things is a bug."""

    RECORD_ID = "record-id"
    ENTRY_NAME = "entry-name"  # what an entry is called beyond the intake
    FACT_ID = "fact-id"
    UBRN = "ubrn"
    IDENTITY_VERSION = "identity-version"  # names one version of an identity without naming the person
    CONTENT = "content"  # names one version of an entry or a fact, so that nobody can try out what it may be
    LINK_TOKENS = "link-tokens"  # linkage derives its own per-field keys below this
    PERSON_ID = "person-id"
    CLAIM = "claim"  # names what was published of a person, in the state of pathway
    RECIPIENT = "recipient"  # + "/<recipient>"
    DEAD_LETTER = "dead-letter"  # AES-SIV


SEALING = frozenset({Purpose.DEAD_LETTER})  # has several versions; AES-256-SIV, 64 bytes

# Which zone holds which keys; `ops` (key maker, ledger, evaluation) holds all of them. Those between doors and ingress
# are no part of it: see `schemas.intake_keys`.
ZONES: Mapping[str, tuple[Purpose, ...]] = {
    "ingress": (
        Purpose.RECORD_ID,
        Purpose.ENTRY_NAME,
        Purpose.FACT_ID,
        Purpose.UBRN,
        Purpose.IDENTITY_VERSION,
        Purpose.CONTENT,
        Purpose.LINK_TOKENS,
        Purpose.DEAD_LETTER,
    ),
    "records": (Purpose.DEAD_LETTER,),
    "linker": (Purpose.PERSON_ID, Purpose.DEAD_LETTER),
    "pathway": (Purpose.CLAIM, Purpose.RECIPIENT, Purpose.DEAD_LETTER),
}
OPERATIONS_ZONE = "operations"  # every key: for `ledger`, `compare`, evaluation; not on any worker's machine


def recipient_purpose(recipient: str) -> str:
    """The name of the key under which `recipient` sees people."""
    return f"{Purpose.RECIPIENT.value}/{recipient}"


def belongs(name: str, zone: str) -> bool:
    """True when a key of this name is one that `zone` uses; every recipient's key counts under `recipient`."""
    purpose, _, recipient = name.partition("/")
    known = purpose in set(Purpose) and (purpose == Purpose.RECIPIENT) == bool(recipient)
    return known and (zone == OPERATIONS_ZONE or purpose in ZONES.get(zone, ()))


def key_bytes(name: str) -> int:
    """How long a key of this name is: AES-256-SIV takes two 256-bit keys, everything else one."""
    return 64 if name in SEALING else 32


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The keys one zone holds, by name and version. Its repr shows names and versions only."""

    _keys: Mapping[tuple[str, int], bytes]
    _newest: Mapping[str, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Raises InvalidField for a weak key, a version out of range, and a second one of what has exactly one."""
        for (name, version), key in self._keys.items():
            require_strong(key)
            if not 1 <= version <= VERSION_MAX:
                raise InvalidField(f"key {name}", rule=f"has a version from 1 to {VERSION_MAX}")
            if name not in SEALING and len(self.versions(name)) > 1:
                raise InvalidField(f"key {name}", rule="has exactly one version")
        object.__setattr__(self, "_newest", dict(sorted(self._keys)))

    def __repr__(self) -> str:
        return f"Keyring({', '.join(f'{name} {version}' for name, version in self)})"

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Names and versions, sorted."""
        return iter(sorted(self._keys))

    def versions(self, name: str) -> tuple[int, ...]:
        """The versions of one key, rising; none where this zone does not hold it."""
        return tuple(sorted(version for known, version in self._keys if known == name))

    def newest(self, name: str) -> int:
        """The newest version of a key. Raises InvalidField when this zone does not hold it."""
        try:
            return self._newest[name]
        except KeyError:
            raise InvalidField("keyring", rule=f"this zone holds no {name} key") from None

    def key(self, name: str, version: int | None = None) -> bytes:
        """The key of that name, of the newest version or of `version`. Raises InvalidField when it is not held."""
        try:
            return self._keys[name, self.newest(name) if version is None else version]
        except KeyError:
            raise InvalidField("keyring", rule=f"this zone holds no {name} key of that version") from None

    def mac(self, name: str, *parts: str) -> str:
        """128 bits in hex of the length-prefixed parts: equal exactly for equal parts under an equal naming key."""
        return hmac.digest(self.key(name), joined(parts), "sha256")[:16].hex()

    def seal(self, name: str, text: bytes, *, context: bytes) -> bytes:
        """The newest version, then `text` sealed with it: equal bytes for equal text, context and version."""
        return self.newest(name).to_bytes(VERSION_BYTES) + seal(self.key(name), text, context=context)

    def unseal(self, name: str, sealed: bytes, *, context: bytes) -> bytes:
        """What any version held here sealed. Raises Unreadable for another key, version, context or changed bytes."""
        key = self._keys.get((name, int.from_bytes(sealed[:VERSION_BYTES])))
        if key is None:
            raise Unreadable("sealed value", rule="was sealed with a key, or a version of it, that is not held")
        return unseal(key, sealed[VERSION_BYTES:], context=context)

    def only(self, purposes: Iterable[str]) -> "Keyring":
        """A keyring with just the keys of these purposes (a recipient's key counts under `recipient`)."""
        wanted = set(purposes)
        return Keyring({at: key for at, key in self._keys.items() if at[0].split("/")[0] in wanted})

    def zone(self, name: str) -> "Keyring":
        """What the zone of that name may hold."""
        return self.only(purpose.value for purpose in ZONES[name])


def require_strong(key: bytes) -> None:
    """Raises InvalidField for a key under 32 bytes or with fewer than 12 different bytes (a password, an example)."""
    if len(key) < KEY_BYTES_MIN:
        raise InvalidField("key", rule=f"must have at least {KEY_BYTES_MIN} bytes")
    # 32 random bytes have 30 different ones; fewer than 12 has probability below 1e-20
    if len(set(key)) < 12:
        raise InvalidField("key", rule="is not random")


def joined(parts: Iterable[str]) -> bytes:
    """The parts, each after its length, so that ("ab", "c") and ("a", "bc") differ."""
    return length_prefixed([part.encode("utf-8") for part in parts])
