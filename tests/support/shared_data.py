"""The public test data that TIERLINK_SHARED_DATA names: absent in a user's clone, so its tests skip."""

import os
from pathlib import Path

import pytest


def shared_folder(name: str) -> Path:
    """The folder `name` of the public test data. Skips the test when it is not there."""
    root = os.environ.get("TIERLINK_SHARED_DATA", "")
    folder = Path(root) / name
    if not root or not folder.is_dir():
        pytest.skip(f"TIERLINK_SHARED_DATA names no folder with {name}")
    return folder
