"""Bytes that no door may take: what is malformed as a whole, for each kind of door.

The simulator spoils good messages in the ways of real senders; these are the ways of broken software. Rows that
pass the folder door and are rejected by ingress are the simulator's (`rates.noise["rejects"]`).
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random

from ops.lab.simulator.model import COUNCIL, GP, TRUST, Delivery, EntryTruth
from ops.lab.simulator.render.tier2_csv import FIRST_ROW, HEADERS


def poison(rng: Random, number: int, original: Delivery) -> Delivery:
    """A malformed delivery to the door of `original`; all that is refused with it counts as one entry.

    `number` keeps file names apart.
    """
    content = rng.choice(_WAYS[original.source])(rng, original.content)
    of_file = original.source == COUNCIL
    entry = EntryTruth(
        message_id=sha256(content).hexdigest(),
        position=FIRST_ROW if of_file else 0,
        person="",
        expected="refused",
    )
    name = f"council-east-broken-{number}.csv" if of_file else None
    return Delivery(original.source, original.kind, content, (entry,), "broken", file_name=name)


def _noise(rng: Random, _: bytes) -> bytes:
    """Random bytes without those that frame messages, so that they can be sent at all."""
    return bytes(byte for byte in rng.randbytes(200) if byte not in (0x0B, 0x1C))


def _cut(rng: Random, good: bytes) -> bytes:
    return good[: rng.randrange(1, max(2, len(good) // 2))]


def _too_deep(rng: Random, _: bytes) -> bytes:
    return b'{"resourceType":' + b"[" * rng.randrange(2_000, 20_000)


def _xml(rng: Random, _: bytes) -> bytes:
    return f'<Bundle xmlns="http://hl7.org/fhir"><id value="{rng.getrandbits(64)}"/></Bundle>'.encode()


def _a_list(rng: Random, good: bytes) -> bytes:
    return b"[" + good + b"," + str(rng.getrandbits(64)).encode() + b"]"


def _surrogate(rng: Random, good: bytes) -> bytes:
    return good.replace(b'"family":"', rng.choice((b'"family":"\\ud800', b'"family":"\\u0000')), 1) + b"}"


def _no_delimiters(rng: Random, good: bytes) -> bytes:
    return b"MSH" + rng.choice((b"||||", b"|^^\\&", b"abcde", b"")) + good[8:]


def _two_patients(_: Random, good: bytes) -> bytes:
    patient = next(line for line in good.split(b"\r") if line.startswith(b"PID"))
    return good + patient + b"\r"


def _typeless(rng: Random, good: bytes) -> bytes:
    """Cut within the header, before it says what the message is."""
    before_type = len(b"|".join(good.split(b"|")[:8]))
    return good[: rng.randrange(9, before_type)]


def _column_missing(rng: Random, good: bytes) -> bytes:
    needed = rng.choice(("client_ref", "referral_ref", "session_date", "last_updated"))
    return good.replace(needed.encode(), f"column {rng.getrandbits(32)}".encode(), 1)


def _column_twice(rng: Random, good: bytes) -> bytes:
    return good.replace(b"address1", rng.choice((b"surname", b"dob", b"weight")), 1)


def _workbook(rng: Random, _: bytes) -> bytes:
    return b"PK\x03\x04" + rng.randbytes(400)


def _with_nul(rng: Random, good: bytes) -> bytes:
    place = rng.randrange(len(",".join(HEADERS)), len(good))
    return good[:place] + b"\x00" + good[place:]


def _headless(_: Random, good: bytes) -> bytes:
    return good.partition(b"\r\n")[2]


_WAYS: dict[str, Sequence[Callable[[Random, bytes], bytes]]] = {
    GP: (_noise, _cut, _too_deep, _xml, _a_list, _surrogate),
    TRUST: (_noise, _no_delimiters, _two_patients, _typeless),
    COUNCIL: (_column_missing, _column_twice, _workbook, _with_nul, _headless),
}
