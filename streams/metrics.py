"""What a stage reports to Prometheus: counts of messages, and times, by fixed labels. No label counts people."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as CounterMetric

from streams.steps.outcome import Change, Claim, Emit, Message, Outcome, Reject, Release, Stage

# From a hop on an idle machine (0.1 s) to a backlog of a day.
END_TO_END_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600, 86_400)
# bits: what an answer is made of
SHAPES: dict[type[Outcome], int] = {Emit: 1, Change: 2, Claim: 2, Release: 2, Reject: 4}
_SHAPE_NAMES = ((1, "emitted"), (2, "changed"), (4, "rejected"))

BEGAN_HEADER = "began"  # Kafka time in milliseconds of the intake message that all this follows from


def began_ms(message: Message) -> int:
    """When what led to `message` came in: its header, else its own time (it is the first, or a tick)."""
    for name, value in message.headers:
        if name == BEGAN_HEADER and value.isdigit():
            return int(value)
    return message.timestamp_ms


class StageTally:
    """What was answered, counted while it waits for its commit."""

    def __init__(self, *, ages: bool = False) -> None:
        """Empty. `ages`: also when each message came in, for the stage that is last."""
        self.codes: Counter[str] = Counter()
        self.began_ms: list[int] = []
        self.newest_ms = 0
        self._shapes: Counter[int] = Counter()
        self._ages = ages

    def add(self, messages: Sequence[Message], shapes: Iterable[int]) -> None:
        """Messages and, for each, the SHAPES of its outcomes; the codes of rejects are counted in `codes`."""
        self._shapes.update(shapes)
        self.newest_ms = max(self.newest_ms, max((message.timestamp_ms for message in messages), default=0))
        if self._ages:
            self.began_ms += map(began_ms, messages)

    def merge(self, later: "StageTally") -> None:
        """Both together."""
        self._shapes.update(later._shapes)
        self.codes.update(later.codes)
        self.began_ms += later.began_ms
        self.newest_ms = max(self.newest_ms, later.newest_ms)

    def outcomes(self) -> Counter[str]:
        """Messages per kind of outcome; silent: answered with nothing."""
        outcomes: Counter[str] = Counter()
        for shape, count in self._shapes.items():
            for name in [name for bit, name in _SHAPE_NAMES if shape & bit] or ["silent"]:
                outcomes[name] += count
        return outcomes


class StageMetrics:
    """The metrics of one stage in one registry. `answered` is called after the commit of what it counts."""

    def __init__(self, stage: Stage, registry: CollectorRegistry) -> None:
        """Registers them; ValueError when the registry holds them already."""
        self._stage = stage
        self._messages = CounterMetric(
            "tierlink_stage_messages",
            "Messages answered, once per kind of outcome; silent: answered with nothing",
            ("stage", "outcome"),
            registry=registry,
        )
        self._dead_letters = CounterMetric(
            "tierlink_dead_letters", "Messages dead-lettered, by reason", ("stage", "code"), registry=registry
        )
        redelivered = CounterMetric(
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
        for outcome in ("emitted", "changed", "rejected", "silent"):
            self._messages.labels(stage.name, outcome)

    def answered(self, tally: StageTally) -> None:
        """These messages were answered, and everything that follows from them is acknowledged."""
        for outcome, count in tally.outcomes().items():
            self._messages.labels(self._stage.name, outcome).inc(count)
        for code, count in tally.codes.items():
            self._dead_letters.labels(self._stage.name, code).inc(count)
        self._newest_s = max(self._newest_s, tally.newest_ms / 1000)
        self._last_event.set(self._newest_s)
        now_s, observe = time.time(), self._end_to_end.labels(self._stage.name).observe
        for began in tally.began_ms:
            observe(max(0.0, now_s - began / 1000))

    def redelivered(self, count: int) -> None:
        """So many messages came again; the count of former runs of this worker is added at its start."""
        self._redelivered.inc(count)

    def lag(self, topic: str, messages: int) -> None:
        """What is left to answer in a topic, as of the last fetch; stands still when the worker does."""
        self._lag.labels(self._stage.name, topic).set(messages)
