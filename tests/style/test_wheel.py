"""What ships: the wheel has no lab in it, works without, and does not name it."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKING = ("door", "worker", "topics", "keys", "consume", "linkage", "up", "send")
ABSENT = ("chaos", "demo", "bench", "simulate")
TABLE = "ops/cli.py"  # the one table of commands
NAMES = re.compile(r"(?<![A-Za-z])(lab|mutants?|stock|fault_at|crash_points?)(?![A-Za-z])", re.IGNORECASE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = directory.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def python(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel and what it depends on, and without this tree."""
    directory = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    (packages,) = directory.glob("lib/python*/site-packages")
    wheel.extractall(packages)
    # A path in a .pth file is searched for packages, but its own .pth files are not read: this tree stays unknown.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return directory / "bin" / "python"


def run_all(python: Path, *commands: tuple[str, ...]) -> Iterator[subprocess.CompletedProcess[str]]:
    """Each command of `tierlink`, somewhere else, in order."""

    def run(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), "-I", "-m", "ops", *arguments],
            cwd=python.parent,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(run, commands)


def test_no_file_of_the_lab_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert [name for name in names if name.startswith("ops/lab")] == []
    assert {"ops/cli.py", "ops/runtime/worker_process.py", "streams/host/app.py"} <= set(names)
    assert {"connectors/sources.toml", "linkage/models/shipped.json"} <= set(names)


def test_what_is_built_from_is_the_same_for_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines.index("ops/lab") > lines.index("!ops"), "the last line that matches decides"


def test_the_commands_work_without_the_lab(python: Path) -> None:
    helps = run_all(python, *((name, "--help") for name in WORKING))
    for name, ended in zip(WORKING, helps, strict=True):
        assert ended.returncode == 0, f"{name}: {ended.stderr}"
        assert name in ended.stdout


def test_a_command_of_the_lab_says_that_it_is_not_installed(python: Path) -> None:
    for name, ended in zip(ABSENT, run_all(python, *((name, "--seed", "1") for name in ABSENT)), strict=True):
        assert ended.returncode == 69, name
        assert f"tierlink: {name}: the lab is not installed" in ended.stderr


def test_nothing_that_ships_names_the_lab_but_the_table_of_commands(wheel: zipfile.ZipFile) -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in wheel.namelist()
        if name.endswith((".py", ".toml", ".json")) and name != TABLE
        for number, line in enumerate(wheel.read(name).decode().splitlines(), 1)
        if NAMES.search(line)
    ]
    assert not found, "\n" + "\n".join(found)


def test_the_check_sees_a_name_in_code_and_in_prose_and_no_other_word() -> None:
    for planted in ("import ops.lab.worker", "stock_host = 1", "# a mutant", "fault_at: str", '"the LAB"'):
        assert NAMES.search(planted), planted
    for other in ("label available stockpile labour default", "collab slab"):
        assert not NAMES.search(other), other
