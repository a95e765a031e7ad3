"""The one way in: a provider hears "accepted" only after the broker has every copy, and a resend is safe."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from door_keys import DoorKeys
from memory_engine import sources
from prometheus_client import CollectorRegistry, generate_latest

from connectors.entry import SourceEntry
from connectors.intake import DoorOutcome, Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import BrokerUnavailable, OutgoingMessage, Publisher
from connectors.sessions import DoorSessions
from ops.admin.topic_reader import read_topics
from ops.local.broker.embedded import EmbeddedBroker
from schemas.disposition import Checked, Verdict
from schemas.envelope import Envelope, entry_id
from schemas.errors import Issue, Severity, Unreadable, error
from schemas.identity import LocalId, Person
from schemas.intake_keys import DoorSeal
from schemas.source_message import SourceMessage
from schemas.topics import intake_partition

GP = sources()["gp-hub"]
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
BUNDLE = {"resourceType": "Bundle", "type": "message", "family": "Okonkwo"}
REASON = error("PID-3", "is required", code="required")


KEYS = DoorKeys()


def opened(record: OutgoingMessage) -> Envelope:
    """As ingress opens it."""
    return KEYS.opened(record.topic, record.partition, record.key, record.value, record.headers)


class Durable:
    """A publisher that keeps what it was given, or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.records: list[OutgoingMessage] = []
        self.away = away

    def publish(self, records: Sequence[OutgoingMessage]) -> None:
        if self.away:
            raise BrokerUnavailable("KafkaTimeoutError")
        self.records += records


def entry(verdict: Verdict, position: int = 0, message_id: str = "M-1", local_id: str | None = "7") -> SourceEntry:
    issues: tuple[Issue, ...] = (REASON,) if verdict is Verdict.REJECTED else ()
    person = Person(LocalId(local_id)) if local_id else Person()
    return SourceEntry(
        message_id,
        position,
        "fhir",
        b"as sent",
        BUNDLE,
        SourceMessage(message_id, NOW, person),
        Checked(verdict, issues, ()),
    )


def intake(publisher: Any, registry: CollectorRegistry | None = None) -> Intake:
    metrics = DoorMetrics(registry or CollectorRegistry())
    return Intake(publisher, sessions=KEYS.sessions(), metrics=metrics, clock=lambda: NOW)


def take(*entries: SourceEntry, whole: bool = False) -> tuple[list[OutgoingMessage], list[DoorOutcome]]:
    kept = Durable()
    return kept.records, list(intake(kept).take(GP, entries, whole=whole))


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS])
def test_an_accepted_entry_is_sealed_published_and_then_acknowledged(verdict: Verdict) -> None:
    (record,), (answer,) = take(entry(verdict))
    assert answer == DoorOutcome(entry_id("gp-hub", "M-1", 0), verdict, acknowledged=True)
    assert record.topic == "intake.gp-hub.v1"
    assert record.partition == intake_partition(("local", "gp-hub", "", "7"))
    assert record.key == answer.entry_id.encode()
    envelope = opened(record)
    assert (json.loads(envelope.bundle), envelope.original, envelope.received_at) == (BUNDLE, b"as sent", NOW)
    assert b"Okonkwo" not in record.key + record.value


def test_an_ignored_entry_is_acknowledged_and_leaves_nothing() -> None:
    records, (answer,) = take(entry(Verdict.IGNORED))
    assert records == []
    assert answer.acknowledged


def test_a_rejected_entry_is_refused_at_the_door() -> None:
    records, (answer,) = take(entry(Verdict.REJECTED))
    assert records == []
    assert not answer.acknowledged


def test_a_rejected_row_of_an_acknowledged_file_is_published_for_ingress_to_reject() -> None:
    (_, record), answers = take(entry(Verdict.ACCEPTED), entry(Verdict.REJECTED, 1), whole=True)
    assert [answer.acknowledged for answer in answers] == [True, True]
    envelope = opened(record)
    assert (envelope.bundle, envelope.typed) == (b"", b"")
    assert envelope.original == b"as sent"
    assert envelope.reasons == (REASON.as_json(),)


def test_answers_come_in_the_order_of_the_entries() -> None:
    verdicts = [Verdict.REJECTED, Verdict.ACCEPTED, Verdict.IGNORED, Verdict.ACCEPTED_WITH_WARNINGS]
    records, answers = take(*(entry(verdict, place) for place, verdict in enumerate(verdicts)))
    assert [answer.verdict for answer in answers] == verdicts
    assert [answer.entry_id for answer in answers] == [entry_id("gp-hub", "M-1", place) for place in range(4)]
    assert len(records) == 2


