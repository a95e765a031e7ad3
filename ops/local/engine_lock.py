"""One engine per directory: a lock that the kernel gives back when its holder ends, however that was."""

import fcntl
import os
from pathlib import Path
from typing import IO

from ops.errors import BrokerRunning

LOCK = "engine.lock"


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
