"""The model that ships can be made again: equal seeds give an equal file, byte for byte.

Here on small populations; `tierlink fit-model --check` does it for the file that ships.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linkage.counts import counted
from linkage.model import dump, parse
from ops.cli import build_app
from ops.lab.bench.linkage_world import LinkageWorld
from ops.lab.fit_shipped_model import NAME, PEOPLE, SEEDS, SHIPPED, fitted_text, world_counts

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--people", "800", "--seeds", "1,2"]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_no_process_fits_another_model(hash_seed: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    subprocess.run(
        [sys.executable, "-m", "ops", "fit-model", *SMALL, "--out", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
    )
    assert path.read_text("utf-8") == fitted_text(people=800, seeds=(1, 2), report=lambda _: None)


def test_the_check_sees_one_changed_weight(tmp_path: Path) -> None:
    path = tmp_path / "model.json"

    def run(*options: str) -> int:
        return CliRunner().invoke(build_app(), ["fit-model", *SMALL, "--out", str(path), *options]).exit_code

    assert (run("--check"), path.exists()) == (1, False)
    assert (run(), run("--check")) == (0, 0)
    text = path.read_text("utf-8")
    path.write_text(text.replace('"differ": -30000', '"differ": -29999'), "utf-8")
    assert (run("--check"), path.read_text("utf-8") == text) == (1, False)


def test_the_order_of_records_changes_no_count() -> None:
    world = LinkageWorld.of(200, seed=9)
    turned = LinkageWorld(world.seed, world.people, world.records[::-1], world.relation)
    assert world_counts(turned) == world_counts(world) != counted(())


def test_the_file_that_ships_is_in_the_form_of_a_fit_and_names_its_seeds() -> None:
    text = SHIPPED.read_text("utf-8")
    model = parse(text)
    assert dump(model) == text
    assert model.name == NAME
    assert f"{PEOPLE:,} people" in model.provenance
    assert ", ".join(map(str, SEEDS)) in model.provenance
