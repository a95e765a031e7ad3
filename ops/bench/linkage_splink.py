"""Splink 5 on the same tables, at its best effort. Runs in an environment of its own (ops.bench.linkage_beside).

Settings that favour it: every field the set has, forename and surname compared together so that crossed names are
seen, term frequencies, and blocking as broad as ours. Figures are counted as ours are; seconds are processor
time of the process, with DuckDB's threads, and on the clock.
"""

import csv
import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow  # type: ignore[import-not-found, unused-ignore]  # only in Splink's own environment
import splink.comparison_library as compare  # type: ignore[import-not-found]  # likewise
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from linkage.evaluate import PairQuality, at_threshold, best_threshold, pairs_in_truth, pairwise

PROBABILITIES = (0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
LINK_AT = 0.95  # as our default: odds of 19 to 1
WEIGHT_MIN = -20
RANDOM_PAIRS = 1e6


@dataclass(frozen=True)
class Plan:
    """How one kind of table is linked. `sure` are rules for estimating how many pairs match, and `found` the share
    of matches they find; `trained_on` blocks of expectation maximisation.
    """

    comparisons: list[Any]
    blocks: list[Any]
    sure: list[Any]
    found: float
    trained_on: list[Any]
    frequencies_apart: bool = True
    birth_format: str = "%Y-%m-%d"
    names: tuple[str, str] = field(default=("given_name", "surname"))


def _febrl(*, with_id: bool) -> Plan:
    comparisons = [
        _names("given_name", "surname"),
        compare.DateOfBirthComparison(
            "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=False
        ),
        compare.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        compare.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        compare.JaroWinklerAtThresholds("address_1", [0.9, 0.7]),
        compare.JaroWinklerAtThresholds("suburb", [0.9, 0.7]).configure(term_frequency_adjustments=True),
    ]
    blocks = [
        block_on("date_of_birth"),
        block_on("given_name", "surname"),
        "l.given_name = r.surname and l.surname = r.given_name",
        block_on("postcode", "substr(surname,1,2)"),
        block_on("postcode", "substr(given_name,1,2)"),
        block_on("street_number", "substr(address_1,1,6)"),
        block_on("postcode", "substr(address_1,1,6)"),
        block_on("surname", "substr(date_of_birth,1,6)"),
        block_on("given_name", "substr(date_of_birth,1,6)"),
        block_on("suburb", "surname"),
    ]
    if with_id:
        comparisons.append(compare.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]))
        blocks.append(block_on("soc_sec_id"))
    sure = [block_on("given_name", "surname", "date_of_birth")]
    trained_on = [block_on("date_of_birth"), block_on("postcode")]
    return Plan(comparisons, blocks, sure, 0.8 if with_id else 0.45, trained_on)


def _fake() -> Plan:
    return Plan(
        comparisons=[
            _names("first_name", "surname"),
            compare.DateOfBirthComparison("dob", input_is_string=True),
            compare.ExactMatch("city").configure(term_frequency_adjustments=True),
            compare.EmailComparison("email"),
        ],
        blocks=[
            block_on("dob"),
            block_on("email"),
            block_on("first_name"),
            block_on("surname"),
            "l.first_name = r.surname",
            "l.surname = r.first_name",
            block_on("substr(email,1,7)"),
            block_on("substr(dob,1,4)", "city"),
        ],
        sure=[
            block_on("first_name", "dob"),
            "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
            "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2 and l.dob = r.dob",
            block_on("email"),
        ],
        found=0.7,
        trained_on=[block_on("first_name", "surname"), block_on("dob")],
        names=("first_name", "surname"),
    )


def _world() -> Plan:
    """The simulator's records as ops.bench.linkage_world exports them; NHS numbers are compared like any field."""
    return Plan(
        comparisons=[
            _names("given", "family"),
            compare.DateOfBirthComparison("birth_date", input_is_string=True),
            compare.PostcodeComparison("postcode"),
            compare.ExactMatch("house"),
            compare.ExactMatch("gender"),
            compare.ExactMatch("phone"),
            compare.EmailComparison("email"),
            compare.DamerauLevenshteinAtThresholds("nhs_number", [1]),
        ],
        blocks=[
            block_on("nhs_number"),
            block_on("birth_date", "substr(family,1,2)"),
            block_on("birth_date", "substr(given,1,2)"),
            block_on("postcode", "substr(family,1,3)"),
            block_on("postcode", "substr(given,1,3)"),
            block_on("given", "family", "substr(birth_date,1,4)"),
            block_on("phone"),
            block_on("email"),
            "l.given = r.family and l.family = r.given and l.birth_date = r.birth_date",
        ],
        sure=[block_on("nhs_number")],
        found=0.7,
        trained_on=[block_on("birth_date", "family"), block_on("nhs_number"), block_on("postcode", "given")],
        names=("given", "family"),
    )


