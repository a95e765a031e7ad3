"""What is on the wire between a door and ingress: one entry, sealed in its door's session (`schemas.door_session`).

The clear parts of an intake message are its topic (the source), its partition, its key (the entry id), the session's
header and the sizes. Everything a provider sent is inside the seal: the original bytes, the FHIR Bundle made of them,
and the typed message, which is what ingress reads.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import canonical
from schemas.door_session import KnownSession, Refusal, Session, open_text, seal_text, verify
from schemas.errors import Severity, Unreadable
from schemas.intake_keys import IntakeKeys
from schemas.keyring import Keyring, Purpose
from schemas.sealing import length_prefixed

# The namespace of everything tierlink names by uuid5: uuid5(NAMESPACE_URL, "https://tierlink.example/").
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://tierlink.example/")
SESSION_HEADER = "s"
SESSIONS_MAX = 1_024  # remembered at ingress: a door opens one an hour, or at a start
FORMS = frozenset({"fhir", "hl7v2", "csv"})
REASONS_MAX, REASON_LETTERS_MAX = 20_000, 1_000
_REASON_PARTS = frozenset({"severity", "code", "location", "rule"})


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

    `message_id` and `position` name it at its source. `typed` is the typed message (`schemas.typed_message`), `bundle`
    the canonical JSON of the FHIR Bundle; both are empty when the entry could not be read. `original` is what the
    provider sent (bytes of the message or row), kept for replay; `form` names its format (fhir, hl7v2, csv). `reasons`
    are those of the door's check. `received_at` is UTC.
    """

    source: str
    message_id: str
    position: int
    form: str
    received_at: datetime
    typed: bytes
    bundle: bytes
    original: bytes
    reasons: tuple[Mapping[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Envelope({self.source})"

    @property
    def entry_id(self) -> str:
        """The key of its message."""
        return entry_id(self.source, self.message_id, self.position)


@dataclass(frozen=True, slots=True, repr=False)
class IntakePlace:
    """An intake message as it stands on the broker, `appended_at` being the broker's own time of it."""

    topic: str
    source: str
    partition: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    appended_at: datetime

    @classmethod
    def of(
        cls,
        source: str,
        place: tuple[str, int],
        message: tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]],
        *,
        timestamp_ms: int,
    ) -> "IntakePlace":
        """From (topic, partition) and (key, value, headers) of a message; absent ones count as empty."""
        key, value, headers = message
        appended_at = _EPOCH + timedelta(milliseconds=max(0, timestamp_ms))
        return cls(place[0], source, place[1], key or b"", value or b"", headers, appended_at)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sealed(
    envelope: Envelope, session: Session, *, topic: str, partition: int, random: Callable[[int], bytes]
) -> bytes:
    """The value of the intake message: sealed in `session`, bound to its topic, partition and key.

    Raises Unreadable when the entry is too long to be sealed.
    """
    head = canonical.dump(
        {
            "v": 1,
            "message_id": envelope.message_id,
            "position": envelope.position,
            "form": envelope.form,
            "received_at": canonical.instant(envelope.received_at),
            "reasons": [dict(reason) for reason in envelope.reasons],
        }
    )
    text = length_prefixed((head, envelope.typed, envelope.bundle, envelope.original))
    place = _place(topic, partition, envelope.entry_id.encode())
    return seal_text(session, text, place=place, random=random)


class IntakeReader:
    """Opens intake messages. It verifies a session once and remembers it, as long as the keys are the same.

    `keys` gives the keys as they are now: whoever holds files reads them again when they have changed.
    """

    def __init__(self, keys: Callable[[], IntakeKeys]) -> None:
        self._keys = keys
        self._known_under: IntakeKeys | None = None
        self._sessions: dict[tuple[str, bytes], KnownSession] = {}  # the last used at the end

    def open(self, message: IntakePlace) -> Envelope:
        """The entry in `message`. Raises Refusal with its code where it is not what a door of this source put there."""
        names = [name for name, _ in message.headers]
        if names != [SESSION_HEADER]:
            raise Refusal("unreadable", rule="has not one header, that of its session")
        session = self._session(bytes(message.headers[0][1]), message)
        place = _place(message.topic, message.partition, message.key)
        envelope = _parsed(open_text(session, message.value, place=place), message.source)
        if envelope.entry_id.encode() != message.key:
            raise Refusal("misplaced", rule="has the key of another entry")
        return envelope

    def _session(self, header: bytes, message: IntakePlace) -> KnownSession:
        keys = self._keys()
        if keys is not self._known_under:  # a key may be gone: what was opened with it is forgotten too
            self._sessions.clear()
            self._known_under = keys
        session = self._sessions.pop((message.source, header), None)
        if session is None:
            session = verify(header, message.source, keys=keys, appended_at=message.appended_at)
        self._sessions[message.source, header] = session
        if len(self._sessions) > SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        session.require_valid(message.appended_at)
        return session


def _place(topic: str, partition: int, key: bytes) -> tuple[bytes, ...]:
    return topic.encode(), str(partition).encode(), key


def _parsed(text: bytes, source: str) -> Envelope:
    head, typed, bundle, original = _parts(text)
    try:
        parts = canonical.load_object(head)
        if parts["v"] != 1 or parts["form"] not in FORMS or not isinstance(parts["position"], int):
            raise ValueError("another version")
        received_at = datetime.fromisoformat(parts["received_at"])
        if received_at.tzinfo is None:
            raise ValueError("without a zone")
        return Envelope(
            source=source,
            message_id=_text(parts["message_id"]),
            position=parts["position"],
            form=parts["form"],
            received_at=received_at.astimezone(UTC),
            typed=typed,
            bundle=bundle,
            original=original,
            reasons=_reasons(parts["reasons"]),
        )
    except (Unreadable, KeyError, ValueError, TypeError, OverflowError):
        raise Refusal("unreadable", rule="lacks a part, or has one of another form") from None


def _parts(text: bytes) -> tuple[bytes, ...]:
    """What `length_prefixed` put together, four parts. Raises Refusal."""
    found, place = [], 0
    for _ in range(4):
        length = int.from_bytes(text[place : place + 4], "big")
        found.append(text[place + 4 : place + 4 + length])
        place += 4 + length
    if place != len(text) or length_prefixed(found) != text:
        raise Refusal("unreadable", rule="does not consist of four parts")
    return tuple(found)


def _reasons(sent: Any) -> tuple[Mapping[str, str], ...]:
    """Reasons as they may stand in the source's receipt."""
    severities = {severity.value for severity in Severity}
    if not isinstance(sent, list) or len(sent) > REASONS_MAX:
        raise ValueError("too many")
    for reason in sent:
        if not isinstance(reason, dict) or reason.keys() != _REASON_PARTS or reason["severity"] not in severities:
            raise ValueError("another form")
        for part in reason.values():
            _text(part)
    return tuple(sent)


def _text(part: object) -> str:
    if not isinstance(part, str) or len(part) > REASON_LETTERS_MAX:
        raise ValueError("no text, or too long")
    return part
