"""Linking by person on worlds no model was fitted on: ours beside the joins in use today and Splink.

Splink sees the names, and all records at once; ours keyed tokens, one record at a time. Each method is counted by
person, the terms in which a clinician meets an error. A Tier 2 or 3 record is *attached to a wrong person* when it
is in one cluster with a record of anybody else: whoever opens that person reads somebody else's weight. It is
*linked* when it is with its own person's primary-care record, or where there is none with any other of theirs;
records that have none are not counted. A *gap* is the difference between the best- and the worst-linked group, in
points of that share. `TARGETS` count only while a world is hard enough (`HARD_ENOUGH`), which the match keys decide.
"""

import csv
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from linkage.evaluate import pairwise
from linkage.model import Model
from ops.errors import TierlinkError
from ops.lab import Report
from ops.lab.bench.linkage_methods import (
    Clusters,
    encoded_world,
    false_links,
    keyed,
    link,
    listed,
    match_keys,
    missed_links,
    number_join,
)
from ops.lab.bench.linkage_world import LinkageWorld, WorldRecord, export_csv
from ops.lab.bench.splink_process import SplinkRequest, splink
from ops.runtime.model_files import model_of

PEOPLE = 30_000  # a target is a target of so many
# No model was fitted and no rule was chosen on them; 801 to 805 chose rules.
SEEDS = (811, 812, 813, 814, 815)
SPLINK, SPLINK_BEST = "Splink 5", "Splink 5, best threshold"
SPLINK_LINKS_AT = 0.95  # ops.lab.bench.linkage_splink_plans.LINK_AT, which only Splink's own environment can read
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
HARD_ENOUGH = 0.008  # share of records that match keys must put on a wrong person, or the world is too easy


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares between 0 and 1; gaps in percentage points. What a method does not know (who is held, how often
    ids change) is None.
    """

    method: str
    seed: int
    people: int
    records: int
    wrong_person: float
    wrong_records: int
    linked: float
    linked_without_number: float
    linked_after_review: float | None
    wrong_after_review: float | None
    held: float | None
    ethnic_gap_points: float
    imd_gap_points: float
    pair_precision: float
    pair_recall: float
    ids_changed_per_1000: float | None
    cpu_s: float

    def as_json(self) -> dict[str, object]:
        """Every figure by its name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a method with a review band adds: its clusters once every open pair is answered, the records held,
    and how often a record's person id changed.
    """

    clusters: Clusters
    held: Collection[str]
    renamed: int


def quality(
    method: str, world: LinkageWorld, clusters: Clusters, *, cpu_s: float, reviewed: Reviewed | None = None
) -> Quality:
    """The quality of these clusters, one name for each record of the world."""
    judged = _Judged(world, clusters)
    later = _Judged(world, reviewed.clusters) if reviewed else None
    pairs = pairwise(clusters, {record.record_id: record.person for record in world.records})
    return Quality(
        method=method,
        seed=world.seed,
        people=world.people,
        records=len(world.records),
        wrong_person=len(judged.wrong) / max(1, judged.later_tiers),
        wrong_records=len(judged.wrong),
        linked=judged.linked(),
        linked_without_number=judged.linked(lambda record: record.identity.nhs_number is None),
        linked_after_review=later.linked() if later else None,
        wrong_after_review=len(later.wrong) / max(1, later.later_tiers) if later else None,
        held=len(reviewed.held) / len(world.records) if reviewed else None,
        ethnic_gap_points=_gap(judged.by(lambda record: record.ethnic_group)),
        imd_gap_points=_gap(judged.by(lambda record: str(record.imd_quintile))),
        pair_precision=pairs.precision,
        pair_recall=pairs.recall,
        ids_changed_per_1000=1000 * reviewed.renamed / world.people if reviewed else None,
        cpu_s=cpu_s,
    )


class _Judged:
    """The Tier 2 and 3 records of a world, each found right or not."""

    def __init__(self, world: LinkageWorld, clusters: Clusters) -> None:
        people_in: dict[str, set[str]] = {}
        of_person: dict[str, list[WorldRecord]] = {}
        for record in world.records:
            people_in.setdefault(clusters[record.record_id], set()).add(record.person)
            of_person.setdefault(record.person, []).append(record)
        later = [record for record in world.records if record.tier != "primary_care"]
        self.later_tiers = len(later)
        self.wrong = [record for record in later if len(people_in[clusters[record.record_id]]) > 1]
        self.found: list[tuple[WorldRecord, bool]] = []
        for record in later:
            others = [other for other in of_person[record.person] if other is not record]
            home_records = [other for other in others if other.tier == "primary_care"] or others
            if home_records:
                cluster = clusters[record.record_id]
                self.found.append((record, any(clusters[other.record_id] == cluster for other in home_records)))

    def linked(self, which: Callable[[WorldRecord], bool] = lambda record: True) -> float:
        """Of those records that have something to be linked to, the share that is."""
        found = [right for record, right in self.found if which(record)]
        return sum(found) / max(1, len(found))

    def by(self, group: Callable[[WorldRecord], str]) -> Mapping[str, float]:
        """The share linked, by group."""
        all_, right = Counter[str](), Counter[str]()
        for record, linked in self.found:
            all_[group(record)] += 1
            right[group(record)] += linked
        return {name: right[name] / count for name, count in all_.items()}


def _gap(shares: Mapping[str, float]) -> float:
    return 100 * (max(shares.values()) - min(shares.values())) if shares else 0.0


_HEADINGS = "method,seed,wrong %,n,linked %,no number %,reviewed %,wrong %,held %,eth gap,imd gap,P,R,ids/1000,cpu s"


def table(rows: Collection[Quality]) -> str:
    """The figures in columns, one line each method and seed."""
    cells = [_HEADINGS.split(","), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _cells(row: Quality) -> list[str]:
    def share(value: float | None, digits: int = 2) -> str:
        return "-" if value is None else f"{100 * value:.{digits}f}"

    return [
        row.method,
        str(row.seed),
        share(row.wrong_person, 3),
        str(row.wrong_records),
        share(row.linked),
        share(row.linked_without_number),
        share(row.linked_after_review),
        share(row.wrong_after_review, 3),
        share(row.held),
        f"{row.ethnic_gap_points:.2f}",
        f"{row.imd_gap_points:.2f}",
        f"{row.pair_precision:.5f}",
        f"{row.pair_recall:.4f}",
        "-" if row.ids_changed_per_1000 is None else f"{row.ids_changed_per_1000:.1f}",
        f"{row.cpu_s:.1f}",
    ]


@dataclass(frozen=True, slots=True)
class WorldReport:
    """What each method made of one world, and which kinds of error ours made most."""

    rows: tuple[Quality, ...]
    worst_false: str
    worst_missed: str


def report_on(world: LinkageWorld, *, model: Model) -> WorldReport:
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


def _timed(method: str, world: LinkageWorld, method_clusters: Callable[[], Clusters]) -> Quality:
    started_s = time.process_time()
    clusters = method_clusters()
    return quality(method, world, clusters, cpu_s=time.process_time() - started_s)


@dataclass(frozen=True, slots=True)
class WorldsReport:
    """What every method made of the worlds of several seeds."""

    people: int
    seeds: Sequence[int]
    model: str
    rows: Sequence[Quality]

    @property
    def missed(self) -> tuple[str, ...]:
        """Sentences on what misses its target."""
        return unmet(self.rows)

    def as_json(self) -> dict[str, object]:
        """The object of `--json`."""
        return {
            "people": self.people,
            "seeds": list(self.seeds),
            "model": self.model,
            "methods": [row.as_json() for row in self.rows],
            "missed": list(self.missed),
        }


def run(
    *,
    people: int = PEOPLE,
    seeds: Sequence[int] = SEEDS,
    with_splink: bool,
    report: Report,
    model: Model | None = None,
    environ: Mapping[str, str] | None = None,
) -> WorldsReport:
    """Every method on the world of every seed. `model` is the one that ships, if not given."""
    used = model or model_of(None)
    rows: list[Quality] = []
    for seed in seeds:
        report(f"seed {seed} …")
        world = LinkageWorld.of(people, seed=seed)
        world_report = report_on(world, model=used)
        rows += world_report.rows
        report(f"Ours on a wrong person, by kind:\n{world_report.worst_false or '     0'}")
        report(f"Ours not linked, by kind:\n{world_report.worst_missed or '     0'}")
        if with_splink:
            (ours,) = (row for row in world_report.rows if row.method == OURS)
            rows += _splink(world, ours, report, environ=os.environ if environ is None else environ)
    return WorldsReport(people, seeds, used.name, rows)


def show(report: Report, figures: WorldsReport) -> None:
    """A line for each method and seed, then what is below its target."""
    report(table(figures.rows))
    for text in figures.missed:
        report(f"below target: {text}")


def best_of(tried: Sequence[Quality], ours: Quality) -> Quality:
    """What an oracle would choose of these: the one that links most among those with no more records on a wrong
    person than ours has; where none is so sure, the one with the fewest.
    """
    as_sure = [quality for quality in tried if quality.wrong_records <= ours.wrong_records]
    if as_sure:
        return max(as_sure, key=lambda quality: quality.linked)
    return min(tried, key=lambda quality: (quality.wrong_records, -quality.linked))


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


def _splink(world: LinkageWorld, ours: Quality, report: Report, *, environ: Mapping[str, str]) -> Iterator[Quality]:
    """Splink at its default threshold and at the best; nothing, with the reason said, where it did not run."""
    with TemporaryDirectory() as folder:
        records, clusters = Path(folder, "records.csv"), Path(folder, "clusters.csv")
        export_csv(world, records)
        try:
            figures = splink(SplinkRequest("world", (records,), "person", clusters), environ)
        except TierlinkError as error:
            report(f"Splink did not run on seed {world.seed}: {error}")
            return
        found = partitions(clusters, world)
    cpu_s = figures["train_cpu_s"] + figures["link_cpu_s"]
    tried = {at: quality(SPLINK, world, partition, cpu_s=cpu_s) for at, partition in found.items()}
    yield tried[SPLINK_LINKS_AT]
    best = best_of(list(tried.values()), ours)
    (at,) = (at for at, quality in tried.items() if quality is best)
    report(f"Splink's best threshold is a probability of {at:g}")
    yield replace(best, method=SPLINK_BEST)
