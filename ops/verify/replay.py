"""Replaying a run through a fresh engine with the same keys: the oracle of `compare` and of the checker."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ops.admin.topic_reader import LagReader, read_topics
from ops.errors import MissingInput, TierlinkError
from ops.local.broker.embedded import EmbeddedBroker
from ops.local.engine import Engine, EngineSettings
from ops.runtime.paths import EnginePaths, load_sources
from ops.verify.checker import CheckerVerdict, RunView, check
from ops.verify.compare import Comparison, Side, compare_topics, final_topics, rebuilt_topics
from ops.verify.copying import copy_events, copy_inputs
from schemas.keyring import OPERATIONS_ZONE
from schemas.topics import registry

RECIPIENTS = ("demo",)
WORKERS = 2  # of each stage: as many as a small machine has cores
STANDSTILL_SECONDS_MAX = 300.0  # an engine that commits nothing for so long will not come to rest
POLL_SECONDS = 1.0
REPORT_SECONDS = 5.0
Progress = Callable[[str], None]


def ignore(_: str) -> None:
    """No progress is shown."""


def replay_and_compare(
    directory: Path, *, drop_one: bool = False, from_events: bool = False, progress: Progress = ignore
) -> Comparison:
    """Compare the stopped run in `directory` with a replay of its intake; the run's own topics are only read.

    `from_events` replays the system of record instead, as it stands now, compacted or not: what a rebuild of everything
    behind it would give. Raises MissingInput when the directory holds no run, BrokerRunning while that run is still up.
    """
    copy_input = partial(_copy_input, drop_one=drop_one, from_events=from_events)
    with stopped(directory) as run, oracle_of(run, copy_input, progress=progress) as oracle:
        progress("comparing the topics")
        held = run.layout.current_bucket_keys("ingress")()
        names = rebuilt_topics(run.topics) if from_events else final_topics(run.topics)
        return compare_topics(
            Side(lambda name: read_topics(run.bootstrap, [name]), held),
            Side(lambda name: read_topics(oracle, [name]), held),
            names,
            keys=run.keys,
        )


def check_run(run: RunView, *, stuck: int | None = None, progress: Progress = ignore) -> CheckerVerdict:
    """The checker's verdict, with a replay of the intake as its oracle. The run is quiet or stopped."""
    with oracle_of(run, progress=progress) as oracle:
        progress("reading every topic")
        return check(run, oracle=oracle, stuck=stuck)


def check_stopped(directory: Path, *, progress: Progress = ignore) -> CheckerVerdict:
    """As `check_run`, of the stopped run in `directory`. Raises as `replay_and_compare`."""
    with stopped(directory) as run:
        return check_run(run, progress=progress)


@contextmanager
def stopped(directory: Path) -> Iterator[RunView]:
    """The run of a stopped engine in test mode; only its broker is started, for as long as this is open."""
    layout = EnginePaths(directory.resolve())
    if not layout.broker.exists():
        raise MissingInput(f"{directory} holds no run: `tierlink demo --once` makes one")
    sources = load_sources(None, test_mode=True)
    with EmbeddedBroker(layout.broker) as broker:
        yield RunView(
            bootstrap=broker.bootstrap,
            layout=layout,
            sources=sources,
            topics=registry(sources.values(), RECIPIENTS),
            keys=layout.keyring(OPERATIONS_ZONE),
        )


@contextmanager
def oracle_of(
    run: RunView, copy_input: Callable[[RunView, str], int] | None = None, *, progress: Progress = ignore
) -> Iterator[str]:
    """The address of a fresh engine with the run's keys that has come to rest on the run's intake.

    `copy_input` writes another input to that address. Raises TierlinkError when the engine stands still with
    messages waiting, however long it may take while it moves.
    """
    with tempfile.TemporaryDirectory(prefix="tierlink-oracle-") as scratch:
        fresh = EnginePaths(Path(scratch))
        shutil.copytree(run.layout.keys, fresh.keys)
        settings = EngineSettings(test_mode=True, doors=False, workers=WORKERS)
        with Engine(fresh, settings, progress=progress) as engine:
            progress("copying the input")
            count = (copy_input or _copy_input)(run, engine.bootstrap)
            progress(f"waiting until {count} messages are processed")
            rest(engine.bootstrap, run.groups, progress)
            yield engine.bootstrap


def rest(bootstrap: str, groups: Mapping[str, Sequence[str]], progress: Progress = ignore) -> None:
    """Returns when no group has anything left to read, seen twice with nothing written in between."""
    reader, seen, moved_at = LagReader(bootstrap), (-1, -1), time.monotonic()
    reported_at = moved_at
    try:
        while True:
            behind = sum(reader.lag(groups).values())
            if behind == 0 and seen == (0, reader.written):
                return
            if (behind, reader.written) != seen:
                seen, moved_at = (behind, reader.written), time.monotonic()
            elif time.monotonic() - moved_at > STANDSTILL_SECONDS_MAX:
                raise TierlinkError(f"a replay stands still with {behind} messages waiting")
            if time.monotonic() - reported_at > REPORT_SECONDS:
                progress(f"{behind} messages left")
                reported_at = time.monotonic()
            time.sleep(POLL_SECONDS)
    finally:
        reader.close()


def _copy_input(run: RunView, target: str, *, drop_one: bool = False, from_events: bool = False) -> int:
    if from_events:
        return copy_events(run.bootstrap, target, drop_one=drop_one)
    return copy_inputs(run.bootstrap, target, run.sources.values(), drop_one=drop_one)
