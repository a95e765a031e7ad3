"""What a stage tells Prometheus: counts of messages and times, by fixed words. No label counts people."""

import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.steps.outcome import Change, Emit, Message, Outcome, Reject, Stage

# From a hop on an idle machine (0.1 s) to a backlog of a day.
END_TO_END_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400)
_OUTCOME_WORDS: dict[type[Outcome], str] = {Emit: "emitted", Change: "changed", Reject: "rejected"}


BEGAN_HEADER = "began"  # Kafka time in milliseconds of the intake message that all this follows from


def began_ms(message: Message) -> int:
    """When what led to `message` came in: its header, else its own time (it is the first, or a tick)."""
    for name, value in message.headers:
        if name == BEGAN_HEADER and value.isdigit():
            return int(value)
    return message.timestamp_ms


class StageMetrics:
    """The metrics of one stage in one registry. `answered` is called once per message, after its commit."""

    def __init__(self, stage: Stage, registry: CollectorRegistry) -> None:
        """Registers them; ValueError when the registry holds them already."""
        self._stage = stage
        self._messages = Counter(
            "tierlink_stage_messages",
            "Messages answered, once per kind of outcome; silent: answered with nothing",
            ("stage", "outcome"),
            registry=registry,
        )
        self._dead_letters = Counter(
            "tierlink_dead_letters", "Messages dead-lettered, by reason", ("stage", "code"), registry=registry
        )
        redelivered = Counter(
            "tierlink_redelivered",
            "Messages that this worker had been given before",
            ("stage",),
            registry=registry,
        )
        last_event = Gauge(
            "tierlink_last_event_timestamp_seconds",
            "Kafka timestamp of the newest message answered",
            ("stage",),
            registry=registry,
        )
        self._end_to_end = Histogram(
            "tierlink_end_to_end_seconds",
            "Age of a message when its last stage has answered it",
            ("stage",),
            buckets=END_TO_END_SECONDS,
            registry=registry,
        )
        self._lag = Gauge(
            "tierlink_consumer_lag_messages",
            "Messages fetched from, not yet answered, in the partitions this worker holds",
            ("stage", "topic"),
            registry=registry,
        )
        self._redelivered = redelivered.labels(stage.name)
        self._last_event = last_event.labels(stage.name)
        self._newest_s = 0.0
        for word in ("emitted", "changed", "rejected", "silent"):
            self._messages.labels(stage.name, word)

    def answered(self, message: Message, outcomes: Collection[Outcome]) -> None:
        """A message was answered and everything that follows from it is acknowledged."""
        words = {_OUTCOME_WORDS[type(outcome)] for outcome in outcomes} or {"silent"}
        for word in words:
            self._messages.labels(self._stage.name, word).inc()
        for outcome in outcomes:
            if isinstance(outcome, Reject):
                self._dead_letters.labels(self._stage.name, outcome.code).inc()
        self._newest_s = max(self._newest_s, message.timestamp_ms / 1000)
        self._last_event.set(self._newest_s)
        if self._stage.last:
            age_s = max(0.0, time.time() - began_ms(message) / 1000)
            self._end_to_end.labels(self._stage.name).observe(age_s)

    def redelivered(self, count: int) -> None:
        """So many messages came again; the count of former runs of this worker is added at its start."""
        self._redelivered.inc(count)

    def lag(self, topic: str, messages: int) -> None:
        """What is left to answer in a topic, as of the last fetch; stands still when the worker does."""
        self._lag.labels(self._stage.name, topic).set(messages)
