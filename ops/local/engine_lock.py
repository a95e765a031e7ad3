"""One engine per directory: a lock that the kernel gives back when its holder ends, however that was."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from ops.errors import BrokerRunning, SettingsError
from ops.runtime.paths import EnginePaths

LOCK = "engine.lock"
ENGINE_MARKS = (LOCK, "broker")  # what only an engine's directory holds


class EngineLock:
    """The right to run an engine in `root`, between take() and release()."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file: IO[str] | None = None

    def take(self) -> None:
        """The directory is ours, and its lock names our process. Raises BrokerRunning when it is taken."""
        self._root.mkdir(parents=True, exist_ok=True)
        file = (self._root / LOCK).open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise BrokerRunning(f"an engine runs in {self._root} already; `tierlink down` ends it") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Another engine may have it. Nothing happens when it is not ours."""
        if self._file is not None:
            self._file.close()
            self._file = None


def holder(root: Path) -> int | None:
    """The process id of the engine that runs in `root`; None when none does, whatever one left behind."""
    try:
        with (root / LOCK).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None


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
