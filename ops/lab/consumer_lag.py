"""How far the stages of an engine have come: what is not committed yet, and what was delivered again."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.admin.topic_reader import LagReader
from ops.errors import TierlinkError
from ops.local.broker.server_process import POLL_SECONDS
from ops.local.engine import Engine
from ops.local.processes import stage_of
from streams.topology import STAGES, stage

DRAIN_SECONDS_MAX = 600.0


class ConsumerLag:
    """Asks the broker at `bootstrap`, and the markers that workers keep below `workers`.

    `topics` are those that each consumer group reads.
    """

    def __init__(self, bootstrap: str, topics: Mapping[str, Sequence[str]], workers: Path) -> None:
        self.bootstrap = bootstrap
        self._topics = topics
        self._workers = workers

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Consumer group of each stage -> the topics it reads."""
        return self._topics

    def drain(self) -> None:
        """Returns when no stage has anything left to do, seen twice with nothing written in between.

        Stages are asked one after the other, and a later one may feed an earlier one.

        Raises TierlinkError after DRAIN_SECONDS_MAX.
        """
        deadline, seen, reader = time.monotonic() + DRAIN_SECONDS_MAX, -1, LagReader(self.bootstrap)
        try:
            while True:
                behind = {group: count for group, count in reader.lag(self._topics).items() if count}
                if not behind:
                    if reader.written == seen:
                        return
                    seen = reader.written
                elif time.monotonic() > deadline:
                    raise TierlinkError(f"messages are still waiting after {DRAIN_SECONDS_MAX:.0f} s: {behind}")
                time.sleep(POLL_SECONDS * 4)
        finally:
            reader.close()

    def uncommitted(self, worker: str, reader: LagReader) -> int:
        """How many messages the worker has been given and not committed."""
        offsets = self._marker(worker).get("offsets")
        delivered = offsets if isinstance(offsets, dict) else {}
        committed = reader.committed(f"tierlink-{stage_of(worker)}")
        return sum(max(0, int(last) + 1 - committed.get(place, 0)) for place, last in delivered.items())

    def redelivered(self, worker: str | None = None) -> int:
        """How many messages a worker, or all of them, were given again, over all their lives."""
        names = [worker] if worker else [path.name for path in self._workers.glob("*")]
        counts = [self._marker(name).get("redelivered") for name in names]
        return sum(count for count in counts if isinstance(count, int))

    def _marker(self, worker: str) -> Mapping[str, object]:
        """What the worker has written down; empty where it has not begun, or its directory was emptied."""
        try:
            marker = json.loads((self._workers / worker / "delivered.json").read_text())
        except (OSError, ValueError):  # ValueError: cut off by a full disk
            return {}
        return marker if isinstance(marker, dict) else {}


def consumer_lag(engine: Engine) -> ConsumerLag:
    """How far the stages of an engine have come; also of one that another process runs."""
    sources, recipients = engine.sources.values(), engine.recipients
    topics_read = {f"tierlink-{name}": stage(name, sources=sources, recipients=recipients).reads for name in STAGES}
    return ConsumerLag(engine.bootstrap, topics_read, engine.layout.workers)
