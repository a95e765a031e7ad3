"""Fail-stop, self-fence and what is asked from outside: is it alive, is it ready.

Leaving by `os._exit` is the safe way out: no `finally`, no graceful stop and so no commit. Whatever was not
committed is delivered again to the next owner.
"""

import logging
import os
import threading
import time
import traceback
from pathlib import Path
from typing import NoReturn

from streams.host.settings import HostSettings

EXIT_FAIL_STOP = 70  # EX_SOFTWARE: started again by whoever watches it
LOOP_TICK_MAX_S = 10.0
BEAT_S = 0.25

logger = logging.getLogger(__name__)


def clock() -> float:
    """Seconds that never go back and, where the system can tell, also count the time it was suspended."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def now_ms() -> int:
    """The time of day as Kafka counts it: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def halt(stage: str, *, at: str, error: BaseException | None = None) -> NoReturn:
    """End the process now, without a commit. Logs kinds of errors and places in the program: no value, no text."""
    kind = type(error).__name__ if error is not None else "none"
    kind += f":{name}" if (name := getattr(error, "kafka_error", "")) else ""
    logger.critical("stopped without commit: stage=%s at=%s error=%s where=%s", stage, at, kind, _where(error))
    os._exit(EXIT_FAIL_STOP)


class HostFacts:
    """What is known of one worker; written by its loop, read from any thread."""

    def __init__(self, settings: HostSettings) -> None:
        """Alive until shown otherwise, not ready until assigned and recovered."""
        self._settings = settings
        self._ticked_at = clock()
        self._busy: tuple[float, float] | None = None  # since, at most
        self._assigned = False
        self._recovered = False

    def live(self) -> dict[str, bool]:
        """The checks of /livez: false means end and restart this worker."""
        return {"main_loop": clock() - self._ticked_at < LOOP_TICK_MAX_S, "batch": not self.is_stuck()}

    def ready(self) -> dict[str, bool]:
        """The checks of /readyz: it has its assignment (which may be empty) and the state of it."""
        return {"assigned": self._assigned, "recovered": self._assigned and self._recovered}

    def is_stuck(self) -> bool:
        """A batch, or the reading of the state, takes longer than it may."""
        busy = self._busy
        return busy is not None and clock() - busy[0] > busy[1]

    def tick(self) -> None:
        """The main loop runs."""
        self._ticked_at = clock()

    def assign(self, *, recovered: bool) -> None:
        """Partitions were assigned; their state is there, or still being read."""
        self._assigned, self._recovered = True, recovered

    def revoke(self) -> None:
        """No partitions are held, or it is not certain that they are."""
        self._assigned = self._recovered = False

    def in_flight_since(self, since_s: float | None) -> None:
        """The oldest batch in flight was dispatched then; None: there is none."""
        self._busy = (since_s, self._settings.batch_deadline_s) if since_s is not None else None

    def begin_restore(self) -> None:
        """State is being read until `end_restore`."""
        self._busy = (clock(), self._settings.restore_deadline_s)

    def end_restore(self) -> None:
        """Nothing is being read."""
        self._busy = None


class Watchdog(threading.Thread):
    """Ends the process when it was frozen so long that its partitions may be another's, or is stuck."""

    def __init__(self, stage: str, settings: HostSettings, facts: HostFacts) -> None:
        """Watches from `start()` to `stop()`."""
        super().__init__(name=f"watchdog-{stage}", daemon=True)
        self._stage = stage
        self._fence_s = settings.fence_s
        self._facts = facts
        self._ended = threading.Event()
        self._beat_at = clock()

    def run(self) -> None:
        """Beat until stopped. A process that was frozen finds the gap at its first beat."""
        self._beat_at = clock()
        while not self._ended.wait(BEAT_S):
            self.check()
            self._beat_at = clock()
            if self._facts.is_stuck():
                halt(self._stage, at="stuck")

    def check(self) -> None:
        """Asked before anything is sent or committed: returns only if no long pause passed unnoticed."""
        if clock() - self._beat_at > self._fence_s:
            halt(self._stage, at="fence")

    def stop(self) -> None:
        """The worker has ended in order."""
        self._ended.set()


def _where(error: BaseException | None) -> str:
    frames = traceback.extract_tb(error.__traceback__) if error is not None else None
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "-"
