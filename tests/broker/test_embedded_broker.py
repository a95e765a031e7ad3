"""The embedded broker is a real Kafka, survives being killed, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eventually import eventually
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from ops.errors import BrokerError, BrokerRunning
from ops.local.broker.embedded import EmbeddedBroker, running_broker
from ops.local.broker.server_process import has_ended, is_free, terminate
from ops.runtime.broker_probe import answers

pytestmark = pytest.mark.broker


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker this test may kill."""
    broker = EmbeddedBroker(tmp_path / "a dîr")
    yield broker
    broker.stop()


def send(bootstrap: str, topic: str, *values: bytes) -> None:
    """Send to partition 0, each acknowledged by all replicas before this returns."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for value in values:
        producer.send(topic, value, partition=0).get(timeout=30)
    producer.close()


def read(bootstrap: str, topic: str) -> list[bytes]:
    """Everything partition 0 holds now."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    end, values = consumer.end_offsets([partition])[partition], []
    consumer.seek_to_beginning(partition)

    def all_read() -> bool:
        for messages in consumer.poll(timeout_ms=200).values():
            values.extend(message.value for message in messages)
        return consumer.position(partition) >= end

    eventually(all_read, why=f"partition 0 of {topic} is read to its end")
    consumer.close()
    return values


def test_what_is_sent_is_read_back(broker: EmbeddedBroker, new_topic: Callable[..., str]) -> None:
    topic = new_topic("round-trip")
    send(broker.bootstrap, topic, b"referral", b"attendance")
    assert read(broker.bootstrap, topic) == [b"referral", b"attendance"]


def test_a_message_of_eight_megabytes_passes(
    broker: EmbeddedBroker, broker_admin: KafkaAdminClient, new_topic: Callable[..., str]
) -> None:
    topic, large = new_topic("large"), b"x" * 8 * 2**20
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", max_request_size=16 * 2**20)
    producer.send(topic, large, partition=0).get(timeout=30)
    producer.close()
    assert read(broker.bootstrap, topic) == [large]


def test_it_listens_on_loopback_only(broker: EmbeddedBroker) -> None:
    assert broker.bootstrap.startswith("127.0.0.1:")
    settings = (broker.directory / "server.properties").read_text()
    assert "0.0.0.0" not in settings
    listeners = next(line for line in settings.splitlines() if line.startswith("listeners="))
    assert listeners.count("//127.0.0.1:") == listeners.count("//") == 2


def test_a_topic_nobody_made_is_not_made_by_reading_it(broker: EmbeddedBroker, broker_admin: KafkaAdminClient) -> None:
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    assert consumer.partitions_for_topic("nobody-made-this.v1") in (None, set())
    consumer.close()
    assert "nobody-made-this.v1" not in broker_admin.list_topics()


def test_after_a_kill_it_returns_on_the_same_address_with_what_it_had_acknowledged(
    own_broker: EmbeddedBroker,
) -> None:
    own_broker.start()
    address = own_broker.bootstrap
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    send(address, "kept", b"acknowledged")
    own_broker.kill()
    assert not answers(address)
    assert running_broker(own_broker.directory) is None, "the record of a dead process is stale"
    own_broker.start()
    assert own_broker.bootstrap == address
    assert read(address, "kept") == [b"acknowledged"]


def test_another_process_finds_it_and_its_end_is_noticed(own_broker: EmbeddedBroker) -> None:
    own_broker.start()
    record = running_broker(own_broker.directory)
    assert record is not None
    assert record.bootstrap == own_broker.bootstrap
    with pytest.raises(BrokerRunning):
        EmbeddedBroker(own_broker.directory).start()
    terminate(record.pid)
    assert running_broker(own_broker.directory) is None

    def is_missed() -> bool:  # its parent is told a little later than its process is gone
        try:
            own_broker.check()
        except BrokerError as found:
            return "ended by itself" in str(found)
        return False

    eventually(is_missed, why="the one who started it finds it gone")


def test_the_broker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, signal, sys; from ops.local.broker.embedded import EmbeddedBroker;"
        f"EmbeddedBroker(pathlib.Path({str(tmp_path)!r})).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    pid = json.loads((tmp_path / "broker.json").read_text())["pid"]
    if sys.platform.startswith("linux"):
        eventually(lambda: has_ended(pid), why="the orphaned broker ends")
    else:
        terminate(pid)


def test_the_command_prints_the_address_and_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ops", "broker", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split("--bootstrap ")[1].split()[0]
        assert answers(address)
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert "broker stopped" in process.stdout.read()
    assert is_free(int(address.split(":")[1]))
    assert (tmp_path / "log" / ".kafka_cleanshutdown").exists()
