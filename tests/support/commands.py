"""The command line as an operator starts it, and what it leaves running."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kept_files import ROOT

from ops.local.broker.server_process import command_line, has_ended

ENDS_WITHIN_SECONDS = 240  # the longest command of the tests, on a busy two-core machine


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    exit_code: int
    out: str
    err: str

    @property
    def last_object(self) -> dict[str, Any]:
        """The JSON object on the last line."""
        return json.loads(self.out.splitlines()[-1])


@dataclass(frozen=True)
class Command:
    """A command that may still run; several run beside each other until each is asked for its end."""

    process: subprocess.Popen[bytes]
    folder: Path

    def ended(self) -> Ended:
        """Waits for it."""
        code = self.process.wait(timeout=ENDS_WITHIN_SECONDS)
        return Ended(code, (self.folder / "out").read_text(), (self.folder / "err").read_text())

    def said(self) -> str:
        """What it has said on standard error so far."""
        return (self.folder / "err").read_text()


def start(*words: object, folder: Path) -> Command:
    """`tierlink WORDS` in a working directory of its own."""
    folder.mkdir(parents=True)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", *map(str, words)], cwd=folder, env=environ, stdout=out, stderr=err
        )
    return Command(process, folder)


def run(*words: object, folder: Path) -> Ended:
    """`tierlink WORDS`, waited for; `folder` is new each time."""
    number = sum(1 for _ in folder.parent.glob(f"{folder.name}*"))
    return start(*words, folder=folder.parent / f"{folder.name}-{number}").ended()


def running_in(directory: Path) -> list[int]:
    """The processes that name `directory` in their command line: an engine's own, its children, its broker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        if str(directory) in command_line(pid) and not has_ended(pid):
            found.append(pid)
    return found
