"""`tierlink bench memory`: what one worker keeps in memory while a million events about ten thousand facts pass.

The facts are those of simulated people, copied under other ids until there are enough. Each event comes once; then nine
events in ten are exact repeats, and one is a new version of a fact. New versions come under entries already known: a
new entry adds its manifest (about 0.6 kB in records) for as long as the record lives, because the ledger accounts for
every entry. Memory is flat when it stays within ten per cent of its median once a fifth of the events is answered.
"""

import json
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
NEW_VERSION_SHARE = 0.1
SAMPLE_S = 0.5
SAMPLES_SHOWN = 20  # samples in the answer, evenly spread
STILL_S_MAX = 120.0  # without one commit: something is wrong


@dataclass(frozen=True, kw_only=True)
class MemoryBench:
    """What to run: how many events about how many facts, through which stages."""

    events: int = 1_000_000
    facts: int = 10_000
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
            report(f"{stage}: writing {options.events:,} events about {options.facts:,} facts")
            feed = Feed(stage, restart_world(broker.layout, people=options.people), facts=options.facts)
            if stage == "records":
                broker.fill(LINK_MAP, feed.links())
            broker.fill(READS[stage], islice(feed.events(), options.events))
            samples = _watched(WorkerUnderBench(broker, stage), options.events)
            figures[stage] = judged(samples) | {"events": options.events, "facts": feed.facts}
            report(f"{stage}: {figures[stage]}")
    return figures


class Feed:
    """The messages of one stage: the same for the same world, events without end."""

    def __init__(self, stage: str, world: RestartWorld, *, facts: int) -> None:
        """At least that many facts, in whole copies of the world."""
        self._of_records = stage == "records"
        once = list({(message.key, message.value): message for message in world.messages[READS[stage]]}.values())
        templates = [ElementTemplate.of(message.key or b"", message.value or b"") for message in once]
        named = {self._fact_of(message.key or b"") for message in once} - {None}
        copies = -(-facts // len(named))
        self.facts = copies * len(named)
        self._messages = [template.copy(number) for number in range(copies) for template in templates]
        links = [ElementTemplate.of(message.key or b"", message.value or b"") for message in world.messages[LINK_MAP]]
        self._links = [link.copy(number) for number in range(copies) for link in links]

    def links(self) -> Iterator[Record]:
        """The linker's answers, for records."""
        return (_placed(key, value) for key, value in self._links)

    def events(self) -> Iterator[Record]:
        """Everything once, then the same again in any order, one in ten with a fact's new version."""
        rng = Random(1)
        yield from (_placed(key, value) for key, value in self._messages)
        facts = [message for message in self._messages if self._fact_of(message[0]) is not None]
        number = 0
        while True:
            number += 1
            if rng.random() < NEW_VERSION_SHARE:
                yield _placed(*self._newer(*rng.choice(facts), number))
            else:
                yield _placed(*rng.choice(self._messages))

    def _fact_of(self, key: bytes) -> bytes | None:
        """What names a fact in the key of a message, None for a message about something else."""
        parts = key.split(b"/")
        if self._of_records:
            return parts[0] + parts[2] if parts[1] == elements.FACT.encode() else None
        return parts[1] + parts[2] if len(parts) == 3 and parts[2] != b"w" else None

    def _newer(self, key: bytes, value: bytes, number: int) -> tuple[bytes, bytes]:
        """A newer version of the fact than any before; a weight has another value."""
        document = json.loads(value)
        fact = document if self._of_records else document["fact"]
        fact["source_version_at"] = (
            f"2027-{1 + number // 2_419_200 % 12:02d}-{1 + number // 86_400 % 28:02d}T{_clock(number)}Z"
        )
        if fact["body"].get("quantity") == "weight":
            fact["body"]["value"] = f"{60 + number % 900 / 10:.1f}"
        new = canonical.dump(document)
        if self._of_records:
            key = key.rpartition(b"/")[0] + b"/" + elements.content_hash(new).encode()
        return key, new


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


def _clock(number: int) -> str:
    return f"{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000000"
