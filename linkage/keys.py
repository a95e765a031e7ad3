"""The keys of encoding, one for each purpose, and HMAC under them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from linkage.errors import KeyInvalid
from linkage.token_format import TOKEN_BYTES, VERSION

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

REMEMBERED_MAX = 20_000  # values whose MACs are remembered: at some 500 bytes each, 10 MB
MAC_BYTES = 16  # bytes of a MAC before salting: one AES block
_PURPOSES = (
    "number", "block", "name", "birth", "postcode", "house", "street", "city", "sex", "phone", "email",
    "number-digits", "padding",
)  # fmt: skip
_LONG = ("block", "padding")  # purposes that want 64 bytes of each text: SHA-512

Keyed = tuple["Hash", "Hash"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class TokenKeys:
    """One key per purpose, all from one secret and one epoch. Another secret or epoch: tokens that never meet.
    Remembers the MACs of values met: keep it where the names are.
    """

    epoch: int
    _by_purpose: dict[str, "Keyed"]
    _remembered: dict[tuple[int, str], bytes] = field(default_factory=dict)

    @classmethod
    def from_bytes(cls, key: bytes, *, epoch: int) -> "TokenKeys":
        """Keys by HKDF-Expand-SHA-256 (RFC 5869 §2.3) of a uniformly random `key` of ≥ 32 bytes. Raises KeyInvalid."""
        if len(key) < 32:
            raise KeyInvalid("key", rule="at least 32 bytes")
        if not 0 <= epoch < 2**32:
            raise KeyInvalid("epoch", rule="0 to 2^32 - 1")
        expand = {
            purpose: _keyed(
                HKDFExpand(SHA256(), 32, f"linkage/{VERSION}/{epoch}/{purpose}".encode()).derive(key),
                sha512 if purpose in _LONG else sha256,
            )
            for purpose in _PURPOSES
        }
        return cls(epoch, expand)

    def mac(self, purpose: str, text: str) -> bytes:
        """HMAC of the text under the key of the purpose: SHA-256, 32 bytes; of blocks and padding SHA-512, 64."""
        inner, outer = self._by_purpose[purpose]
        first, second = inner.copy(), outer.copy()
        first.update(text.encode())
        second.update(first.digest())
        return second.digest()

    def macs(self, purpose: str, texts: Iterable[str]) -> list[bytes]:
        """The first 16 bytes of the MAC of each text."""
        inner, outer = self._by_purpose[purpose]
        macs = []
        for text in texts:  # as `mac`, without the call: this is most of the cost of encoding
            first, second = inner.copy(), outer.copy()
            first.update(text.encode())
            second.update(first.digest())
            macs.append(second.digest()[:MAC_BYTES])
        return macs

    def padding(self, text: str, count: int) -> list[bytes]:
        """`count` MACs of 16 bytes that are the text's own: they equal nothing else's."""
        long = b"".join([self.mac("padding", f"{text}/{i}") for i in range(-(-count // 4))])
        return [long[at : at + MAC_BYTES] for at in range(0, count * MAC_BYTES, MAC_BYTES)]

    def block(self, text: str) -> tuple[bytes, bytes]:
        """The token of a block and the AES-256 key that salts what is compared in it; neither tells the other
        (one HMAC-SHA-512).
        """
        both = self.mac("block", text)
        return both[:TOKEN_BYTES], both[32:]

    def remembered(self, group: int, text: str, made: Callable[[str, "TokenKeys"], bytes]) -> bytes:
        """`made` of the text; for the values of a group it is worked out once, until REMEMBERED_MAX values have
        been met and it starts anew.
        """
        found = self._remembered.get((group, text))
        if found is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[group, text] = made(text, self)
        return found

    def __repr__(self) -> str:
        return f"TokenKeys(epoch={self.epoch}, **)"


def _keyed(key: bytes, sha: Callable[[bytes], "Hash"]) -> Keyed:
    """HMAC as RFC 2104 §4 proposes for many short texts: both keyed states once, a copy of each for a text. Half
    the cost of starting from the key.
    """
    block = key.ljust(sha(b"").block_size, b"\0")
    return sha(bytes(byte ^ 0x36 for byte in block)), sha(bytes(byte ^ 0x5C for byte in block))
