"""The files of the tree, without what the tools and `./run` make."""

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = {".git", ".venv", ".tierlink", ".pytest_cache", "__pycache__", "node_modules"}


def kept_files(root: Path = ROOT) -> Iterator[Path]:
    """Every file below `root`. What is made is never entered: a running engine's files come and go."""
    for directory, below, names in os.walk(root):
        below[:] = sorted(set(below) - MADE)
        yield from (Path(directory, name) for name in sorted(names))
