"""Erasures and turns of a bucket in the engine in memory, with bucket keys that change as their files do."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from memory_engine import IntakeMessage, MemoryEngine, all_bucket_keys, all_keys, intake_message, record_id
from small_world import small_world

from ops.lab.memory_engine.parts import step_with
from schemas.data_keys import BUCKET_KEY_BYTES, FAMILIES, BucketKeys, Family
from schemas.erasures import Turn, erasure_message, turn_message
from schemas.identity import LocalId
from schemas.naming import local_id_parts
from schemas.source_message import SourceMessage
from schemas.topics import ERASURES, PARTITIONS, intake_partition
from streams.steps.outcome import Emit, Step

Intake = tuple[str, IntakeMessage]


@dataclass
class ChangingBucketKeys:
    """The bucket keys of all zones as they are now, and the steps that look at them."""

    keys: BucketKeys = field(default_factory=all_bucket_keys)

    @cached_property
    def steps(self) -> Mapping[str, Step[Any]]:
        """The steps that hold bucket keys."""
        return {name: step_with(name, all_keys().zone, self._of_zone) for name in FAMILIES}

    def add(self, bucket: int) -> int:
        """The bucket gets one more epoch; which."""
        epoch = self.keys.newest(Family.BODY, bucket) + 1
        fresh = {(family, bucket, epoch): _random(f"{family}/{bucket}/{epoch}") for family in Family}
        self.keys = BucketKeys({place: self.keys.key(place) for place in self.keys} | fresh)
        return epoch

    def destroy(self, bucket: int, below: int) -> None:
        """The bucket's epochs below this one are gone."""
        left = [place for place in self.keys if place[1] != bucket or place[2] >= below]
        self.keys = BucketKeys({place: self.keys.key(place) for place in left})

    def _of_zone(self, zone: str) -> Callable[[], BucketKeys]:
        return lambda: self.keys.only(FAMILIES.get(zone, ()))


def erase(engine: MemoryEngine, slug: str, local_id: str) -> None:
    """Operations ask for the erasure of what a source keeps under a number."""
    place = intake_partition(local_id_parts(slug, LocalId(local_id)))
    engine.put(Emit(ERASURES, place, *erasure_message(record_id(slug, local_id))))


def turn(engine: MemoryEngine, bucket: int, epoch: int) -> None:
    """Operations ask for the bucket to be wrapped in this epoch."""
    for partition in range(PARTITIONS):
        engine.put(Emit(ERASURES, partition, *turn_message(Turn(bucket, epoch))))


@cache
def sealed_world() -> tuple[tuple[str, SourceMessage, IntakeMessage], ...]:
    """The small world in order of sending: source, message, and what its door published."""
    return tuple((slug, message, intake_message(slug, message)) for slug, message in small_world())


def entries_of(record: str) -> list[Intake]:
    """What the small world says of one record with a local id."""
    return [(slug, sealed) for slug, message, sealed in sealed_world() if _record(slug, message) == record]


def entries_without(records: Iterable[str]) -> list[Intake]:
    """The small world in which these records never were."""
    absent = set(records)
    return [(slug, sealed) for slug, message, sealed in sealed_world() if _record(slug, message) not in absent]


def _record(slug: str, message: SourceMessage) -> str | None:
    local_id = message.person.local_id
    return record_id(slug, local_id.value) if local_id is not None else None


def _random(name: str) -> bytes:
    return hashlib.shake_256(name.encode()).digest(BUCKET_KEY_BYTES)
