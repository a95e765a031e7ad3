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
    """Each rule; `met` has no value while it is too early, or where nobody reported what it rests on."""
    if days.started_on is None:
        return
    on = _by_weeks(days.started_on, days.attendances, definitions.weeks)
    is_over = as_of is not None and as_of >= weeks_over_on(days.started_on, definitions.weeks)
    is_known = is_over and bool(_held(days.attendances, days.started_on, definitions.weeks.programme_weeks))
    met = True if on is not None else (False if is_known else None)
    yield CompletionView(definition=DWMP_COMPLETION, basis="computed", met=met, on=on)
    if as_of is None or as_of < common_from(days.started_on, definitions.sessions):
        yield CompletionView(definition=COMMON_COMPLETION, basis="computed", met=None, on=None)
        return
    held = _held(days.sessions, days.started_on, definitions.sessions.within_weeks)
    on = _by_sessions(held, definitions.sessions)
    met = (on is not None) if held else None
    yield CompletionView(definition=COMMON_COMPLETION, basis="computed", met=met, on=on)


def common_from(started_on: date, rule: SessionsRule) -> date:
    """The day from which the common rule says something."""
    return started_on + timedelta(days=rule.from_days)


def weeks_over_on(started_on: date, rule: WeeksRule) -> date:
    """The day after the weeks of the programme: who had not been seen often enough by then has not completed it."""
    return started_on + timedelta(weeks=rule.programme_weeks)


def _held(
    appointments: Sequence[CurrentFact[Attendance]], started_on: date, weeks: int
) -> list[CurrentFact[Attendance]]:
    """Those seen or missed in the first weeks after the start: cancelled or ahead, none took place."""
    last_on = started_on + timedelta(weeks=weeks)
    return [
        fact
        for fact in appointments
        if started_on <= fact.body.on < last_on and fact.body.attendance in SEEN | NOT_SEEN
    ]


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


def _by_sessions(held: Sequence[CurrentFact[Attendance]], rule: SessionsRule) -> date | None:
    """The day of the last session seen, when enough were seen of those that took place within the weeks."""
    seen = [fact for fact in held if fact.body.attendance in SEEN]
    if len(held) < rule.sessions_least or len(seen) * 100 < rule.attended_pct * len(held):
        return None
    return seen[-1].body.on
