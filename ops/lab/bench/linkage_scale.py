"""One graph growing to a million records of simulated people: what a record costs at each power of ten.

The people come in towns of TOWN, each of its own seed, all of one county's names and birth dates; nobody is copied, so
blocks of names and dates grow as they would. Each town has postcodes and NHS numbers of its own: 600,000 people in
treatment live all over a country, not every third person of one county, and the test range has a million numbers.
Encoding is timed apart. What a record costs at two sizes is measured minutes apart, on a machine others may share:
so one town is put into an empty graph before and after each window, and costs are compared in units of that. Memory is
what the process grew by, the encoded identities included; towns are forgotten once put.
"""

import gc
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import TypedDict

from linkage.cluster import LinkGraph, Member
from linkage.model import Model
from linkage.normalise import normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode
from ops.lab import Report
from ops.lab.bench.linkage_world import TIER_RANK, LinkageWorld, WorldRecord
from ops.lab.simulator.population import Region
from ops.runtime.model_files import model_of
from ops.training.playing import quantile

TOWN = 5_000  # people; some 8,000 records: forgotten before the next, so that they are no memory of the graph's
LETTERS = "ABDEFGHJLNPQRSTUWYZ"
FIRST_RANGE, RANGES = 720, 200  # NHS numbers from 720 on are not issued
SIZES = (10_000, 100_000, 1_000_000)
WINDOW = 10_000  # the last records before each size: what they cost is what a record costs at that size
TARGETS = {"records_per_s": 10_000, "p99_ms": 5.0, "bytes_per_record": 4_000, "encoded_per_s": 3_000}
# heading, field of Size, form
COLUMNS = (
    ("records", "records", ",d"),
    ("records/s", "records_per_s", ",.0f"),
    ("us", "us", ".1f"),
    ("pace us", "pace_us", ".1f"),
    ("p50 ms", "p50_ms", ".3f"),
    ("p99 ms", "p99_ms", ".3f"),
    ("p99 CPU ms", "p99_cpu_ms", ".3f"),
    ("max ms", "max_ms", ".2f"),
    ("B/record", "bytes_per_record", ",.0f"),
)
Put = tuple[str, Member]


@dataclass(frozen=True)
class Size:
    """What a record cost when there were so many, over the last WINDOW records.

    `us` and `records_per_s` are CPU time; `p50_ms` and `p99_ms` are by the clock, which on a busy machine counts
    others' work too: `p99_cpu_ms` does not. `pace_us` is what a record of one town cost alone, at that time.
    `bytes_per_record` is by the growth of the process.
    """

    records: int
    us: float
    pace_us: float
    records_per_s: float
    p50_ms: float
    p99_ms: float
    p99_cpu_ms: float
    max_ms: float
    bytes_per_record: float
    encoded_per_s: float


class ScaleJson(TypedDict):
    """The object of `--json`; the keys of a size are the fields of Size."""

    sizes: list[dict[str, float]]
    cost_ratios: list[dict[str, float]]
    missed: list[str]


@dataclass
class _Window:
    """Times of the last records put."""

    cpu_s: list[float] = field(default_factory=list)
    clock_s: list[float] = field(default_factory=list)

    @property
    def us(self) -> float:
        """CPU time of a record."""
        return sum(self.cpu_s) / len(self.cpu_s) * 1e6

    def clear(self) -> None:
        self.cpu_s, self.clock_s = [], []


@dataclass
class _Encoding:
    """What encoding took, apart from linking."""

    records: int = 0
    cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        return self.records / self.cpu_s

    def of(self, town: Sequence[WorldRecord], keys: TokenKeys) -> list[Put]:
        """Records ready to be put; identities are packed anew, as they come from a topic."""
        begun = process_time()
        encoded = [encode(normalise(record.identity), keys=keys) for record in town]
        self.cpu_s += process_time() - begun
        self.records += len(town)
        packed = (EncodedIdentity.from_bytes(identity.to_bytes()) for identity in encoded)
        return [
            (record.record_id, Member(tier_rank=TIER_RANK[record.tier], encoded=identity))
            for record, identity in zip(town, packed, strict=True)
        ]


def run(*, sizes: Sequence[int] = SIZES, seed: int = 1, town: int = TOWN, report: Report) -> ScaleJson:
    """Grow one graph to the last of the rising `sizes`; the object of `--json`: figures at each, cost ratios and
    missed targets.
    """
    found = list(_grown(sizes, _Towns(seed, town), report=report))
    return {
        "sizes": [asdict(size) for size in found],
        "cost_ratios": cost_ratios(found),
        "missed": missed(found),
    }


def sizes_to(records: int) -> tuple[int, ...]:
    """The powers of ten that are measured on the way to `records`, and `records`."""
    return (*(size for size in SIZES if size < records), records)


def cost_ratios(sizes: Sequence[Size]) -> list[dict[str, float]]:
    """How the cost of a record grew from each size to the next, in units of the pace at each, and how the logarithm
    of the size did. The last is over all sizes, from the smallest to the largest.
    """
    steps = list(pairwise(sizes))
    return [_ratio(*pair) for pair in (*steps, *([(sizes[0], sizes[-1])] if len(steps) > 1 else ()))]


