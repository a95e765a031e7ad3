"""The pathway step without Kafka: messages in, the last value of every published key out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pathway_journeys import DEFINITIONS, keyring

from schemas import canonical, topics
from streams.steps.outcome import Change, Emit, Message, Outcome, Reject
from streams.steps.pathway import PathwayStep

Told = tuple[bytes | None, bytes | None]
LEFT_OUT = ("revision", "known_at")
RECEIVED_MS = 1_767_600_000_000  # 5 January 2026, 08:00 UTC


def step(recipients: tuple[str, ...] = ("demo",), kind: type[PathwayStep] = PathwayStep) -> PathwayStep:
    """A pathway step with the real definitions."""
    return kind(keyring(*recipients), recipients, DEFINITIONS)


def message(told: Told, offset: int) -> Message:
    """One message of pathway.in.v1."""
    return Message(topics.PATHWAY_IN, 0, offset, told[0], told[1], (), RECEIVED_MS + offset)


@dataclass
class Run:
    """What one task sent and kept."""

    sent: list[Emit] = field(default_factory=list)
    changelog: dict[bytes, bytes] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)

    def take(self, outcomes: Iterable[Outcome]) -> None:
        """Note what one message led to, as the host would send it."""
        for one in outcomes:
            match one:
                case Emit():
                    self.sent.append(one)
                case Change(key=key, value=None):
                    self.changelog.pop(key, None)
                case Change(key=key, value=bytes(value)):
                    self.changelog[key] = value
                case Reject(code=code):
                    self.rejected.append(code)

    def published(self) -> dict[tuple[str, bytes], Any]:
        """The last value of every key; tombstones and retracted events count as absent."""
        last = {(one.topic, one.key): one.value for one in self.sent}
        values = {key: canonical.load_object(value) for key, value in last.items() if value is not None}
        return {
            key: {name: part for name, part in value.items() if name not in LEFT_OUT}
            for key, value in values.items()
            if value.get("status") != "retracted"
        }

    def events(self) -> list[str]:
        """The kinds of the events that stand."""
        return sorted(value["event"] for (topic, _), value in self.published().items() if "events" in topic)

    def snapshot(self) -> Any:
        """The one snapshot that stands, or None."""
        standing = [value for (topic, _), value in self.published().items() if "state" in topic]
        assert len(standing) <= 1
        return standing[0] if standing else None


def run(told: Sequence[Told], *, by: PathwayStep | None = None, restart_after: Iterable[int] = ()) -> Run:
    """Every message in this order; after each of `restart_after` the task is restored from its changelog."""
    engine, restarts, done = by or step(), frozenset(restart_after), Run()
    state = engine.restore([])
    for offset, one in enumerate(told):
        state, outcomes = engine.advance(state, message(one, offset))
        done.take(outcomes)
        if offset in restarts:
            state = engine.restore(list(done.changelog.items()))
    return done
