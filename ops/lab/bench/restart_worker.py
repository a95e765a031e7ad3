"""One real worker of one stage under a bench: a broker with the engine's topics, the process, its memory."""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from ops.admin.bulk_writer import NOW_MS, write_all
from ops.admin.keys import make_keys
from ops.admin.topic_admin import Replication, create
from ops.errors import TierlinkError
from ops.local.broker.embedded import EmbeddedBroker
from ops.local.broker.server_process import free_port, spawn
from ops.local.processes import page
from ops.runtime.paths import EnginePaths, load_sources
from schemas.topics import registry

RECIPIENTS = ("demo",)
FLUSH_S = 300.0
POLL_S = 0.05
END_S_MAX = 30.0

Record = tuple[int, bytes, bytes]  # partition, key, value


@dataclass(frozen=True)
class BenchBroker:
    """A broker for this bench alone, with every topic of an engine, and keys."""

    bootstrap: str
    layout: EnginePaths

    def fill(self, topic: str, records: Iterable[Record]) -> int:
        """Every record is in the topic and acknowledged; how many there were. Raises TierlinkError."""
        return write_all(
            self.bootstrap,
            ((topic, partition, key, value, NOW_MS, ()) for partition, key, value in records),
            seconds_max=FLUSH_S,
        )


@contextmanager
def bench_broker(directory: Path) -> Iterator[BenchBroker]:
    """A fresh one below `directory`; it is ended and removed afterwards."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=directory) as place:
        layout = EnginePaths(Path(place))
        make_keys(layout.keys, recipients=RECIPIENTS)
        layout.logs.mkdir()
        with EmbeddedBroker(layout.broker) as broker:
            sources = load_sources(None, test_mode=True)
            create(broker.bootstrap, registry(sources.values(), RECIPIENTS), replication=Replication())
            yield BenchBroker(broker.bootstrap, layout)


@dataclass
class WorkerUnderBench:
    """A worker process; `start` may be called again, always under the same name."""

    broker: BenchBroker
    stage: str
    process: "Popen[bytes] | None" = None
    _port: int = field(default_factory=free_port)

    def start(self) -> None:
        """The process has been started."""
        command = [sys.executable, "-m", "ops", "worker", self.stage, "--worker-id", f"{self.stage}-0"]
        command += ["--pages-port", str(self._port), "--profile", "demo", "--test-mode"]
        command += ["--bootstrap", self.broker.bootstrap, "--directory", str(self.broker.layout.root)]
        self.process = spawn(command, output=self.log)

    def seconds_until_ready(self, *, at_most_s: float) -> float:
        """Start it; how long until /readyz said yes. Raises TierlinkError when it ended or took too long."""
        began_s = time.monotonic()
        self.start()
        while page(self._port, "/readyz") is None:
            self.must_live()
            if time.monotonic() - began_s > at_most_s:
                raise TierlinkError(f"the {self.stage} worker was not ready after {at_most_s:.0f} s")
            time.sleep(POLL_S)
        return time.monotonic() - began_s

    def must_live(self) -> None:
        """Raises TierlinkError with the last line of its log when it has ended."""
        if self.process is None or self.process.poll() is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines()
            raise TierlinkError(f"the {self.stage} worker has ended: {lines[-1] if lines else 'an empty log'}")

    def memory_mb(self, name: str = "VmRSS") -> float:
        """Resident memory now; with `VmHWM` the most it ever was. Raises TierlinkError when it has ended."""
        self.must_live()
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))

    def kill(self) -> None:
        """SIGKILL; it has ended on return."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.broker.layout.logs / f"{self.stage}.log"
