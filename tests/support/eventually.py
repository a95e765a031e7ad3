"""Wait for something to become true, bounded; the only place in the tests that sleeps.

A test never sleeps to give something time: it says what it waits for, and fails with that sentence.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
POLL_SECONDS = 0.05
# A worker of a 30 s session waits 20 of them out before it begins, and the machine may be busy. Only a failure waits so
# long.
WITHIN_SECONDS = 60.0


def eventually(probe: Callable[[], Found | None], *, why: str, within_seconds: float = WITHIN_SECONDS) -> Found:
    """The first true answer of `probe`; AssertionError naming `why` when there is none in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        if found := probe():
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within_seconds:.0f} s: {why}")
        time.sleep(POLL_SECONDS)
