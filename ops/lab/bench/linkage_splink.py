"""Splink 5 on the same tables, at its best effort. Runs in an environment of its own (ops.lab.bench.splink_process).

Settings that favour it: every field the set has, forename and surname compared together so that crossed names are
seen, term frequencies, and blocking as broad as ours. Figures are counted as ours are; seconds are processor
time of the process, with DuckDB's threads, and on the clock.
"""

import csv
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow  # type: ignore[import-not-found, import-untyped, unused-ignore]  # only in Splink's own environment
from splink import DuckDBAPI, Linker, SettingsCreator  # type: ignore[import-not-found]  # likewise

from linkage.evaluate import PairQuality, at_threshold, best_threshold, pairs_in_truth, pairwise
from ops.lab.bench.linkage_splink_plans import LINK_AT, PLANS, SplinkPlan

WEIGHT_MIN = -20
RANDOM_PAIRS = 1e6

Rows = list[dict[str, str | None]]  # None: a cell without text


def work(kind: str, truth: str, inputs: list[Path], partition_to: Path | None = None) -> dict[str, object]:
    """Link the tables by the plan of their kind and count. With `partition_to`, a table is written there: a
    line for each record, its cluster at each threshold of the plan. Records are named as ours: by row, after the number
    of the file where there are two.
    """
    plan = PLANS[kind]()
    files = [_rows(path, number, len(inputs), plan) for number, path in enumerate(inputs, start=1)]
    person_of = {str(row["record"]): str(row[truth]) for rows in files for row in rows}
    file_of = {str(row["record"]): str(row["file"]) for rows in files for row in rows} if len(files) > 1 else None
    clock, cpu = time.perf_counter(), time.process_time()
    linker = _linker(plan, files)
    _train(plan, linker)
    trained, trained_cpu = time.perf_counter(), time.process_time()
    predicted = linker.inference.predict(threshold_match_weight=WEIGHT_MIN)
    pairs = predicted.as_duckdbpyrelation().select("record_l, record_r, match_weight").fetchall()
    partitions = {LINK_AT: _clusters(plan, linker, predicted, LINK_AT)}
    linked, linked_cpu = time.perf_counter(), time.process_time()
    real = pairs_in_truth(person_of, file_of=file_of)
    scored = [(round(1000 * weight), person_of[a] == person_of[b]) for a, b, weight in pairs]
    for at in plan.thresholds:
        partitions[at] = partitions.get(at) or _clusters(plan, linker, predicted, at)
    tried = {at: pairwise(found, person_of, file_of=file_of) for at, found in partitions.items()}
    if partition_to is not None:
        _write(partition_to, partitions)
    return {
        "pairs": _quality(at_threshold(scored, 4_248, real=real)),  # 1000 log2(0.95 / 0.05)
        "pairs_best": _quality(best_threshold(scored, real=real)[1]),
        "clusters": _quality(tried[LINK_AT]),
        "clusters_best": _quality(max(tried.values(), key=lambda quality: quality.f1)),
        "train_s": trained - clock,
        "link_s": linked - trained,
        "train_cpu_s": trained_cpu - cpu,
        "link_cpu_s": linked_cpu - trained_cpu,
        "records": len(person_of),
    }


def _write(path: Path, partitions: Mapping[float, Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["record", *partitions])
        for record in partitions[LINK_AT]:
            table.writerow([record, *(partitions[at][record] for at in partitions)])


def _rows(path: Path, number: int, files: int, plan: SplinkPlan) -> Rows:
    """The rows with an empty cell as nothing, named as ours are."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows: Rows = [
            {name: cell.strip() or None for name, cell in row.items()}
            for row in csv.DictReader(file, skipinitialspace=True)
        ]
    given, family = plan.names
    for at, row in enumerate(rows, start=1):
        row["record"] = f"{number}/{at}" if files > 1 else str(at)
        row["file"] = str(number)
        row["both_names"] = f"{row[given]} {row[family]}" if row[given] and row[family] else None
    return rows


def _by_source(rows: Rows) -> dict[str, Rows]:
    """A table for each source, by its name with nothing that SQL would take for an operator."""
    tables: dict[str, Rows] = {}
    for row in rows:
        tables.setdefault(str(row["source"]).replace("-", "_"), []).append(row)
    return tables


def _linker(plan: SplinkPlan, files: list[Rows]) -> Linker:
    tables = _by_source(files[0]) if plan.one_each else {f"file_{rows[0]['file']}": rows for rows in files}
    link_type = "link_and_dedupe" if plan.one_each else "link_only" if len(files) > 1 else "dedupe_only"
    settings = SettingsCreator(
        unique_id_column_name="record",
        link_type=link_type,
        blocking_rules_to_generate_predictions=plan.blocks,
        comparisons=plan.comparisons,
    )
    database = DuckDBAPI()
    registered = [
        database.register(pyarrow.Table.from_pylist(rows), dataset_display_name=name) for name, rows in tables.items()
    ]
    return Linker(registered if len(registered) > 1 else registered[0], settings)


def _train(plan: SplinkPlan, linker: Linker) -> None:
    linker.training.estimate_probability_two_random_records_match(plan.sure, recall=plan.found)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for block in plan.trained_on:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block, estimate_without_term_frequencies=plan.frequencies_apart
        )


def _clusters(plan: SplinkPlan, linker: Linker, predicted: object, probability: float) -> dict[str, str]:
    if plan.one_each:
        found = linker.clustering.cluster_using_single_best_links(
            predicted, list(plan.one_each), threshold_match_probability=probability
        )
    else:
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=probability
        )
    return dict(_texts(found.as_duckdbpyrelation().select("record, cluster_id").fetchall()))


def _texts(rows: list[tuple[object, object]]) -> Iterator[tuple[str, str]]:
    return ((str(record), str(cluster)) for record, cluster in rows)


def _quality(quality: PairQuality) -> dict[str, float]:
    return {"precision": quality.precision, "recall": quality.recall, "f1": quality.f1}


def main(*, kind: str, truth: str, inputs: list[str], partition_to: str | None) -> None:
    """Answer one request of ops.lab.bench.splink_process with one line, the last."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    paths = [Path(path) for path in inputs]
    print(json.dumps(work(kind, truth, paths, Path(partition_to) if partition_to else None)))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
