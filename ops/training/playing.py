"""Records put into the link graph one after another: how fast, how large, and what partition comes out."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from time import perf_counter, process_time

from linkage.cluster import LinkGraph, Member
from linkage.model import Model
from linkage.tokens import EncodedIdentity
from ops.training.records import Records

AGAIN_SHARE = 0.1  # of the records, which a shuffle brings twice
WEIGHED_MAX = 20_000  # records whose memory is counted: tracing makes it three times as slow

Put = tuple[str, Member]


@dataclass(frozen=True)
class Played:
    """What one play showed. Seconds are CPU time of putting and answering; milliseconds are on the clock."""

    partition: dict[str, str]
    seconds: float
    p50_ms: float
    p99_ms: float
    review: int


def play(records: Records, model: Model) -> Played:
    """Every record put, in the order of the files, and every answer it touched read at once, as the engine does."""
    graph, took = LinkGraph(model), []
    puts = list(_puts(records.encoded, records))
    with _undisturbed():
        begun = process_time()
        for record, member in puts:
            at = perf_counter()
            for touched in graph.put(record, member):
                graph.answer(touched)
            took.append(perf_counter() - at)
        seconds = process_time() - begun
    names = [record for record, _ in puts]
    took.sort()
    return Played(
        partition=partition_of(graph, names),
        seconds=seconds,
        p50_ms=1000 * quantile(took, 0.5),
        p99_ms=1000 * quantile(took, 0.99),
        review=len(graph.reviews(names)),
    )


def partition_of(graph: LinkGraph, records: Sequence[str]) -> dict[str, str]:
    """Record → its person, named by the person's anchor."""
    return {record: graph.answer(record).anchor for record in records}


def partitions(records: Records, model: Model, *, shuffles: int) -> set[str]:
    """Digests of the partitions that so many other orders give, each with a tenth of the records twice."""
    found = set()
    for seed in range(shuffles):
        rng, graph = Random(seed), LinkGraph(model)
        puts = list(_puts(records.encoded, records))
        puts += rng.sample(puts, int(AGAIN_SHARE * len(puts)))
        rng.shuffle(puts)
        with _undisturbed():
            for record, member in puts:
                graph.put(record, member)
        found.add(digest(partition_of(graph, [row.record for row in records.rows])))
    return found


def digest(partition: dict[str, str]) -> str:
    """Equal partitions, equal digests."""
    return sha256(repr(sorted(partition.items())).encode()).hexdigest()


def bytes_per_record(records: Records, model: Model) -> float:
    """Memory a record takes in the graph, its encoded identity included, as Python allocates it."""
    packed = [record.to_bytes() for record in records.encoded[:WEIGHED_MAX]]
    with _traced() as held:
        graph = LinkGraph(model)
        for record, member in _puts((EncodedIdentity.from_bytes(record) for record in packed), records):
            graph.put(record, member)
        taken = held()
    return taken / len(graph)


def quantile(ordered: Sequence[float], fraction: float) -> float:
    """The value that `fraction` of the ordered ones do not exceed; 0 of none."""
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))] if ordered else 0.0


def _puts(encoded: "Sequence[EncodedIdentity] | Iterator[EncodedIdentity]", records: Records) -> Iterator[Put]:
    for row, identity in zip(records.rows, encoded, strict=False):
        yield row.record, Member(tier_rank=1, encoded=identity)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage is collected, as in the engine (decisions of its host)."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _traced() -> Iterator[Callable[[], int]]:
    """Gives the bytes allocated since it began and still held."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
