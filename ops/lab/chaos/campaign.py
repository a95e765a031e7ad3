"""When the faults of a plan happen: paced by the load, overlapping, each long kind one at a time."""

import itertools
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random

from ops.lab.chaos.fault_injector import FaultInjector
from ops.lab.chaos.fault_plan import LONG, Action, Targets
from ops.local.processes import stage_of

GAP_SECONDS = 1.0  # between the beginnings of two faults
POLL_SECONDS = 0.1
CRASH_TRIES_MAX = 4  # of one injected point, each time at another worker
TOGETHER_MAX = 6  # faults at a time: the engine has to get somewhere in between

Report = Callable[[str], None]


@dataclass
class Campaign:
    """Carries out `planned`, then `more` until `kills` processes have died; in the calling thread and helpers.

    As much of the plan has begun as `progress()` reports of the load (0 to 1): faults happen all along it,
    and an engine that gets nowhere is not struck again until it does. Once progress is 1, only the gap counts.
    """

    planned: list[Action]
    more: Iterator[Action]
    kills: int
    injector: FaultInjector
    progress: Callable[[], float]
    targets: Targets
    rng: Random
    report: Report
    _tries: Counter[str] = field(default_factory=Counter)
    _running: list[tuple[Action, threading.Thread]] = field(default_factory=list)
    _retries: deque[Action] = field(default_factory=deque)
    _failures: list[BaseException] = field(default_factory=list)

    def run(self, until: float) -> None:
        """Returns when every fault that began is over; none begins after `until` (monotonic seconds).

        Raises what went wrong in a helper, which is a mistake of the harness and not of the engine.
        """
        waiting, begun, began_at = deque(self.planned), 0, -GAP_SECONDS
        while time.monotonic() < until and not self._failures:
            self._running = [(action, thread) for action, thread in self._running if thread.is_alive()]
            waiting.extendleft(self._take_retries())
            if not waiting and not self._is_enough():
                waiting.extend(itertools.islice(self.more, 1))
            if not waiting and not self._running:
                break
            due = self.progress() >= min(1.0, begun / max(1, len(self.planned)))
            gap_over = time.monotonic() - began_at >= GAP_SECONDS
            if due and gap_over and (action := self._next(waiting)) is not None:
                begun, began_at = begun + 1, time.monotonic()
                self._begin(action)
            time.sleep(POLL_SECONDS)
        for _, thread in self._running:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _is_enough(self) -> bool:
        """Deaths made, and those that faults under way may still make."""
        return self.injector.tally.kills >= self.kills or any(action.kind == "crash" for action, _ in self._running)

    def _next(self, waiting: deque[Action]) -> Action | None:
        """The first that may begin now, taken out.

        A long kind that is under way, and a point that is still waited for, let others pass.
        """
        if len(self._running) >= TOGETHER_MAX:
            return None
        under_way = {action.kind for action, _ in self._running if action.kind in LONG}
        armed = {action.target for action, _ in self._running if action.kind == "crash"}
        for action in waiting:
            if action.kind not in under_way and action.target not in armed:
                waiting.remove(action)
                return action
        return None

    def _take_retries(self) -> Iterator[Action]:
        while self._retries:
            yield self._retries.popleft()

    def _begin(self, action: Action) -> None:
        self.report(f"{self.progress():4.0%} {self.injector.tally.kills:4} dead: {action}")
        thread = threading.Thread(target=self._perform, args=(action,), name=f"fault {action}", daemon=True)
        self._running.append((action, thread))
        thread.start()

    def _perform(self, action: Action) -> None:
        try:
            struck = self.injector.perform(action)
        except BaseException as failure:  # noqa: BLE001  raised by run, in the thread that asked
            self._failures.append(failure)
            return
        if not struck:
            _log.info("nothing was struck: %s", action)
            self._try_again(action)

    def _try_again(self, action: Action) -> None:
        """An injected point that was not met is tried at another worker."""
        if action.kind != "crash":
            return
        point = action.fault_at.partition(":")[0]
        self._tries[point] += 1
        if self._tries[point] < CRASH_TRIES_MAX:
            others = [name for name in self.targets.who_meets(point) if not self._stands_by(name, action)]
            self._retries.append(replace(action, target=self.rng.choice(others), fault_at=f"{point}:1"))

    @staticmethod
    def _stands_by(name: str, tried: Action) -> bool:
        """The one just tried; and of linkers, which have little to do, none."""
        return name == tried.target or stage_of(name) == "linker"


_log = logging.getLogger(__name__)
