"""The one way in, used by every door: seals what was accepted, publishes it and returns when the broker has it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.entry import SourceEntry
from connectors.metrics import DoorMetrics
from connectors.publisher import BrokerUnavailable, OutgoingMessage, Publisher
from connectors.sessions import DoorSessions
from linkage.record_name import record_parts
from schemas import canonical, typed_message
from schemas.disposition import Verdict
from schemas.envelope import SESSION_HEADER, Envelope, entry_id, sealed
from schemas.errors import SchemaError
from schemas.sources import Source
from schemas.topics import intake_partition

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DoorOutcome:
    """What became of one entry at the door. Only `acknowledged` ones are in the ledger's care."""

    entry_id: str
    verdict: Verdict
    acknowledged: bool


class Intake:
    """Takes entries of the sources it has sessions for. It can seal, and cannot open what another process sealed."""

    def __init__(
        self, publisher: Publisher, *, sessions: DoorSessions, metrics: DoorMetrics, clock: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._sessions = sessions
        self._metrics = metrics
        self._clock = clock

    def take(self, source: Source, entries: Sequence[SourceEntry], *, whole: bool = False) -> tuple[DoorOutcome, ...]:
        """One answer per entry, in order, after every published one is durable.

        Accepted entries are sealed and published; ignored ones leave only a count; rejected ones are refused, except
        that with `whole` (a file is acknowledged as one) their originals are published for ingress to reject.
        Raises BrokerUnavailable when the broker did not acknowledge in time, or there is no key to seal with: then
        nothing may be acknowledged, and a resend is safe because entry ids do not change.
        """
        received_at = self._clock().astimezone(UTC)
        outcomes, records = [], []
        for entry in entries:
            identifier = entry_id(source.slug, entry.message_id, entry.position)
            verdict = entry.checked.verdict
            publish = verdict is not Verdict.IGNORED and (whole or verdict is not Verdict.REJECTED)
            if publish:
                records.append(self._record(source, entry, received_at))
            outcomes.append(DoorOutcome(identifier, verdict, publish or verdict is Verdict.IGNORED))
        self._publisher.publish(records)
        self._metrics.taken(source.slug, entries, outcomes)
        return tuple(outcomes)

    def _record(self, source: Source, entry: SourceEntry, received_at: datetime) -> OutgoingMessage:
        envelope = envelope_of(source, entry, received_at)
        person = entry.message.person if envelope.typed and entry.message else None
        partition = intake_partition(record_parts(source.slug, person, envelope.entry_id))
        try:
            session = self._sessions.of(source.slug, received_at)
        except SchemaError as failure:
            logger.warning("no session of a door can be opened: %s", failure)
            raise BrokerUnavailable("no key for today") from None
        value = sealed(envelope, session, topic=source.intake_topic, partition=partition, random=self._sessions.random)
        return OutgoingMessage(
            topic=source.intake_topic,
            partition=partition,
            key=envelope.entry_id.encode(),
            value=value,
            headers=((SESSION_HEADER, session.header),),
        )


def envelope_of(source: Source, entry: SourceEntry, received_at: datetime) -> Envelope:
    """What travels of an entry; of a rejected one the original and the reasons."""
    taken = entry.checked.verdict is not Verdict.REJECTED and entry.message is not None
    return Envelope(
        source=source.slug,
        message_id=entry.message_id,
        position=entry.position,
        form=entry.form,
        received_at=received_at,
        typed=typed_message.dump(entry.message) if taken and entry.message else b"",
        bundle=canonical.dump(entry.bundle) if taken else b"",
        original=entry.original,
        reasons=tuple(issue.as_json() for issue in entry.checked.issues),
    )
