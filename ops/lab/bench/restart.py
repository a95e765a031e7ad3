"""`tierlink bench restart`: how long after kill -9 a worker is ready again, with a million elements of state.

Records and pathway: one worker holds all twelve partitions of what simulated people really leave there, once
for each copy of them, under other ids. The linker: see `restart_linkage.py`. Each worker is started, killed
when it is ready, and started again under its name; the second start counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from ops.lab import Report
from ops.lab.bench.restart_linkage import linker_elements
from ops.lab.bench.restart_worker import BenchBroker, Record, WorkerUnderBench, bench_broker
from ops.lab.bench.restart_world import ElementTemplate, RestartWorld, restart_world
from ops.runtime.paths import EnginePaths
from schemas.topics import LINKER_STATE, PATHWAY_STATE, RECORDS_STATE, partition_of

STAGES: tuple[str, ...] = ("records", "pathway", "linker")
TOPIC = {"records": RECORDS_STATE, "pathway": PATHWAY_STATE, "linker": LINKER_STATE}
LIMIT_S = {"records": 30.0, "pathway": 30.0, "linker": 150.0}  # what the engine is held to, for a million
PEOPLE, LINKED_PEOPLE = 60, 2_000  # simulated, then copied; of 10,000 a record has 7 % more candidates
READY_S_MAX = 900.0


@dataclass(frozen=True, kw_only=True)
class RestartBench:
    """What to run: the stages, and how many elements each worker comes back to."""

    elements: int = 1_000_000
    stages: Sequence[str] = STAGES
    people: int = PEOPLE
    linked_people: int = LINKED_PEOPLE
    directory: Path = Path(".tierlink")


def run(options: RestartBench, *, report: Report) -> dict[str, object]:
    """Every stage in turn; by its name the elements, seconds to ready and megabytes."""
    figures: dict[str, object] = {}
    for stage in options.stages:
        with bench_broker(options.directory) as broker:
            report(f"{stage}: writing {options.elements:,} elements")
            world = None if stage == "linker" else restart_world(broker.layout, people=options.people)
            written = broker.fill(TOPIC[stage], changelog(stage, options, broker.layout, world))
            figure = _restarted(stage, broker)
            figures[stage] = figure | {"elements": written, "limit_s": LIMIT_S[stage]}
            report(f"{stage}: ready {figure['ready_s']} s after its restart")
    return figures


def changelog(stage: str, options: RestartBench, layout: EnginePaths, world: RestartWorld | None) -> Iterator[Record]:
    """At least the elements asked for, to the partitions where they belong."""
    if world is None:
        people = min(options.linked_people, options.elements // 4)
        found = linker_elements(layout, elements=options.elements, people=people)
        return ((0, key, value) for key, value in found)
    pieces = [ElementTemplate.of(key, value, world.held) for key, value in world.elements[stage].items()]
    copies = (piece.copy(number) for number in count() for piece in pieces)
    return ((_partition(key), key, value) for key, value in islice(copies, options.elements))


def _partition(key: bytes) -> int:
    return partition_of(key.partition(b"/")[0].decode())


def _restarted(stage: str, broker: BenchBroker) -> dict[str, float]:
    worker = WorkerUnderBench(broker, stage)
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
