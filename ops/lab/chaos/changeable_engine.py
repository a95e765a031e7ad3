"""An engine that faults are carried out on: its stages are scaled and its broker is ended while it runs."""

import signal
from collections.abc import Sequence

from ops.errors import BrokerError
from ops.local.engine import Engine
from ops.local.processes import stage_of


class ChangeableEngine(Engine):
    """As `Engine`, and changed from outside while it runs."""

    def doors(self) -> Sequence[str]:
        """Names of the door processes."""
        return [child.name for child in self._all() if child.is_door]

    def restarts(self) -> int:
        """How many times a process was started again, over all of them but the broker."""
        return sum(child.restarts for child in self._all())

    def scale_to(self, stage_name: str, workers: int) -> None:
        """The stage has this many workers soon: new ones are started, those too many get SIGTERM."""
        assert self._specs is not None, "an engine with workers has been started"
        with self._guard:
            for number in range(workers):
                if f"{stage_name}-{number}" not in self._children:
                    self._add(self._specs.worker(stage_name, number))
            for child in self._all():
                if not child.is_door and stage_of(child.name) == stage_name:
                    child.wanted = int(child.name.rpartition("-")[2]) < workers
                    if not child.wanted:
                        child.send(signal.SIGTERM)
        self._write_addresses()

    def end_broker(self, *, kill: bool) -> bool:
        """The embedded broker was ended (SIGKILL, or SIGTERM), to be started again at once.

        False when it is being started just now, or ended by itself.
        """
        assert self._broker is not None, "an outside broker is not ours to end"
        if not self._broker_guard.acquire(blocking=False):
            return False
        try:
            self._broker.check()
            if kill:
                self._broker.kill()
            else:
                self._broker.stop()
        except BrokerError:
            return False
        finally:
            self._broker_guard.release()
        return True
