"""A client that comes to the broker through a fault proxy stays behind it, over faults and a broker's death."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from eventually import eventually
from kafka import KafkaAdminClient

from ops.errors import BrokerError
from ops.lab.chaos.proxy import FaultProxy, LinkFault, ProxyProcess
from ops.local.broker.embedded import EmbeddedBroker, Listener
from ops.local.broker.server_process import free_port

pytestmark = pytest.mark.broker

TOPIC = "through-the-proxy"
DELIVERY_SECONDS = 2.0  # librdkafka gives a message up after this long, which ends a black hole for the client


@pytest.fixture(scope="module")
def listeners() -> tuple[Listener, Listener]:
    """Two ways in, each advertised under another port than it is bound on."""
    ports = set[int]()
    while len(ports) < 4:
        ports.add(free_port(but_not=ports))
    first, first_proxy, second, second_proxy = ports
    return Listener(first, first_proxy), Listener(second, second_proxy)


@pytest.fixture(scope="module")
def own_broker(
    listeners: tuple[Listener, Listener], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedBroker]:
    """A broker with these listeners, and the topic."""
    with EmbeddedBroker(tmp_path_factory.mktemp("listeners"), listeners=listeners) as broker:
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
            shape = {"num_partitions": 1, "replication_factor": 1}
            admin.create_topics({TOPIC: shape}, wait_for_metadata=True)
        yield broker


@pytest.fixture(scope="module")
def proxies(listeners: tuple[Listener, Listener], own_broker: EmbeddedBroker) -> Iterator[list[FaultProxy]]:
    """A proxy before each listener."""
    with ProxyProcess() as process:
        yield [FaultProxy(listener.advertised_port, listener.port, inside=process).start() for listener in listeners]


def address(port: int) -> str:
    return f"127.0.0.1:{port}"


def brokers_seen(bootstrap: str) -> list[str]:
    """What Metadata names to a client that was given this address."""
    found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=30).brokers.values()
    return [f"{item.host}:{item.port}" for item in found]


class Sender:
    """A producer that tells how each message ended."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "message.timeout.ms": int(DELIVERY_SECONDS * 1000),
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )

    def send(self, value: bytes) -> KafkaError | None:
        """None when it was acknowledged, else why it was given up."""
        ended: list[KafkaError | None] = []

        def tell(error: KafkaError | None, _: Message) -> None:
            ended.append(error)

        self._producer.produce(TOPIC, value, partition=0, on_delivery=tell)

        def has_ended() -> bool:
            self._producer.poll(0.05)
            return bool(ended)

        eventually(has_ended, why="the message is delivered or given up")
        return ended[0]

    def goes_through(self, value: bytes) -> bool:
        return self.send(value) is None


def values_read(bootstrap: str) -> list[bytes]:
    """Everything in the topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "readers", "enable.auto.commit": False})
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=30)
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        found: list[bytes] = []
        while len(found) < end:
            found += [message.value() or b"" for message in consumer.consume(end - len(found), timeout=1)]
        return found
    finally:
        consumer.close()


def test_metadata_names_the_proxy_to_who_came_through_it(own_broker: EmbeddedBroker, proxies: list[FaultProxy]) -> None:
    for proxy in proxies:
        assert brokers_seen(address(proxy.listen_port)) == [address(proxy.listen_port)]
    assert brokers_seen(own_broker.bootstrap) == [own_broker.bootstrap], "the plain listener is as it was"


def test_messages_go_out_and_come_back_through_the_proxy(proxies: list[FaultProxy]) -> None:
    through, beside = proxies
    before, idle = through.traffic(), beside.traffic()
    value = b"through" * 10_000
    assert Sender(address(through.listen_port)).send(value) is None
    assert values_read(address(through.listen_port))[-1] == value
    carried = through.traffic()
    assert carried.to_broker - before.to_broker > len(value)
    assert carried.from_broker - before.from_broker > len(value)
    assert beside.traffic().to_broker == idle.to_broker, "the other way in was not used"


def test_a_black_hole_fails_one_client_and_no_other_until_it_is_healed(
    own_broker: EmbeddedBroker, proxies: list[FaultProxy]
) -> None:
    through, beside = proxies
    sender, other = Sender(address(through.listen_port)), Sender(address(beside.listen_port))
    assert sender.goes_through(b"before")
    through.apply(LinkFault("black_hole", direction="from_broker"))
    failure = sender.send(b"unknown")  # the broker has it, and the client cannot know
    assert failure is not None
    assert failure.code() == KafkaError._MSG_TIMED_OUT
    assert through.traffic().swallowed > 0
    assert other.goes_through(b"another's")
    through.heal()
    eventually(lambda: sender.goes_through(b"after"), why="the same producer goes on")
    assert {b"before", b"unknown", b"another's", b"after"} <= set(values_read(own_broker.bootstrap))


def test_a_killed_broker_comes_back_on_every_one_of_its_ports(
    own_broker: EmbeddedBroker, proxies: list[FaultProxy]
) -> None:
    sender = Sender(address(proxies[0].listen_port))
    assert sender.goes_through(b"before the kill")
    own_broker.kill()
    with socket.create_connection(("127.0.0.1", proxies[0].listen_port), timeout=30) as client:
        assert client.recv(1) == b"", "nobody is behind the proxy"
    own_broker.start()
    eventually(lambda: sender.goes_through(b"after the kill"), why="the same producer goes on")
    assert brokers_seen(address(proxies[1].listen_port)) == [address(proxies[1].listen_port)]


def test_a_listener_whose_port_is_taken_is_refused_by_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, listeners=[Listener(port, free_port(but_not={port}))])
        with pytest.raises(BrokerError, match=f"port {port} is taken"):
            broker.start()