def _ratio(small: Size, large: Size) -> dict[str, float]:
    return {
        "from": small.records,
        "to": large.records,
        "cost": round((large.us / large.pace_us) / (small.us / small.pace_us), 3),
        "log": round(math.log(large.records) / math.log(small.records), 3),
    }


def missed(sizes: Sequence[Size]) -> list[str]:
    """Sentences on what the largest size does not reach, and on a cost that over all grew faster than the logarithm."""
    last = asdict(sizes[-1])
    texts = [
        f"{name} is {last[name]:.4g} at {last['records']:,} records, target {target:,}"
        for name, target in TARGETS.items()
        if (last[name] < target if name.endswith("_per_s") else last[name] > target)
    ]
    return texts + [
        f"cost grew by {ratio['cost']} from {ratio['from']:,} to {ratio['to']:,} records, log n by {ratio['log']}"
        for ratio in cost_ratios(sizes)[-1:]
        if ratio["cost"] > ratio["log"]
    ]


def show(report: Report, figures: ScaleJson) -> None:
    """A line for each size and each ratio."""
    report("".join(f"{heading:>11}" for heading, _, _ in COLUMNS))
    for size in figures["sizes"]:
        report("".join(f"{size[name]:>11{form}}" for _, name, form in COLUMNS))
    for ratio in figures["cost_ratios"]:
        report(f"{ratio['from']:,} to {ratio['to']:,}: cost x {ratio['cost']}, log n x {ratio['log']}")
    report(f"encoding: {figures['sizes'][-1]['encoded_per_s']:,.0f} identities a second")
    for text in figures["missed"]:
        report(f"below target: {text}")


def _grown(sizes: Sequence[int], towns: "_Towns", *, report: Report) -> Iterator[Size]:
    keys = TokenKeys.from_bytes(random.Random(towns.seed).randbytes(32), epoch=1)
    model = model_of(None)
    pace = _MachinePace(model, _Encoding().of(towns.number(-1), keys))
    pace.us()  # what a process needs once is not counted as a record's
    graph, window, encoding, before_us = LinkGraph(model), _Window(), _Encoding(), 0.0
    begun_bytes, goals = rss_bytes(), list(sizes)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for town in towns:
            for put in encoding.of(town, keys):
                if len(graph) == goals[0] - min(WINDOW, goals[0]):
                    before_us = pace.us()
                    window.clear()
                _put(graph, put, window)
                if len(graph) == goals[0]:
                    grown_bytes = rss_bytes() - begun_bytes
                    pace_us = (before_us + pace.us()) / 2
                    size = _size(graph, window, grown_bytes, encoding.per_s, pace_us)
                    report(f"{size.records:,} records: {size.records_per_s:,.0f} a second")
                    yield size
                    goals.pop(0)
                    if not goals:
                        return
    finally:
        gc.enable()
        gc.unfreeze()


@dataclass(frozen=True)
class _MachinePace:
    """How fast the machine links just now."""

    model: Model
    town: Sequence[Put]

    def us(self) -> float:
        """CPU time of a record of the town, all put into an empty graph and forgotten."""
        graph, window = LinkGraph(self.model), _Window()
        for put in self.town:
            _put(graph, put, window)
        return window.us


def region_of(town: int) -> Region:
    """The NHS numbers and the postcodes of a town."""
    first, second = divmod(town % RANGES, len(LETTERS))
    return Region(str(FIRST_RANGE + town % RANGES), LETTERS[first] + LETTERS[second])


@dataclass(frozen=True)
class _Towns:
    """Towns without end, each of its own people."""

    seed: int
    people: int

    def number(self, number: int) -> Sequence[WorldRecord]:
        return LinkageWorld.of(self.people, seed=10_000 * self.seed + number, region=region_of(number)).records

    def __iter__(self) -> Iterator[Sequence[WorldRecord]]:
        return map(self.number, count())


def _put(graph: LinkGraph, put: Put, window: _Window) -> None:
    record, member = put
    cpu, clock = process_time(), perf_counter()
    for touched in graph.put(record, member):
        graph.answer(touched)
    window.clock_s.append(perf_counter() - clock)
    window.cpu_s.append(process_time() - cpu)


def _size(graph: LinkGraph, window: _Window, grown_bytes: int, encoded_per_s: float, pace_us: float) -> Size:
    took, cpu, records = sorted(window.clock_s), sorted(window.cpu_s), len(graph)
    return Size(
        records=records,
        us=window.us,
        pace_us=pace_us,
        records_per_s=1e6 / window.us,
        p50_ms=1000 * quantile(took, 0.5),
        p99_ms=1000 * quantile(took, 0.99),
        p99_cpu_ms=1000 * quantile(cpu, 0.99),
        max_ms=1000 * took[-1],
        bytes_per_record=grown_bytes / records,
        encoded_per_s=encoded_per_s,
    )


def rss_bytes() -> int:
    """Memory of this process that is in use. Linux only."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
