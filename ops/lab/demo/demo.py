"""`tierlink demo`: the main job on real parts: a real Kafka, the real doors, the Faust workers, a few hundred people.

A seeded simulator plays journeys through the doors; what comes out is read from the published topics, as a consumer
reads it, and compared with what the simulator knows to be true.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

from ops.admin.bulk_writer import write_ticks
from ops.admin.topic_reader import last_values, read_topics
from ops.client.journal import Journal
from ops.lab import Report
from ops.lab.consumer_lag import consumer_lag
from ops.lab.demo import canary
from ops.lab.demo.judging import Judgement, PublishedRun, judge
from ops.lab.demo.playing import Progress, WorkerKiller, play
from ops.lab.demo.snapshot_json import SnapshotJson
from ops.lab.simulator import AS_OF, Noise, SimulatedFeed, default_rates, simulate
from ops.local.engine import Engine
from ops.verify.ledger import Ledger, balance, read_topic_index, stalled
from schemas import canonical, topics

RECIPIENT = "demo"


@dataclass(frozen=True)
class DemoOptions:
    """The options of the command line."""

    people: int
    seed: int
    kill_worker: bool
    workers: int


@dataclass(frozen=True)
class DemoResult:
    """Everything the report shows; `as_json` is the last line of `--json`."""

    ledgers: Mapping[str, Ledger]
    snapshots: Sequence[SnapshotJson]
    stalled: int
    judgement: Judgement
    noise: Noise
    found: canary.CanaryFindings
    kills: int
    redelivered: int
    seconds: float

    def as_json(self) -> dict[str, object]:
        """One flat object."""
        return {
            **self.ledgers[""].as_json(),
            "stalled": self.stalled,
            "pathways": len(self.snapshots),
            "three_tier_pathways": sum(snapshot["three_tier"] for snapshot in self.snapshots),
            "pathway_exact": round(self.judgement.pathway_exact, 4),
            "tier2_52_weeks": self.judgement.tier2_52_weeks.as_json(),
            "tier2_52_weeks_expected": self.judgement.tier2_52_weeks_expected.as_json(),
            "noise": _rounded(asdict(self.noise)),
            "linkage": _rounded(asdict(self.judgement.linkage)),
            "nhs_number_join": _rounded(asdict(self.judgement.nhs_join)),
            "canary": self.found.as_json(),
            "canary_hits": self.found.hits,
            "kills": self.kills,
            "redelivered": self.redelivered,
            "seconds": round(self.seconds, 1),
        }


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(share, 4) for name, share in shares.items()}


def run(engine: Engine, options: DemoOptions, *, progress: Progress, report: Report, started: float) -> DemoResult:
    """Play, wait until nothing is left to do, send the tick of the day, and read what came out."""
    simulation = simulate(options.seed, options.people, rates=default_rates())
    journal = Journal(engine.layout.journal)
    killer = WorkerKiller(engine, options.seed) if options.kill_worker else None
    if killer is not None:
        killer.start()
    play(engine, simulation.deliveries, journal, progress)
    planted = canary.plant(engine_view(engine), journal)
    if killer is not None:
        killer.finish()
    report(f"all delivered after {time.monotonic() - started:.1f} s; waiting until nothing is left to do")
    consumer_lag(engine).drain()
    write_ticks(engine.bootstrap, AS_OF)
    consumer_lag(engine).drain()
    report(f"nothing left to do after {time.monotonic() - started:.1f} s; reading what came out")
    return _result(engine, simulation, _PlayedRun(journal, planted, killer.kills if killer else 0, started))


@dataclass(frozen=True)
class _PlayedRun:
    """What playing left behind; `started` is a monotonic time."""

    journal: Journal
    planted: canary.PlantedCanaries
    kills: int
    started: float


def engine_view(engine: Engine) -> canary.EngineView:
    """A running engine as the canary sweep sees it."""
    return canary.EngineView(
        bootstrap=engine.bootstrap,
        layout=engine.layout,
        sources=engine.sources,
        topic_names=[topic.name for topic in engine.topics],
        ports=engine.ports(),
        pages=engine.pages,
    )


def _result(engine: Engine, simulation: SimulatedFeed, played: _PlayedRun) -> DemoResult:
    keys = engine.keys
    read = partial(read_topics, engine.bootstrap)
    books = read_topic_index(read, engine.sources.values(), keys=keys, recipient=RECIPIENT)
    snapshots = read_snapshots(engine.bootstrap)
    published = PublishedRun(books.links, snapshots, keys, RECIPIENT)
    return DemoResult(
        ledgers=balance(played.journal.read(), books, keys=keys, recipient=RECIPIENT),
        snapshots=list(snapshots.values()),
        stalled=stalled(books),
        judgement=judge(simulation.truth, published, as_of=AS_OF),
        noise=simulation.noise,
        found=canary.search(engine_view(engine), played.planted),
        kills=played.kills,
        redelivered=consumer_lag(engine).redelivered(),
        seconds=time.monotonic() - played.started,
    )


def read_snapshots(bootstrap: str) -> dict[str, SnapshotJson]:
    """Published person id -> snapshot, as a subscriber of the demo recipient would hold them."""
    latest = last_values(read_topics(bootstrap, [topics.pathway_state(RECIPIENT)]))
    return {
        key.decode(): cast(SnapshotJson, canonical.read_object(message.value or b"")) for key, message in latest.items()
    }
