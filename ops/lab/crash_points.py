"""A worker that ends itself, as by SIGKILL, at a named phase of a batch: what a host is given as its observer."""

import os
from collections import Counter
from collections.abc import Callable

from streams.host.batch import BATCH_PHASES

EXIT_INJECTED = 137  # what a shell makes of a SIGKILL


def crash_point(fault_at: str | None) -> Callable[[str], None]:
    """An observer that ends the process when phase `name` is reached for the n-th time, for "name:n".

    Raises ValueError for a phase that does not exist: a fault that never strikes would prove nothing.
    """
    if fault_at is None:
        return lambda phase: None
    point, _, number = fault_at.partition(":")
    if point not in BATCH_PHASES or not number.isdigit():
        raise ValueError(f"fault_at: one of {', '.join(BATCH_PHASES)}, a colon and a count")
    passages: Counter[str] = Counter()

    def strike(phase: str) -> None:
        passages[phase] += 1
        if phase == point and passages[phase] == int(number):
            os._exit(EXIT_INJECTED)

    return strike
