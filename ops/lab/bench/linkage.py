"""The linker on public sets with truth, Splink beside it at its best effort: F1 at the default and at the best
threshold, and seconds.

Ours sees keyed tokens and one record at a time; Splink the names, and all records at once.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter, process_time
from typing import TypedDict

from rich.console import Console
from rich.table import Table

from linkage.cluster import LinkGraph, Member
from linkage.evaluate import PairQuality, pairwise
from linkage.model import Model
from ops.errors import TierlinkError
from ops.lab import Report
from ops.lab.bench.linkage_sets import PublicSet, public_sets
from ops.lab.bench.splink_process import SplinkRequest, splink
from ops.training.evaluation import evaluate
from ops.training.mapping import Reader, Spellings, parse_map
from ops.training.playing import partition_of
from ops.training.records import Records, fitted, load

MEASURES = ("pairs", "pairs_best", "clusters", "clusters_best")
# Thresholds tried for the best partition, in milli-bits: odds of 1:20 to 10,000:1, as Splink's are.
LINKS_TRIED = (-4_248, -2_000, 0, 1_000, 2_000, 3_170, 4_248, 6_629, 9_965, 13_288)
REVIEW_BELOW = 1_000  # a threshold for review must lie below the one for links


class ComparisonJson(TypedDict):
    """One set in the object of `--json`."""

    set: str
    targets: dict[str, float]
    ours: dict[str, object]
    splink: dict[str, object] | None


class ComparisonsJson(TypedDict):
    """The object of `--json`."""

    sets: list[ComparisonJson]
    missing: dict[str, str]
    missed: list[str]


def f1(figures: Mapping[str, object], measure: str) -> float:
    """The F1 of a measure among a tool's figures."""
    quality = figures[measure]
    assert isinstance(quality, Mapping)
    return float(quality["f1"])


@dataclass(frozen=True)
class SetComparison:
    """One set: the F1 and seconds of each tool, by name of the measure; `missed` are targets ours does not reach."""

    public_set: PublicSet
    ours: Mapping[str, object]
    splink: Mapping[str, object] | None

    @property
    def missed(self) -> tuple[str, ...]:
        """Sentences on what is below its target."""
        return tuple(
            f"{self.public_set.name}: F1 of {measure} is {f1(self.ours, measure):.4f}, target {target}"
            for measure, target in self.public_set.targets.items()
            if f1(self.ours, measure) < target
        )

    def as_json(self) -> ComparisonJson:
        """Both tools' figures and the targets."""
        return {
            "set": self.public_set.name,
            "targets": dict(self.public_set.targets),
            "ours": dict(self.ours),
            "splink": dict(self.splink) if self.splink else None,
        }


def run(
    *,
    only: Sequence[str] = (),
    with_splink: bool = True,
    report: Report,
    environ: Mapping[str, str] | None = None,
) -> ComparisonsJson:
    """Every set that is there, one after another: the object of `--json`. `only` names sets, by how they begin."""
    surroundings = os.environ if environ is None else environ
    found, missing = public_sets(surroundings)
    comparisons = []
    for public_set in found:
        if only and not public_set.name.startswith(tuple(only)):
            continue
        report(f"{public_set.name} …")
        comparisons.append(
            SetComparison(
                public_set,
                ours(public_set),
                _splink_figures(public_set, surroundings, report) if with_splink else None,
            )
        )
    for name, why in missing.items():
        report(f"{name} did not run: {why}")
    return {
        "sets": [comparison.as_json() for comparison in comparisons],
        "missing": missing,
        "missed": [text for comparison in comparisons for text in comparison.missed],
    }


def ours(public_set: PublicSet) -> dict[str, object]:
    """Our linker on one set, weights fitted on it without its truth."""
    reader = Reader(parse_map([public_set.columns]), Spellings(any_postcode=public_set.any_postcode))
    records = load(public_set.inputs, reader, truth=public_set.truth, link_only=public_set.link_only)
    clock, cpu = perf_counter(), process_time()
    model = fitted(records)
    trained, trained_cpu = perf_counter(), process_time()
    found = evaluate(records, model, shuffles=1)
    best = max((_at(records, model, link) for link in LINKS_TRIED), key=lambda quality: quality.f1)
    return {
        "pairs": _quality(found.default),
        "pairs_best": _quality(found.best),
        "clusters": _quality(found.clusters),
        "clusters_best": _quality(max(best, found.clusters, key=lambda quality: quality.f1)),
        "encode_cpu_s": records.encode_s,
        "train_s": trained - clock,
        "train_cpu_s": trained_cpu - cpu,
        "link_cpu_s": found.played.seconds,
        "records": len(records.rows),
        **{
            name: found.as_json()[name]
            for name in (
                "review",
                "records_per_s",
                "p50_ms",
                "p99_ms",
                "bytes_per_record",
                "distinct_partitions",
            )
        },
    }


def _at(records: Records, model: Model, link: int) -> PairQuality:
    """Clusters where pairs from `link` milli-bits are linked."""
    review = min(model.review, link - REVIEW_BELOW)
    graph = LinkGraph(replace(model, link=link, review=review))
    graph.load(
        {
            record.record: Member(tier_rank=1, encoded=encoded)
            for record, encoded in zip(records.rows, records.encoded, strict=True)
        }
    )
    partition = partition_of(graph, [record.record for record in records.rows])
    return pairwise(partition, records.truth, file_of=records.file_by_record)


def _splink_figures(public_set: PublicSet, environ: Mapping[str, str], report: Report) -> dict[str, object] | None:
    try:
        return dict(splink(SplinkRequest(public_set.kind, public_set.inputs, public_set.truth), environ))
    except TierlinkError as error:
        report(f"Splink did not run on {public_set.name}: {error}")
        return None


def show(console: Console, figures: ComparisonsJson) -> None:
    """Both tools side by side, then what is below its target."""
    table = Table(title="F1 (pairs and people; default threshold, and the best an oracle would set); CPU seconds")
    for heading in ("set", "tool", "pairs", "best", "people", "best", "training", "linking"):
        table.add_column(heading, justify="left" if heading in ("set", "tool") else "right")
    for comparison in figures["sets"]:
        for tool, found in (("ours", comparison["ours"]), ("splink", comparison["splink"])):
            if found:
                shares = [f"{f1(found, measure):.4f}" for measure in MEASURES]
                seconds = [f"{found[name]:.1f}" for name in ("train_cpu_s", "link_cpu_s")]
                table.add_row(comparison["set"], tool, *shares, *seconds)
        table.add_section()
    console.print(table)
    for text in figures["missed"]:
        console.print(f"below target: {text}")


def _quality(quality: PairQuality) -> dict[str, float]:
    return {"precision": quality.precision, "recall": quality.recall, "f1": quality.f1}
