"""Whether an episode's programme was completed: as told, and by every rule that its attendances decide."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from schemas.definitions import COMMON_COMPLETION, DWMP_COMPLETION, Definitions, SessionsRule, WeeksRule
from schemas.facts import Attendance
from schemas.pathway_episode import CompletionView
from streams.steps.pathway_fold.current_facts import CurrentFact
from streams.steps.pathway_fold.milestones import SEEN, Milestones

NOT_SEEN = frozenset("37")


def completions(days: Milestones, definitions: Definitions, as_of: date | None) -> tuple[CompletionView, ...]:
    """What the service reported, by definition the first day; then each computed rule, met or not, once started."""
    reported: dict[str, date] = {}
    for fact in days.completions:
        reported.setdefault(fact.body.definition, fact.body.on)
    return (
        *(CompletionView(definition=name, basis="reported", met=True, on=on) for name, on in sorted(reported.items())),
        *_computed(days, definitions, as_of),
    )


def are_contradicting(days: Milestones) -> bool:
    """Whether one definition was reported as met on two days."""
    found = {(fact.body.definition, fact.body.on) for fact in days.completions}
    return len({definition for definition, _ in found}) < len(found)


def _computed(days: Milestones, definitions: Definitions, as_of: date | None) -> Iterator[CompletionView]:
    if days.started_on is None:
        return
    by_weeks = _by_weeks(days.started_on, days.attendances, definitions.weeks)
    yield CompletionView(definition=DWMP_COMPLETION, basis="computed", met=by_weeks is not None, on=by_weeks)
    if as_of is not None and as_of >= common_from(days.started_on, definitions.sessions):
        since = [fact for fact in days.sessions if fact.body.on >= days.started_on]
        by_sessions = _by_sessions(days.started_on, since, definitions.sessions)
        yield CompletionView(
            definition=COMMON_COMPLETION, basis="computed", met=by_sessions is not None, on=by_sessions
        )


def common_from(started_on: date, rule: SessionsRule) -> date:
    """The day from which the common rule says something."""
    return started_on + timedelta(days=rule.from_days)


def _by_weeks(started_on: date, appointments: Sequence[CurrentFact[Attendance]], rule: WeeksRule) -> date | None:
    """The day on which the person had been seen in so many different weeks."""
    weeks: set[int] = set()
    for fact in appointments:
        week = (fact.body.on - started_on).days // 7
        if fact.body.attendance in SEEN and 0 <= week < rule.programme_weeks:
            weeks.add(week)
            if len(weeks) == rule.seen_weeks:
                return fact.body.on
    return None


def _by_sessions(started_on: date, sessions: Sequence[CurrentFact[Attendance]], rule: SessionsRule) -> date | None:
    """The day of the last session seen, when enough were seen of those that took place within the weeks."""
    last_on = started_on + timedelta(weeks=rule.within_weeks)
    held = [fact for fact in sessions if fact.body.on < last_on and fact.body.attendance in SEEN | NOT_SEEN]
    seen = [fact for fact in held if fact.body.attendance in SEEN]
    if len(held) < rule.sessions_least or len(seen) * 100 < rule.attended_pct * len(held):
        return None
    return seen[-1].body.on
