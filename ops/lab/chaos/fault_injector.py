"""Carrying out faults on a running engine, and counting what happened."""

import logging
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.lab.chaos.changeable_engine import ChangeableEngine
from ops.lab.chaos.disk import SPARED, Disks
from ops.lab.chaos.fault_plan import SCALES, Action
from ops.lab.chaos.fault_switches import FaultSwitches
from ops.lab.chaos.proxied_connection import LinkFaultKind
from ops.lab.chaos.proxy import LinkFault, ProcessProxies
from ops.lab.consumer_lag import consumer_lag
from ops.local.broker.server_process import POLL_SECONDS
from ops.local.processes import stage_of
from streams.topology import STAGES

ALIVE_SECONDS_MAX = 60.0  # to wait for a victim that is being started again
STRIKE_SECONDS_MAX = 45.0  # a worker that has no input does not reach a point of a batch
SCALE_SECONDS = 6.0  # between two numbers of workers: started, assigned, at work
BASE_WORKERS = 2

_log = logging.getLogger(__name__)


class FaultTally:
    """What was done: deaths, and faults by name. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.kills = 0
        self.faults: Counter[str] = Counter()

    def died(self, fault: str) -> None:
        """A process ended by SIGKILL or at an injected point."""
        with self._lock:
            self.kills += 1
            self.faults[fault] += 1

    def struck(self, fault: str) -> None:
        """A fault that kills nobody."""
        with self._lock:
            self.faults[fault] += 1


class FaultInjector:
    """Does one action at a time per thread; `perform` returns when its effect is over.

    Starts no process itself: what is started dies with the thread that started it, and the engine's own
    supervisor starts again whatever should run.
    """

    def __init__(
        self,
        engine: ChangeableEngine,
        switches: FaultSwitches,
        proxies: ProcessProxies,
        disks: Disks,
        tally: FaultTally,
    ) -> None:
        self._engine = engine
        self._switches = switches
        self._proxies = proxies
        self._disks = disks
        self.tally = tally
        self._wiping: Counter[str] = Counter()
        self._guard = threading.Lock()
        self.redelivered_before_wipes = 0
        self.last_ended = time.monotonic()  # when the last effect was over

    def perform(self, action: Action) -> bool:
        """True when it struck as meant; False when there was nothing to strike, or an armed point was not met."""
        struck = bool(_PERFORM[action.kind](self, action))
        self.last_ended = time.monotonic()
        return struck

    def heal(self) -> None:
        """Nothing is wrong any more, and every stage will have its usual number of workers."""
        self._proxies.heal_all()
        self._disks.free_all()
        engine = self._engine
        for name in (*engine.workers(), *engine.doors()):
            self._switches.disarm(name)
            engine.child(name).send(signal.SIGCONT)
            engine.child(name).wanted = True
        for stage in STAGES:
            engine.scale_to(stage, BASE_WORKERS)
        self.last_ended = time.monotonic()

    def kill(self, action: Action) -> bool:
        """SIGKILL."""
        return self._kill(action.target, "kill")

    def recovery(self, action: Action) -> bool:
        """SIGKILL, and again as soon as the new process serves its pages, which is before it reads its state."""
        process = self._engine.child(action.target)
        lives = len(process.ends)
        if not self._kill(action.target, "kill"):
            return False
        if not self._until(lambda: len(process.ends) > lives and process.is_alive):
            return False
        return self._kill(action.target, "kill" if process.is_ready else "killed in recovery")

    def wipe(self, action: Action) -> bool:
        """SIGKILL, and its directory is gone before it comes back."""
        engine, name = self._engine, action.target
        self._hold(name, 1)
        try:
            if not self._kill(name, "kill") or not self._until(lambda: not engine.child(name).runs):
                return False
            before = consumer_lag(engine).redelivered(name)
            _empty(engine.layout.workers / name)
            self.redelivered_before_wipes += before
            self.tally.struck("wiped")
            return True
        finally:
            self._hold(name, -1)

    def crash(self, action: Action) -> bool:
        """Ended by SIGTERM, it comes back with an injected fault and meets it at work."""
        name = self._busiest(action.target)
        ends = self._engine.child(name).ends
        self._switches.arm(name, action.fault_at, ends)
        if not self._send(name, signal.SIGTERM, "term"):
            return False
        if not self._until(lambda: self._switches.armed(name, ends) is None, STRIKE_SECONDS_MAX):
            self._switches.disarm(name)
            self._kill(name, "kill")  # so that the fault does not strike unseen later
            return False
        self.tally.died(f"crash {action.fault_at.partition(':')[0]}")
        return True

    def term(self, action: Action) -> bool:
        """SIGTERM."""
        return self._send(action.target, signal.SIGTERM, "term")

    def stop(self, action: Action) -> bool:
        """SIGSTOP, and SIGCONT in the end: a zombie that finds its partitions at another's."""
        struck = self._send(action.target, signal.SIGSTOP, "stop")
        time.sleep(action.seconds)
        self._engine.child(action.target).send(signal.SIGCONT)
        return struck

    def scale(self, action: Action) -> bool:
        """Through the numbers of SCALES, and back."""
        for workers in (*SCALES, BASE_WORKERS):
            self._engine.scale_to(action.target, workers)
            time.sleep(SCALE_SECONDS)
        self.tally.struck("scale")
        return True

    def broker(self, action: Action) -> bool:
        """SIGKILL or SIGTERM of the broker, which the supervisor starts again."""
        kill = action.kind == "broker-kill"
        if not self._until(lambda: self._engine.end_broker(kill=kill)):
            return False
        if kill:
            self.tally.died("broker kill")
        else:
            self.tally.struck("broker term")
        return True

    def link(self, action: Action) -> bool:
        """One fault of the network for a while."""
        fault = LinkFault(_LINK_FAULTS[action.kind], action.latency_s, action.direction)
        self._proxies.apply(action.target, fault)
        time.sleep(action.seconds)
        self._proxies.heal(action.target)
        self.tally.struck(action.kind)
        return True

    def disk(self, action: Action) -> bool:
        """Nothing more can be written into a worker's directory, for a while."""
        if not self._until(lambda: self._filled(action.target)):
            return False
        time.sleep(action.seconds)
        self._disks.free(action.target)
        self.tally.struck("disk")
        return True

    def _filled(self, name: str) -> bool:
        try:
            self._disks.fill(name)
        except ProcessLookupError:
            return False
        return True

    def _kill(self, name: str, fault: str) -> bool:
        if self._until(lambda: self._engine.child(name).send(signal.SIGKILL)):
            self.tally.died(fault)
            return True
        return False

    def _send(self, name: str, order: signal.Signals, fault: str) -> bool:
        if self._until(lambda: self._engine.child(name).send(order)):
            self.tally.struck(fault)
            return True
        return False

    def _hold(self, name: str, more: int) -> None:
        with self._guard:  # two wipes of one worker may overlap
            self._wiping[name] += more
            self._engine.child(name).wanted = not self._wiping[name]

    def _busiest(self, name: str) -> str:
        """The worker itself; of linkers, the one that was given messages last: the others only stand by."""
        stage = stage_of(name)
        if stage != "linker":
            return name
        markers = {
            worker: self._engine.layout.workers / worker / "delivered.json"
            for worker in self._engine.workers()
            if stage_of(worker) == stage
        }
        seen = {worker: path.stat().st_mtime for worker, path in markers.items() if path.exists()}
        return max(seen, key=lambda worker: seen[worker], default=name)

    @staticmethod
    def _until(done: Callable[[], bool], seconds: float = ALIVE_SECONDS_MAX) -> bool:
        deadline = time.monotonic() + seconds
        while not (is_done := done()) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return is_done


def _empty(directory: Path) -> None:
    for entry in directory.iterdir() if directory.exists() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in SPARED:
            entry.unlink(missing_ok=True)


_LINK_FAULTS: Mapping[str, LinkFaultKind] = {
    "latency": "latency",
    "reset": "reset",
    "black-hole": "black_hole",
    "trickle": "trickle",
}
_PERFORM: Mapping[str, Callable[[FaultInjector, Action], bool]] = {
    "kill": FaultInjector.kill,
    "crash": FaultInjector.crash,
    "recovery": FaultInjector.recovery,
    "wipe": FaultInjector.wipe,
    "broker-kill": FaultInjector.broker,
    "broker-term": FaultInjector.broker,
    "term": FaultInjector.term,
    "stop": FaultInjector.stop,
    "scale": FaultInjector.scale,
    "disk": FaultInjector.disk,
    "latency": FaultInjector.link,
    "reset": FaultInjector.link,
    "black-hole": FaultInjector.link,
    "trickle": FaultInjector.link,
}
