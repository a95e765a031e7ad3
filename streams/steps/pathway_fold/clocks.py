"""Waits (`waits/2`), the 18-week clock (`rtt/2`) and the wait to the first attendance of one episode."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from schemas.definitions import RTT, WAIT_TO_FIRST_ATTENDANCE, WAITS, RttRule
from schemas.pathway_episode import AttendanceWait, Rtt, RttStart, RttStop, Waits
from streams.steps.pathway_fold.milestones import MISSED, SEEN, TREATED, Milestones

DAYS_PER_WEEK = 7
_STOP_OF_STATUS: dict[str, RttStop] = {
    TREATED: "treatment", "31": "active_monitoring", "32": "active_monitoring", "34": "decision_not_to_treat",
    "35": "declined_by_person", "36": "died",
}  # fmt: skip
_STOPS: tuple[RttStop, ...] = (  # of two on one day the first
    "treatment", "died", "active_monitoring", "decision_not_to_treat", "declined_by_person", "rejected", "discharged",
)  # fmt: skip


class _Stop(NamedTuple):
    on: date
    by: RttStop


@dataclass(frozen=True, slots=True)
class _Start:
    on: date | None
    by: RttStart
    nullified_on: tuple[date, ...] = ()


def waits(days: Milestones, sent_on: date | None) -> tuple[Waits, tuple[date, ...]]:
    """The waits, and the days of what came before the referral."""
    reached = {
        "received": days.received_on,
        "acceptance": days.accepted.on if days.accepted else None,
        "first_contact": days.first_contact_on,
        "first_session": days.first_session_on,
        "treatment": days.treated_on,
    }
    values: dict[str, int | None] = {}
    for name, on in reached.items():
        values[f"sent_to_{name}_days"] = _wait(sent_on, on)
        if name != "received":
            values[f"received_to_{name}_days"] = _wait(days.received_on, on)
    since = sent_on or days.received_on
    early = {on for on in reached.values() if on is not None and since is not None and on < since}
    return Waits.model_validate({"definition": WAITS, **values}), tuple(sorted(early))


def rtt(days: Milestones, original_on: date | None, rule: RttRule) -> Rtt | None:
    """The clock of a consultant-led service; None without a referral in life. `original_on`: of one rejected."""
    if days.received_on is None or (days.died_on is not None and days.died_on < days.received_on):
        return None
    start = _start(days, original_on or days.received_on, is_original=original_on is not None)
    stop = _first_stop(days, start.on or max(start.nullified_on))
    while (restarted_on := _restarted_on(days, stop)) is not None:  # each is later than the one before
        start, stop = _Start(restarted_on, "after_active_monitoring"), _first_stop(days, restarted_on)
    wait_days = _wait(start.on, stop.on if stop else None)
    return Rtt(
        definition=RTT,
        start_on=start.on,
        start_by=start.by,
        nullified_on=start.nullified_on,
        stop_on=stop.on if stop else None,
        stop_by=stop.by if stop else None,
        wait_days=wait_days,
        breach_on=start.on + timedelta(weeks=rule.limit_weeks, days=1) if start.on else None,
        within_standard=None if wait_days is None else wait_days <= rule.limit_weeks * DAYS_PER_WEEK,
    )


def attendance_wait(days: Milestones, clock: Rtt) -> AttendanceWait:
    """From the start of the clock to the first appointment seen."""
    seen = [fact.body.on for fact in days.attendances if fact.body.attendance in SEEN]
    stop_on = min((on for on in seen if clock.start_on is not None and on >= clock.start_on), default=None)
    return AttendanceWait(
        definition=WAIT_TO_FIRST_ATTENDANCE,
        start_on=clock.start_on,
        stop_on=stop_on,
        wait_days=_wait(clock.start_on, stop_on),
    )


def _wait(start: date | None, end: date | None) -> int | None:
    """Whole days; None while one is missing or they are in the wrong order."""
    if start is None or end is None or end < start:
        return None
    return (end - start).days


def _start(days: Milestones, first_on: date, *, is_original: bool) -> _Start:
    """Each first appointment that was missed ends its period; the next one agreed starts another."""
    start = _Start(first_on, "original_referral" if is_original else "referral")
    while start.on is not None and (missed_on := _first_missed_on(days, start.on)) is not None:
        agreed_on = _agreed_on(days, missed_on)
        start = _Start(agreed_on, "rebooked_after_dna", (*start.nullified_on, missed_on))
    return start


def _first_missed_on(days: Milestones, start_on: date) -> date | None:
    """The day on which the first appointment of a period was missed, if it was."""
    held = [
        (fact.body.on, fact.body.attendance == MISSED)
        for fact in days.attendances
        if fact.body.on > start_on and fact.body.attendance in (*SEEN, MISSED)
    ]
    held += [(fact.body.on, True) for fact in days.rtt_statuses if fact.body.status == "33" and fact.body.on > start_on]
    on, is_missed = min(held, default=(start_on, False))
    return on if is_missed else None


def _agreed_on(days: Milestones, missed_on: date) -> date | None:
    """The day on which the appointment after a missed one was agreed."""
    booked = [
        fact.body.booked_on
        for fact in days.attendances
        if fact.body.booked_on and missed_on <= fact.body.booked_on <= fact.body.on and fact.body.on > missed_on
    ]
    started = [fact.body.on for fact in days.rtt_statuses if fact.body.status == "10" and fact.body.on >= missed_on]
    return min([*booked, *started], default=None)


def _restarted_on(days: Milestones, stop: _Stop | None) -> date | None:
    """The start of a clock after active monitoring."""
    if stop is None or stop.by != "active_monitoring":
        return None
    ended = [fact.body.on for fact in days.rtt_statuses if fact.body.status == "11" and fact.body.on > stop.on]
    return min(ended, default=None)


def _first_stop(days: Milestones, start_on: date) -> _Stop | None:
    stops = [stop for stop in _stops(days) if stop.on >= start_on]
    return min(stops, key=lambda stop: (stop.on, _STOPS.index(stop.by)), default=None)


def _stops(days: Milestones) -> Iterator[_Stop]:
    treatments = [*days.starts, *days.procedures, *(m for m in days.medicines if m.body.action == "started")]
    yield from (_Stop(fact.body.on, "treatment") for fact in treatments)
    for status in days.rtt_statuses:
        if status.body.status in _STOP_OF_STATUS:
            yield _Stop(status.body.on, _STOP_OF_STATUS[status.body.status])
    care_on = days.last_care_on or date.min  # what it followed did not stand
    for decline in days.declines:
        if care_on >= decline.body.on:
            continue
        by: RttStop = "declined_by_person" if decline.body.declined_by == "person" else "rejected"
        yield _Stop(decline.body.on, by)
    yield from (_Stop(fact.body.on, "declined_by_person") for fact in days.withdrawals if fact.body.on >= care_on)
    yield from (_Stop(fact.body.on, "discharged") for fact in days.discharges if fact.body.on >= care_on)
    if days.died_on is not None:
        yield _Stop(days.died_on, "died")
