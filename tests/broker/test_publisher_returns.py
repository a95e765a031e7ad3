"""A door's producer after its broker was away for longer than anything it had to deliver."""

from pathlib import Path

from eventually import eventually
from kafka import KafkaAdminClient

from connectors.publisher import BrokerUnavailable, OutgoingMessage, Publisher
from ops.local.broker.embedded import EmbeddedBroker

RECORD = OutgoingMessage("t", 0, b"k", b"v")


def is_durable(publisher: Publisher) -> bool:
    try:
        publisher.publish([RECORD])
    except BrokerUnavailable:
        return False
    return True


def test_a_door_publishes_again_after_its_broker_was_away_past_every_deadline(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
            admin.create_topics({"t": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
        publisher = Publisher(broker.bootstrap, delivery_seconds_max=0.5)
        eventually(lambda: is_durable(publisher), why="a first message")
        broker.kill()
        assert [is_durable(publisher) for _ in range(6)] == [False] * 6, "3 s: twice the delivery timeout"
        broker.start()
        eventually(lambda: is_durable(publisher), why="the door publishes again")
        publisher.close()
