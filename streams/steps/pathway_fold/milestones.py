"""The dates of one episode: as the service reports them, else by a named definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from schemas import facts as bodies
from schemas.definitions import ACCEPTED_BY_BOOKING, AS_REPORTED, RTT, START_BY_ATTENDANCE, WAITS, RttRule
from schemas.facts import Body, Tier
from schemas.pathway import Rtt, Stage, Waits
from streams.steps.pathway_fold.current_facts import B, CurrentFact, of_type

SEEN, NOT_SEEN, CANCELLED = frozenset("56"), frozenset("37"), frozenset("24")
DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class Dated:
    """A date, and the definition that gave it."""

    on: date
    definition: str
    inferred: bool


@dataclass(frozen=True, slots=True)
class Milestones:
    """What became of a referral: the first fact of every kind."""

    referred_on: date | None
    accepted: Dated | None
    started: Dated | None
    first_attended_on: date | None
    clock_stopped_on: date | None  # the first attendance that was not before the referral
    triage: CurrentFact[bodies.Triage] | None
    decline: CurrentFact[bodies.Decline] | None
    completion: CurrentFact[bodies.Completion] | None
    withdrawal: CurrentFact[bodies.Withdrawal] | None
    discharge: CurrentFact[bodies.Discharge] | None

    @property
    def accepted_on(self) -> date | None:
        """The day of acceptance, if any."""
        return self.accepted.on if self.accepted else None

    @property
    def started_on(self) -> date | None:
        """The day of the start, if any."""
        return self.started.on if self.started else None

    @property
    def stage(self) -> Stage:
        """How far it came; an end outranks a completion, which outranks a start."""
        reached: tuple[tuple[object, Stage], ...] = (
            (self.discharge, "discharged"),
            (self.withdrawal, "withdrawn"),
            (self.decline, "declined"),
            (self.completion, "completed"),
            (self.started, "started"),
            (self.accepted, "accepted"),
        )
        return next((stage for milestone, stage in reached if milestone is not None), "referred")


def milestones(
    tier: Tier, referral: CurrentFact[bodies.Referral] | None, facts: Sequence[CurrentFact[Body]]
) -> Milestones:
    """The milestones of an episode whose `facts` are sorted by day and fact id."""
    attended = [fact for fact in of_type(facts, bodies.Attendance) if fact.body.attendance in SEEN]
    return Milestones(
        referred_on=referral.body.on if referral else None,
        accepted=_accepted(tier, referral, facts),
        started=_started(facts, attended),
        first_attended_on=attended[0].body.on if attended else None,
        clock_stopped_on=next(
            (fact.body.on for fact in attended if referral and fact.body.on >= referral.body.on), None
        ),
        triage=_first(facts, bodies.Triage),
        decline=_first(facts, bodies.Decline),
        completion=_first(facts, bodies.Completion),
        withdrawal=_first(facts, bodies.Withdrawal),
        discharge=_first(facts, bodies.Discharge),
    )


def waits(dates: Milestones) -> Waits:
    """The waits of one episode, by `waits/1`."""
    return Waits(
        definition=WAITS,
        referral_to_acceptance=_days(dates.referred_on, dates.accepted_on),
        acceptance_to_first_attendance=_days(dates.accepted_on, dates.first_attended_on),
        referral_to_first_attendance=_days(dates.referred_on, dates.first_attended_on),
        referral_to_start=_days(dates.referred_on, dates.started_on),
    )


def rtt(dates: Milestones, *, consultant_led: bool | None, rule: RttRule) -> Rtt | None:
    """The 18-week clock by `rtt/1`; None unless the service is consultant-led and has a referral."""
    if not consultant_led or dates.referred_on is None:
        return None
    wait_days = _days(dates.referred_on, dates.clock_stopped_on)
    return Rtt(
        definition=RTT,
        start_on=dates.referred_on,
        stop_on=dates.clock_stopped_on,
        wait_days=wait_days,
        within_standard=wait_days <= rule.limit_weeks * DAYS_PER_WEEK if wait_days is not None else None,
    )


def _accepted(
    tier: Tier, referral: CurrentFact[bodies.Referral] | None, facts: Sequence[CurrentFact[Body]]
) -> Dated | None:
    acceptance = _first(facts, bodies.Acceptance)
    if acceptance is not None:
        definition = acceptance.body.definition or AS_REPORTED
        return Dated(acceptance.body.on, definition, inferred=False)
    if tier != "tier3" or referral is None:
        return None
    booked = [
        fact.body.booked_on
        for fact in of_type(facts, bodies.Attendance)
        if fact.body.booked_on is not None and fact.body.booked_on >= referral.body.on
    ]
    return Dated(min(booked), ACCEPTED_BY_BOOKING, inferred=True) if booked else None


def _started(facts: Sequence[CurrentFact[Body]], attended: Sequence[CurrentFact[bodies.Attendance]]) -> Dated | None:
    start = _first(facts, bodies.ProgrammeStart)
    if start is not None:
        return Dated(start.body.on, AS_REPORTED, inferred=False)
    if not attended:
        return None
    return Dated(attended[0].body.on, START_BY_ATTENDANCE, inferred=True)


def _first(facts: Sequence[CurrentFact[Body]], type_: type[B]) -> CurrentFact[B] | None:
    return next(iter(of_type(facts, type_)), None)


def _days(start: date | None, end: date | None) -> int | None:
    return (end - start).days if start is not None and end is not None else None
