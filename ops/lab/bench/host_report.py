"""What `tierlink bench host` shows to a person: the contenders side by side, or one host taken apart."""

from rich.console import Console
from rich.table import Table

from ops.lab.bench.host import Figures, events_of
from ops.lab.bench.host_sampling import Spent

SHOWN_US_MIN = 0.005


def show(console: Console, figures: Figures) -> None:
    """A table of the medians; for a profile, where the microseconds went."""
    table = Table(title=f"one hop, median of {figures.bench.rounds}")
    for heading in ("", "events/s", "host is", "CPU us/event", "events", "state records"):
        table.add_column(heading, justify="right")
    for name, runs in figures.runs.items():
        table.add_row(
            name,
            _number(figures.events_per_s(name), ",.0f"),
            _number(figures.ratio_of(name), ".2f") + " x",
            _number(figures.cpu_us(name), ".1f"),
            f"{events_of(name, figures.bench.events):,}",
            f"{runs[-1].state_records:,}",
        )
    console.print(table)
    for name, why in figures.missing.items():
        console.print(f"{name} did not run: {why}")
    for run in figures.runs.get("host", ()):
        if run.spent is not None:
            _show_spent(console, run.spent, figures.bench.events)


def _show_spent(console: Console, spent: Spent, events: int) -> None:
    table = Table(title=f"CPU microseconds a message, all threads ({spent.looks:,} looks)")
    for heading in ("part", "us/event"):
        table.add_column(heading, justify="right")
    for kind in (spent.parts, spent.places):
        for name, seconds in sorted(kind.items(), key=lambda row: -row[1]):
            if (us := seconds / events * 1e6) >= SHOWN_US_MIN:
                table.add_row(name, f"{us:.2f}")
        table.add_section()
    table.add_row("all", f"{sum(spent.parts.values()) / events * 1e6:.2f}")
    console.print(table)


def _number(figure: float | None, form: str) -> str:
    return "-" if figure is None else format(figure, form)
