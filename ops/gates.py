"""`./run test`: every gate a change must pass, each with its seconds.

All gates run even when one fails, so that one run shows everything; the exit code is 1 if any failed.
pytest's own summary is repeated as the last line.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.errors import PACKAGES

ROOT = Path(__file__).resolve().parent.parent
# Two test files at a time, each process with a broker of its own: most of a broker test's time is waiting.
# In the order of tests/conftest.py, the longest file first: begun last, it would run alone.
AT_ONCE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; lint()"  # it has no __main__


@dataclass(frozen=True)
class Gate:
    """One program that must exit 0: `python` of this environment with these arguments."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class GateResult:
    """How a gate ended."""

    name: str
    passed: bool
    seconds: float
    last_line: str


def gates(pytest_arguments: Sequence[str], *, fast: bool) -> list[Gate]:
    """The gates in order; `fast` leaves out the tests that need a real broker."""
    markers = ("-m", "not broker") if fast else ()
    return [
        Gate("ruff format", ("-m", "ruff", "format", "--check", ".")),
        Gate("ruff check", ("-m", "ruff", "check", "--output-format", "concise", ".")),
        Gate("mypy", ("-m", "mypy", *PACKAGES)),
        Gate("import contracts", ("-c", LINT_IMPORTS, "--no-logo")),
        Gate("pytest", ("-m", "pytest", *AT_ONCE, *markers, *pytest_arguments)),
    ]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """`given`, with a place for compiled modules beside the packages, whatever `given` says about writing them.

    The tests start some hundred programs: each would compile Faust, the Kafka clients and our code anew.
    """
    chosen = {name: value for name, value in given.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**chosen, "PYTHONPYCACHEPREFIX": str(Path(sys.prefix) / "bytecode")}


def run_gate(gate: Gate) -> GateResult:
    """Run one gate in the repository's root, its output passed through line by line."""
    print(f"== {gate.name}", flush=True)
    started, last_line = time.monotonic(), ""
    command = [sys.executable, *gate.arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last_line = line.strip() or last_line
    return GateResult(gate.name, process.returncode == 0, time.monotonic() - started, last_line)


def main(arguments: Sequence[str]) -> int:
    """Run every gate; `--fast` is for this program, every other argument (`-k attendance`, `-x`, a path) for pytest."""
    for_pytest = [argument for argument in arguments if argument != "--fast"]
    results = [run_gate(gate) for gate in gates(for_pytest, fast="--fast" in arguments)]
    print("== gates")
    for result in results:
        print(f"{'passed' if result.passed else 'FAILED'}  {result.seconds:6.1f} s  {result.name}")
    print(results[-1].last_line)
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
