"""One hop, as each contender of `tierlink bench host` gets it: read, step, one output, one state record.

Standard library only, because Quix Streams runs its contender in an environment of its own.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

BATCH_MAX = 2_000  # what the bare loops take at once
SOURCE_HEADER, BEGAN_HEADER = "src", "began"  # as the host writes them; a test holds them together
FIRST_MESSAGE = "first-message.json"


@dataclass(frozen=True)
class Hop:
    """One run of one contender: its topics and group are its own, the input is read by all.

    `directory` is this run's alone. `events` is what the input holds; the run is over when that many are
    committed. The state of a message is how often its key has come, written as decimal digits.
    """

    name: str
    bootstrap: str
    reads: str
    partitions: int
    events: int
    directory: str
    profile: bool = False

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"bench-{self.name}"

    @property
    def writes(self) -> str:
        """Where the outputs go, partition for partition."""
        return f"{self.name}.out"

    @property
    def changelog(self) -> str:
        """Where the state goes, partition for partition; compacted."""
        return f"{self.name}.state"

    @property
    def dead_letter(self) -> str:
        """Where the host would send a message that cannot be answered; nothing arrives."""
        return f"{self.name}.dlq"

    def as_argument(self) -> str:
        """For the command line of the contender."""
        return json.dumps(asdict(self))

    @classmethod
    def from_arguments(cls) -> Self:
        """The hop that the command line of this process names."""
        return cls(**json.loads(sys.argv[1]))

    def note_first_message(self) -> None:
        """The clock starts: call it once, when the first message is in hand."""
        stamp = {"monotonic_s": time.monotonic(), "cpu_s": time.process_time()}
        part = Path(self.directory, FIRST_MESSAGE + ".part")
        part.write_text(json.dumps(stamp))
        part.replace(part.with_name(FIRST_MESSAGE))


def source_headers(topic: str, partition: int, offset: int, time_ms: int) -> list[tuple[str, bytes]]:
    """What our host adds to every output and state record: its cause, and when that came in."""
    source = f"{topic}/{partition}/{offset}".encode()
    return [(SOURCE_HEADER, source), (BEGAN_HEADER, str(time_ms).encode())]


def rest() -> None:
    """Wait for SIGTERM: the CPU time of a process that has ended can no longer be read."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.pause()
