"""A disk that is full fails the writes of a real process, and takes them again when it is free."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.doors.drop_directories import DropDirectories
from ops.errors import MissingTool
from ops.lab.chaos import disk as disks
from ops.lab.chaos.disk import BYTES_MIN, DiskLimit, SmallDisk, WriteStop, limit
from ops.local.broker.server_process import has_ended

# A worker's own writes, one for each line it reads: it answers how many messages came again, or ends with the
# status of a fail-stop.
WRITER = """
import os, pathlib, sys
from streams.host.delivered import DeliveredMarker
from streams.steps.outcome import Message

marker = DeliveredMarker(pathlib.Path(sys.argv[1]) / "delivered.json")
for number, _ in enumerate(sys.stdin):
    try:
        print(marker.mark([Message("in", 0, number, None, None, (), 0)]), flush=True)
    except OSError as failure:
        print("errno", failure.errno, flush=True)
        os._exit(70)
"""


class Writer:
    """A process that writes its marker into `directory` each time it is asked."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-c", WRITER, str(directory)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(self) -> str:
        """Its answer to one more message."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Callable[[], Writer]]:
    """writing(): a new life of the writer in tmp_path/worker."""
    (tmp_path / "worker").mkdir(exist_ok=True)
    writers: list[Writer] = []

    def start() -> Writer:
        writers.append(Writer(tmp_path / "worker"))
        return writers[-1]

    yield start
    for writer in writers:
        writer.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallDisk]:
    """A small disk in the place of tmp_path/worker, which holds a file."""
    (tmp_path / "worker").mkdir(exist_ok=True)
    (tmp_path / "worker" / "before").write_text("kept")
    try:
        disk = SmallDisk(tmp_path / "worker", bytes_max=BYTES_MIN).start()
    except MissingTool as missing:
        pytest.skip(str(missing))
    yield disk
    disk.close()


def test_a_full_disk_stops_a_worker_and_its_next_life_until_it_is_free(
    small: SmallDisk, writing: Callable[[], Writer]
) -> None:
    first = writing()
    assert first.write() == "0", "there is room"
    small.fill()
    assert first.write() == f"errno {errno.ENOSPC}"
    assert first.process.wait(timeout=30) == 70
    second = writing()
    assert second.write() == f"errno {errno.ENOSPC}", "the disk is full for whoever comes next"
    small.free()
    third = writing()
    assert third.write() == "1", "offset 0 came again: what was written before is there"


def test_closing_brings_the_content_back_into_a_plain_directory(small: SmallDisk) -> None:
    path, keeper = small.directory, small.directory.readlink().parts[2]
    assert (path / "before").read_text() == "kept"
    (path / "during").write_text("kept too")
    small.fill()
    small.close()
    assert not path.is_symlink()
    assert sorted(item.name for item in path.iterdir()) == ["before", "during"]
    assert [item.name for item in path.parent.iterdir()] == ["worker"], "nothing is left beside it"
    assert has_ended(int(keeper))


def test_filling_takes_what_was_freed_meanwhile(small: SmallDisk) -> None:
    (small.directory / "old").write_bytes(bytes(BYTES_MIN // 2))
    small.fill()
    (small.directory / "old").unlink()
    (small.directory / "new").write_bytes(b"fits")
    small.fill()
    with pytest.raises(OSError, match="No space left"):
        (small.directory / "more").write_bytes(b"does not")


def test_a_file_stays_in_work_when_its_report_cannot_be_written(small: SmallDisk) -> None:
    inbox = small.directory / "inbox"
    with DropDirectories(small.directory) as rooms:
        (inbox / "x.csv").write_text("a,b")
        small.fill()
        with pytest.raises(OSError, match="No space left"):
            rooms.settle("inbox", "x.csv", into="done", report="r")
        assert rooms.names("inbox") == ["x.csv"]
        assert "x.csv" not in rooms.names("done"), "what stands there would be acknowledged"
        small.free()
        rooms.settle("inbox", "x.csv", into="done", report="r")
        assert "x.csv" in rooms.names("done")


def test_without_a_small_disk_one_process_is_stopped_from_writing(
    tmp_path: Path, writing: Callable[[], Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "_UNSHARE", ("false",))  # as where user namespaces are forbidden
    writers = [writing()]
    disk = limit(tmp_path / "worker", pid_of=lambda: writers[-1].process.pid, bytes_max=BYTES_MIN)
    assert isinstance(disk, WriteStop)
    assert writers[0].write() == "0"
    disk.fill()
    disk.free()
    assert writers[0].write() == "0"
    disk.fill()
    assert writers[0].write() == f"errno {errno.EFBIG}"
    assert writers[0].process.wait(timeout=30) == 70
    writers.append(writing())
    assert writers[1].write() == "1", "the limit ended with the process"
    disk.close()


def test_a_machine_that_forbids_namespaces_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker").mkdir()
    for refusal in (("false",), (str(tmp_path / "no such program"),)):
        monkeypatch.setattr(disks, "_UNSHARE", refusal)
        with pytest.raises(MissingTool):
            SmallDisk(tmp_path / "worker", bytes_max=BYTES_MIN).start()
    assert not (tmp_path / "worker").is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["worker"]


def test_either_kind_is_a_disk_limit() -> None:
    kinds: list[DiskLimit] = [WriteStop(os.getpid), SmallDisk(Path("never made"), bytes_max=BYTES_MIN)]
    for kind in kinds:
        kind.close()  # nothing was limited: nothing happens
