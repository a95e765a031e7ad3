"""Files that hold keys are written whole or not at all, one command at a time, and overwritten before they go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.errors import SettingsError


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Nobody else changes the keys below `directory` meanwhile. Raises SettingsError where there are none."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except FileNotFoundError:
        raise SettingsError("there are no key files: run `tierlink keys create` first") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str) -> None:
    """The file holds `text`, mode 0400, on disk; whoever reads it meanwhile has the old file or the new one."""
    part = path.with_suffix(".part")
    if part.exists():  # of a command that was killed
        destroy_file(part)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)
    _sync_folder(path)


def replace_and_destroy(path: Path, text: str) -> None:
    """As `replace_file`, and the old file is destroyed. After a kill, `destroy_remnant` destroys it."""
    if path.exists():
        destroy_remnant(path)
        _remnant(path).hardlink_to(path)
    replace_file(path, text)
    destroy_remnant(path)


def destroy_remnant(path: Path) -> None:
    """No older file stands beside `path`: what a killed command left of it is destroyed."""
    old = _remnant(path)
    if old.exists():
        if old.samefile(path):
            old.unlink()  # killed before it was replaced
        else:
            destroy_file(old)
        _sync_folder(path)


def destroy_file(path: Path) -> None:
    """Overwritten with zeros, then unlinked. A drive that writes elsewhere (SSD, copy-on-write) keeps what it had."""
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _remnant(path: Path) -> Path:
    return path.with_suffix(".old")


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
