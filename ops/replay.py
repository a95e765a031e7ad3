"""Replaying a run through a fresh engine with the same keys."""

import shutil
import tempfile
from pathlib import Path

from ops.broker import EmbeddedBroker
from ops.compare import Comparison, compare, copy_events, copy_inputs, final_topics, rebuilt_topics
from ops.engine import Engine, EngineSettings
from ops.errors import SettingsError
from ops.layout import Layout


def replay_and_compare(directory: Path, *, drop_one: bool = False, from_events: bool = False) -> Comparison:
    """Compare the stopped run in `directory` with a replay of its intake; the run's own topics are only read.

    `from_events` replays the system of record instead, as it stands now, compacted or not: what a rebuild of
    everything behind it would give. Raises SettingsError when the directory holds no run, BrokerRunning while
    that run is still up.
    """
    run = Layout(directory.resolve())
    if not run.broker.exists():
        raise SettingsError(f"{directory} holds no run: `tierlink demo --once` makes one")
    with (
        tempfile.TemporaryDirectory(prefix="tierlink-compare-") as scratch,
        EmbeddedBroker(run.broker) as original,
    ):
        fresh = Layout(Path(scratch))
        shutil.copytree(run.keys, fresh.keys)
        with Engine(fresh, EngineSettings(test_mode=True, doors=False)) as engine:
            if from_events:
                copy_events(original.bootstrap, engine.bootstrap, drop_one=drop_one)
                names = rebuilt_topics(engine.topics)
            else:
                copy_inputs(original.bootstrap, engine.bootstrap, engine.sources.values(), drop_one=drop_one)
                names = final_topics(engine.topics)
            engine.drain()
            return compare(original.bootstrap, engine.bootstrap, names)
