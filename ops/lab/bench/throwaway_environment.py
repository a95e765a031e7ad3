"""Throw-away environments below the user's cache: what a bench compares with is never part of ours."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.errors import MissingTool
from ops.local.broker.kafka_jars import cache_home

INSTALL_S_MAX = 600


@dataclass(frozen=True)
class ThrowawayEnvironment:
    """One environment, named after what it is for. Without `dependencies` only the packages themselves are fetched:
    enough to read files that come with them.
    """

    name: str
    packages: tuple[str, ...]
    dependencies: bool = True

    def python(self, environ: Mapping[str, str]) -> Path:
        """Its Python: made once, with exactly these packages, from the index this machine is configured for.

        Raises MissingTool, naming what was tried.
        """
        home = self.path(environ)
        python, made = home / "bin" / "python", home / "made"
        if not (made.exists() and python.exists()):
            self._make(home, python, environ)
            made.touch()
        return python

    def path(self, environ: Mapping[str, str]) -> Path:
        """Where it is, or will be."""
        return cache_home(environ) / f"{self.name}-{sys.version_info.major}.{sys.version_info.minor}"

    def _make(self, home: Path, python: Path, environ: Mapping[str, str]) -> None:
        flags = [] if self.dependencies else ["--no-deps"]
        tried = []
        for name, venv, install in _ways(home, python, environ):
            shutil.rmtree(home, ignore_errors=True)
            home.parent.mkdir(parents=True, exist_ok=True)
            if _succeeds(venv, environ) and _succeeds([*install, *flags, *self.packages], environ):
                return
            tried.append(name)
        raise MissingTool(f"{', '.join(self.packages)} could not be installed by {' nor by '.join(tried)}")


def _ways(home: Path, python: Path, environ: Mapping[str, str]) -> list[tuple[str, Sequence[str], Sequence[str]]]:
    """(name, how to make an environment, how to install into it), the best first."""
    make_venv = [sys.executable, "-m", "venv", str(home)]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
    ways: list[tuple[str, Sequence[str], Sequence[str]]] = [("venv and pip", make_venv, pip)]
    fetched = sorted(cache_home(environ).glob("uv-*/bin/uv"))  # ./run's own
    if uv := str(fetched[-1]) if fetched else shutil.which("uv", path=environ.get("PATH")):
        venv = [uv, "venv", "--quiet", "--python", sys.executable, str(home)]
        ways.insert(0, ("uv", venv, [uv, "pip", "install", "--quiet", "--python", str(python)]))
    return ways


def _succeeds(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    try:
        ended = subprocess.run(command, env=dict(environ), capture_output=True, timeout=INSTALL_S_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
