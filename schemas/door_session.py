"""A session between one door and ingress: one HPKE secret, signed once, under which every entry is sealed.

    header  version 1 | door key id 8 | day 10 | session id 16 | not before 8 | not after 8 | HPKE(secret) 80 |
    signature 64
    value   version 1 | salt 16 | AES-256-GCM(HMAC-SHA-256(secret, salt), nonce 0, zlib(text), session, place)

The header travels with every entry, so ingress can begin to read anywhere. The signature is over all before it and the
source. A fresh salt gives a fresh key for each entry: there is no counter, so a door may be forked, killed or started
twice. Sources: RFC 9180 (HPKE), RFC 8032 (Ed25519), NIST SP 800-38D (GCM: one nonce is enough where no key is used
twice).
"""

import hmac
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors import Unreadable
from schemas.intake_keys import DOOR_ID_BYTES, DoorKey, DoorSeal, IntakeKeys, door_id, door_public
from schemas.sealing import length_prefixed, open_at_ingress, seal_for_ingress

SESSION_SECONDS_MAX = 3_600
CLOCK_SKEW = timedelta(minutes=5)  # between a door and the broker
TEXT_BYTES_MAX = 24 * 2**20  # of one entry before it is compressed: 15 MiB is what a door takes, with room
VALUE_BYTES_MAX = 16 * 2**20

_VERSION = b"\x01"
_DAY, _ID, _TIME, _SECRET, _HPKE, _SIGNATURE, _SALT = 10, 16, 8, 32, 80, 64, 16
_PARTS = (1, DOOR_ID_BYTES, _DAY, _ID, _TIME, _TIME, _HPKE, _SIGNATURE)
HEADER_BYTES = sum(_PARTS)
_NONCE = bytes(12)
_LABEL = b"tierlink door session 1"


class Refusal(Unreadable):
    """An intake message that is not what a door of ours put there. `code` is a constant, fit for a metric."""

    def __init__(self, code: str, *, rule: str) -> None:
        super().__init__("intake message", rule=rule)
        self.code = code


@dataclass(frozen=True, slots=True)
class Session:
    """A door's side: the header to send along, and the secret under which it seals until `not_after`."""

    header: bytes = field(repr=False)
    id: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime


def open_session(
    seal: DoorSeal, source: str, *, now: datetime, random: Callable[[int], bytes], seconds: int = SESSION_SECONDS_MAX
) -> Session:
    """A new session of the door that speaks for `source`, from `now` (aware) on. `random(n)` gives n random bytes."""
    not_before = datetime.fromtimestamp(int(now.timestamp()), UTC)
    not_after = not_before + timedelta(seconds=seconds)
    identifier, secret = random(_ID), random(_SECRET)
    named = (_VERSION, door_id(door_public(seal.signing)), seal.day.isoformat().encode(), identifier)
    clear = b"".join((*named, _time(not_before), _time(not_after)))
    sealed = clear + seal_for_ingress(seal.ingress_public, secret, context=_signed(clear, source))
    signature = Ed25519PrivateKey.from_private_bytes(seal.signing).sign(_signed(sealed, source))
    return Session(sealed + signature, identifier, secret, not_before, not_after)


@dataclass(frozen=True, slots=True)
class KnownSession:
    """Ingress's side of a session whose signature held: what is still to be judged for each of its entries."""

    door: DoorKey
    id: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime

    def require_valid(self, appended_at: datetime) -> None:
        """Raises Refusal unless door and session were valid when the broker appended the entry."""
        if not self.door.valid_at(appended_at):
            raise Refusal("revoked-door", rule="its door's key was not valid when it came")
        if not self.not_before - CLOCK_SKEW <= appended_at <= self.not_after + CLOCK_SKEW:
            raise Refusal("expired", rule="its session was over, or had not begun, when it came")


