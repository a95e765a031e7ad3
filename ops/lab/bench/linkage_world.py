"""Linking by person, measured on worlds nobody has seen: ours beside the joins in use today.

`run` links one world in each way and counts who ended up with whom. The issue's targets are `TARGETS`; they
count only while the world is hard enough (`HARD_ENOUGH`), which the match keys decide.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from linkage.weights import Model
from ops.lab.bench.linkage_world_errors import false_links, listed, missed_links
from ops.lab.bench.linkage_world_keys import Clusters, keyed, match_keys, number_join
from ops.lab.bench.linkage_world_ours import encoded_world, link
from ops.lab.bench.linkage_world_quality import HARD_ENOUGH, Quality, Reviewed, quality, table
from ops.lab.bench.linkage_world_records import LinkageWorld, export_csv

__all__ = ["TARGETS", "LinkageWorld", "WorldReport", "export_csv", "run", "table", "unmet"]

OURS = "tierlink"
KEYS_ALONE = "match keys"
TARGETS = {
    "wrong_person": 0.0001,
    "linked": 0.985,
    "linked_after_review": 0.995,
    "held": 0.02,
    "ethnic_gap_points": 1.0,
    "imd_gap_points": 1.0,
}
_AT_LEAST = ("linked", "linked_after_review")


@dataclass(frozen=True, slots=True)
class WorldReport:
    """What each method made of one world, and which kinds of error ours made most."""

    rows: tuple[Quality, ...]
    worst_false: str
    worst_missed: str

    def as_json(self) -> dict[str, object]:
        """The figures by method, and what missed its target."""
        return {"methods": [row.as_json() for row in self.rows], "unmet": list(unmet(self.rows))}


def run(world: LinkageWorld, *, model: Model) -> WorldReport:
    """Link the world by NHS number, by match keys (with and without the rule that two numbers are two people)
    and by our linker with this model. Repeatable but for the seconds.
    """
    known = keyed(world.records)
    rows = [
        _timed("NHS-number join", world, lambda: number_join(world.records)),
        _timed(KEYS_ALONE, world, lambda: match_keys(known)),
        _timed("match keys, number veto", world, lambda: match_keys(known, veto=True)),
    ]
    started_s = time.process_time()
    encoded = encoded_world(world)
    encode_cpu_s = time.process_time() - started_s
    linked = link(world, encoded, model)
    reviewed = Reviewed(linked.reviewed, linked.held, linked.renamed)
    cpu_s = encode_cpu_s + linked.link_cpu_s
    rows.append(quality(OURS, world, linked.clusters, cpu_s=cpu_s, reviewed=reviewed))
    return WorldReport(
        rows=tuple(rows),
        worst_false=listed(false_links(world, linked.clusters, encoded, model)),
        worst_missed=listed(missed_links(world, linked.clusters, encoded, model)),
    )


def unmet(rows: Sequence[Quality]) -> tuple[str, ...]:
    """Sentences on what misses its target, and on worlds too easy to count; empty when all is met."""
    found = []
    for row in rows:
        if row.method == KEYS_ALONE and row.wrong_person < HARD_ENOUGH:
            found.append(f"seed {row.seed}: match keys err in {row.wrong_person:.4f}, too easy a world")
        for name, target in TARGETS.items() if row.method == OURS else ():
            value = getattr(row, name)
            if value is None or (value < target if name in _AT_LEAST else value > target):
                found.append(f"seed {row.seed}: {name} is {value:.5g}, target {target:g}")
    return tuple(found)


def _timed(method: str, world: LinkageWorld, way: Callable[[], Clusters]) -> Quality:
    started_s = time.process_time()
    clusters = way()
    return quality(method, world, clusters, cpu_s=time.process_time() - started_s)
