"""What is on the wire between a door and ingress: one entry, sealed, under a keyed record reference.

The clear parts of an intake message are its topic (the source), its key (a keyed hash), the header `entry_id`
and the sizes. Everything a provider sent is inside the seal.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas import canonical
from schemas.errors import Unreadable
from schemas.identity import LocalId
from schemas.keyring import Keyring, Purpose
from schemas.sealing import open_at_ingress, seal_for_ingress

# The namespace of everything tierlink names by uuid5: uuid5(NAMESPACE_URL, "https://tierlink.example/").
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://tierlink.example/")
ENTRY_ID_HEADER = "entry_id"


def entry_id(source: str, message_id: str, entry: int | str = 0) -> str:
    """What was sent: the same for a resend, different for anything else.

    A provider can compute it too, so it stands in the intake and in the provider's own receipts only.

    uuid5 of the length-prefixed source, message id and entry (a row, a position in a batch).
    """
    parts = (source, message_id, str(entry))
    return str(uuid.uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)))


def entry_name(keys: Keyring, source: str, entry_id: str) -> str:
    """What the entry is called beyond the intake: nobody without the key of ingress can compute it."""
    return keys.mac(Purpose.ENTRY_NAME, source, entry_id)


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """One entry on its way to ingress.

    `bundle` is the FHIR message Bundle made of it, or None when the entry could not be read; `original` is
    what the provider sent (bytes of the message or row), kept for replay; `form` names its format (fhir,
    hl7v2, csv). `reasons` say why a readable Bundle could not be made. `received_at` is UTC.
    """

    source: str
    message_id: str
    entry_id: str
    form: str
    received_at: datetime
    bundle: Mapping[str, object] | None
    original: bytes
    reasons: tuple[Mapping[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Envelope({self.source}, {self.entry_id})"


def record_reference(keys: Keyring, source: str, local_id: LocalId | None, fallback: str) -> bytes:
    """The intake key: a keyed hash of the source and its local patient id, issuer and value.

    Entries without a local id are keyed by `fallback` (their entry id): they need no order among themselves.
    """
    reference = ("id", *_pair(local_id)) if local_id else ("entry", fallback)
    return keys.mac(Purpose.RECORD_REFERENCE, source, *reference).encode()


def _pair(local_id: LocalId) -> tuple[str, ...]:
    """Issuer and value; of the source's own numbers the value alone, as before issuers were read."""
    return (local_id.authority, local_id.value) if local_id.authority else (local_id.value,)


def sealed(envelope: Envelope, *, keys: Keyring, topic: str, key: bytes) -> bytes:
    """The value of the intake message: a version byte, HPKE over canonical JSON, bound to topic and key."""
    text = canonical.dump(
        {
            "v": 1,
            "source": envelope.source,
            "message_id": envelope.message_id,
            "entry_id": envelope.entry_id,
            "form": envelope.form,
            "received_at": envelope.received_at.astimezone(UTC).isoformat(),
            "bundle": envelope.bundle,
            "original": base64.b64encode(envelope.original).decode(),
            "reasons": [dict(reason) for reason in envelope.reasons],
        }
    )
    return b"\x01" + seal_for_ingress(keys.key(Purpose.INTAKE_SEAL), text, context=_context(topic, key))


def opened(value: bytes, *, keys: Keyring, topic: str, key: bytes) -> Envelope:
    """The envelope sealed in `value`. Raises Unreadable where it cannot be opened or has another version."""
    if value[:1] != b"\x01":
        raise Unreadable("intake envelope", rule="is of an unknown version")
    text = open_at_ingress(keys.key(Purpose.INTAKE_OPEN), value[1:], context=_context(topic, key))
    # one level deeper than a door allows: the Bundle stands inside
    parts = canonical.load_object(text, depth_max=canonical.DEPTH_MAX + 1)
    try:
        return Envelope(
            source=str(parts["source"]),
            message_id=str(parts["message_id"]),
            entry_id=str(parts["entry_id"]),
            form=str(parts["form"]),
            received_at=_aware(parts["received_at"]),
            bundle=parts["bundle"],
            original=base64.b64decode(parts["original"], validate=True),
            reasons=tuple({str(n): str(part) for n, part in reason.items()} for reason in parts["reasons"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Unreadable("intake envelope", rule="lacks a part") from None


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment


def _context(topic: str, key: bytes) -> bytes:
    return topic.encode() + b"|" + key
