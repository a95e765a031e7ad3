"""Stage and ending of one episode, by `stage-and-ending/1`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast, get_args

from schemas.definitions import AS_REPORTED, STAGE_AND_ENDING
from schemas.pathway_episode import CompletionView, Ending, Stage
from streams.steps.pathway_fold.milestones import COMPLETING, DIED, TRANSFERRING, Milestones

_ON_THE_WAY: tuple[Stage, ...] = ("referred", "triaged", "accepted", "started")
_PRECEDENCE = {stage: place for place, stage in enumerate(get_args(Stage))}


@dataclass(frozen=True, slots=True)
class Ended:
    """How an episode ended and when; `ending` none while it is open."""

    ending: Ending
    on: date | None = None
    reason: str | None = None
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class _Closing:
    on: date
    place: int  # of two on one day the later in the order of stages counts
    ending: Ending
    reason: str | None

    def is_void(self, care_on: date) -> bool:
        """Whether an acceptance, start or session on that day shows that it did not end there."""
        return care_on > self.on or (self.ending == "declined" and care_on == self.on)


def stage_of(days: Milestones, ended: Ended) -> tuple[Stage, date | None]:
    """The latest thing that happened, and its day; a referral without any day is referred."""
    happened = sorted(_happened(days, ended), key=lambda found: (found[0], _PRECEDENCE[found[1]]))
    happened = [found for place, found in enumerate(happened) if not _is_behind(found[1], happened[:place])]
    return (happened[-1][1], happened[-1][0]) if happened else ("referred", None)


def _is_behind(stage: Stage, before: Sequence[tuple[date, Stage]]) -> bool:
    """Whether a step on the way in was reported after a later one: nobody goes back from a start to a triage."""
    return stage in _ON_THE_WAY and any(
        earlier in _ON_THE_WAY and _PRECEDENCE[earlier] > _PRECEDENCE[stage] for _, earlier in before
    )


def ending_of(days: Milestones, completions: tuple[CompletionView, ...], rule: str | None) -> Ended:
    """The ending. `completions` are all, `rule` names the service's own rule, by which a computed one counts."""
    completed = _completed(days, completions, rule)
    if completed is not None:
        return completed
    closings = sorted(_before_death(days), key=lambda closing: (closing.on, closing.place))
    care_on = days.last_care_on
    stood = [closing for closing in closings if care_on is None or not closing.is_void(care_on)]
    if stood:  # the first: closing the record afterwards ends nothing more
        return Ended(stood[0].ending, stood[0].on, stood[0].reason, STAGE_AND_ENDING)
    return Ended("died", days.died_on, None, STAGE_AND_ENDING) if days.died_on else Ended("none")


def _completed(days: Milestones, completions: tuple[CompletionView, ...], rule: str | None) -> Ended | None:
    found: list[tuple[date, str | None, str]] = [
        (completion.on, None, completion.definition)
        for completion in completions
        if completion.met and completion.on and (completion.basis == "reported" or completion.definition == rule)
    ]
    found += [(d.body.on, d.body.reason, AS_REPORTED) for d in days.discharges if d.body.reason in COMPLETING]
    if not found:
        return None
    on, reason, definition = min(found, key=lambda completion: (completion[0], completion[2]))
    return Ended("completed", on, reason, definition)


def _before_death(days: Milestones) -> list[_Closing]:
    """What ended the episode before the day of the death, if any: an ending of that day is the death."""
    return [closing for closing in _closings(days) if days.died_on is None or closing.on < days.died_on]


def _closings(days: Milestones) -> Iterator[_Closing]:
    for decline in days.declines:
        has_started = days.started_on is not None and days.started_on <= decline.body.on
        yield _Closing(
            decline.body.on, _PRECEDENCE["declined"], "left" if has_started else "declined", decline.body.reason
        )
    for stage, facts in (("withdrawn", days.withdrawals), ("discharged", days.discharges)):
        for fact in facts:
            if fact.body.reason == DIED:
                continue  # the death ends it
            has_started = days.started_on is not None and days.started_on <= fact.body.on
            ending: Ending = "left" if has_started else "never_started"
            if fact.body.reason in TRANSFERRING:
                ending = "transferred"
            yield _Closing(fact.body.on, _PRECEDENCE[cast(Stage, stage)], ending, fact.body.reason)


def _happened(days: Milestones, ended: Ended) -> Iterator[tuple[date, Stage]]:
    single: tuple[tuple[date | None, Stage], ...] = (
        (days.received_on, "referred"),
        (days.accepted.on if days.accepted else None, "accepted"),
        (days.started_on, "started"),
        (ended.on if ended.ending == "completed" else None, "completed"),
        (ended.on if ended.ending == "died" else None, "died"),
    )
    yield from ((on, stage) for on, stage in single if on is not None)
    yield from ((fact.body.on, "triaged") for fact in days.triages)
    yield from ((fact.body.on, "declined") for fact in days.declines)
    yield from ((fact.body.on, "accepted") for fact in days.acceptances)
    for stage, facts in (("withdrawn", days.withdrawals), ("discharged", days.discharges)):
        for fact in facts:
            is_transfer = fact.body.reason in TRANSFERRING
            yield fact.body.on, "transferred" if is_transfer else cast(Stage, stage)
