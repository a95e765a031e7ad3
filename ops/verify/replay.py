"""Replaying a run through a fresh engine with the same keys: the oracle of `compare` and of the checker."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.admin.keys import OPERATIONS_ZONE
from ops.admin.topic_reader import LagReader
from ops.errors import SettingsError, TierlinkError
from ops.local.broker.embedded import EmbeddedBroker
from ops.local.engine import Engine, EngineSettings
from ops.runtime.paths import EnginePaths, load_sources
from ops.verify.checker import CheckerVerdict, RunView, check
from ops.verify.compare import Comparison, compare, final_topics, rebuilt_topics
from ops.verify.copying import copy_events, copy_inputs
from schemas.topics import registry

RECIPIENTS = ("demo",)
WORKERS = 2  # of each stage: as many as a small machine has cores
STANDSTILL_SECONDS_MAX = 300.0  # an engine that commits nothing for so long will not come to rest
POLL_SECONDS = 1.0


def replay_and_compare(directory: Path, *, drop_one: bool = False, from_events: bool = False) -> Comparison:
    """Compare the stopped run in `directory` with a replay of its intake; the run's own topics are only read.

    `from_events` replays the system of record instead, as it stands now, compacted or not: what a rebuild of
    everything behind it would give. Raises SettingsError when the directory holds no run, BrokerRunning while
    that run is still up.
    """
    with stopped(directory) as ground:
        inputs = _copied_events if from_events else _copied_intake
        with oracle_of(ground, lambda there: inputs(ground, there, drop_one=drop_one)) as there:
            names = rebuilt_topics(ground.topics) if from_events else final_topics(ground.topics)
            return compare(ground.bootstrap, there, names)


def check_run(ground: RunView, *, stuck: int | None = None) -> CheckerVerdict:
    """The checker's verdict, with a replay of the intake as its oracle. The run is quiet or stopped."""
    with oracle_of(ground) as there:
        return check(ground, oracle=there, stuck=stuck)


def check_stopped(directory: Path) -> CheckerVerdict:
    """As `check_run`, of the stopped run in `directory`. Raises as `replay_and_compare`."""
    with stopped(directory) as ground:
        return check_run(ground)


@contextmanager
def stopped(directory: Path) -> Iterator[RunView]:
    """The run of a stopped engine in test mode, its broker started for the while and nothing else."""
    run = EnginePaths(directory.resolve())
    if not run.broker.exists():
        raise SettingsError(f"{directory} holds no run: `tierlink demo --once` makes one")
    sources = load_sources(None, test_mode=True)
    with EmbeddedBroker(run.broker) as broker:
        yield RunView(
            bootstrap=broker.bootstrap,
            layout=run,
            sources=sources,
            topics=registry(sources.values(), RECIPIENTS),
            keys=run.keyring(OPERATIONS_ZONE),
        )


def ground_of(engine: Engine) -> RunView:
    """A running engine as the checker sees it."""
    return RunView(
        bootstrap=engine.bootstrap,
        layout=engine.layout,
        sources=engine.sources,
        topics=engine.topics,
        keys=engine.keys,
        pages=engine.pages,
    )


@contextmanager
def oracle_of(ground: RunView, given: Callable[[str], int] | None = None) -> Iterator[str]:
    """The address of a fresh engine with the run's keys that has come to rest on the run's intake.

    `given` writes another input to that address. Raises TierlinkError when the engine stands still with
    messages waiting, however long it may take while it moves.
    """
    with tempfile.TemporaryDirectory(prefix="tierlink-oracle-") as scratch:
        fresh = EnginePaths(Path(scratch))
        shutil.copytree(ground.layout.keys, fresh.keys)
        with Engine(fresh, EngineSettings(test_mode=True, doors=False, workers=WORKERS)) as engine:
            there = engine.bootstrap
            (given or (lambda address: _copied_intake(ground, address, drop_one=False)))(there)
            rest(there, ground.groups)
            yield there


def rest(bootstrap: str, groups: Mapping[str, Sequence[str]]) -> None:
    """Returns when no group has anything left to read, seen twice with nothing written in between."""
    reader, seen, moved_at = LagReader(bootstrap), (-1, -1), time.monotonic()
    try:
        while True:
            behind = sum(reader.lag(groups).values())
            if behind == 0 and seen == (0, reader.written):
                return
            if (behind, reader.written) != seen:
                seen, moved_at = (behind, reader.written), time.monotonic()
            elif time.monotonic() - moved_at > STANDSTILL_SECONDS_MAX:
                raise TierlinkError(f"a replay stands still with {behind} messages waiting")
            time.sleep(POLL_SECONDS)
    finally:
        reader.close()


def _copied_intake(ground: RunView, there: str, *, drop_one: bool) -> int:
    return copy_inputs(ground.bootstrap, there, ground.sources.values(), drop_one=drop_one)


def _copied_events(ground: RunView, there: str, *, drop_one: bool) -> int:
    return copy_events(ground.bootstrap, there, drop_one=drop_one)
