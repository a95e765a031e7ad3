"""The trust's door over real sockets and a real Kafka: acknowledged is there, refused is not."""

import asyncio
import os
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from door_keys import DoorKeys
from hl7_messages import OPEN, PID, PV1, RECEIVED_AT, SCH, TRUST, message
from prometheus_client import CollectorRegistry

from connectors.doors.door import DoorSetup
from connectors.doors.hl7_mllp import MllpLimits, MllpServer
from connectors.doors.mllp_framing import framed
from connectors.intake import Intake
from connectors.metrics import DoorMetrics
from connectors.publisher import Publisher
from connectors.sources.tier3_hl7v2 import split
from connectors.sources.tier3_hl7v2.answer import Acknowledgement, read_answer
from ops.client.mllp_client import MllpClient, NoAnswer
from ops.local.broker.embedded import EmbeddedBroker
from schemas.envelope import Envelope, entry_id
from schemas.errors import InvalidField
from schemas.sources import Source
from schemas.topics import PARTITIONS

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

T = TypeVar("T")
ATTENDED = message("ADT^A04", PV1)
LIMITS = MllpLimits(connections_max=8, closing_seconds_max=2.0)


class Door:
    """A running MllpServer in a loop of its own, as it runs beside the other doors."""

    def __init__(self, intake: Intake, registry: CollectorRegistry, metrics: DoorMetrics, limits: MllpLimits) -> None:
        self.registry = registry
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        setup = DoorSetup({}, intake, metrics, clock=lambda: RECEIVED_AT, test_mode=True)
        self.server = MllpServer(setup, limits=limits)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, run in the door's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def close(self) -> None:
        """Closes the door and ends its loop."""
        self.run(self.server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def refused(self, source: Source, reason: str) -> float:
        """How often the door has refused a message of `source` for `reason`."""
        labels = {"source": source.slug, "reason": reason}
        return self.registry.get_sample_value("tierlink_entries_refused_total", labels) or 0.0


@pytest.fixture(scope="module")
def keys() -> DoorKeys:
    return DoorKeys()


@pytest.fixture(scope="module")
def sources(broker_admin: "KafkaAdminClient") -> tuple[Source, Source]:
    """A weight-management source and an open one, with topics nobody else has."""
    mark = secrets.token_hex(3)
    found = replace(TRUST, slug=f"trust-{mark}"), replace(OPEN, slug=f"open-{mark}")
    wanted = {source.intake_topic: {"num_partitions": PARTITIONS, "replication_factor": 1} for source in found}
    broker_admin.create_topics(wanted, wait_for_metadata=True)
    return found


@pytest.fixture
def make_door(keys: DoorKeys) -> Iterator[Callable[..., Door]]:
    """make_door(publisher, limits=...): a door of its own that is closed after the test."""
    doors: list[Door] = []

    def make(publisher: Publisher, *, limits: MllpLimits = LIMITS) -> Door:
        registry = CollectorRegistry()
        metrics = DoorMetrics(registry)
        intake = Intake(publisher, sessions=keys.sessions(), metrics=metrics, clock=lambda: datetime.now(UTC))
        doors.append(Door(intake, registry, metrics, limits))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture(scope="module")
def publisher(broker: EmbeddedBroker) -> Iterator[Publisher]:
    made = Publisher(broker.bootstrap)
    yield made
    made.close()


@pytest.fixture
def door(make_door: Callable[..., Door], publisher: Publisher) -> Door:
    return make_door(publisher)


@pytest.fixture
def port(door: Door, sources: tuple[Source, Source]) -> int:
    return door.run(door.server.start({sources[0]: 0}))[sources[0].slug]


def published(broker: EmbeddedBroker, source: Source, keys: DoorKeys) -> list[Envelope]:
    """Every entry of `source` that is durable, opened as ingress would."""
    from kafka import KafkaConsumer, TopicPartition  # here: the unit tests need no Kafka client

    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    partitions = [TopicPartition(source.intake_topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    ends, found = consumer.end_offsets(partitions), []
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for records in consumer.poll(timeout_ms=1000).values():
            found += [
                keys.opened(record.topic, record.partition, record.key, record.value, record.headers)
                for record in records
            ]
    consumer.close()
    return found


def answers_to(port: int, sent: bytes, *, answers: int) -> list[Acknowledgement]:
    """Sends bytes as they are and reads that many answers; fewer when the door hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        found = b""
        while found.count(b"\x1c\r") < answers:
            chunk = connection.recv(65536)
            if not chunk:
                break
            found += chunk
    return [read_answer(frame.strip(b"\x0b")) for frame in found.split(b"\x1c\r")[:-1]]


def test_an_accepted_message_is_in_the_topic_before_its_answer_is_sent(
    port: int, broker: EmbeddedBroker, sources: tuple[Source, Source], keys: DoorKeys
):
    control_id = secrets.token_hex(6)
    raw = message("ADT^A04", PV1, control_id=control_id)
    with MllpClient("127.0.0.1", port) as client:
        answer = client.send(raw)
    assert (answer.code, answer.control_id, answer.disposition) == ("AA", control_id, "accepted")
    (envelope,) = [envelope for envelope in published(broker, sources[0], keys) if envelope.entry_id == answer.entry_id]
    assert envelope.original == raw
    assert envelope.form == "hl7v2"
    assert envelope.bundle
    assert envelope.typed


def test_the_sender_can_compute_the_entry_id_and_a_resend_keeps_it(port: int, sources: tuple[Source, Source]):
    with MllpClient("127.0.0.1", port) as client:
        first, again = client.send(ATTENDED), client.send(ATTENDED)
    assert first.entry_id == again.entry_id == entry_id(sources[0].slug, "PAS|RXX|M1|20260715093000")


def test_a_message_of_another_service_is_answered_AA_ignored_and_not_kept(
    port: int, broker: EmbeddedBroker, sources: tuple[Source, Source], keys: DoorKeys
):
    with MllpClient("127.0.0.1", port) as client:
        answer = client.send(message("ADT^A04", PV1.replace("WMS", "CAR"), control_id="heart"))
    assert (answer.code, answer.disposition) == ("AA", "ignored")
    assert answer.entry_id not in {envelope.entry_id for envelope in published(broker, sources[0], keys)}


def test_a_refused_message_is_answered_AE_with_field_and_rule_and_not_kept(
    port: int, broker: EmbeddedBroker, sources: tuple[Source, Source], keys: DoorKeys
):
    weight = "OBX|1|NM|29463-7||118.4||||||F"
    raw = message("ORU^R01", PV1, "OBR|1||FI-1", weight, control_id="no-unit")
    with MllpClient("127.0.0.1", port) as client:
        answer = client.send(raw)
    assert (answer.code, answer.text) == ("AE", "refused")
    assert [(issue.code, issue.location) for issue in answer.issues] == [("required", "OBX[1]-6")]
    assert "PAS|RXX|no-unit|20260715093000" not in {
        envelope.message_id for envelope in published(broker, sources[0], keys)
    }


def test_each_source_has_a_port_of_its_own(door: Door, sources: tuple[Source, Source]):
    ports = door.run(door.server.start(dict.fromkeys(sources, 0)))
    mdm = message("MDM^T02", PV1)
    answers = {slug: answers_to(port, framed(mdm), answers=1)[0].disposition for slug, port in ports.items()}
    assert answers == {sources[0].slug: "ignored", sources[1].slug: "accepted"}


GOOD = framed(ATTENDED)


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        (GOOD + GOOD, ["AA", "AA"]),
        (framed(ATTENDED.replace(b"\r", b"\n")) + GOOD, ["AA", "AA"]),
        (b"no frame at all\r" + GOOD, ["AR", "AA"]),
        (ATTENDED + GOOD, ["AR", "AA"]),
        (framed(b"GET / HTTP/1.1") + GOOD, ["AR", "AA"]),
        (framed(b"") + GOOD, ["AR", "AA"]),
        (b"\x0b" + ATTENDED + GOOD, ["AR", "AA"]),
        (b"\x0b" + ATTENDED + b"\x1c" + GOOD, ["AR", "AA"]),
        (framed(ATTENDED + ATTENDED) + GOOD, ["AR", "AA"]),
        (framed(message("ADT^A04", "", PV1)) + GOOD, ["AE", "AA"]),
        (
            framed(message("SIU^S12", SCH.replace("20260714093000", "20260230"), "AIS|1|A|WMS")) + GOOD,
            ["AE", "AA"],
        ),
        (framed(message("ADT^A04", PID.replace("Okonkwo", "Ok\xff"), PV1)) + GOOD, ["AA", "AA"]),
    ],
)
def test_bad_input_gets_its_answer_and_the_next_message_is_taken(port: int, sent: bytes, codes: list[str]):
    assert [answer.code for answer in answers_to(port, sent, answers=len(codes))] == codes


def test_an_AR_to_a_broken_frame_names_the_message_it_was(port: int):
    broken, _ = answers_to(port, b"\x0b" + message("ADT^A04", PV1, control_id="cut") + GOOD, answers=2)
    assert (broken.code, broken.control_id) == ("AR", "cut")
    assert broken.issues[0].code == "structure"


def test_a_message_that_arrives_one_byte_a_packet_is_taken(port: int):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in GOOD:
            connection.sendall(bytes([byte]))
        assert read_answer(connection.recv(65536).strip(b"\x0b\x1c\r")).code == "AA"


def test_a_sender_that_goes_away_in_the_middle_of_a_frame_disturbs_nobody(
    port: int, door: Door, sources: tuple[Source, Source]
):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(GOOD[:-20])
        connection.shutdown(socket.SHUT_WR)
        assert read_answer(connection.recv(65536).strip(b"\x0b\x1c\r")).code == "AR"
        assert connection.recv(1) == b""
    assert door.refused(sources[0], "framing") == 1
    assert [answer.code for answer in answers_to(port, GOOD, answers=1)] == ["AA"]


def test_a_frame_above_the_limit_is_answered_AR_and_the_connection_closed(
    make_door: Callable[..., Door], publisher: Publisher, sources: tuple[Source, Source]
):
    small = make_door(publisher, limits=replace(LIMITS, frame_bytes_max=2000))
    port = small.run(small.server.start({sources[0]: 0}))[sources[0].slug]
    big = framed(message("ADT^A04", PV1, "NTE|1||" + "x" * 3000))
    assert [answer.code for answer in answers_to(port, big[:2500], answers=2)] == ["AR"]
    assert [answer.code for answer in answers_to(port, GOOD, answers=1)] == ["AA"]


def test_a_frame_that_is_never_ended_is_given_up_and_the_connection_closed(
    make_door: Callable[..., Door], publisher: Publisher, sources: tuple[Source, Source]
):
    hasty = make_door(publisher, limits=replace(LIMITS, frame_seconds_max=0.2))
    port = hasty.run(hasty.server.start({sources[0]: 0}))[sources[0].slug]
    assert [answer.code for answer in answers_to(port, GOOD[:-2], answers=2)] == ["AR"]


def test_a_silent_connection_is_closed(
    make_door: Callable[..., Door], publisher: Publisher, sources: tuple[Source, Source]
):
    hasty = make_door(publisher, limits=replace(LIMITS, idle_seconds_max=0.2))
    port = hasty.run(hasty.server.start({sources[0]: 0}))[sources[0].slug]
    assert answers_to(port, b"", answers=1) == []


def test_connections_above_the_limit_are_turned_away_and_the_others_go_on(
    make_door: Callable[..., Door], publisher: Publisher, sources: tuple[Source, Source]
):
    narrow = make_door(publisher, limits=replace(LIMITS, connections_max=1))
    port = narrow.run(narrow.server.start({sources[0]: 0}))[sources[0].slug]
    with MllpClient("127.0.0.1", port) as first:
        assert first.send(ATTENDED).code == "AA"
        with MllpClient("127.0.0.1", port) as second, pytest.raises(NoAnswer):
            second.send(ATTENDED)
        assert first.send(ATTENDED).code == "AA"
    assert narrow.refused(sources[0], "too-many-connections") == 1


def test_without_the_broker_the_answer_is_try_again_and_never_AA(
    make_door: Callable[..., Door], broker: EmbeddedBroker, sources: tuple[Source, Source]
):
    nowhere = replace(sources[0], slug=f"{sources[0].slug}-nowhere")  # its topic does not exist and is not made
    away = Publisher(broker.bootstrap, delivery_seconds_max=1.0)
    door = make_door(away)
    port = door.run(door.server.start({nowhere: 0}))[nowhere.slug]
    with MllpClient("127.0.0.1", port) as client:
        answers = [client.send(ATTENDED), client.send(message("ADT^A04", PV1.replace("WMS", "CAR")))]
    away.close()
    assert [(answer.code, answer.disposition) for answer in answers] == [("AE", "try"), ("AA", "ignored")]
    assert answers[0].issues[0].code == "transient"
    assert door.refused(nowhere, "broker-unavailable") == 1


def test_when_the_door_closes_its_senders_are_told_by_a_closed_connection(
    make_door: Callable[..., Door], publisher: Publisher, sources: tuple[Source, Source]
):
    door = make_door(publisher)
    port = door.run(door.server.start({sources[0]: 0}))[sources[0].slug]
    with MllpClient("127.0.0.1", port) as client:
        assert client.send(ATTENDED).code == "AA"
        door.run(door.server.close())
        with pytest.raises(NoAnswer):
            client.send(ATTENDED)


def test_the_door_listens_on_this_machine_alone_unless_more_is_allowed(door: Door, sources: tuple[Source, Source]):
    with pytest.raises(InvalidField, match="loopback"):
        door.run(door.server.start({sources[0]: 0}, host="0.0.0.0"))


def test_a_message_with_framing_bytes_in_it_is_not_sent():
    with pytest.raises(InvalidField, match="frame"):
        MllpClient("127.0.0.1", 1).send(b"MSH|\x1c\r")


def test_a_door_that_is_not_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    with pytest.raises(NoAnswer):
        MllpClient("127.0.0.1", free, answer_seconds_max=2).send(ATTENDED)


def test_a_hospitals_whole_feed_is_answered_AA_and_every_entry_is_in_the_topic(
    door: Door, broker: EmbeddedBroker, sources: tuple[Source, Source], keys: DoorKeys
):
    root = os.environ.get("TIERLINK_SHARED_DATA", "")
    path = Path(root) / "simhospital/messages.out"
    if not root or not path.is_file():
        pytest.skip("TIERLINK_SHARED_DATA names no folder with simhospital/messages.out")
    open_port = door.run(door.server.start({sources[1]: 0}))[sources[1].slug]
    with MllpClient("127.0.0.1", open_port) as client:
        answers = [client.send(message) for message in split(path.read_bytes())]
    assert Counter((answer.code, answer.disposition) for answer in answers) == {("AA", "accepted"): 1013}
    kept = {envelope.entry_id for envelope in published(broker, sources[1], keys)}
    assert {answer.entry_id for answer in answers} <= kept
