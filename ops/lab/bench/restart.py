"""`tierlink bench restart`: how long after kill -9 a worker is ready again, with a million elements of state.

Records and pathway: one worker holds all twelve partitions of what simulated people really leave there, once
for each copy of them, under other ids. The linker: see `restart_linkage.py`. Each worker is started, killed
when it is ready, and started again under its name; the second start counts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from ops.lab.bench.restart_linkage import linker_elements
from ops.lab.bench.restart_worker import BenchBroker, Record, WorkerUnderBench, ground
from ops.lab.bench.restart_world import ElementTemplate, RestartWorld, restart_world
from ops.runtime.paths import EnginePaths
from schemas.topics import LINKER_STATE, PATHWAY_STATE, RECORDS_STATE, partition_of

STAGES: tuple[str, ...] = ("records", "pathway", "linker")
TOPIC = {"records": RECORDS_STATE, "pathway": PATHWAY_STATE, "linker": LINKER_STATE}
LIMIT_S = {"records": 30.0, "pathway": 30.0, "linker": 150.0}  # what the engine is held to, for a million
PEOPLE, LINKED_PEOPLE = 60, 2_000  # simulated, then copied; of 10,000 a record has 7 % more candidates
READY_S_MAX = 900.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class RestartBench:
    """What to run: the stages, and how many elements each worker comes back to."""

    elements: int = 1_000_000
    stages: Sequence[str] = STAGES
    people: int = PEOPLE
    linked_people: int = LINKED_PEOPLE
    directory: Path = Path(".tierlink")


def run(
    *, elements: int = 1_000_000, directory: Path = Path(".tierlink"), say: Say = lambda _: None
) -> dict[str, Any]:
    """Every stage in turn; by its name the elements, seconds to ready and megabytes."""
    return bench(RestartBench(elements=elements, directory=directory), say=say)


def bench(asked: RestartBench, *, say: Say) -> dict[str, Any]:
    """As `run`, of a part of it."""
    figures: dict[str, Any] = {}
    for stage in asked.stages:
        with ground(asked.directory) as on:
            say(f"{stage}: writing {asked.elements:,} elements")
            world = None if stage == "linker" else restart_world(on.layout, people=asked.people)
            written = on.fill(TOPIC[stage], changelog(stage, asked, on.layout, world))
            figures[stage] = _restarted(stage, on) | {"elements": written, "limit_s": LIMIT_S[stage]}
            say(f"{stage}: ready {figures[stage]['ready_s']} s after its restart")
    return figures


def changelog(
    stage: str, asked: RestartBench, layout: EnginePaths, world: RestartWorld | None
) -> Iterator[Record]:
    """At least the elements asked for, to the partitions where they belong."""
    if world is None:
        people = min(asked.linked_people, asked.elements // 4)
        found = linker_elements(layout, elements=asked.elements, people=people)
        return ((0, key, value) for key, value in found)
    pieces = [ElementTemplate.of(key, value) for key, value in world.elements[stage].items()]
    copies = (one.copy(number) for number in count() for one in pieces)
    return ((_partition(key), key, value) for key, value in islice(copies, asked.elements))


def _partition(key: bytes) -> int:
    return partition_of(key.partition(b"/")[0].decode())


def _restarted(stage: str, on: BenchBroker) -> dict[str, float]:
    worker = WorkerUnderBench(on, stage)
    try:
        first_s = worker.seconds_until_ready(at_most_s=READY_S_MAX)
        worker.kill()
        ready_s = worker.seconds_until_ready(at_most_s=READY_S_MAX)
        memory_mb, most_mb = worker.memory_mb(), worker.memory_mb("VmHWM")
    finally:
        worker.kill()
    return {
        "ready_s": round(ready_s, 1),
        "first_start_s": round(first_s, 1),
        "memory_mb": round(memory_mb),
        "memory_most_mb": round(most_mb),
    }
