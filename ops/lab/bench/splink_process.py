"""Splink asked the same question: run in an environment of its own, its answer read back."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ops.errors import MissingTool, TierlinkError
from ops.lab.bench.throwaway_environment import ThrowawayEnvironment

SPLINK = ThrowawayEnvironment("splink-5.0.0", ("splink==5.0.0", "pyarrow"))
RUN_S_MAX = 3_600
ROOT = Path(__file__).resolve().parents[3]
# Our root is put last on the path: nothing of ours may stand in for a library of theirs.
LAUNCH = """
import runpy, sys
root = sys.argv.pop(1)
sys.path.append(root)
runpy.run_module("ops.lab.bench.linkage_splink", run_name="__main__")
"""


@dataclass(frozen=True)
class SplinkRequest:
    """One question: tables of one kind (ops.lab.bench.linkage_splink_plans.PLANS) with truth. With `partition_to` the
    records with their clusters at each threshold are written there.
    """

    kind: str
    inputs: Sequence[Path]
    truth: str
    partition_to: Path | None = None

    def as_argument(self) -> str:
        """JSON for the other process."""
        return json.dumps(
            {
                "kind": self.kind,
                "inputs": [str(path.resolve()) for path in self.inputs],
                "truth": self.truth,
                "partition_to": str(self.partition_to.resolve()) if self.partition_to else None,
            }
        )


class SplinkFigures(TypedDict):
    """What Splink reached: precision, recall and F1 by measure, seconds, and how many records there were."""

    pairs: dict[str, float]
    pairs_best: dict[str, float]
    clusters: dict[str, float]
    clusters_best: dict[str, float]
    train_s: float
    link_s: float
    train_cpu_s: float
    link_cpu_s: float
    records: int


def splink(request: SplinkRequest, environ: Mapping[str, str]) -> SplinkFigures:
    """Splink's figures. Raises MissingTool when it cannot be installed, TierlinkError when it fails, without its
    output: that may quote a record.
    """
    python = SPLINK.python(environ)
    clean_environ = {name: text for name, text in environ.items() if not name.startswith("PYTHON")}
    command = [str(python), "-c", LAUNCH, str(ROOT), request.as_argument()]
    try:
        ended = subprocess.run(
            command,
            env=clean_environ,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            check=False,
            cwd=os.sep,
        )
    except subprocess.TimeoutExpired:
        raise TierlinkError(f"Splink took longer than {RUN_S_MAX} s") from None
    if ended.returncode:
        raise TierlinkError(f"Splink ended with {ended.returncode}")
    try:
        answer: SplinkFigures = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise MissingTool("Splink gave no figures") from None
    return answer
