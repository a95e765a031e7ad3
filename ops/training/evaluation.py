"""How well, how surely and how fast the linker links records whose truth is known."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from linkage.evaluate import PairQuality, at_threshold, best_threshold, pairs_in_truth, pairwise
from linkage.model import Model, weigh
from ops.errors import SettingsError
from ops.training.playing import Played, bytes_per_record, digest, partitions, play
from ops.training.records import Records

DIGITS = 6  # of a share: one pair in a million


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    `clusters` is the linker's partition, rules and all. `default` and `best` judge weights alone, pair by pair, at
    the model's threshold and at the one an oracle would set (`threshold`, milli-bits). `claimed_false` is how many
    of the pairs linked by default the model itself expects to be wrong. `review` counts pairs held for a person.
    """

    model: Model
    records: Records
    played: Played
    clusters: PairQuality
    default: PairQuality
    best: PairQuality
    threshold: int | None
    claimed_false: float
    bytes_per_record: float
    distinct_partitions: int

    def as_json(self) -> dict[str, object]:
        """The object of `--json`."""
        return {
            "records": len(self.records.rows),
            "clusters": _shares(self.clusters),
            "pairs": {
                "default": _shares(self.default),
                "best": _shares(self.best) | {"threshold": None if self.threshold is None else self.threshold / 1000},
            },
            "review": self.played.review,
            "records_per_s": round(len(self.records.rows) / max(self.played.seconds, 1e-9)),
            "p50_ms": round(self.played.p50_ms, 3),
            "p99_ms": round(self.played.p99_ms, 3),
            "bytes_per_record": round(self.bytes_per_record),
            "claimed_false": round(self.claimed_false, 2),
            "actual_false": self.default.false,
            "distinct_partitions": self.distinct_partitions,
        }


def evaluate(records: Records, model: Model, *, shuffles: int) -> Evaluation:
    """Link the records, in the order they stand in and in `shuffles` others. Raises SettingsError where no record has
    a truth to judge by.
    """
    truth, file_of = records.truth, records.file_by_record
    if not truth:
        raise SettingsError("--truth: every cell of the column is empty")
    real = pairs_in_truth(truth, file_of=file_of)
    scored = _scored(records, model)
    threshold, best = best_threshold(scored, real=real)
    played = play(records, model)
    return Evaluation(
        model=model,
        records=records,
        played=played,
        clusters=pairwise(played.partition, truth, file_of=file_of),
        default=at_threshold(scored, model.link, real=real),
        best=best,
        threshold=threshold,
        claimed_false=sum(chance_of_error(bits) for bits, _ in scored if bits >= model.link),
        bytes_per_record=bytes_per_record(records, model),
        distinct_partitions=len({digest(played.partition)} | partitions(records, model, shuffles=shuffles)),
    )


def chance_of_error(bits: int) -> float:
    """The model's own chance that a pair of this weight, in milli-bits, is two people."""
    return 1 / (1 + 2.0 ** min(bits / 1000, 1000))


def _scored(records: Records, model: Model) -> list[tuple[int, bool]]:
    """(milli-bits, whether one person) of every candidate whose truth is known."""
    rows = records.rows
    return [
        (weigh(model, at).bits, rows[a].truth == rows[b].truth)
        for (a, b), at in records.candidates
        if rows[a].truth and rows[b].truth
    ]


def _shares(quality: PairQuality) -> dict[str, float]:
    return {
        "precision": round(quality.precision, DIGITS),
        "recall": round(quality.recall, DIGITS),
        "f1": round(quality.f1, DIGITS),
    }


def show(console: Console, found: Evaluation) -> None:
    """Quality in a table, then cost, order and calibration in a line each."""
    table = Table(title=f"{len(found.records.rows):,} records, model: {found.model.name}")
    for heading in ("", "precision", "recall", "F1", "false", "missed"):
        table.add_column(heading, justify="right")
    best = "-" if found.threshold is None else f"{found.threshold / 1000:.2f} bits"
    _row(table, "people (clusters)", found.clusters)
    _row(table, f"pairs from {found.model.link / 1000:.2f} bits", found.default)
    _row(table, f"pairs, best: {best}", found.best)
    console.print(table)
    figures = found.as_json()
    console.print(
        f"{found.played.review:,} pairs held for a person; linked by weight and false: "
        f"{found.claimed_false:.1f} expected, {found.default.false} found"
    )
    console.print(
        f"{figures['records_per_s']:,} records/s, p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, "
        f"{figures['bytes_per_record']:,} bytes a record; encoding "
        f"{len(found.records.rows) / max(found.records.encode_s, 1e-9):,.0f} a second"
    )
    console.print(f"{found.distinct_partitions} distinct partition(s) over the orders tried")


def _row(table: Table, name: str, quality: PairQuality) -> None:
    table.add_row(
        name,
        f"{quality.precision:.4f}",
        f"{quality.recall:.4f}",
        f"{quality.f1:.4f}",
        f"{quality.false:,}",
        f"{quality.missed:,}",
    )
