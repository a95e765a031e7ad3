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
PEOPLE_FEW, SEEDS_FEW = 500, (1, 2)
SMALL = ["--people", str(PEOPLE_FEW), "--seeds", ",".join(map(str, SEEDS_FEW))]


@pytest.fixture(scope="module")
def small_fit() -> str:
    """The text of the model of a small fit."""
    return fitted_text(people=PEOPLE_FEW, seeds=SEEDS_FEW, report=lambda _: None)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_no_process_fits_another_model(hash_seed: str, small_fit: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    subprocess.run(
        [sys.executable, "-m", "ops", "fit-model", *SMALL, "--out", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
    )
    assert path.read_text("utf-8") == small_fit


def test_the_check_sees_one_changed_weight_and_writes_nothing(small_fit: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"

    def check() -> int:
        return CliRunner().invoke(build_app(), ["fit-model", *SMALL, "--out", str(path), "--check"]).exit_code

    assert (check(), path.exists()) == (1, False)
    path.write_text(small_fit, "utf-8")
    assert check() == 0
    changed = small_fit.replace('"differ": -30000', '"differ": -29999')
    path.write_text(changed, "utf-8")
    assert (check(), path.read_text("utf-8")) == (1, changed)


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
