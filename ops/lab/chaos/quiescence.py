"""After the last fault: waiting until nothing is left to do, or until it is certain that a stage is stuck."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ops.admin.topic_reader import LagReader

STUCK_SECONDS = 120.0
POLL_SECONDS = 1.0
BACK_SECONDS_MAX = 120.0  # for the broker itself to be back


class Groups(Protocol):
    """What is asked of an engine's consumer lag: where its broker is, and which groups read which topics."""

    @property
    def bootstrap(self) -> str:
        """Where the broker is."""

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Group -> topics."""


def settle(lag: Groups, *, since: float, stuck_seconds: float = STUCK_SECONDS) -> int:
    """0 once no stage has anything left to do, seen twice with nothing written in between.

    Otherwise the number of stuck partitions: those with messages left of every stage that has committed
    nothing for `stuck_seconds`, counted from its last commit or from `since` (monotonic seconds; when the last
    fault ended), whichever was later. A long backlog that gets shorter is not stuck.
    """
    watch = _Watch(lag, since, stuck_seconds)
    while (stuck := watch.verdict()) is None:
        time.sleep(POLL_SECONDS)
    return stuck


class _Watch:
    """What was seen of each group so far. A broker that is away is asked again, over new connections."""

    def __init__(self, asked: Groups, since: float, stuck_seconds: float) -> None:
        self._asked = asked
        self._since = since
        self._stuck_seconds = stuck_seconds
        self._committed: dict[str, int] = {}
        self._moved_at: dict[str, float] = {}
        self._written = -1

    def verdict(self) -> int | None:
        try:
            reader = LagReader(self._asked.bootstrap)
            try:
                return self._verdict(reader)
            finally:
                reader.close()
        except KafkaError:
            if time.monotonic() - self._since > BACK_SECONDS_MAX + self._stuck_seconds:
                raise
            return None

    def _verdict(self, reader: LagReader) -> int | None:
        groups = self._asked.groups()
        lag, now = reader.lag(groups), time.monotonic()
        if not any(lag.values()):
            if reader.written == self._written:
                return 0
            self._written = reader.written
            return None
        for group in groups:
            committed = sum(reader.committed(group).values())
            if committed != self._committed.get(group) or not lag[group]:
                self._committed[group], self._moved_at[group] = committed, now
        stuck = [
            group
            for group in groups
            if lag[group] and now - max(self._moved_at[group], self._since) > self._stuck_seconds
        ]
        return self._partitions(reader, stuck) if stuck else None

    def _partitions(self, reader: LagReader, stuck: list[str]) -> int:
        consumer = KafkaConsumer(bootstrap_servers=self._asked.bootstrap, enable_auto_commit=False)
        try:
            count = 0
            for group in stuck:
                places = [
                    TopicPartition(topic, number)
                    for topic in self._asked.groups()[group]
                    for number in consumer.partitions_for_topic(topic) or ()
                ]
                ends, committed = consumer.end_offsets(places), reader.committed(group)
                starts = consumer.beginning_offsets(places)
                count += sum(
                    ends[place] > max(starts[place], committed.get(f"{place.topic}/{place.partition}", 0))
                    for place in places
                )
            return count
        finally:
            consumer.close()
