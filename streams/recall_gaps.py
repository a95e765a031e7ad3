"""What the linker's worker tells of fairness: the widest gap of recall between groups, a gauge a dimension.

No group, no count and no source stands on the page: who wants those asks `tierlink linkage train` on a table.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge

from linkage.recall_scan import RecallScan, gaps_for_metrics, report_of, walk_on
from streams.steps.linker import LinkerState


class RecallGaps:
    """Looks at the state of the linker's tasks, a piece each time, and says what a whole walk has found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the gauge; it shows nothing before the first walk is done."""
        self._gauge = Gauge(
            "tierlink_linkage_recall_gap_points",
            "Widest gap of linkage recall between groups of 400 pairs or more, NHS numbers set aside",
            ("dimension",),
            registry=registry,
        )
        self._walks: dict[int, RecallScan] = {}
        self._shown = frozenset[str]()
        self._found: dict[int, Mapping[str, float]] = {}

    def look(self, states: Mapping[int, LinkerState]) -> None:
        """A piece of the walk over each task's records: some 3 ms, so that twice a second is under a hundredth of the
        time. The widest of all tasks is shown.
        """
        self._walks = {
            task: walk_on(state.graph, self._walks.get(task, RecallScan())) for task, state in states.items()
        }
        self._found = {task: found for task, found in self._found.items() if task in states}
        for task, walk in self._walks.items():
            if walk.done:
                self._found[task] = gaps_for_metrics(report_of(states[task].graph, walk))
        self._show()

    def _show(self) -> None:
        told = {
            dimension: max(found[dimension] for found in self._found.values() if dimension in found)
            for dimension in sorted(frozenset[str]().union(*self._found.values()))
        }
        for dimension in self._shown - told.keys():
            self._gauge.remove(dimension)
        for dimension, points in told.items():
            self._gauge.labels(dimension).set(points)
        self._shown = frozenset(told)
