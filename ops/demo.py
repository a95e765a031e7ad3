"""`tierlink demo`: the main job on real parts: a real Kafka, the real doors, the Faust workers, a few hundred people.

A seeded simulator plays journeys through the doors; what comes out is read from the published topics, as a consumer
would, and held against what the simulator knows to be true.
"""

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ops import canary
from ops.engine import Engine
from ops.journal import Journal
from ops.layout import Layout
from ops.ledger import Books, Ledger, balance, read_books, stalled
from ops.playing import Progress, play
from ops.score import rightly_linked
from ops.simulator import AS_OF, Simulation, default_rates, expected, simulate
from ops.simulator.truth import LinkageScore, Noise, linkage_score, nhs_number_join
from ops.ticker import tick
from ops.topic_reader import last_values, read_topics
from schemas import canonical, topics
from schemas.keyring import Keyring, Purpose, recipient_purpose

RECIPIENT = "demo"
KILLS = 3


@dataclass(frozen=True)
class DemoOptions:
    """What the command line says."""

    people: int
    seed: int
    kill_worker: bool
    workers: int


@dataclass(frozen=True)
class DemoResult:
    """Everything the report shows; `as_json` is the last line of `--json`."""

    ledgers: Mapping[str, Ledger]
    snapshots: Sequence[Mapping[str, Any]]
    stalled: int
    linkage: LinkageScore
    nhs_join: LinkageScore
    pathway_exact: float
    differences: Sequence[str]
    compared_people: int
    noise: Noise
    found: canary.Found
    kills: int
    redelivered: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """One flat object."""
        return {
            **self.ledgers[""].as_json(),
            "stalled": self.stalled,
            "pathways": len(self.snapshots),
            "three_tier_pathways": sum(one["three_tier"] for one in self.snapshots),
            "pathway_exact": round(self.pathway_exact, 4),
            "noise": _rounded(asdict(self.noise)),
            "linkage": _rounded(asdict(self.linkage)),
            "nhs_number_join": _rounded(asdict(self.nhs_join)),
            "canary": self.found.as_json(),
            "canary_hits": self.found.hits,
            "kills": self.kills,
            "redelivered": self.redelivered,
            "seconds": round(self.seconds, 1),
        }


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(share, 4) for name, share in shares.items()}


def fresh_layout(directory: Path) -> Layout:
    """An empty engine directory: the demonstration begins from nothing each time."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    return Layout(directory)


Say = Callable[[str], None]


def run(engine: Engine, options: DemoOptions, *, progress: Progress, say: Say, started: float) -> DemoResult:
    """Play, wait until nothing is left to do, tell the day it is, and read what came out."""
    simulation = simulate(options.seed, options.people, rates=default_rates())
    journal = Journal(engine.layout.journal)
    with _killer(engine, options) as killer:
        play(engine, simulation.deliveries, journal, progress)
        planted = canary.plant(ground_of(engine), journal)
        if killer is not None:
            killer.finish()
    say(f"all delivered after {time.monotonic() - started:.1f} s; waiting until nothing is left to do")
    engine.drain()
    tick(engine.bootstrap, AS_OF)
    engine.drain()
    say(f"nothing left to do after {time.monotonic() - started:.1f} s; reading what came out")
    return _result(engine, simulation, journal, planted, killer.kills if killer else 0, started)


def ground_of(engine: Engine) -> canary.Ground:
    """A running engine as the canary sweep sees it."""
    return canary.Ground(
        bootstrap=engine.bootstrap,
        layout=engine.layout,
        sources=engine.sources,
        topic_names=[topic.name for topic in engine.topics],
        keys=engine.keys,
        ports=engine.ports(),
        pages=engine.pages,
    )


class _Killer:
    """kill -9 of a random worker, KILLS times, each time while its stage has input it has not committed."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self._engine = engine
        self._random = random.Random(seed)  # chooses victims, not keys
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self._failure: BaseException | None = None
        self.kills = 0

    def __enter__(self) -> "_Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing: `finish` waits."""

    def finish(self) -> None:
        """Every kill has been made on return."""
        self._thread.join(timeout=120)

    def _run(self) -> None:
        while self.kills < KILLS:
            victim = self._random.choice(self._engine.workers())
            if self._engine.lag()[self._engine.stage_of(victim)] > 0:
                self._engine.kill(victim)
                self.kills += 1


class _Nobody:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


def _killer(engine: Engine, options: DemoOptions) -> "_Killer | _Nobody":
    return _Killer(engine, options.seed) if options.kill_worker else _Nobody()


def _result(
    engine: Engine,
    simulation: Simulation,
    journal: Journal,
    planted: canary.Planted,
    kills: int,
    started: float,
) -> DemoResult:
    keys = engine.keys
    books = read_books(engine.bootstrap, engine.sources.values(), recipient=RECIPIENT)
    ledgers = balance(journal.read(), books, keys=keys, recipient=RECIPIENT)
    snapshots = read_snapshots(engine.bootstrap)
    truth = {record.key: person.key for person in simulation.truth for record in person.records}
    found = _groups(truth, books, keys)
    right = rightly_linked(found, truth)
    exact, differing, compared = _exact(simulation, right, found, keys, snapshots, AS_OF)
    return DemoResult(
        ledgers=ledgers,
        snapshots=list(snapshots.values()),
        stalled=stalled(books),
        linkage=linkage_score(found, simulation.truth),
        nhs_join=nhs_number_join(simulation.truth),
        pathway_exact=exact,
        differences=differing,
        compared_people=compared,
        noise=simulation.noise,
        found=canary.search(ground_of(engine), planted),
        kills=kills,
        redelivered=engine.redelivered(),
        seconds=time.monotonic() - started,
    )


def read_snapshots(bootstrap: str) -> dict[str, Mapping[str, Any]]:
    """Published id -> snapshot, as a subscriber of the demo recipient would hold them."""
    latest = last_values(read_topics(bootstrap, [topics.pathway_state(RECIPIENT)]))
    return {key.decode(): canonical.load_object(one.value or b"") for key, one in latest.items()}


def _groups(records: Iterable[tuple[str, str]], books: Books, keys: Keyring) -> dict[Any, Any]:
    found = {}
    for source, local_id in records:
        person = books.links.get(keys.mac(Purpose.RECORD_ID, source, "local", local_id))
        if person is not None:
            found[source, local_id] = person
    return found


def _exact(
    simulation: Simulation,
    right: set[Any],
    found: Mapping[Any, Any],
    keys: Keyring,
    snapshots: Mapping[str, Mapping[str, Any]],
    as_of: date,
) -> tuple[float, list[str], int]:
    """Share of rightly linked people whose published pathway says exactly what the simulator knows."""
    wrong: list[str] = []
    people = [person for person in simulation.truth if person.key in right]
    exact = 0
    for person in people:
        record = person.records[0]
        person_id = found.get(record.key)
        snapshot = snapshots.get(keys.mac(recipient_purpose(RECIPIENT), person_id)) if person_id else None
        if snapshot is None:
            wrong.append("no snapshot")
            continue
        differences = expected.differences(expected.expected_pathway(person, as_of=as_of), snapshot)
        exact += not differences
        wrong += differences
    return (exact / len(people) if people else 0.0), wrong, len(people)
