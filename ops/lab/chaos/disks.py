"""Every worker's own small disk, under its own directory, made before the engine starts."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

from ops.lab.chaos.disk import FILLER, DiskLimit, limit
from ops.runtime.paths import EnginePaths

BYTES_MAX = 2**20  # a worker keeps some kilobytes
SPARED = frozenset({FILLER})  # whoever wipes a directory leaves its disk as full as it is


class Disks:
    """`with Disks(layout, workers, pid_of) as disks`; afterwards the directories are plain ones again."""

    def __init__(self, layout: EnginePaths, workers: Sequence[str], pid_of: Callable[[str], int]) -> None:
        self._layout = layout
        self._workers = workers
        self._pid_of = pid_of
        self._disks: Mapping[str, DiskLimit] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        self._disks = {name: self._limit(name) for name in self._workers}
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def fill(self, name: str) -> None:
        """The next write of this worker fails. ProcessLookupError when it is not there just now."""
        self._disks[name].fill()

    def free(self, name: str) -> None:
        """It can write again."""
        self._disks[name].free()

    def free_all(self) -> None:
        """Everyone can write again."""
        for disk in self._disks.values():
            disk.free()

    def _limit(self, name: str) -> DiskLimit:
        directory = self._layout.workers / name
        directory.mkdir(parents=True, exist_ok=True)
        disk = limit(directory, pid_of=lambda: self._pid_of(name), bytes_max=BYTES_MAX)
        self._closing.callback(disk.close)
        return disk
