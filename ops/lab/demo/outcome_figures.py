"""How many lost at least 5 %, on each of the three denominators: all starters, closed windows, completers.

Who is excluded (a child, pregnant, died) is in none of them. For one machine's demonstration: counts are exact.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ops.lab.demo.snapshot_json import EpisodeJson, OutcomeJson, SnapshotJson

HORIZON_WEEKS = (12, 26, 52)
DEFINITION = "loss-5pct-nearest/1"


@dataclass(frozen=True)
class OutcomeFigures:
    """Of one tier and horizon: those who lost 5 % among all starters, closed windows and completers, and how many these
    are.
    """

    weeks: int
    starters: int
    lost_starters: int
    closed: int
    lost_closed: int
    completers: int
    lost_completers: int

    def as_json(self) -> dict[str, list[int]]:
        """Each denominator by name: lost, and of how many."""
        return {
            "starters": [self.lost_starters, self.starters],
            "closed": [self.lost_closed, self.closed],
            "completers": [self.lost_completers, self.completers],
        }


def outcome_figures(
    snapshots: Iterable[SnapshotJson], tier: str, weeks: int, definition: str = DEFINITION
) -> OutcomeFigures:
    """The figures of `tier` at that horizon. All starters, and completers, include those whose window is still open."""
    outcomes = [
        outcome
        for episode in episodes_of(snapshots, tier)
        if (outcome := outcome_of(episode, weeks, definition)) is not None
    ]
    starters = [outcome for outcome in outcomes if outcome["in_starters"]]
    closed = [outcome for outcome in outcomes if outcome["in_closed"]]
    completers = [outcome for outcome in outcomes if outcome["in_completers"]]
    return OutcomeFigures(
        weeks,
        *(len(starters), _lost(starters)),
        *(len(closed), _lost(closed)),
        *(len(completers), _lost(completers)),
    )


def _lost(outcomes: Iterable[OutcomeJson]) -> int:
    return sum(outcome["achieved"] is True for outcome in outcomes)


def episodes_of(snapshots: Iterable[SnapshotJson], tier: str) -> Iterator[EpisodeJson]:
    """The episodes of a tier, without those whose referral was taken back."""
    for snapshot in snapshots:
        for episode in snapshot["episodes"]:
            if episode["tier"] == tier and not episode["referral_retracted"]:
                yield episode


def outcome_of(episode: EpisodeJson, weeks: int, definition: str = DEFINITION) -> OutcomeJson | None:
    """The outcome of an episode; None where it never started."""
    return next(
        (
            outcome
            for outcome in episode["outcomes"]
            if (outcome["definition"], outcome["weeks"]) == (definition, weeks)
        ),
        None,
    )
