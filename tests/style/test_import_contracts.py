"""The import contracts of pyproject.toml: complete for the modules that exist, and each of them can fail.

`lint-imports` itself is a gate of `./run test`. A contract may only name modules that exist, so PLAN says
what each must name as soon as it does.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "linkage", "connectors", "streams", "ops")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in SETTINGS["contracts"]}
ROOMS = {path.stem for path in (ROOT / "ops").iterdir()} - {"__init__"}
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# contract -> key -> what it must name, as far as it exists
PLAN = {
    "pure": {
        "source_modules": ["schemas", "linkage", "streams.steps", "streams.topology", "connectors.sources"],
    },
    "narrow-linkage": {
        "forbidden_modules": [
            "schemas.elements", "schemas.envelope", "schemas.facts", "schemas.fhir", "schemas.pathway",
            "schemas.source_message", "schemas.topics",
        ],
    },
    "no-lab": {"source_modules": [*PACKAGES[:-1], *(f"ops.{room}" for room in ROOMS if room != "lab")]},
    "independent-eyes": {  # a judge that shares code with the judged repeats its mistakes
        "source_modules": [
            "ops.client.journal", "ops.lab.demo.canary", "ops.lab.simulator", "ops.verify.checker",
            "ops.verify.compare", "ops.verify.copying", "ops.verify.leak_search", "ops.verify.ledger",
        ],
        "forbidden_modules": ["streams.steps", "linkage"],
    },
}  # fmt: skip

# contract -> file -> one line that breaks it
BREACHES = {
    "one-way": ("schemas/planted.py", "import linkage\n"),
    "acyclic": ("schemas/planted_a/__init__.py", "import schemas.planted_b\n"),
    "pure": ("linkage/planted.py", "import os\n"),
    "one-kafka-door": ("connectors/planted.py", "import kafka\n"),
    "one-faust-door": ("streams/planted.py", "import faust\n"),
    "rooms": ("ops/runtime/planted_room.py", "import ops.admin.keys\n"),
    "no-lab": ("ops/verify/planted_lab.py", "import ops.lab.worker\n"),
    "lab-alone": ("ops/lab/planted_command.py", "import ops.cli\n"),
    "edge": ("connectors/planted_edge.py", "import linkage.cluster\n"),
    "narrow-linkage": ("linkage/planted_narrow.py", "import schemas.topics\n"),
    "sources": ("connectors/sources/planted_one.py", "import connectors.sources.planted_two\n"),
    "independent-eyes": ("ops/verify/ledger.py", "import linkage\n"),
}
COMPANIONS = {  # what the planted lines import
    "schemas/planted_b.py": "import schemas.planted_a\n",
    "connectors/sources/planted_two.py": "",
}


def exists(module: str) -> bool:
    """True when the module or package stands in the tree."""
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize(("contract", "key"), [(contract, key) for contract, keys in PLAN.items() for key in keys])
def test_a_contract_names_every_module_it_is_about(contract: str, key: str) -> None:
    wanted = {module for module in PLAN[contract][key] if exists(module)}
    if not any(exists(module) for module in PLAN[contract].get("source_modules", wanted)):
        assert contract not in CONTRACTS, "a contract without a module cannot be checked"
        return
    assert contract in CONTRACTS, f"add the contract {contract}: {key} = {sorted(wanted)}"
    missing = wanted - set(CONTRACTS[contract][key])
    assert not missing, f"add to {key} of the contract {contract}: {sorted(missing)}"


def lint(root: Path) -> str:
    """What lint-imports says about the tree at `root`."""
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def verdict_on_the_broken_tree(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The linter's words on a copy of the tree with every breach planted."""
    copy = tmp_path_factory.mktemp("broken")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, line in (*BREACHES.values(), *COMPANIONS.items()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        with (copy / name).open("a") as module:
            module.write("\n" + line)
    return " ".join(lint(copy).split())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_contract_is_seen_broken_when_it_is(contract: str, verdict_on_the_broken_tree: str) -> None:
    assert f"{CONTRACTS[contract]['name']} BROKEN" in verdict_on_the_broken_tree


def test_no_top_level_package_of_ours_hides_an_installed_one() -> None:
    installed = {Path(entry) for entry in sys.path if entry.endswith("-packages")}
    hidden = [name for name in PACKAGES for place in installed if (place / name).exists()]
    assert not hidden, f"{hidden} are installed by a dependency too"