PLANS = {
    "febrl4": lambda: _febrl(with_id=False),
    "febrl4_id": lambda: _febrl(with_id=True),
    "febrl3": lambda: _febrl(with_id=False),
    "fake": _fake,
    "world": _world,
}


def work(kind: str, truth: str, inputs: list[Path], partition_to: Path | None = None) -> dict[str, Any]:
    """Link the tables by the plan of their kind and count. With `partition_to`, "record,cluster" at the default
    threshold is written there, records named as ours: by row, after the number of the file where there are two.
    """
    plan = PLANS[kind]()
    files = [_rows(path, number, len(inputs), plan) for number, path in enumerate(inputs, start=1)]
    person_of = {row["record"]: row[truth] for rows in files for row in rows}
    file_of = {row["record"]: row["file"] for rows in files for row in rows} if len(files) > 1 else None
    clock, cpu = time.perf_counter(), time.process_time()
    linker = _linker(plan, files)
    _train(plan, linker)
    trained, trained_cpu = time.perf_counter(), time.process_time()
    predicted = linker.inference.predict(threshold_match_weight=WEIGHT_MIN)
    pairs = predicted.as_duckdbpyrelation().select("record_l, record_r, match_weight").fetchall()
    clusters = _clusters(linker, predicted, LINK_AT)
    linked, linked_cpu = time.perf_counter(), time.process_time()
    real = pairs_in_truth(person_of, file_of=file_of)
    scored = [(round(1000 * weight), person_of[a] == person_of[b]) for a, b, weight in pairs]
    tried = {
        at: pairwise(_clusters(linker, predicted, at), person_of, file_of=file_of) for at in PROBABILITIES
    }
    if partition_to is not None:
        with partition_to.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(sorted(clusters.items()))
    return {
        "pairs": _quality(at_threshold(scored, 4_248, real=real)),  # 1000 log2(0.95 / 0.05)
        "pairs_best": _quality(best_threshold(scored, real=real)[1]),
        "clusters": _quality(tried[LINK_AT]),
        "clusters_best": _quality(max(tried.values(), key=lambda one: one.f1)),
        "train_s": trained - clock,
        "link_s": linked - trained,
        "train_cpu_s": trained_cpu - cpu,
        "link_cpu_s": linked_cpu - trained_cpu,
        "records": len(person_of),
    }


def _names(given: str, family: str) -> Any:
    return compare.ForenameSurnameComparison(given, family, forename_surname_concat_col_name="both_names")


def _rows(path: Path, number: int, files: int, plan: Plan) -> list[dict[str, Any]]:
    """The rows with an empty cell as nothing, named as ours are."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows: list[dict[str, Any]] = [
            {name: cell.strip() or None for name, cell in row.items()}
            for row in csv.DictReader(file, skipinitialspace=True)
        ]
    given, family = plan.names
    for at, row in enumerate(rows, start=1):
        row["record"] = f"{number}/{at}" if files > 1 else str(at)
        row["file"] = str(number)
        row["both_names"] = f"{row[given]} {row[family]}" if row[given] and row[family] else None
    return rows


def _linker(plan: Plan, files: list[list[dict[str, Any]]]) -> Any:
    settings = SettingsCreator(
        unique_id_column_name="record",
        link_type="link_only" if len(files) > 1 else "dedupe_only",
        blocking_rules_to_generate_predictions=plan.blocks,
        comparisons=plan.comparisons,
    )
    database = DuckDBAPI()
    tables = [database.register(pyarrow.Table.from_pylist(rows)) for rows in files]
    return Linker(tables if len(tables) > 1 else tables[0], settings)


def _train(plan: Plan, linker: Any) -> None:
    linker.training.estimate_probability_two_random_records_match(plan.sure, recall=plan.found)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for block in plan.trained_on:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block, estimate_without_term_frequencies=plan.frequencies_apart
        )


def _clusters(linker: Any, predicted: Any, probability: float) -> dict[str, str]:
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=probability
    )
    return dict(_texts(found.as_duckdbpyrelation().select("record, cluster_id").fetchall()))


def _texts(rows: list[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    return ((str(record), str(cluster)) for record, cluster in rows)


def _quality(quality: PairQuality) -> dict[str, float]:
    return {"precision": quality.precision, "recall": quality.recall, "f1": quality.f1}


def main(asked: dict[str, Any]) -> None:
    """Answer one question of ops.bench.linkage_beside with one line, the last."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    written = asked.get("partition_to")
    inputs = [Path(one) for one in asked["inputs"]]
    found = work(asked["kind"], asked["truth"], inputs, partition_to=Path(written) if written else None)
    print(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
