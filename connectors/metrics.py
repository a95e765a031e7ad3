"""The instruments of the edge. Labels are sources and fixed words: nothing that counts or names people."""

from collections.abc import Sequence
from functools import partial
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge

from connectors.entry import SourceEntry
from schemas.disposition import Verdict

BROKER_UNAVAILABLE = "broker-unavailable"  # a reason of refusal: the fault is ours


class DoorMetrics:
    """Counts what doors received and answered, by source and reason code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = partial(Counter, labelnames=("source",), registry=registry)
        self._received = counter("tierlink_entries_received_total", "Entries received")
        self._acknowledged = counter("tierlink_entries_acknowledged_total", "Entries acknowledged after the broker")
        self._ignored = counter("tierlink_entries_ignored_total", "Entries of no service of ours")
        self._refused = counter("tierlink_entries_refused_total", "Entries refused", labelnames=("source", "reason"))
        name = "tierlink_source_last_event_timestamp_seconds"
        self._last = Gauge(name, "When the source last sent an entry", ("source",), registry=registry)

    def taken(self, source: str, entries: Sequence[SourceEntry], outcomes: Sequence[object]) -> None:
        """Counts the entries of one delivery and how each was answered."""
        self._received.labels(source).inc(len(entries))
        self._last.labels(source).set(time())
        for entry, outcome in zip(entries, outcomes, strict=True):
            if entry.checked.verdict is Verdict.IGNORED:
                self._ignored.labels(source).inc()
            elif getattr(outcome, "acknowledged", False):
                self._acknowledged.labels(source).inc()
            else:
                self.refused(source, _reason(entry))

    def refused(self, source: str, reason: str) -> None:
        """Counts one refusal; `reason` is a FHIR issue-type or a fixed word of a door (broker-unavailable, framing)."""
        self._refused.labels(source, reason).inc()


def _reason(entry: SourceEntry) -> str:
    errors = [issue.code for issue in entry.checked.issues if issue.severity.value == "error"]
    return errors[0] if errors else "invalid"
