"""The programmes of a person beside each other, by `loss-5pct-nearest/1`: which were told twice, which came later."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from streams.steps.pathway_fold.episode_views import programme_of
from streams.steps.pathway_fold.milestones import Milestones
from streams.steps.pathway_fold.ownership import Case


class ProgrammeBegun(NamedTuple):
    """The start of one case, by day and by when it was received."""

    on: date
    received: tuple[date, str]
    source: str  # that reported it: a hub is another source than the provider
    programme: str | None

    @property
    def case_id(self) -> str:
        """The case that started."""
        return self.received[1]

    def differs(self, other: "ProgrammeBegun") -> bool:
        """Whether both name their programme and these differ."""
        return None not in (self.programme, other.programme) and self.programme != other.programme


class Later(NamedTuple):
    """The next start at the same source: of another programme, or of the same one once more."""

    on: date
    is_another: bool


@dataclass(frozen=True, slots=True)
class Starts:
    """All starts of a person. `counted_as`: of a programme told twice the case that is counted, by the other's."""

    by_source: Mapping[str, Sequence[ProgrammeBegun]]
    of_case: Mapping[str, ProgrammeBegun]
    counted_as: Mapping[str, str]

    @classmethod
    def of(cls, cases: Iterable[Case], days: Mapping[str, Milestones]) -> "Starts":
        """Of cases that were not retracted."""
        by_source: dict[str, list[ProgrammeBegun]] = {}
        for case in cases:
            started = days[case.id].started
            if started is not None and not case.is_retracted:
                start = ProgrammeBegun(started.on, case.order, started.source, programme_of(case, days[case.id]))
                by_source.setdefault(start.source, []).append(start)
        for starts in by_source.values():
            starts.sort(key=_place)
        of_case = {start.case_id: start for starts in by_source.values() for start in starts}
        return cls(by_source, of_case, {k: v for starts in by_source.values() for k, v in _duplicates(starts)})

    def after(self, case_id: str) -> Later | None:
        """What came later at the source that reported the start of a case."""
        start = self.of_case.get(case_id)
        if start is None:
            return None
        starts = self.by_source[start.source]
        place = bisect_right(starts, start.on, key=lambda other: other.on)
        return Later(starts[place].on, start.differs(starts[place])) if place < len(starts) else None


def _place(start: ProgrammeBegun) -> tuple[date, tuple[date, str]]:
    return start.on, start.received


def _duplicates(starts: Sequence[ProgrammeBegun]) -> Iterable[tuple[str, str]]:
    """Of one source: each case told again, and the one received first."""
    counted: list[ProgrammeBegun] = []
    for start in starts:
        counted = [other for other in counted if other.on == start.on]
        first = next((other for other in counted if not start.differs(other)), None)
        if first is None:
            counted.append(start)
        else:
            yield start.case_id, first.case_id
