"""A body under its record's data key: compressed, padded, sealed.

Compressing comes first, as nothing sealed can be compressed; padding then hides what lengths tell. One body holds what
one source said of one record, so nobody learns by lengths what another wrote in it.
"""

import zlib

from schemas.errors import InvalidField, Unreadable
from schemas.sealing import seal, unseal
from schemas.topics import MESSAGE_BYTES_MAX

PAD_BYTES = 512  # the step of bodies
IDENTITY_PAD_BYTES = 1024  # of identities: measured, 0.6 % of 3,000 people are then alone with their length
SIV_BYTES = 16
_LENGTH_BYTES = 4
# A window of 4 KiB: setting up the default of 32 KiB takes four times the work on a body. Raw, as AES-SIV checks.
_WINDOW_BITS, _MEMORY_LEVEL = -12, 5


def seal_body(data_key: bytes, plain: bytes, *, context: bytes, pad_bytes: int = PAD_BYTES) -> bytes:
    """`plain` under `data_key` for the place `context`: a multiple of `pad_bytes`, and 16 bytes.

    Protects what is said, up to its length in steps, and against a change, another place or another record's key. It
    does not hide that two bodies of one place are equal, nor how many there are, nor when they come; and an older body
    of the place can be put back. Equal arguments give equal bytes, as long as zlib is the same: after another build of
    Python a body may be sealed to other bytes, which open to the same. Raises InvalidField above 16 MiB.
    """
    if len(plain) > MESSAGE_BYTES_MAX:
        raise InvalidField("body", rule=f"has at most {MESSAGE_BYTES_MAX} bytes")
    deflate = zlib.compressobj(wbits=_WINDOW_BITS, memLevel=_MEMORY_LEVEL)
    packed = deflate.compress(plain) + deflate.flush()
    return seal_padded(data_key, packed, context=context, pad_bytes=pad_bytes)


def open_body(data_key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """What `seal_body` sealed. Raises Unreadable for another key or place, changed bytes, or more than 16 MiB inside.

    Whoever holds the data key may have sealed anything, so what comes out is limited while it is unpacked: 16 MiB of
    memory at most.
    """
    packed = open_padded(data_key, sealed, context=context)
    inflate = zlib.decompressobj(wbits=_WINDOW_BITS)
    try:
        plain = inflate.decompress(packed, MESSAGE_BYTES_MAX + 1)
    except zlib.error:
        raise Unreadable("sealed body", rule="is not compressed") from None
    if len(plain) > MESSAGE_BYTES_MAX or not inflate.eof or inflate.unused_data:
        raise Unreadable("sealed body", rule=f"is one compressed text of at most {MESSAGE_BYTES_MAX} bytes")
    return plain


def seal_padded(data_key: bytes, plain: bytes, *, context: bytes, pad_bytes: int) -> bytes:
    """As `seal_body`, without compressing: of what is random already."""
    text = len(plain).to_bytes(_LENGTH_BYTES) + plain
    return seal(data_key, text + bytes(-len(text) % pad_bytes), context=context)


def open_padded(data_key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """What `seal_padded` sealed. Raises Unreadable for another key or place, and changed bytes."""
    if len(sealed) > MESSAGE_BYTES_MAX:
        raise Unreadable("sealed body", rule=f"has at most {MESSAGE_BYTES_MAX} bytes")
    text = unseal(data_key, sealed, context=context)
    end = _LENGTH_BYTES + int.from_bytes(text[:_LENGTH_BYTES])
    if end > len(text) or text[end:].strip(b"\0"):
        raise Unreadable("sealed body", rule="is a length, as many bytes, and zeros")
    return text[_LENGTH_BYTES:end]
