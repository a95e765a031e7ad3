"""kill -9 of random workers while they hold input that is not committed."""

import random
import signal
import threading
import time

from ops.admin.topic_reader import LagReader
from ops.errors import TierlinkError
from ops.local.broker.server_process import POLL_SECONDS
from ops.local.engine import Engine

KILLS = 3
KILL_SECONDS_MAX = 120.0


class Killer:
    """Kills KILLS times, each time a ready worker that has been given messages it has not committed.

    `start`, then `finish` once there is no more input to come. The supervisor starts the killed ones again.
    """

    def __init__(self, engine: Engine, seed: int) -> None:
        self._engine = engine
        self._random = random.Random(seed)  # chooses victims, not keys
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self.kills = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Every kill has been made. Raises TierlinkError when no worker could be caught at work in time."""
        self._thread.join()
        if self.kills < KILLS:
            raise TierlinkError(f"only {self.kills} workers were caught with uncommitted input")

    def _run(self) -> None:
        reader, deadline = LagReader(self._engine.bootstrap), time.monotonic() + KILL_SECONDS_MAX
        try:
            while self.kills < KILLS and time.monotonic() < deadline:
                victim = self._random.choice(self._engine.workers())
                process, lag = self._engine.child(victim), self._engine.consumer_lag
                if process.is_ready and lag.uncommitted(victim, reader) > 0:
                    self.kills += process.send(signal.SIGKILL)
                time.sleep(POLL_SECONDS / 10)
        finally:
            reader.close()
