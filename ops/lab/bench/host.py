"""`tierlink bench host`: one hop, every contender on the same input in one run, the median of the rounds.

A round is each contender once; the order turns from round to round, so that nobody is always first on a cold
broker. The clock runs from the first message in hand to the last commit, seen from outside. What a contender
has left on the broker is counted before its figure counts.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from ops.errors import MissingTool, SettingsError
from ops.lab import Report
from ops.lab.bench.hop_topics import PARTITIONS, HopTopics
from ops.lab.bench.host_hop import Hop
from ops.lab.bench.host_running import Clocked, run_once, this_python
from ops.lab.bench.host_sampling import Spent
from ops.lab.bench.throwaway_environment import ThrowawayEnvironment
from ops.local.broker.embedded import EmbeddedBroker

MODULES: Mapping[str, str] = {
    "host": "host_ours",
    "stock": "host_stock",
    "bare": "host_bare",
    "aiokafka": "host_aiokafka",
    "quix": "host_quix",
}
QUIX_VERSION = "3.28.1"
QUIX = ThrowawayEnvironment(f"quixstreams-{QUIX_VERSION}", (f"quixstreams=={QUIX_VERSION}",))
STOCK_EVENTS_MAX = 20_000  # it needs twenty times as long for each
US_MIN = 0.005


@dataclass(frozen=True, kw_only=True)
class HostBench:
    """What to run. `contenders` are names of MODULES; `directory` is where broker and logs live meanwhile."""

    events: int = 200_000
    rounds: int = 5
    contenders: Sequence[str] = tuple(MODULES)
    directory: Path = Path(".tierlink")
    profile: bool = False


@dataclass
class Figures:
    """What was measured, by contender, and why one is missing."""

    bench: HostBench
    runs: dict[str, list[Clocked]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def events_per_s(self, name: str) -> float | None:
        """Median over the rounds; None for who did not run."""
        return median(run.events_per_s for run in self.runs[name]) if self.runs.get(name) else None

    def cpu_us(self, name: str) -> float | None:
        """Median CPU microseconds a message of the contender's process."""
        used = [run.cpu_us for run in self.runs.get(name, ()) if run.cpu_us is not None]
        return median(used) if used else None

    def ratio_of(self, contender: str) -> float | None:
        """Our host's speed over the other's."""
        ours, theirs = self.events_per_s("host"), self.events_per_s(contender)
        return None if ours is None or theirs is None else ours / theirs

    def as_json(self) -> dict[str, object]:
        """One flat object; null for what was not measured, with the reason in `missing`."""
        speeds = {f"{name}_events_per_s": _rounded(self.events_per_s(name), 0) for name in MODULES}
        ratios = {f"ratio_of_{name}": _rounded(self.ratio_of(name), 2) for name in ("bare", "stock", "quix")}
        return {
            **speeds,
            **ratios,
            "rounds": self.bench.rounds,
            "events": self.bench.events,
            "stock_events": events_of("stock", self.bench.events),
            "cpu_us_per_event": {name: _rounded(self.cpu_us(name), 1) for name in self.runs},
            "state_records": {name: runs[-1].state_records for name, runs in self.runs.items() if runs},
            "all_events_per_s": {name: [round(run.events_per_s) for run in runs] for name, runs in self.runs.items()},
            "missing": self.missing,
            **self._profile(),
        }

    def _profile(self) -> dict[str, object]:
        """CPU microseconds a message by part, when our host was sampled."""
        spent = next((run.spent for run in self.runs.get("host", ()) if run.spent), None)
        if spent is None:
            return {}
        return {"profile": {part: round(s / self.bench.events * 1e6, 2) for part, s in spent.parts.items()}}


def run(bench: HostBench, *, report: Report) -> Figures:
    """`measure` on a broker of its own. Raises Disqualified, BrokerError, MissingTool, SettingsError."""
    bench.directory.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-host-", dir=bench.directory) as scratch,
        EmbeddedBroker(Path(scratch, "broker")) as broker,
    ):
        return measure(bench, broker.bootstrap, scratch=Path(scratch).resolve(), report=report)


def measure(bench: HostBench, bootstrap: str, *, scratch: Path, report: Report) -> Figures:
    """Every contender has run in every round, and what it left on the broker was the whole work.

    Raises Disqualified, SettingsError, KafkaError. Of the topics only the inputs stay.
    """
    if unknown := set(bench.contenders) - set(MODULES):
        raise SettingsError(f"--only: no contender {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    figures = Figures(bench)
    pythons = dict(_pythons(bench.contenders, figures.missing))
    topics = HopTopics(bootstrap)
    try:
        _rounds(figures, topics, pythons, scratch=scratch, report=report)
    finally:
        topics.close()
    return figures


def turned(names: Sequence[str], by: int) -> list[str]:
    """The order of one round.

    >>> turned(["a", "b", "c"], 4)
    ['b', 'c', 'a']
    """
    at = by % len(names) if names else 0
    return [*names[at:], *names[:at]]


def events_of(name: str, events: int) -> int:
    """How many messages a contender gets: all, but the stock agent at most 20,000."""
    return min(events, STOCK_EVENTS_MAX) if name == "stock" else events


def _rounds(figures: Figures, topics: HopTopics, pythons: Mapping[str, Path], *, scratch: Path, report: Report) -> None:
    bench = figures.bench
    sizes = {events_of(name, bench.events) for name in pythons}
    report(f"writing the input: {' and '.join(f'{size:,}' for size in sorted(sizes))} messages of 1 kB")
    for size in sizes:
        topics.fill(f"input-{size}", size)
    for number in range(bench.rounds):
        for name in turned(list(pythons), number):
            size = events_of(name, bench.events)
            hop = Hop(
                name=f"{name}-{number}",
                bootstrap=topics.bootstrap,
                reads=f"input-{size}",
                partitions=PARTITIONS,
                events=size,
                directory=str(scratch / f"{name}-{number}"),
                profile=bench.profile and name == "host",
            )
            clocked = run_once(topics, hop, MODULES[name], python=pythons[name])
            figures.runs.setdefault(name, []).append(clocked)
            report(f"round {number + 1}: {name:9} {clocked.events_per_s:>9,.0f} events/s")


def _pythons(names: Sequence[str], missing: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """Who can run, with its Python; who cannot is in `missing`."""
    for name in names:
        if name != "quix":
            yield name, this_python()
            continue
        try:
            yield name, QUIX.python(os.environ)
        except MissingTool as error:
            missing[name] = str(error)


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(figure, digits)


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
    table = Table(title=f"CPU microseconds a message, all threads ({spent.samples:,} samples)")
    for heading in ("part", "us/event"):
        table.add_column(heading, justify="right")
    for kind in (spent.parts, spent.places):
        for name, seconds in sorted(kind.items(), key=lambda row: -row[1]):
            if (us := seconds / events * 1e6) >= US_MIN:
                table.add_row(name, f"{us:.2f}")
        table.add_section()
    table.add_row("all", f"{sum(spent.parts.values()) / events * 1e6:.2f}")
    console.print(table)


def _number(figure: float | None, form: str) -> str:
    return "-" if figure is None else format(figure, form)
