"""The one way in, used by every door: seals what was accepted, publishes it and returns when the broker has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.entry import SourceEntry
from connectors.metrics import DoorMetrics
from connectors.publisher import OutgoingMessage, Publisher
from schemas.disposition import Verdict
from schemas.envelope import ENTRY_ID_HEADER, Envelope, entry_id, record_reference, sealed
from schemas.keyring import Keyring
from schemas.sources import Source
from schemas.topics import intake_partition


@dataclass(frozen=True, slots=True)
class DoorOutcome:
    """What became of one entry at the door. Only `acknowledged` ones are in the ledger's care."""

    entry_id: str
    verdict: Verdict
    acknowledged: bool


class Intake:
    """Takes entries of any source. Holds the connector's keys: it can seal, and cannot open what it sealed."""

    def __init__(
        self, publisher: Publisher, *, keys: Keyring, metrics: DoorMetrics, clock: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._keys = keys
        self._metrics = metrics
        self._clock = clock

    def take(self, source: Source, entries: Sequence[SourceEntry], *, whole: bool = False) -> tuple[DoorOutcome, ...]:
        """One answer per entry, in order, after every published one is durable.

        Accepted entries are sealed and published; ignored ones leave only a count; rejected ones are refused, except
        that with `whole` (a file is acknowledged as one) their originals are published for ingress to reject.
        Raises BrokerUnavailable when the broker did not acknowledge in time: then nothing may be acknowledged, and a
        resend is safe because entry ids do not change.
        """
        received_at = self._clock().astimezone(UTC)
        outcomes, records = [], []
        for entry in entries:
            identifier = entry_id(source.slug, entry.message_id, entry.position)
            verdict = entry.checked.verdict
            publish = verdict is not Verdict.IGNORED and (whole or verdict is not Verdict.REJECTED)
            if publish:
                records.append(self._record(source, entry, identifier, received_at))
            outcomes.append(DoorOutcome(identifier, verdict, publish or verdict is Verdict.IGNORED))
        self._publisher.publish(records)
        self._metrics.taken(source.slug, entries, outcomes)
        return tuple(outcomes)

    def _record(self, source: Source, entry: SourceEntry, identifier: str, received_at: datetime) -> OutgoingMessage:
        key = record_reference(self._keys, source.slug, entry.local_id, identifier)
        rejected = entry.checked.verdict is Verdict.REJECTED
        envelope = Envelope(
            source=source.slug,
            message_id=entry.message_id,
            entry_id=identifier,
            form=entry.form,
            received_at=received_at,
            bundle=None if rejected else entry.bundle,
            original=entry.original,
            reasons=tuple(issue.as_json() for issue in entry.checked.issues),
        )
        value = sealed(envelope, keys=self._keys, topic=source.intake_topic, key=key)
        return OutgoingMessage(
            topic=source.intake_topic,
            partition=intake_partition(key),
            key=key,
            value=value,
            headers=((ENTRY_ID_HEADER, identifier.encode()),),
        )
