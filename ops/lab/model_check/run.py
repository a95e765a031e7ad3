"""Many seeds: each a world, a schedule and a verdict; in several processes, and every failure replays alone."""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ops.lab.model_check.arrivals import world
from ops.lab.model_check.judging import judge
from ops.lab.model_check.rules import MUTANTS
from ops.lab.model_check.run_trace import Violation
from ops.lab.model_check.scheduler import ScheduledRun
from ops.lab.model_check.worlds import TEMPLATES

PROBED_EVERY = 8  # seeds
TRACE_LINES_SHOWN = 40  # last steps of a failing run
CHUNK = 50  # seeds given to a process at a time
JOINED_WORLDS = ("correction+merge", "late_number+overdue", "split+taken_back")


@dataclass(frozen=True)
class SeedResult:
    """How one seed ended; `violation` is None when everything held."""

    seed: int
    world: str
    violation: str | None = None
    where: str = ""
    faults: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    redelivered: int = 0


@dataclass
class Summary:
    """Many seeds together."""

    seeds: int = 0
    steps: int = 0
    redelivered: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[SeedResult] = field(default_factory=list)

    def add(self, ended: SeedResult) -> None:
        """One seed more."""
        self.seeds += 1
        self.steps += ended.steps
        self.redelivered += ended.redelivered
        self.faults.update(ended.faults)
        if ended.violation is not None:
            self.failures.append(ended)

    def as_json(self) -> dict[str, object]:
        """Counts, and the seeds that failed (the first hundred)."""
        return {
            "seeds": self.seeds,
            "failed": len(self.failures),
            "violations": dict(self.violations()),
            "failed_seeds": [failure.seed for failure in self.failures[:100]],
            "faults": dict(self.faults),
            "redelivered": self.redelivered,
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
        }

    def violations(self) -> Counter[str]:
        """How often each kind of violation was seen."""
        return Counter(failure.violation or "" for failure in self.failures)


def world_of(seed: int) -> str:
    """Which world a seed plays: each template in turn, now and then two together."""
    names = [*TEMPLATES, *JOINED_WORLDS]
    return names[random.Random(seed).randrange(len(names))]


def scheduled_run(seed: int, *, mutant: str = "none", name: str | None = None) -> ScheduledRun:
    """The run of one seed, not yet begun."""
    return ScheduledRun(world(name or world_of(seed)), seed, MUTANTS[mutant])


def play(seed: int, *, mutant: str = "none") -> SeedResult:
    """One seed from its first step to its verdict."""
    run = scheduled_run(seed, mutant=mutant)
    try:
        judge(run.run(), probe=seed % PROBED_EVERY == 0)
    except Violation as seen:
        where = seen.args[0].partition(": ")[2]
        return SeedResult(seed, run.world.name, seen.kind, where, run.faults, run.steps, run.redelivered)
    return SeedResult(seed, run.world.name, None, "", run.faults, run.steps, run.redelivered)


def play_many(seeds: Iterable[int], *, mutant: str = "none", processes: int = 2) -> Summary:
    """All of them; the failures in the order of their seeds."""
    summary, started = Summary(), time.monotonic()
    for ended in _played(list(seeds), mutant, processes):
        summary.add(ended)
    summary.failures.sort(key=lambda failure: failure.seed)
    summary.seconds = time.monotonic() - started
    return summary


def _played(seeds: list[int], mutant: str, processes: int) -> Iterator[SeedResult]:
    if processes < 2:
        yield from (play(seed, mutant=mutant) for seed in seeds)
        return
    chunks = [(seeds[start : start + CHUNK], mutant) for start in range(0, len(seeds), CHUNK)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for ended in pool.imap_unordered(_chunk, chunks):
            yield from ended


def _chunk(chunk: tuple[list[int], str]) -> list[SeedResult]:
    return [play(seed, mutant=chunk[1]) for seed in chunk[0]]


def trace_of(seed: int, *, mutant: str = "none") -> list[str]:
    """The last steps of the run of one seed, one line each; no value and no identifier in them."""
    run = scheduled_run(seed, mutant=mutant)
    try:
        judge(run.run(), probe=seed % PROBED_EVERY == 0)
        verdict = "held"
    except Violation as seen:
        verdict = str(seen)
    head = f"seed {seed}, world {run.world.name}, {len(run.trace)} steps noted: {verdict}"
    return [head, *map(str, run.trace[-TRACE_LINES_SHOWN:])]
