"""The directory of an embedded broker before it starts: configuration written, storage formatted once."""

import base64
import json
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ops.errors import BrokerError
from schemas.topics import MESSAGE_BYTES_MAX

LOOPBACK = "127.0.0.1"
FORMAT_SECONDS_MAX = 60.0  # takes about 1 s
HEAP_MAX_MIB = 512  # measured: 350 MB resident after start, with the 16 MiB cleaner buffer below

# Each line differs from Kafka's default for a reason:
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    # One node: every internal topic has one replica and needs one in sync.
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # Fewer internal partitions: a group is ready sooner after the first join.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    # A topic nobody registered is a mistake, not a new topic.
    "auto.create.topics.enable": "false",
    # A demo starts its workers one by one: do not wait 3 s for more of them at each first join.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 2_000,  # demo, tests and chaos run with 6 s
    "message.max.bytes": MESSAGE_BYTES_MAX,
    "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
    "replica.fetch.response.max.bytes": MESSAGE_BYTES_MAX,
    # Compaction within seconds, so that a test can see a tombstone go; the default is 15 s and 128 MiB of
    # heap.
    "log.cleaner.backoff.ms": 1_000,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 16 * 2**20,
    "log.retention.check.interval.ms": 10_000,
    "log.initial.task.delay.ms": 1_000,
    # After SIGKILL the controller lets the broker back in only when its old session has run out: back in 6 s
    # instead of 12 s (measured). Broker and controller share one JVM, so a pause stops both clocks.
    "broker.session.timeout.ms": 4_000,
    "broker.heartbeat.interval.ms": 500,
    # Two cores: the defaults (3, 8, 10) only add context switches.
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
}


@dataclass(frozen=True)
class Listener:
    """One more way into the broker: bound on `port`, and made known to who comes that way as `advertised_port`.

    A Kafka client goes on at the address that Metadata names, and Metadata names the listener that was asked.
    With a proxy's port advertised, a client that came through the proxy therefore stays behind it.
    """

    port: int
    advertised_port: int


def server_properties(
    *, log_directory: Path, port: int, controller_port: int, listeners: Sequence[Listener] = ()
) -> str:
    """The configuration of a one-node KRaft broker that listens on loopback only."""
    named = {f"LINK{number}": listener for number, listener in enumerate(listeners, 1)}
    bound = {"PLAINTEXT": port, "CONTROLLER": controller_port} | {
        name: listener.port for name, listener in named.items()
    }
    advertised = {"PLAINTEXT": port} | {name: listener.advertised_port for name, listener in named.items()}
    addresses = {
        "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{controller_port}",
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in bound),
        "listeners": _addresses(bound),
        "advertised.listeners": _addresses(advertised),
        "log.dirs": escaped(log_directory),
        # One client each: one thread beside the one that accepts.
        **{f"listener.name.{name.lower()}.num.network.threads": 1 for name in named},
    }
    return "".join(f"{key}={value}\n" for key, value in (_SETTINGS | addresses).items())


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())


def log4j_properties(log_file: Path) -> str:
    """Warnings and worse into one file; the broker's console stays empty unless the JVM itself fails."""
    lines = (
        "status=error",
        "appender.file.type=File",
        "appender.file.name=file",
        f"appender.file.fileName={escaped(log_file)}",
        "appender.file.layout.type=PatternLayout",
        "appender.file.layout.pattern=%d{ISO8601} %p %c{1} %m%n",
        "rootLogger.level=warn",
        "rootLogger.appenderRef.file.ref=file",
    )
    return "\n".join(lines) + "\n"


def escaped(path: Path) -> str:
    """A path as a value in a Java properties file, which is ASCII with the escapes of JSON."""
    return json.dumps(str(path))[1:-1]


def prepare(
    directory: Path,
    launch: Sequence[str],
    *,
    port: int,
    controller_port: int,
    listeners: Sequence[Listener] = (),
) -> None:
    """Make `directory` ready for `launch` (java and its options) to run the broker on these ports.

    Data of an earlier run are kept. A first run formats into `log.part` and renames it to `log`, so that an
    interrupted one leaves nothing that looks formatted. Raises BrokerError naming the output to read.
    """
    (directory / "log4j2.properties").write_text(log4j_properties(directory / "broker.log"))
    listen = partial(server_properties, port=port, controller_port=controller_port, listeners=listeners)
    settings = directory / "server.properties"
    if not (directory / "log").exists():
        part = directory / "log.part"
        settings.write_text(listen(log_directory=part))
        _format(directory, launch)
        part.rename(directory / "log")
    settings.write_text(listen(log_directory=directory / "log"))


def new_cluster_id() -> str:
    """A fresh Kafka cluster id: 16 random bytes, base64url without padding, not starting with a dash."""
    while (identifier := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return identifier


def _format(directory: Path, launch: Sequence[str]) -> None:
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "--ignore-formatted", "-t", new_cluster_id()]
    command = [*launch, *tool, "-c", str(directory / "server.properties")]
    with (directory / "format.out").open("wb") as console:
        done = subprocess.run(
            command, stdout=console, stderr=subprocess.STDOUT, timeout=FORMAT_SECONDS_MAX, check=False
        )
    if done.returncode:
        raise BrokerError(f"the data directory could not be formatted; read {directory}/format.out")
