"""A key file: every key an entry of its own, wrapped singly; one comes or goes without touching another's bytes.

    {"tierlink_keys": 1, "zone": "linker", "keys": [
    {"name": "dead-letter", "version": 1, "wrapped": "<base64>"},
    ...
    ]}

Wrapped is: AES-256-GCM under the zone's wrapping key, a random nonce of 12 bytes before it, bound to zone, name and
version, so an entry cannot stand in for another or in another file. The wrapping key is no part of the file. Some ten
thousand wraps are made under one wrapping key, bucket keys included; random nonces allow 2^32 (NIST SP 800-38D, 8.3).
"""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors import InvalidField, Unreadable
from schemas.keyring import Keyring, belongs, joined, key_bytes, require_strong

FORMAT = 1
NONCE_BYTES = 12
WRAPPING_BYTES = 32
KEYS_MAX = 10_000  # in one file
RECIPIENT_SLUG = re.compile(r"[a-z][a-z0-9-]{1,30}")
_NAME = re.compile(rf"[a-z][a-z-]{{1,30}}(/{RECIPIENT_SLUG.pattern})?")  # errors repeat it: it can be no key


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One wrapped key."""

    name: str
    version: int
    wrapped: bytes = field(repr=False)

    @property
    def at(self) -> tuple[str, int]:
        """What tells it from the others of its file."""
        return self.name, self.version


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The key file of one zone, as it stands on disk; no key in it is open. Its entries are sorted, each once."""

    zone: str
    entries: tuple[KeyEntry, ...] = ()

    def text(self) -> str:
        """The file: one line an entry, in the order of names and versions."""
        lines = ",\n".join(
            json.dumps({"name": e.name, "version": e.version, "wrapped": base64.b64encode(e.wrapped).decode()})
            for e in self.entries
        )
        return f'{{"tierlink_keys": {FORMAT}, "zone": {json.dumps(self.zone)}, "keys": [\n{lines}\n]}}\n'

    @classmethod
    def parse(cls, text: str) -> "KeyFile":
        """The file that `text` is. Raises Unreadable when it is none, InvalidField naming the entry at fault."""
        try:
            document = json.loads(text)
            form, zone, listed = document["tierlink_keys"], str(document["zone"]), list(document["keys"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Unreadable("key file", rule="is not a tierlink key file") from None
        if form != FORMAT or len(listed) > KEYS_MAX:
            raise Unreadable("key file", rule=f"is not of format {FORMAT}, or has over {KEYS_MAX} keys")
        entries = tuple(_entry(f"key[{place}]", entry, zone) for place, entry in enumerate(listed))
        if len({entry.at for entry in entries}) < len(entries):
            raise InvalidField("key file", rule="names one key and version twice")
        return cls(zone, tuple(sorted(entries, key=lambda entry: entry.at)))

    def with_entry(self, entry: KeyEntry) -> "KeyFile":
        """This file and one more entry, which takes the place of one of its name and version."""
        others = (other for other in self.entries if other.at != entry.at)
        return replace(self, entries=tuple(sorted((*others, entry), key=lambda each: each.at)))

    def without(self, at: Iterable[tuple[str, int]]) -> "KeyFile":
        """This file less the entries of these names and versions."""
        gone = frozenset(at)
        return replace(self, entries=tuple(entry for entry in self.entries if entry.at not in gone))

    def wrap(self, name: str, version: int, key: bytes, *, wrapping: bytes, nonce: bytes) -> "KeyFile":
        """This file and `key`, wrapped for it. `nonce`: 12 random bytes, never used before."""
        assert belongs(name, self.zone)
        wrapped = wrap_key(key, wrapping=wrapping, nonce=nonce, bound=_bound(self.zone, name, version))
        return self.with_entry(KeyEntry(name, version, wrapped))

    def opened(self, wrapping: bytes) -> Keyring:
        """Every key. Raises InvalidField naming the entry that does not open: another wrapping key, changed bytes."""
        keys = {}
        for entry in self.entries:
            place = f"key {entry.name} {entry.version}"
            key = unwrap_key(entry.wrapped, place, wrapping, _bound(self.zone, *entry.at))
            if len(key) != key_bytes(entry.name):
                raise InvalidField(place, rule=f"has {key_bytes(entry.name)} bytes")
            keys[entry.at] = key
        return Keyring(keys)


def wrap_key(key: bytes, *, wrapping: bytes, nonce: bytes, bound: bytes) -> bytes:
    """The nonce and `key` under it, bound to its place. Raises InvalidField for a weak key, of either kind."""
    assert len(nonce) == NONCE_BYTES
    require_strong(key)
    return nonce + _cipher(wrapping).encrypt(nonce, key, bound)


def unwrap_key(wrapped: bytes, place: str, wrapping: bytes, bound: bytes) -> bytes:
    """What `wrap_key` wrapped. Raises InvalidField naming `place` for another wrapping key, place or changed bytes."""
    try:
        return _cipher(wrapping).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise InvalidField(place, rule="does not open with the wrapping key of its zone") from None


def parse_wrapping(text: str) -> bytes:
    """The wrapping key of a file that holds it in base64. Raises Unreadable, InvalidField for a weak one."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise Unreadable("wrapping key", rule="is not base64") from None
    if len(key) != WRAPPING_BYTES:
        raise InvalidField("wrapping key", rule=f"has {WRAPPING_BYTES} bytes")
    require_strong(key)
    return key


def _entry(place: str, table: object, zone: str) -> KeyEntry:
    if not isinstance(table, dict) or set(table) != {"name", "version", "wrapped"}:
        raise InvalidField(place, rule="has a name, a version, what is wrapped, and nothing else")
    name, version, wrapped = table["name"], table["version"], table["wrapped"]
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not belongs(name, zone):
        raise InvalidField(f"{place}.name", rule="is not a key of this zone")
    if type(version) is not int:
        raise InvalidField(f"{place}.version", rule="is a whole number")
    try:
        return KeyEntry(name, version, base64.b64decode(wrapped, validate=True))
    except (ValueError, TypeError):
        raise InvalidField(f"{place}.wrapped", rule="is base64") from None


def _cipher(wrapping: bytes) -> AESGCM:
    require_strong(wrapping)
    return AESGCM(wrapping)


def _bound(zone: str, name: str, version: int) -> bytes:
    return joined(("tierlink key", zone, name, str(version)))