def verify(header: bytes, source: str, *, keys: IntakeKeys, appended_at: datetime) -> KnownSession:
    """The session that a door of `source` has opened with `header`.

    Raises Refusal: `unreadable`, `unknown-door`, `forged`, `revoked-door`, `expired`, `key-destroyed`. Raises
    LookupError when the day's key has not arrived yet although all else is right: then nothing may be decided.
    """
    _, identity, day, identifier, begins, ends, _, signature = _split(header)
    door = keys.doors.get((source, identity))
    if door is None:
        raise Refusal("unknown-door", rule="is of no door that speaks for this source")
    signed = header[:-_SIGNATURE]
    try:
        door.verifying().verify(signature, _signed(signed, source))
    except InvalidSignature:
        raise Refusal("forged", rule="was not signed by the door that it names") from None
    not_before, not_after, on = _moment(begins), _moment(ends), _date(day)
    if not_after - not_before > timedelta(seconds=SESSION_SECONDS_MAX) or on != not_before.date():
        raise Refusal("unreadable", rule="has a session too long, or under the key of another day")
    session = KnownSession(door, identifier, b"", not_before, not_after)
    session.require_valid(appended_at)
    private = keys.days.get(on)
    if private is None:
        if not keys.days or on > max(keys.days):
            raise LookupError("the ingress key of that day is not here yet")
        raise Refusal("key-destroyed", rule="was sealed to a key that has been destroyed")
    clear = signed[:-_HPKE]
    try:
        secret = open_at_ingress(private, signed[len(clear) :], context=_signed(clear, source))
    except Unreadable:
        raise Refusal("unreadable", rule="holds a session that was not sealed for this engine") from None
    return KnownSession(door, identifier, secret, not_before, not_after)


def seal_text(session: Session, text: bytes, *, place: Iterable[bytes], random: Callable[[int], bytes]) -> bytes:
    """`text` sealed under a fresh key of the session for one place. Raises Unreadable when it is too long to be
    taken.
    """
    if len(text) > TEXT_BYTES_MAX:
        raise Unreadable("entry", rule="is too long to be sealed")
    salt = random(_SALT)
    cipher = AESGCM(hmac.digest(session.secret, salt, "sha256"))
    return _VERSION + salt + cipher.encrypt(_NONCE, zlib.compress(text, 1), length_prefixed((session.id, *place)))


def open_text(session: KnownSession, value: bytes, *, place: Iterable[bytes]) -> bytes:
    """What `seal_text` sealed for this session and place. Raises Refusal; nothing is inflated beyond the limit."""
    if value[:1] != _VERSION or not len(_VERSION) + _SALT < len(value) <= VALUE_BYTES_MAX:
        raise Refusal("unreadable", rule="is of an unknown version, or has no length that an entry has")
    salt, sealed = value[1 : 1 + _SALT], value[1 + _SALT :]
    cipher = AESGCM(hmac.digest(session.secret, salt, "sha256"))
    try:
        packed = cipher.decrypt(_NONCE, sealed, length_prefixed((session.id, *place)))
    except (InvalidTag, ValueError):
        raise Refusal("unreadable", rule="was not sealed in this session for this place") from None
    return _inflated(packed)


def _inflated(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, TEXT_BYTES_MAX)
    except zlib.error:
        raise Refusal("unreadable", rule="is not compressed as an entry is") from None
    if stream.unconsumed_tail:
        raise Refusal("too-large", rule="is longer than an entry may be")
    if not stream.eof or stream.unused_data:
        raise Refusal("unreadable", rule="is not compressed as an entry is")
    return text


def _signed(clear: bytes, source: str) -> bytes:
    return length_prefixed((_LABEL, clear, source.encode()))


def _split(header: bytes) -> list[bytes]:
    if len(header) != HEADER_BYTES or header[:1] != _VERSION:
        raise Refusal("unreadable", rule="has no header of a session")
    found, place = [], 0
    for length in _PARTS:
        found.append(header[place : place + length])
        place += length
    return found


def _time(moment: datetime) -> bytes:
    return int(moment.timestamp()).to_bytes(_TIME, "big")


def _moment(seconds: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(int.from_bytes(seconds, "big"), UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal("unreadable", rule="has a session of no moment") from None


def _date(text: bytes) -> date:
    try:
        return date.fromisoformat(text.decode("ascii"))
    except ValueError:
        raise Refusal("unreadable", rule="has a session of no day") from None
