"""The four directories of a drop folder, reached only through their descriptors: no name leads out of them."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

BYTES_MAX = 64 * 1024 * 1024
NAME_BYTES_MAX = 200  # with the moment of the claim or `.report.csv` still under the 255 a file system allows
_DIRECTORIES = ("inbox", "work", "done", "failed")
_CLAIMED = re.compile(r"([0-9]{8}T[0-9]{12})Z-(.+)", re.DOTALL)
_REPORT = ".report.csv"
# O_NONBLOCK: a FIFO must not hold the door up
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Irregular(Exception):
    """What lies there is not a plain file of its own; `rule` says what it is."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class StillChanging(Exception):
    """The file changed while it was read: it is not complete yet."""

    retriable = True


Stamp = tuple[int, int, int]  # inode, size, time of change in ns


class DropDirectories:
    """`inbox`, `work`, `done` and `failed` below one path, opened for the time of a `with`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Makes the directories that are missing. Raises OSError, also when one is a symbolic link."""
        self._path.mkdir(parents=True, exist_ok=True)
        base = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for directory in _DIRECTORIES:
                with suppress(FileExistsError):
                    os.mkdir(directory, mode=0o770, dir_fd=base)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                self._at[directory] = os.open(directory, flags, dir_fd=base)
        except OSError:
            self.__exit__(None, None, None)
            raise
        finally:
            os.close(base)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._at:
            os.close(self._at.popitem()[1])

    def names(self, directory: str) -> list[str]:
        """What lies in a directory."""
        return os.listdir(self._at[directory])  # noqa: PTH208 - a path cannot list a descriptor

    def stamp(self, directory: str, name: str) -> Stamp | None:
        """What changes when a file is written to; None when nothing of that name is there."""
        try:
            status = os.stat(name, dir_fd=self._at[directory], follow_symlinks=False)
        except FileNotFoundError:
            return None
        return _stamp(status)

    def irregular(self, directory: str, name: str) -> str | None:
        """Why this is not a file to be taken, or None. Nothing is opened."""
        if len(os.fsencode(name)) > NAME_BYTES_MAX:
            return f"has a name longer than {NAME_BYTES_MAX} bytes"
        if name.endswith(_REPORT):
            return f"has a name that ends in {_REPORT}, as our reports do"
        return _irregular(os.stat(name, dir_fd=self._at[directory], follow_symlinks=False))

    def claim(self, name: str, now: datetime) -> str:
        """Moves a file from `inbox` to `work` in one step; the new name keeps the moment through any crash."""
        wanted = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{name}"
        claimed = self._free("work", wanted)
        os.rename(name, claimed, src_dir_fd=self._at["inbox"], dst_dir_fd=self._at["work"])
        os.fsync(self._at["work"])
        return claimed

    def claimed_at(self, name: str) -> datetime | None:
        """When a file of `work` was claimed; None for one that `claim` has not named."""
        found = _CLAIMED.fullmatch(name)
        try:
            return datetime.strptime(found[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) if found else None
        except ValueError:
            return None

    def read(self, directory: str, name: str) -> tuple[bytes, Stamp]:
        """The whole file. Raises Irregular unless it is a plain file of one name and at most BYTES_MAX."""
        before = os.stat(name, dir_fd=self._at[directory], follow_symlinks=False)
        if (rule := _irregular(before)) is not None:
            raise Irregular(rule)
        descriptor = os.open(name, _OPEN, dir_fd=self._at[directory])
        with os.fdopen(descriptor, "rb") as file:
            opened = os.fstat(descriptor)  # what was opened, not what the name meant a moment ago
            if (rule := _irregular(opened)) is not None:
                raise Irregular(rule)
            raw = file.read(BYTES_MAX + 1)
            if len(raw) != opened.st_size or _stamp(os.fstat(descriptor)) != _stamp(opened):
                raise StillChanging
        return raw, _stamp(opened)

    def settle(self, directory: str, name: str, *, into: str, report: str) -> None:
        """Writes the report, then moves the file in beside it: who sees the file finds the report complete.

        A file of the same name that stands there already is left alone; the new one becomes `x.2.csv`.
        """
        target = self._free(into, self._given_name(directory, name))
        self._write(into, target + _REPORT, report.encode())
        os.rename(name, target, src_dir_fd=self._at[directory], dst_dir_fd=self._at[into])
        os.fsync(self._at[into])
        os.fsync(self._at[directory])

    def _given_name(self, directory: str, name: str) -> str:
        """The name the provider gave, where it can stand beside a report."""
        claimed = _CLAIMED.fullmatch(name) if directory == "work" else None
        given = claimed[2] if claimed else name
        if len(os.fsencode(given)) > NAME_BYTES_MAX:
            return "name-too-long"
        return given + ".refused" if given.endswith(_REPORT) else given

    def _free(self, directory: str, wanted: str) -> str:
        """`wanted`, or with the first number that nothing there has yet."""
        stem, dot, suffix = wanted.rpartition(".")
        for candidate in _numbered(wanted, stem, dot + suffix):
            if self.stamp(directory, candidate) is None:
                return candidate
        raise AssertionError("numbers do not end")

    def _write(self, directory: str, name: str, content: bytes) -> None:
        """A whole file or none: written under another name, made durable, renamed."""
        unfinished = "." + name + ".tmp"
        with suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=self._at[directory])
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(unfinished, flags, mode=0o640, dir_fd=self._at[directory])
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.rename(unfinished, name, src_dir_fd=self._at[directory], dst_dir_fd=self._at[directory])


def _numbered(name: str, stem: str, suffix: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{stem}.{number}{suffix}" if stem else f"{name}.{number}"
        number += 1


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _irregular(status: os.stat_result) -> str | None:
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link, not a file"
    if not stat.S_ISREG(status.st_mode):
        return "is not a plain file"
    if status.st_nlink != 1:
        return "is a hard link to a file with another name"
    if status.st_size > BYTES_MAX:
        return f"is larger than {BYTES_MAX} bytes"
    return None
