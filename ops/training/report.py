"""What `tierlink linkage evaluate` shows to a person."""

from rich.console import Console
from rich.table import Table

from linkage.evaluate import PairQuality
from ops.training.evaluation import Evaluation


def show(console: Console, found: Evaluation) -> None:
    """Quality in a table, then cost, order and calibration in a line each."""
    table = Table(title=f"{len(found.records.told):,} records, model: {found.model.name}")
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
        f"{len(found.records.told) / max(found.records.encode_s, 1e-9):,.0f} a second"
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
