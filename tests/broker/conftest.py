"""Two whole demonstrations, played once for every test that judges them: with kill -9, and in peace."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import Ended, start

PEOPLE, SEED = 12, 11


class DemoRun(NamedTuple):
    """Where it was played and what it said."""

    directory: Path
    ended: Ended


@pytest.fixture(scope="session")
def demo_runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, DemoRun]:
    """`killed` and `peaceful`: the same people and seed, played beside each other."""
    root = tmp_path_factory.mktemp("demo")
    words = ("demo", "--once", "--people", PEOPLE, "--seed", SEED, "--json", "--directory")
    commands = {
        name: start(*words, root / name / "run", *more, folder=root / name)
        for name, more in {"killed": ["--kill-worker"], "peaceful": []}.items()
    }
    return {name: DemoRun(root / name / "run", command.ended()) for name, command in commands.items()}
