"""What ingress takes from the intake: what a door of the source put there, in time, of values that a reader makes.

No door is trusted: source, key and partition are worked out again, times are judged by the broker's append time, and
each value of the typed message by the rules of its type. What does not fit is refused; nothing is put right.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from linkage.record_name import record_parts
from schemas import canonical, typed_message
from schemas.check import check
from schemas.door_session import CLOCK_SKEW, Refusal
from schemas.envelope import Envelope, IntakePlace, IntakeReader
from schemas.errors import Unreadable
from schemas.intake_keys import KEPT_DAYS, IntakeKeys
from schemas.source_message import SourceMessage
from schemas.sources import Source
from schemas.topics import intake_partition
from streams.steps.outcome import Message

VERSION_AHEAD_MAX = timedelta(days=1)  # of a source's clock: the highest version wins, so one far ahead would for ever
RECEIVED_BEFORE_MAX = timedelta(days=KEPT_DAYS)


@dataclass(frozen=True, slots=True)
class IntakeEntry:
    """One entry that was taken; `message` is None when the door could not read it and says so."""

    envelope: Envelope
    message: SourceMessage | None = field(repr=False)


class IntakeDesk:
    """Opens and judges one entry after another. With `recheck` it reads the Bundle again and compares."""

    def __init__(self, keys: Callable[[], IntakeKeys], *, test_mode: bool, recheck: bool = False) -> None:
        self._reader = IntakeReader(keys)
        self._test_mode = test_mode
        self._recheck = recheck

    def take(self, source: Source, message: Message) -> IntakeEntry:
        """The entry in an intake message of `source`. Raises Refusal with its code; LookupError as `verify` does."""
        place = IntakePlace.of(
            source.slug,
            (message.topic, message.partition),
            (message.key, message.value, message.headers),
            timestamp_ms=message.timestamp_ms,
        )
        envelope = self._reader.open(place)
        _require_in_time(envelope.received_at, place.appended_at)
        typed = self._typed(envelope, source) if envelope.typed else None
        person = typed.person if typed is not None else None
        if intake_partition(record_parts(source.slug, person, envelope.entry_id)) != message.partition:
            raise Refusal("misplaced", rule="stands in the partition of another record")
        return IntakeEntry(envelope, typed)

    def _typed(self, envelope: Envelope, source: Source) -> SourceMessage:
        try:
            typed = typed_message.parse(envelope.typed, source=source, test_mode=self._test_mode)
        except Unreadable:
            raise Refusal("invalid", rule="holds a value that no reader of ours makes") from None
        if typed.source_version_at > envelope.received_at + VERSION_AHEAD_MAX:
            raise Refusal("version-ahead", rule="has a version time of more than a day after it was received")
        if self._recheck and typed_message.dump(typed) != self._read_again(envelope, source, typed):
            raise Refusal("differs", rule="says something else than its Bundle")
        return typed

    def _read_again(self, envelope: Envelope, source: Source, typed: SourceMessage) -> bytes | None:
        """The typed message that the Bundle gives, None where it gives none.

        The version time that was told stands in where the Bundle has none, as the time of reading did at the door.
        """
        try:
            document = canonical.load(envelope.bundle)
        except Unreadable:
            return None
        when = typed.source_version_at
        _, message = check(document, source=source, test_mode=self._test_mode, received_at=when)
        return None if message is None else typed_message.dump(message)


def _require_in_time(received_at: datetime, appended_at: datetime) -> None:
    if received_at > appended_at + CLOCK_SKEW:
        raise Refusal("received-ahead", rule="was received after it came to the broker")
    if received_at < appended_at - RECEIVED_BEFORE_MAX:
        raise Refusal("received-long-ago", rule="was received before anything that the intake keeps")
