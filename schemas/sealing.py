"""Sealing: HPKE for the secrets of doors' sessions, AES-SIV for what must be equal when it is equal.

* intake: HPKE base mode (RFC 9180), X25519, HKDF-SHA-256, AES-256-GCM, of the secret of a door's session. A door can
  seal, and only ingress can open.
* tokens, dead letters: AES-256-SIV (RFC 5297), deterministic: a redelivered message gives the same bytes,
  which compaction and `compare` rest on. There is no nonce to misuse.
"""

from collections.abc import Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from schemas.errors import Unreadable

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_for_ingress(public: bytes, text: bytes, *, context: bytes) -> bytes:
    """`text` so that only ingress can read it; `context` must be given again to open it."""
    return _SUITE.encrypt(text, X25519PublicKey.from_public_bytes(public), info=context)


def open_at_ingress(private: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """What was sealed. Raises Unreadable when it was not sealed for this key and this context."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), info=context)
    except (InvalidTag, ValueError):
        raise Unreadable("intake envelope", rule="was not sealed for this engine and this place") from None


@lru_cache(maxsize=16)
def _siv(key: bytes) -> AESSIV:
    return AESSIV(key)


def seal(key: bytes, text: bytes, *, context: bytes) -> bytes:
    """AES-SIV: the same text, key and context give the same bytes."""
    return _siv(key).encrypt(text or b"\0", [context, b"1" if text else b"0"])


def unseal(key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """What `seal` sealed. Raises Unreadable for another key, another context or changed bytes."""
    for mark in (b"1", b"0"):
        try:
            text = _siv(key).decrypt(sealed, [context, mark])
        except (InvalidTag, ValueError):
            continue
        return text if mark == b"1" else b""
    raise Unreadable("sealed value", rule="was not sealed with this key for this place")


def length_prefixed(parts: Iterable[bytes]) -> bytes:
    """The parts, each after its length in four bytes: no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])
