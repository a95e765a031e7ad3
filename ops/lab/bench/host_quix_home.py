"""Quix Streams in a throw-away environment below the user's cache: made once, never part of ours."""

from collections.abc import Mapping
from pathlib import Path

from ops.lab.bench.throwaway_home import Home

VERSION = "3.28.1"
QUIX = Home(f"quixstreams-{VERSION}", (f"quixstreams=={VERSION}",))


def quix_python(environ: Mapping[str, str]) -> Path:
    """A Python that has exactly this version, from whatever package index this machine is configured for.

    Raises MissingTool, naming what was tried.
    """
    return QUIX.python(environ)
