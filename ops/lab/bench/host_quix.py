"""The hop in Quix Streams: state in RocksDB with its changelog, one output, at least once.

Runs in an environment of its own (`QUIX` in ops/lab/bench/host.py), with settings that favour it: no logging, and
a commit only once a second. At its default, five, both occurrences of a key would become one state record: less
work than the others do.
"""

from pathlib import Path

from quixstreams import Application, State, message_context  # type: ignore[import-not-found]

from ops.lab.bench.host_hop import Hop, rest, source_headers

STATE = "count"
COMMIT_S = 1.0


def work(hop: Hop) -> None:
    """On return every message of the input is processed and committed."""
    app = Application(
        broker_address=hop.bootstrap,
        consumer_group=hop.group,
        auto_offset_reset="earliest",
        commit_interval=COMMIT_S,
        state_dir=Path(hop.directory, "state"),
        producer_extra_config={"enable.idempotence": True, "acks": "all", "linger.ms": 5},
        loglevel=None,
        processing_guarantee="at-least-once",
    )
    raw = {"key_deserializer": "bytes", "key_serializer": "bytes", "value_serializer": "bytes"}
    taken = app.dataframe(app.topic(hop.reads, value_deserializer="bytes", **raw))
    counted = taken.update(QuixCountingStep(hop), stateful=True).set_headers(headers)
    counted.to_topic(app.topic(hop.writes, **raw))
    app.run(count=hop.events, collect=False)


class QuixCountingStep:
    """How often a key has come."""

    def __init__(self, hop: Hop) -> None:
        """The clock starts with the first call."""
        self._hop, self._begun = hop, False

    def __call__(self, _value: bytes, state: State) -> None:
        """One state read, one state write."""
        if not self._begun:
            self._begun = True
            self._hop.note_first_message()
        state.set(STATE, state.get(STATE, 0) + 1)


def headers(_value: bytes, _key: bytes, time_ms: int, _headers: object) -> list[tuple[str, bytes]]:
    """As our host writes them."""
    cause = message_context()
    return source_headers(cause.topic, cause.partition, cause.offset, time_ms)


if __name__ == "__main__":
    work(Hop.from_arguments())
    rest()
