"""Erasing a record to the end: asked for, taken back everywhere, its neighbours' keys wrapped again, its own destroyed.

Whoever kills it at any point gives it again: everything is asked for anew, under a further epoch. A turn that was begun
for another record of the bucket would not do, as this record may have been wrapped in it (decision 0022).
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.admin.bucket_keys import destroy, turn
from ops.admin.bulk_writer import NOW_MS, write_all
from ops.admin.topic_reader import LagReader, Selection, read_topic
from ops.errors import BrokerError, TierlinkError
from schemas.data_keys import bucket_of
from schemas.erasures import Turn, erasure_message, turn_message
from schemas.identity import LocalId
from schemas.keyring import Keyring
from schemas.naming import local_id_parts, record_of_local_id
from schemas.topics import DEAD_LETTERS, ERASURES, EVENTS, IDENTITY, PARTITIONS, PATHWAY_IN, VAULT, intake_partition

STILL_SECONDS_MAX = 300.0
POLL_SECONDS = 0.5
# Each stage has passed on what it was given when it has committed all of it: then the end of what the next one reads is
# known. The linker and pathway both follow records.
FOLLOWING = (("records", EVENTS), ("linker", IDENTITY), ("pathway", PATHWAY_IN))


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record, and the partition where its source's entries come."""

    record_id: str
    partition: int

    @classmethod
    def of(cls, keys: Keyring, source: str, local_id: LocalId) -> "RecordPlace":
        """What `source` keeps under a number; `keys` name records."""
        return cls(record_of_local_id(keys, source, local_id), intake_partition(local_id_parts(source, local_id)))


@dataclass(frozen=True, slots=True)
class ErasureSummary:
    """What was done. `known`: the engine kept something of the record; False also when it was erased before."""

    known: bool
    epoch: int
    keys_destroyed: int


def erase(bootstrap: str, keys: Path, place: RecordPlace, progress: Callable[[str], None]) -> ErasureSummary:
    """Nothing of the record opens any more, and what comes of it later is withdrawn; its neighbours are as before.

    `keys` is the directory that the workers read too. `progress` gets lines that name no record. Raises BrokerError
    when a stage does not move for five minutes, TierlinkError when a worker refused the new keys: then no key was
    destroyed.
    """
    reader = LagReader(bootstrap)
    try:
        known, bucket = _is_known(bootstrap, place), bucket_of(place.record_id)
        _write(bootstrap, {place.partition: erasure_message(place.record_id)})
        progress("asked for; waiting for ingress")
        _passed(reader, "ingress", ERASURES)
        refused_from, epoch = reader.ends([DEAD_LETTERS]), turn(keys, bucket)
        _write(bootstrap, dict.fromkeys(range(PARTITIONS), turn_message(Turn(bucket, epoch))))
        progress("its neighbours' keys are wrapped again")
        for stage, topic in (("ingress", ERASURES), *FOLLOWING):
            progress(f"waiting for {stage}")
            _passed(reader, stage, topic)
        _require_none_refused(bootstrap, refused_from, reader.ends([DEAD_LETTERS]))
    finally:
        reader.close()
    return ErasureSummary(known, epoch, destroy(keys, bucket, epoch))


def _is_known(bootstrap: str, place: RecordPlace) -> bool:
    key, last = f"{place.record_id}/k".encode(), None
    for message in read_topic(bootstrap, VAULT, Selection(key=key, partition=place.partition)):
        last = message.value
    return last is not None


def _write(bootstrap: str, messages: Mapping[int, tuple[bytes, bytes]]) -> None:
    write_all(bootstrap, [(ERASURES, number, *message, NOW_MS, ()) for number, message in messages.items()])


def _passed(reader: LagReader, stage: str, topic: str) -> None:
    """Returns when the stage has committed all that stood on the topic at the call."""
    ends, seen, since = reader.ends([topic]), -1, time.monotonic()
    while True:
        committed = reader.committed(f"tierlink-{stage}")
        waiting = sum(max(0, end - committed.get(place, 0)) for place, end in ends.items())
        if not waiting:
            return
        if waiting != seen:
            seen, since = waiting, time.monotonic()
        elif time.monotonic() > since + STILL_SECONDS_MAX:
            raise BrokerError(f"{stage} stands still: start its workers, then give this again; no key was destroyed")
        time.sleep(POLL_SECONDS)


def _require_none_refused(bootstrap: str, starts: Mapping[str, int], ends: Mapping[str, int]) -> None:
    """Raises TierlinkError when a stage had not the new key: what it did not wrap, or read, would be lost."""
    for place in _moved(starts, ends):
        selection = Selection(partition=int(place.rpartition("/")[2]), offset=starts.get(place, 0))
        for message in read_topic(bootstrap, DEAD_LETTERS, selection):
            if ("code", b"epoch") in message.headers:
                raise TierlinkError(
                    "a worker has not the new bucket keys: no key was destroyed; give it its file, again"
                )


def _moved(starts: Mapping[str, int], ends: Mapping[str, int]) -> Iterable[str]:
    return (place for place, end in ends.items() if end > starts.get(place, 0))
