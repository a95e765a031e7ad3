"""The directory of a demonstration, which begins from nothing each time."""

import shutil
from pathlib import Path

from ops.errors import BrokerRunning, SettingsError
from ops.local.engine_lock import LOCK, holder
from ops.runtime.paths import EnginePaths

ENGINE_MARKS = (LOCK, "broker")  # what only an engine's directory holds


def fresh_layout(directory: Path) -> EnginePaths:
    """An empty engine directory: the demonstration begins from nothing each time.

    Raises BrokerRunning while an engine runs there, SettingsError for a folder that no engine made.
    """
    if holder(directory) is not None:
        raise BrokerRunning(f"an engine runs in {directory} already; end it, or name another --directory")
    if directory.exists():
        if any(directory.iterdir()) and not any((directory / name).exists() for name in ENGINE_MARKS):
            raise SettingsError(f"{directory} holds other things than an engine's: it would be emptied")
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    return EnginePaths(directory)
