"""A disk that can be full, made without root: for one directory, or for one process.

    disk = limit(engine.layout.workers / "records-1", pid_of=lambda: pid, bytes_max=2**20)
    disk.fill()       # the next write there raises OSError, ENOSPC (SmallDisk) or EFBIG (WriteStop)
    disk.free()
    disk.close()

*SmallDisk*, a directory with a size. A child process makes a user and a mount namespace of its own
(`unshare --user --map-root-user --mount`: no rights needed), mounts a tmpfs of `bytes_max` there, and stays. We
put a symbolic link to `/proc/<child>/cwd` in the directory's place: so every process of the same user,
the next life of a killed worker too, writes onto the small disk without being started in any special way. It
is full for all of them until free(). close() brings the content back into a plain directory.

*WriteStop*, for machines that forbid user namespaces (Ubuntu 24.04 as it is installed, many containers):
RLIMIT_FSIZE set to zero on one running process (prlimit, allowed to the same user). Every write that would
make a file longer fails with EFBIG, its log too; sockets and pipes go on. It ends with that process: the next
life writes again. Python ignores SIGXFSZ, so it meets an OSError; a JVM is not to be limited this way.

What to expect of the engine: a worker cannot write `delivered.json`, ends with status 70 and nothing
committed, and comes back after free(). A folder door publishes a file's rows but cannot write the report: the
file stays in `work/`, unacknowledged, and is taken again; its rows are duplicates then.
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol, Self

from ops.errors import MissingTool
from ops.runtime.paths import EnginePaths

FILLER = ".filler"
BYTES_MAX = 2**20  # a worker keeps some kilobytes
SPARED = frozenset({FILLER})  # whoever wipes a directory leaves its disk as full as it is
BYTES_MIN = 64 * 2**10  # a tmpfs counts pages of 4 KiB
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
# The child ends when its standard input does, that is with us. Only its own /tmp is the disk, and where it works.
_HOLD = 'mount -t tmpfs -o "size=$0,mode=0700" tierlink /tmp && cd /tmp && echo ready && exec cat >/dev/null'


class DiskLimit(Protocol):
    """Something that can fail a process's writes and let them succeed again."""

    def fill(self) -> None:
        """The next write fails."""

    def free(self) -> None:
        """Writes succeed again."""

    def close(self) -> None:
        """Writes succeed, and nothing of the limit is left."""


def limit(directory: Path, *, pid_of: Callable[[], int], bytes_max: int) -> DiskLimit:
    """A SmallDisk in the place of `directory`, or a WriteStop on the process where there can be none.

    `pid_of` names the process that writes there, each time it is filled. Raises MissingTool where neither is
    possible. Exchanging the directory is not atomic: a worker that writes in that very moment ends itself and
    comes back, but a file dropped into a folder door's `inbox/` might be missed; limit that before it is used.
    """
    try:
        return SmallDisk(directory, bytes_max=bytes_max).start()
    except MissingTool:
        return WriteStop(pid_of)


class SmallDisk:
    """A directory of at most `bytes_max` bytes, used under its own path by every process of this user."""

    def __init__(self, directory: Path, *, bytes_max: int) -> None:
        assert bytes_max >= BYTES_MIN, f"bytes_max is at least {BYTES_MIN}"
        self.directory = directory
        self.bytes_max = bytes_max
        self._keeper: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """`directory` (made when missing) is the small disk, with what it held before.

        Raises MissingTool where user namespaces or mounts in them are not allowed; nothing has changed then.
        """
        keeper = _keeper(self.bytes_max)
        try:
            disk = Path(f"/proc/{keeper.pid}/cwd")
            self.directory.mkdir(parents=True, exist_ok=True)
            shutil.copytree(self.directory, disk, symlinks=True, dirs_exist_ok=True)
            _exchange(self.directory, lambda part: part.symlink_to(disk))
        except BaseException:
            _end(keeper)
            raise
        self._keeper = keeper
        return self

    def fill(self) -> None:
        """Not a byte is free: the next write of a new page raises ENOSPC. Again, it takes what was freed."""
        with (self.directory / FILLER).open("ab") as filler:
            while free_bytes := _free_bytes(filler.fileno()):
                with suppress(OSError):  # another took some of it meanwhile: ask again
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, free_bytes)

    def free(self) -> None:
        """All that the filler took is free."""
        (self.directory / FILLER).unlink(missing_ok=True)

    def close(self) -> None:
        """A plain directory of the same content stands there, and the small disk is gone."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            self.free()
            _exchange(self.directory, lambda part: shutil.copytree(self.directory, part, symlinks=True))
            _end(keeper)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class WriteStop:
    """No file may grow, for one process while it lives."""

    def __init__(self, pid_of: Callable[[], int]) -> None:
        """Raises MissingTool where one process cannot limit another (anywhere but on Linux)."""
        if not sys.platform.startswith("linux"):
            raise MissingTool("a full disk needs Linux: user namespaces or prlimit")
        self._pid_of = pid_of
        self._limited: int | None = None

    def fill(self) -> None:
        """Writes of the process that `pid_of` names now raise EFBIG. ProcessLookupError when it has gone."""
        self._limited = self._pid_of()
        _, hard = resource.prlimit(self._limited, resource.RLIMIT_FSIZE)
        resource.prlimit(self._limited, resource.RLIMIT_FSIZE, (0, hard))

    def free(self) -> None:
        """It writes again, where it is still the same process."""
        limited, self._limited = self._limited, None
        if limited is not None:
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(limited, resource.RLIMIT_FSIZE)
                resource.prlimit(limited, resource.RLIMIT_FSIZE, (hard, hard))

    def close(self) -> None:
        """As free(): there is nothing else to take away."""
        self.free()


def _keeper(bytes_max: int) -> subprocess.Popen[str]:
    """The process whose /tmp is the disk. Raises MissingTool."""
    try:
        keeper = subprocess.Popen(
            [*_UNSHARE, _HOLD, str(bytes_max)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
    except OSError:
        raise MissingTool("a size-limited directory needs util-linux's unshare") from None
    assert keeper.stdout is not None
    if keeper.stdout.readline() != "ready\n":
        _end(keeper)
        raise MissingTool("a size-limited directory needs user namespaces, which this machine forbids")
    return keeper


def _end(keeper: subprocess.Popen[str]) -> None:
    with keeper:  # closes its standard input and waits
        keeper.kill()


def _exchange(directory: Path, make: Callable[[Path], object]) -> None:
    """What `make` makes stands in the place of `directory`, which is gone, whether plain or a link."""
    part, former = (
        directory.with_name(f"{directory.name}.part"),
        directory.with_name(f"{directory.name}.former"),
    )
    make(part)
    directory.rename(former)
    part.rename(directory)
    if former.is_symlink():
        former.unlink()
    else:
        shutil.rmtree(former)


def _free_bytes(descriptor: int) -> int:
    disk = os.fstatvfs(descriptor)
    return disk.f_bavail * disk.f_frsize


class Disks:
    """Each worker's small disk, in the place of its directory, made before the engine starts.

    `with Disks(layout, workers, pid_of) as disks`; afterwards the directories are plain ones again.
    """

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
