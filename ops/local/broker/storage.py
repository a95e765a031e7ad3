"""The broker's directory before it starts: configuration written, storage formatted once."""

import base64
import subprocess
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ops.errors import BrokerError
from ops.local.broker.settings import Listener, log4j_properties, server_properties

FORMAT_SECONDS_MAX = 60.0  # takes about 1 s


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
