"""What a process loads is what it needs: each kind is started, ends by itself, and says which modules it had loaded."""

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.admin.intake_keys import add_doors, turn
from ops.admin.keys import make_keys
from ops.runtime.paths import EnginePaths, load_sources, packaged

ROOT = Path(__file__).resolve().parents[2]
# The command line with all it imports, and a host that returns at once in the place of one that works.
PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules)))
from ops.cli import build_app
build_app()(obj=lambda *arguments, **options: None)
"""
NOWHERE = ("--bootstrap", "127.0.0.1:9")
ELSEWHERE = (*NOWHERE, "--host", "0.0.0.0")  # refused once everything is loaded: doors are loopback only

PROCESSES: dict[str, Sequence[str]] = {
    "door http": ("door", "http", *ELSEWHERE),
    "door mllp": ("door", "mllp", *ELSEWHERE, "--listen", "trust-wm=20002"),
    "door folder": ("door", "folder", *NOWHERE, "--sources", "SOURCES"),
    "topics": ("topics", "list"),
    "decide": ("linkage", "decide", "a/1", "b/2", "--apart"),
} | {
    f"worker {stage}": ("worker", stage, *NOWHERE, "--worker-id", "w1")
    for stage in ("ingress", "records", "linker", "pathway")
}  # fmt: skip

# The registry `connectors.doors` is names and paths: whoever reads a file of sources knows it.
DOOR_MODULES = {f"connectors.doors.{name}" for name in ("door", "fhir_http", "hl7_mllp", "folder")}
EVERYBODY = {"ops.local", "ops.training", "ops.lab.simulator", "ops.verify.checker", "pyarrow"}
# what names a record, and the normaliser it needs, are all of linkage that a door knows
OF_DOORS = {
    "linkage.model",
    "linkage.tokens",
    "linkage.cluster",
    "streams",
    "faust",
    "kafka.consumer",
    "ops.admin",
    "ops.steward",
}
NEVER: dict[str, set[str]] = {
    "door http": OF_DOORS | {"connectors.doors.folder", "connectors.doors.hl7_mllp"},
    "door mllp": OF_DOORS | {"connectors.doors.folder", "connectors.doors.fhir_http", "fastapi"},
    "door folder": OF_DOORS | {"connectors.doors.hl7_mllp", "connectors.doors.fhir_http", "fastapi"},
    "topics": {"linkage", "streams", "faust", "ops.steward"} | DOOR_MODULES,
    "decide": {"faust", "streams.host"} | DOOR_MODULES,
}
OF_WORKERS = {"fastapi", "ops.admin", "ops.steward", "ops.client"} | DOOR_MODULES
NEEDED = {
    "door http": {"connectors.doors.fhir_http", "ops.runtime.door_process", "confluent_kafka"},
    "door mllp": {"connectors.doors.hl7_mllp"},
    "door folder": {"connectors.doors.folder"},
    "topics": {"ops.admin.topic_reader"},
    "decide": {"ops.steward.reviews"},
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with keys and no running engine, and a file of sources whose mapping does not exist."""
    root = tmp_path_factory.mktemp("engine")
    keys, now = EnginePaths(root).keys, datetime.now(UTC)
    make_keys(keys, recipients=("demo",))
    turn(keys, now.date())
    add_doors(keys, load_sources(None, test_mode=True), now)
    text = packaged("connectors", "sources.toml").replace('mapping = "council-east"', 'mapping = "none-such"')
    (root / "sources.toml").write_text(text)
    return root


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_loads_what_it_needs_and_nothing_of_the_others(process: str, engine: Path) -> None:
    arguments = [str(engine / "sources.toml") if word == "SOURCES" else word for word in PROCESSES[process]]
    test_mode = [] if process in ("topics", "decide") else ["--test-mode"]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, *test_mode, "--directory", str(engine)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = set(ended.stdout.split())
    needed = NEEDED.get(process, {"streams.host.app", "faust", "streams.settings"})
    assert needed <= loaded, f"it did not come so far: {needed - loaded}\n{ended.stderr}"
    assert (EVERYBODY | NEVER.get(process, OF_WORKERS)) & loaded == set()
