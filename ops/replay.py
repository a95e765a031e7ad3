"""Replaying a run through a fresh engine with the same keys."""

import shutil
import tempfile
from pathlib import Path

from ops.broker import EmbeddedBroker
from ops.compare import Comparison, compare, copy_inputs, final_topics
from ops.engine import Engine, EngineSettings
from ops.errors import SettingsError
from ops.layout import Layout


def replay_and_compare(directory: Path, *, drop_one: bool = False) -> Comparison:
    """Compare the stopped run in `directory` with a replay of its intake; the run's own topics are only read.

    Raises SettingsError when the directory holds no run, BrokerRunning while that run is still up.
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
            copy_inputs(original.bootstrap, engine.bootstrap, engine.sources.values(), drop_one=drop_one)
            engine.drain()
            return compare(original.bootstrap, engine.bootstrap, final_topics(engine.topics))
