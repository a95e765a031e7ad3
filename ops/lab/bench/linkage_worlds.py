"""Worlds nobody has seen, one for each seed: ours beside the joins in use today and Splink, and what misses its target.

Splink sees the names, and all records at once; ours keyed tokens, one record at a time.
"""

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from linkage.model import Model
from ops.errors import TierlinkError
from ops.lab.bench import linkage_world
from ops.lab.bench.linkage_beside import SplinkRequest, splink
from ops.lab.bench.linkage_world import OURS, LinkageWorld, export_csv, table, unmet
from ops.lab.bench.linkage_world_quality import Quality, quality
from ops.runtime.model_files import model_of

PEOPLE = 30_000  # a target is a target of so many
# No model was fitted and no rule was chosen on them; 801 to 805 chose rules.
SEEDS = (811, 812, 813, 814, 815)
SPLINK, SPLINK_BEST = "Splink 5", "Splink 5, best threshold"
SPLINK_LINKS_AT = (
    0.95  # ops.lab.bench.linkage_splink_plans.LINK_AT, which only Splink's own environment can read
)

Say = Callable[[str], None]


def run(
    *,
    people: int = PEOPLE,
    seeds: Sequence[int] = SEEDS,
    beside: bool,
    say: Say,
    model: Model | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Every method on the world of every seed: the object of `--json`. `model` is the one that ships, if not given."""
    used = model or model_of(None)
    rows: list[Quality] = []
    for seed in seeds:
        say(f"seed {seed} …")
        world = LinkageWorld.of(people, seed=seed)
        report = linkage_world.run(world, model=used)
        rows += report.rows
        say(f"Ours on a wrong person, by kind:\n{report.worst_false or '     0'}")
        say(f"Ours not linked, by kind:\n{report.worst_missed or '     0'}")
        if beside:
            (ours,) = (row for row in report.rows if row.method == OURS)
            rows += _splink(world, ours, say, environ=os.environ if environ is None else environ)
    return {
        "people": people,
        "seeds": list(seeds),
        "model": used.name,
        "methods": [row.as_json() for row in rows],
        "missed": list(unmet(rows)),
    }


def show(say: Say, figures: Mapping[str, Any]) -> None:
    """A line for each method and seed, then what is below its target."""
    say(table([Quality(**row) for row in figures["methods"]]))
    for text in figures["missed"]:
        say(f"below target: {text}")


def best_of(tried: Sequence[Quality], ours: Quality) -> Quality:
    """What an oracle would choose of these: the one that links most among those with no more records on a wrong
    person than ours has; where none is so sure, the one with the fewest.
    """
    as_sure = [one for one in tried if one.wrong_records <= ours.wrong_records]
    if as_sure:
        return max(as_sure, key=lambda one: one.linked)
    return min(tried, key=lambda one: (one.wrong_records, -one.linked))


def partitions(path: Path, world: LinkageWorld) -> dict[float, dict[str, str]]:
    """Threshold → record → cluster, of a table with a line for each record: its number in the world from 1, then
    its cluster at each threshold.
    """
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        _, *thresholds = next(lines)
        found: dict[float, dict[str, str]] = {float(at): {} for at in thresholds}
        for number, *clusters in lines:
            record_id = world.records[int(number) - 1].record_id
            for partition, cluster in zip(found.values(), clusters, strict=True):
                partition[record_id] = cluster
    return found


def _splink(world: LinkageWorld, ours: Quality, say: Say, *, environ: Mapping[str, str]) -> Iterator[Quality]:
    """Splink at its default threshold and at the best; nothing, with the reason said, where it did not run."""
    with TemporaryDirectory() as folder:
        records, clusters = Path(folder, "records.csv"), Path(folder, "clusters.csv")
        export_csv(world, records)
        try:
            figures: Mapping[str, Any] = splink(
                SplinkRequest("world", (records,), "person", clusters), environ
            )
        except TierlinkError as error:
            say(f"Splink did not run on seed {world.seed}: {error}")
            return
        found = partitions(clusters, world)
    cpu_s = figures["train_cpu_s"] + figures["link_cpu_s"]
    tried = {at: quality(SPLINK, world, partition, cpu_s=cpu_s) for at, partition in found.items()}
    yield tried[SPLINK_LINKS_AT]
    best = best_of(list(tried.values()), ours)
    (at,) = (at for at, one in tried.items() if one is best)
    say(f"Splink's best threshold is a probability of {at:g}")
    yield replace(best, method=SPLINK_BEST)
