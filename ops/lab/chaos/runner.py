"""One chaos run: a whole engine, a seeded load through its doors, seeded faults, and a verdict.

`kills` counts processes (workers, doors, the broker) that died by SIGKILL or at an injected crash point;
`faults` counts everything that was done, by name. Faults are paced by the load: as much of the plan has been
carried out as of the load has been acknowledged, so that neither ends much before the other, and an engine that
gets nowhere is not struck again until it does.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ops.admin.bulk_writer import write_ticks
from ops.client.journal import Journal
from ops.errors import TierlinkError
from ops.lab.chaos.campaign import POLL_SECONDS, Campaign, Report
from ops.lab.chaos.changeable_engine import ChangeableEngine
from ops.lab.chaos.disk import Disks
from ops.lab.chaos.fault_injector import BASE_WORKERS, FaultInjector, FaultTally
from ops.lab.chaos.fault_plan import KINDS, FaultKind, Targets, more, plan
from ops.lab.chaos.fault_switches import FaultSwitches
from ops.lab.chaos.load import Load, LoadSettings
from ops.lab.chaos.proxy import ProcessProxies
from ops.lab.chaos.quiescence import settle
from ops.lab.consumer_lag import consumer_lag
from ops.lab.simulator import AS_OF
from ops.local.engine import EngineSettings
from ops.local.processes import DOOR_PREFIX, DOORS, stage_of
from ops.runtime.paths import EnginePaths
from ops.verify.checker import RunView
from ops.verify.replay import check_run
from streams.topology import STAGES

RESTART_PAUSE_SECONDS_MAX = 2.0
BAD = ("lost", "phantom", "divergent", "backwards", "stuck", "leaked")  # must be 0


@dataclass(frozen=True)
class ChaosOptions:
    """The options of one run; faults end after `minutes`, whatever is left of the plan."""

    kills: int
    events: int
    seed: int
    minutes: float = 90.0
    faults: Sequence[FaultKind] = KINDS
    host: str = "ours"
    mutant: str | None = None
    profile: str = "demo"
    directory: Path | None = None

    def command(self) -> str:
        """What to type to run the same again."""
        parts = ["./run chaos", f"--kills {self.kills} --events {self.events} --seed {self.seed}"]
        if tuple(self.faults) != KINDS:
            parts.append(f"--faults {','.join(self.faults)}")
        parts += [f"--host {self.host}"] if self.host != "ours" else []
        parts += [f"--mutant {self.mutant}"] if self.mutant else []
        parts += [f"--profile {self.profile}"] if self.profile != "demo" else []
        return " ".join(parts)


@dataclass(frozen=True)
class ChaosResult:
    """The counts of a run; `directory` is where it is kept, None when it was removed."""

    counts: Mapping[str, object]
    directory: Path | None

    @property
    def bad(self) -> dict[str, int]:
        """What must be 0 and is not."""
        return {name: count for name in BAD if isinstance(count := self.counts[name], int) and count}


def run(options: ChaosOptions, report: Report) -> ChaosResult:
    """Run it. The work directory is removed when all is well and nobody asked to keep it."""
    root = options.directory or Path(tempfile.mkdtemp(prefix="tierlink-chaos-"))
    if root.exists() and any(root.iterdir()):
        raise TierlinkError(f"{root} is not empty: a chaos run begins from nothing")
    report(f"{options.command()}\nworking in {root}")
    counts = _run(options, EnginePaths(root), report)
    result = ChaosResult(counts, root)
    if result.bad or options.directory is not None:
        return result
    shutil.rmtree(root)
    return ChaosResult(counts, None)


def base_targets() -> Targets:
    """Every process that the engine of a chaos run always has, in a fixed order."""
    workers = [f"{stage}-{number}" for stage in STAGES for number in range(BASE_WORKERS)]
    doors = [f"{DOOR_PREFIX}{door}" for door in DOORS.values()]
    return Targets(workers, doors, STAGES, [name for name in workers if stage_of(name) == "ingress"])


def _run(options: ChaosOptions, layout: EnginePaths, report: Report) -> dict[str, object]:
    started, targets = time.monotonic(), base_targets()

    def timed(text: str) -> None:
        report(f"{time.monotonic() - started:5.0f} s  {text}")

    switches = FaultSwitches(host=options.host, mutant=options.mutant)
    with ProcessProxies(targets.processes) as proxies:
        engine = ChangeableEngine(layout, _settings(options, switches, proxies))
        load = Load(engine, LoadSettings(options.seed, options.events), Journal(layout.journal))
        with Disks(layout, targets.workers, lambda name: engine.child(name).pid) as disks, engine:
            timed(f"ready; {load.mixture.entries} entries to offer")
            injector = FaultInjector(engine, switches, proxies, disks, FaultTally())
            _attack(options, load, injector, until=started + options.minutes * 60, report=timed)
            timed("every fault has ended and the load too; waiting until it is quiet")
            stuck = _settle(engine, injector)
            timed(f"quiet, {stuck} partitions stuck; judging")
            verdict = check_run(_view_of(engine), stuck=stuck)
            if not verdict.ok:
                timed(json.dumps(verdict.detailed()))
            return {
                "kills": injector.tally.kills,
                "faults": dict(sorted(injector.tally.faults.items())),
                **verdict.as_json(),
                "restarts": engine.restarts(),
                "redelivered": consumer_lag(engine).redelivered() + injector.redelivered_before_wipes,
                "seconds": round(time.monotonic() - started, 1),
                "seed": options.seed,
            }


def _settings(options: ChaosOptions, switches: FaultSwitches, proxies: ProcessProxies) -> EngineSettings:
    return EngineSettings(
        test_mode=True,
        workers=BASE_WORKERS,
        linker_workers=BASE_WORKERS,
        profile=options.profile,
        worker_program=switches.program,
        restart_pause_seconds_max=RESTART_PAUSE_SECONDS_MAX,
        listeners=proxies.listeners,
    )


def _attack(options: ChaosOptions, load: Load, injector: FaultInjector, *, until: float, report: Report) -> None:
    """The load has been answered or given up, every fault is over and healed."""
    targets, entries = base_targets(), load.mixture.entries

    def progress() -> float:
        return 1.0 if load.finished() else min(0.999, load.answers().total() / entries)

    campaign = Campaign(
        planned=plan(options.seed, options.kills, options.faults, targets),
        more=more(options.seed, options.faults, targets),
        kills=options.kills,
        injector=injector,
        progress=progress,
        targets=targets,
        rng=Random(f"{options.seed}/retries"),
        report=report,
    )
    load.start()
    try:
        campaign.run(until)
    finally:
        injector.heal()
    while not load.finished() and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    load.stop()


def _settle(engine: ChangeableEngine, injector: FaultInjector) -> int:
    """How many partitions are stuck; else everything has been processed, also what follows from the day it is."""
    stuck = settle(consumer_lag(engine), since=injector.last_ended)
    if stuck:
        return stuck
    write_ticks(engine.bootstrap, AS_OF)
    return settle(consumer_lag(engine), since=time.monotonic())


def _view_of(engine: ChangeableEngine) -> RunView:
    """A running engine as the checker sees it."""
    return RunView(
        bootstrap=engine.bootstrap,
        layout=engine.layout,
        sources=engine.sources,
        topics=engine.topics,
        keys=engine.keys,
        pages=engine.pages,
    )