def test_while_the_broker_is_away_nothing_is_acknowledged_and_nothing_counted() -> None:
    registry = CollectorRegistry()
    with pytest.raises(BrokerUnavailable) as raised:
        intake(Durable(away=True), registry).take(GP, [entry(Verdict.ACCEPTED)])
    assert raised.value.retriable
    assert "Okonkwo" not in str(raised.value)
    assert b'acknowledged_total{source="gp-hub"}' not in generate_latest(registry)


def test_a_resend_has_the_same_entry_id_key_and_partition() -> None:
    (first,), _ = take(entry(Verdict.ACCEPTED))
    (again,), _ = take(entry(Verdict.ACCEPTED))
    assert (first.key, first.partition) == (again.key, again.partition)
    assert first.value != again.value, "a fresh key for every message"


def test_entries_about_one_patient_share_a_partition_and_no_two_entries_a_key() -> None:
    records, _ = take(*(entry(Verdict.ACCEPTED, place) for place in range(30)))
    assert len({record.partition for record in records}) == 1
    assert len({record.key for record in records}) == 30
    nameless, _ = take(*(entry(Verdict.ACCEPTED, place, local_id=None) for place in range(30)))
    assert len({record.partition for record in nameless}) > 6, "nothing says that they are one person"


def test_without_a_key_for_today_nothing_is_acknowledged() -> None:
    def none(source: str, now: datetime) -> DoorSeal:
        raise Unreadable("key of today", rule="is not there")

    kept, metrics = Durable(), DoorMetrics(CollectorRegistry())
    door = Intake(kept, sessions=DoorSessions(none), metrics=metrics, clock=lambda: NOW)  # type: ignore[arg-type]
    with pytest.raises(BrokerUnavailable):
        door.take(GP, [entry(Verdict.ACCEPTED)])
    assert kept.records == []


def test_a_session_ends_within_an_hour_and_another_begins_before() -> None:
    sessions = KEYS.sessions()
    first = sessions.of("gp-hub", NOW)
    assert sessions.of("gp-hub", NOW + timedelta(minutes=49)) is first
    second = sessions.of("gp-hub", NOW + timedelta(minutes=51))
    assert second.id != first.id
    assert second.secret != first.secret
    assert first.not_after - first.not_before == timedelta(hours=1)


def test_every_answer_is_counted_by_source_and_reason_and_no_label_names_a_person() -> None:
    registry = CollectorRegistry()
    verdicts = (Verdict.ACCEPTED, Verdict.IGNORED, Verdict.REJECTED)
    intake(Durable(), registry).take(GP, [entry(verdict, n) for n, verdict in enumerate(verdicts)])
    page = generate_latest(registry).decode()
    for line in (
        'tierlink_entries_received_total{source="gp-hub"} 3.0',
        'tierlink_entries_acknowledged_total{source="gp-hub"} 1.0',
        'tierlink_entries_ignored_total{source="gp-hub"} 1.0',
        'tierlink_entries_refused_total{reason="required",source="gp-hub"} 1.0',
    ):
        assert line in page
    assert "Okonkwo" not in page


def test_no_repr_of_what_passes_shows_a_person() -> None:
    (record,), _ = take(entry(Verdict.ACCEPTED))
    shown = f"{record!r} {entry(Verdict.ACCEPTED)!r}"
    assert "Okonkwo" not in shown
    assert "as sent" not in shown
    assert "M-1" not in shown
    assert REASON.severity is Severity.ERROR


def test_through_a_real_broker_what_was_acknowledged_is_there(broker: EmbeddedBroker, new_topic: Any) -> None:
    topic = new_topic("intake", partitions=12)
    publisher = Publisher(broker.bootstrap)
    try:
        records = [
            OutgoingMessage(topic, place % 12, b"k", b"v%d" % place, (("entry_id", b"e"),)) for place in range(50)
        ]
        publisher.publish(records)
        found = sorted(
            (message.partition, message.value, message.headers) for message in read_topics(broker.bootstrap, [topic])
        )
        assert found == sorted((record.partition, record.value, record.headers) for record in records)
    finally:
        publisher.close()
