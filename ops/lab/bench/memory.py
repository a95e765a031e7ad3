"""`tierlink bench memory`: what one worker keeps in memory while a million events about ten thousand entries pass.

The entries are those of simulated people, copied under other ids until there are enough. Each event comes once; then
nine in ten are exact repeats, and for pathway one in ten is an entry under a higher link revision. New content adds
its element for as long as the record lives, because the ledger accounts for every entry. Memory is flat when it stays
within ten per cent of its median once a fifth of the events is answered.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from confluent_kafka import Consumer, TopicPartition

from ops.errors import TierlinkError
from ops.lab import Report
from ops.lab.bench.hop_topics import committed_count
from ops.lab.bench.restart_worker import Record, WorkerUnderBench, bench_broker
from ops.lab.bench.restart_world import ElementTemplate, RestartWorld, restart_world
from schemas import canonical, elements
from schemas.topics import EVENTS, LINK_MAP, PARTITIONS, PATHWAY_IN, partition_of

STAGES: tuple[str, ...] = ("records", "pathway")
READS = {"records": EVENTS, "pathway": PATHWAY_IN}
PEOPLE = 60  # simulated, then copied
WARM_UP_SHARE, FLAT_SHARE = 0.2, 0.1
LINKED_ANEW_SHARE = 0.1
SAMPLE_S = 0.5
SAMPLES_SHOWN = 20  # samples in the answer, evenly spread
STILL_S_MAX = 120.0  # without one commit: something is wrong


@dataclass(frozen=True, kw_only=True)
class MemoryBench:
    """What to run: how many events about how many entries, through which stages."""

    events: int = 1_000_000
    entries: int = 10_000
    stages: Sequence[str] = STAGES
    people: int = PEOPLE
    directory: Path = Path(".tierlink")


@dataclass(frozen=True, slots=True)
class MemorySample:
    """Events committed by then, and resident megabytes."""

    at_s: float
    events: int
    memory_mb: float


def run(options: MemoryBench, *, report: Report) -> dict[str, object]:
    """Records, then pathway; by stage the megabytes after the warm-up and at the end, and events a second."""
    figures: dict[str, object] = {}
    for stage in options.stages:
        with bench_broker(options.directory) as broker:
            report(f"{stage}: writing {options.events:,} events about {options.entries:,} entries")
            feed = Feed(stage, restart_world(broker.layout, people=options.people), entries=options.entries)
            if stage == "records":
                broker.fill(LINK_MAP, feed.links())
            broker.fill(READS[stage], islice(feed.events(), options.events))
            samples = _watched(WorkerUnderBench(broker, stage), options.events)
            figures[stage] = judged(samples) | {"events": options.events, "entries": feed.entries}
            report(f"{stage}: {figures[stage]}")
    return figures


class Feed:
    """The messages of one stage: the same for the same world, events without end."""

    def __init__(self, stage: str, world: RestartWorld, *, entries: int) -> None:
        """At least that many entries, in whole copies of the world."""
        self._of_records = stage == "records"
        once = list({(message.key, message.value): message for message in world.messages[READS[stage]]}.values())
        templates = [ElementTemplate.of(message.key or b"", message.value or b"") for message in once]
        named = {message.key for message in once if self._is_entry(message.key or b"")}
        copies = -(-entries // len(named))
        self.entries = copies * len(named)
        self._messages = [template.copy(number) for number in range(copies) for template in templates]
        links = [ElementTemplate.of(message.key or b"", message.value or b"") for message in world.messages[LINK_MAP]]
        self._links = [link.copy(number) for number in range(copies) for link in links]

    def links(self) -> Iterator[Record]:
        """The linker's answers, for records."""
        return (_placed(key, value) for key, value in self._links)

    def events(self) -> Iterator[Record]:
        """Everything once, then the same again in any order; of pathway one in ten under a higher link revision."""
        rng = Random(1)
        yield from (_placed(key, value) for key, value in self._messages)
        entries = [message for message in self._messages if self._is_entry(message[0])]
        number = 0
        while True:
            number += 1
            if not self._of_records and rng.random() < LINKED_ANEW_SHARE:
                yield _placed(*_linked_anew(*rng.choice(entries), number))
            else:
                yield _placed(*rng.choice(self._messages))

    def _is_entry(self, key: bytes) -> bool:
        """Whether a message under this key is an entry."""
        parts = key.split(b"/")
        return parts[1] == elements.ENTRY.encode() if self._of_records else len(parts) == 4


def _linked_anew(key: bytes, value: bytes, number: int) -> tuple[bytes, bytes]:
    parts = canonical.read_object(value)
    return key, canonical.dump({**parts, "link_revision": parts["link_revision"] + number})


def judged(samples: Sequence[MemorySample]) -> dict[str, object]:
    """The figures of one stage. `spread_pct`: how far memory was from its median at most, after the warm-up."""
    last = samples[-1]
    warm = [sample for sample in samples if sample.events >= WARM_UP_SHARE * last.events]
    middle = median(sample.memory_mb for sample in warm)
    spread = max(abs(sample.memory_mb - middle) for sample in warm) / middle
    step = max(1, len(samples) // SAMPLES_SHOWN)
    first = samples[0]
    return {
        "flat": spread <= FLAT_SHARE,
        "spread_pct": round(100 * spread, 1),
        "memory_mb_after_warm_up": round(warm[0].memory_mb),
        "memory_mb_at_end": round(last.memory_mb),
        "events_per_s": round((last.events - first.events) / max(last.at_s - first.at_s, 1e-9)),
        "samples": [[sample.events, round(sample.memory_mb)] for sample in (*samples[::step], last)],
    }


def _watched(worker: WorkerUnderBench, events: int) -> list[MemorySample]:
    """Memory and committed events, from the first commit to the last. Raises TierlinkError when it stops."""
    group = {
        "bootstrap.servers": worker.broker.bootstrap,
        "group.id": f"tierlink-{worker.stage}",
        "log_level": 2,
    }
    watcher, samples = Consumer(group), list[MemorySample]()
    partitions = [TopicPartition(READS[worker.stage], number) for number in range(PARTITIONS)]
    moved_s = time.monotonic()
    try:
        worker.start()
        while not samples or samples[-1].events < events:
            done, now_s = committed_count(watcher, partitions), time.monotonic()
            if done > (samples[-1].events if samples else 0):
                moved_s = now_s
            if done:
                samples.append(MemorySample(now_s, done, worker.memory_mb()))
            worker.must_live()
            if now_s - moved_s > STILL_S_MAX:
                raise TierlinkError(f"the {worker.stage} worker has committed nothing for {STILL_S_MAX:.0f} s")
            time.sleep(SAMPLE_S)
    finally:
        watcher.close()
        worker.kill()
    return samples


def _placed(key: bytes, value: bytes) -> Record:
    return partition_of(key.partition(b"/")[0].decode()), key, value
