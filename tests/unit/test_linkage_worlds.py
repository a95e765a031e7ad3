"""`bench linkage --seeds`: every method's figures for every seed, what misses its target, Splink's best threshold."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from linkage.model import parse
from ops.cli import build_app
from ops.lab.bench import linkage_worlds
from ops.lab.bench.linkage_world import LinkageWorld
from ops.lab.bench.linkage_worlds import Quality, best_of, partitions
from ops.runtime.paths import linkage_model

METHODS = ["NHS-number join", "match keys", "match keys, number veto", "tierlink"]


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    """`bench linkage` with these words; the signals of the test's own process stay as they are."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    return CliRunner().invoke(build_app(), ["bench", "linkage", *words])


def missed(*, link: int) -> list[str]:
    """The targets our linker misses on a small world when pairs from so many milli-bits are linked."""
    model = replace(parse(linkage_model()), link=link, review=link - 1_000)
    figures = linkage_worlds.run(people=150, seeds=(11,), with_splink=False, report=lambda text: None, model=model)
    return [text.split()[2] for text in figures.missed]


def graded(wrong: int, linked: float) -> Quality:
    """A method that put so many records on a wrong person and linked that share."""
    unread: dict[str, Any] = dict.fromkeys(Quality.__dataclass_fields__, 0.0)
    return Quality(**{**unread, "method": "any", "wrong_records": wrong, "linked": linked})


def test_the_command_gives_every_methods_figures_for_every_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = command(monkeypatch, "--people", "100", "--seeds", "11,12", "--no-splink", "--json")
    assert ended.exit_code == 0
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert [(row["seed"], row["method"]) for row in figures["methods"]] == [
        (seed, method) for seed in (11, 12) for method in METHODS
    ]
    assert all(0 <= row["wrong_person"] <= 1 and 0 < row["linked"] <= 1 for row in figures["methods"])
    assert ended.stderr.replace("tierlink: ", "").count("tierlink") == 2
    assert all(f"below target: {text}" in ended.stderr for text in figures["missed"])


def test_seeds_that_are_no_numbers_are_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = command(monkeypatch, "--seeds", "801;802")
    assert ended.exit_code == 2
    assert "seed" not in ended.stdout


def test_a_model_that_links_anybody_misses_the_target_for_held_records_alone() -> None:
    """Not the one for wrong people: the rules do not depend on weights."""
    assert set(missed(link=-40_000)) & {"held", "linked", "wrong_person"} == {"held"}


def test_a_model_that_links_nobody_misses_the_targets_for_linking_alone() -> None:
    assert set(missed(link=900_000)) & {"held", "linked", "wrong_person"} == {"linked"}


def test_the_best_threshold_links_most_of_those_with_no_more_wrong_than_ours() -> None:
    loose, as_sure, strict = graded(9, 0.99), graded(2, 0.97), graded(0, 0.90)
    assert best_of([loose, as_sure, strict], graded(2, 0.98)) is as_sure


def test_where_no_threshold_is_as_sure_as_ours_the_best_has_the_fewest_wrong() -> None:
    loose, strict, stricter = graded(9, 0.99), graded(2, 0.97), graded(2, 0.90)
    assert best_of([loose, stricter, strict], graded(1, 0.98)) is strict


def test_clusters_come_back_by_threshold_under_the_names_of_the_worlds_records(tmp_path: Path) -> None:
    world, path = LinkageWorld.of(60, seed=3), tmp_path / "clusters.csv"
    path.write_text("record,0.95,0.99\n2,x,y\n1,x,x\n")
    first, second, *_ = (record.record_id for record in world.records)
    assert partitions(path, world) == {
        0.95: {first: "x", second: "x"},
        0.99: {first: "x", second: "y"},
    }


def test_splink_that_cannot_be_installed_is_said_so_and_has_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    said: list[str] = []
    figures = linkage_worlds.run(
        people=100,
        seeds=(11,),
        with_splink=True,
        report=said.append,
        environ={"TIERLINK_HOME": str(tmp_path), "PATH": ""},
    )
    assert [row.method for row in figures.rows] == METHODS
    assert [text for text in said if text.startswith("Splink did not run on seed 11")]
