"""Keys by purpose: one root, one key per use, and no zone holds a key it does not use.

    root (32 random bytes) --HKDF-Expand(info = length-prefixed labels)--> one key per purpose and recipient

Every derived value says which key version made it: `v1:<32 hex>`. HMAC-SHA-256 cut to 128 bits: for 60
million people 5e-24 collisions expected (security review, dictionary attacks on unkeyed hashes take minutes).
"""

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from schemas.errors import InvalidField, Unreadable

KEY_BYTES_MIN = 32


class Purpose(StrEnum):
    """What a key is for. A key used for two things is a bug."""

    RECORD_ID = "record-id"
    ENTRY_NAME = "entry-name"  # what an entry is called beyond the intake
    FACT_ID = "fact-id"
    UBRN = "ubrn"
    IDENTITY_VERSION = "identity-version"  # names one version of an identity without naming the person
    LINK_TOKENS = "link-tokens"  # linkage derives its own per-field keys below this
    LINK_SEAL = "link-seal"  # AES-SIV, tokens at rest and on the wire
    PERSON_ID = "person-id"
    RECIPIENT = "recipient"  # + "/<recipient>"
    DEAD_LETTER = "dead-letter"  # AES-SIV


def recipient_purpose(recipient: str) -> str:
    """The name of the key under which `recipient` sees people."""
    return f"{Purpose.RECIPIENT.value}/{recipient}"


# Which zone holds which keys; `ops` (key maker, ledger, evaluation) holds all of them. Those between doors and ingress
# are no part of it: see `schemas.intake_keys`.
ZONES: Mapping[str, tuple[Purpose, ...]] = {
    "ingress": (
        Purpose.RECORD_ID,
        Purpose.ENTRY_NAME,
        Purpose.FACT_ID,
        Purpose.UBRN,
        Purpose.IDENTITY_VERSION,
        Purpose.LINK_TOKENS,
        Purpose.LINK_SEAL,
        Purpose.DEAD_LETTER,
    ),
    "records": (Purpose.DEAD_LETTER,),
    "linker": (Purpose.LINK_SEAL, Purpose.PERSON_ID, Purpose.DEAD_LETTER),
    "pathway": (Purpose.RECIPIENT, Purpose.DEAD_LETTER),
}


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys one zone holds. Its repr shows names and version only."""

    version: int
    _keys: Mapping[str, bytes] = field(repr=False)

    def key(self, purpose: str) -> bytes:
        """The key for `purpose`. Raises InvalidField when this zone does not hold it."""
        try:
            return self._keys[purpose]
        except KeyError:
            raise InvalidField("keyring", rule=f"this zone holds no {purpose} key") from None

    def mac(self, purpose: str, *parts: str) -> str:
        """`v<version>:<128 bits in hex>` of the length-prefixed parts: equal exactly for equal parts."""
        digest = hmac.digest(self.key(purpose), _joined(parts), "sha256")
        return f"v{self.version}:{digest[:16].hex()}"

    def only(self, purposes: Iterable[str]) -> "Keyring":
        """A keyring with just the keys of these purposes (a recipient's key counts under `recipient`)."""
        wanted = set(purposes)
        return Keyring(self.version, {n: k for n, k in self._keys.items() if n.split("/")[0] in wanted})

    def zone(self, name: str) -> "Keyring":
        """What the zone of that name may hold."""
        return self.only(purpose.value for purpose in ZONES[name])

    def dump(self) -> str:
        """The key file's text: JSON, keys in base64. To be written with mode 0400 and nothing else."""
        keys = {name: base64.b64encode(key).decode() for name, key in sorted(self._keys.items())}
        return json.dumps({"tierlink_keyring": 1, "version": self.version, "keys": keys}, indent=1)

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """The keyring of a key file. Raises Unreadable when it is not one, InvalidField for a key that is too weak."""
        try:
            document = json.loads(text)
            version = int(document["version"])
            keys = {str(n): base64.b64decode(k, validate=True) for n, k in document["keys"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unreadable("key file", rule="is not a tierlink key file") from None
        for key in keys.values():
            require_strong(key)
        return cls(version, keys)


def derive(root: bytes, *, version: int, recipients: Iterable[str]) -> Keyring:
    """Every key of one version, by HKDF-Expand from `root`.

    Source: RFC 5869 §2.3; the root is uniformly random, so Extract is not needed.
    """
    require_strong(root)
    by_name = [p.value for p in Purpose if p is not Purpose.RECIPIENT]
    by_name += [recipient_purpose(recipient) for recipient in recipients]
    return Keyring(version, {name: _expand(root, name, version, _length(name)) for name in by_name})


def require_strong(key: bytes) -> None:
    """Raises InvalidField for a key under 32 bytes or with fewer than 12 different bytes (a password, an example)."""
    if len(key) < KEY_BYTES_MIN:
        raise InvalidField("key", rule=f"must have at least {KEY_BYTES_MIN} bytes")
    # 32 random bytes have 30 different ones; fewer than 12 has probability below 1e-20
    if len(set(key)) < 12:
        raise InvalidField("key", rule="is not random")


def _length(name: str) -> int:
    # AES-256-SIV takes two 256-bit keys
    return 64 if name in (Purpose.LINK_SEAL, Purpose.DEAD_LETTER) else 32


def _expand(root: bytes, name: str, version: int, length: int) -> bytes:
    label = _joined(("tierlink", name, str(version)))
    return HKDFExpand(algorithm=SHA256(), length=length, info=label).derive(root)


def _joined(parts: Iterable[str]) -> bytes:
    # length-prefixed, so ("ab","c") and ("a","bc") differ
    encoded = [part.encode("utf-8") for part in parts]
    return b"".join([len(part).to_bytes(4, "big") + part for part in encoded])
