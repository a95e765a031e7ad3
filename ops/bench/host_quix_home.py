"""Quix Streams in a throw-away environment below the user's cache: made once, never part of ours."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.errors import MissingTool
from ops.kafka_jars import cache_home

VERSION = "3.28.1"
INSTALL_S_MAX = 300


def quix_python(environ: Mapping[str, str]) -> Path:
    """A Python that has exactly this version, from whatever package index this machine is configured for.

    Raises MissingTool, naming what was tried.
    """
    home = cache_home(environ) / f"quixstreams-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    python, made = home / "bin" / "python", home / "made"
    if not (made.exists() and python.exists()):
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        _make(home, python, environ)
        made.touch()
    return python


def _make(home: Path, python: Path, environ: Mapping[str, str]) -> None:
    wanted = f"quixstreams=={VERSION}"
    tried = []
    if uv := _uv(environ):
        venv = [uv, "venv", "--quiet", "--python", sys.executable, str(home)]
        install = [uv, "pip", "install", "--quiet", "--python", str(python), wanted]
        if _succeeds(venv, environ) and _succeeds(install, environ):
            return
        tried.append("uv")
        shutil.rmtree(home, ignore_errors=True)
    venv = [sys.executable, "-m", "venv", str(home)]
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-input", wanted]
    if _succeeds(venv, environ) and _succeeds(install, environ):
        return
    tried.append("venv and pip")
    raise MissingTool(f"{wanted} could not be installed by {' nor by '.join(tried)}")


def _uv(environ: Mapping[str, str]) -> str | None:
    fetched = sorted(cache_home(environ).glob("uv-*/bin/uv"))  # ./run's own
    return str(fetched[-1]) if fetched else shutil.which("uv", path=environ.get("PATH"))


def _succeeds(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    try:
        ended = subprocess.run(
            command, env=dict(environ), capture_output=True, timeout=INSTALL_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
