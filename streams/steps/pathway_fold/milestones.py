"""The days of one episode, as the service reports them, else by a named definition."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schemas import facts as bodies
from schemas.definitions import ACCEPTED_BY_BOOKING, AS_REPORTED, START_BY_SESSION, START_BY_TREATMENT
from schemas.facts import Body
from streams.steps.pathway_fold.current_facts import B, CurrentFact, of_type
from streams.steps.pathway_fold.ownership import Case

SEEN, MISSED = frozenset("56"), "3"
TREATED = "30"  # REFERRAL TO TREATMENT PERIOD STATUS: first definitive treatment
COMPLETING = frozenset({"completed", "treatment-complete"})  # reasons of a discharge
ENDING = (bodies.Completion, bodies.Decline, bodies.Discharge, bodies.Withdrawal)
DIED = "died"
TRANSFERRING = frozenset({"transferred"})


@dataclass(frozen=True, slots=True)
class Dated:
    """A day, the definition that gave it, and the source of the fact it rests on."""

    on: date
    definition: str
    source: str
    inferred: bool


@dataclass(frozen=True, slots=True)
class Milestones:
    """What became of a referral. Tuples are by day and fact id; `died_on` is the person's death, if any."""

    received_on: date | None
    accepted: Dated | None
    started: Dated | None
    first_contact_on: date | None
    first_session_on: date | None
    treated_on: date | None
    died_on: date | None
    triages: tuple[CurrentFact[bodies.Triage], ...]
    acceptances: tuple[CurrentFact[bodies.Acceptance], ...]
    declines: tuple[CurrentFact[bodies.Decline], ...]
    choices: tuple[CurrentFact[bodies.Choice], ...]
    attendances: tuple[CurrentFact[bodies.Attendance], ...]
    starts: tuple[CurrentFact[bodies.ProgrammeStart], ...]
    completions: tuple[CurrentFact[bodies.Completion], ...]
    withdrawals: tuple[CurrentFact[bodies.Withdrawal], ...]
    discharges: tuple[CurrentFact[bodies.Discharge], ...]
    suspensions: tuple[CurrentFact[bodies.Suspension], ...]
    rtt_statuses: tuple[CurrentFact[bodies.RttStatus], ...]
    medicines: tuple[CurrentFact[bodies.Medicine], ...]
    procedures: tuple[CurrentFact[bodies.Procedure], ...]

    @property
    def started_on(self) -> date | None:
        """The day of the start, if any."""
        return self.started.on if self.started else None

    @property
    def last_care_on(self) -> date | None:
        """The last day of an acceptance, a start or a session: an ending before it did not stand."""
        sessions = (fact.body.on for fact in self.sessions if fact.body.attendance in SEEN)
        others = (fact.body.on for fact in (*self.acceptances, *self.starts))
        return max([*sessions, *others], default=None)

    @property
    def sessions(self) -> tuple[CurrentFact[bodies.Attendance], ...]:
        """The appointments that are sessions, whatever became of them."""
        return tuple(fact for fact in self.attendances if is_session(fact.body))


def milestones(case: Case, died_on: date | None) -> Milestones:
    """The milestones of a case.

    What came after the person's death has no day among them, nor an ending before the referral was received, nor one by
    a hub: it hands on, and the provider ends.
    """
    facts = [fact for fact in case.facts if not (_is_after(fact, died_on) or _ends_before(fact, case))]
    if len(case.sources) > 1:
        provider = _provider(case, facts)
        facts = [fact for fact in facts if fact.source == provider or not _ends_a_part(fact.body)]
    attendances = of_type(facts, bodies.Attendance)
    seen = [fact for fact in attendances if fact.body.attendance in SEEN]
    sessions = [fact for fact in seen if is_session(fact.body)]
    starts, medicines = of_type(facts, bodies.ProgrammeStart), of_type(facts, bodies.Medicine)
    procedures, statuses = of_type(facts, bodies.Procedure), of_type(facts, bodies.RttStatus)
    return Milestones(
        received_on=case.referrals[0].body.on if case.referrals else None,
        accepted=_accepted(case, facts, attendances),
        started=_started(starts, sessions, [*procedures, *(m for m in medicines if _is_for_weight(m.body))]),
        first_contact_on=first_day(seen),
        first_session_on=first_day(sessions),
        treated_on=first_day(
            [
                *starts,
                *procedures,
                *(fact for fact in medicines if fact.body.action == "started"),
                *(fact for fact in statuses if fact.body.status == TREATED),
            ]
        ),
        died_on=died_on,
        triages=of_type(facts, bodies.Triage),
        acceptances=_acceptances(facts),
        declines=of_type(facts, bodies.Decline),
        choices=of_type(facts, bodies.Choice),
        attendances=attendances,
        starts=starts,
        completions=of_type(facts, bodies.Completion),
        withdrawals=of_type(facts, bodies.Withdrawal),
        discharges=of_type(facts, bodies.Discharge),
        suspensions=of_type(facts, bodies.Suspension),
        rtt_statuses=statuses,
        medicines=medicines,
        procedures=procedures,
    )


def is_session(appointment: bodies.Attendance) -> bool:
    """Whether an appointment is a session by `start-by-first-session/1`."""
    if appointment.purpose is None:
        return appointment.medium != "telephone"
    return appointment.purpose == "session"


def _is_for_weight(medicine: bodies.Medicine) -> bool:
    return medicine.action == "started" and medicine.indication in (None, "weight_management")


def first_day(facts: Iterable[CurrentFact[Body]]) -> date | None:
    """The earliest day, None without a fact."""
    return min((fact.body.on for fact in facts), default=None)


def last_of(facts: Sequence[CurrentFact[B]]) -> B | None:
    """The body of the last fact, None without one."""
    return facts[-1].body if facts else None


def _acceptances(facts: Sequence[CurrentFact[Body]]) -> tuple[CurrentFact[bodies.Acceptance], ...]:
    """As reported; of those that a booking stands for only the first, since every later booking makes another."""
    found = of_type(facts, bodies.Acceptance)
    booked = [fact for fact in found if fact.body.definition == ACCEPTED_BY_BOOKING]
    return tuple(fact for fact in found if fact not in booked[1:])


def _is_after(fact: CurrentFact[Body], died_on: date | None) -> bool:
    return died_on is not None and fact.body.on > died_on


def _ends_before(fact: CurrentFact[Body], case: Case) -> bool:
    return bool(case.referrals) and type(fact.body) in ENDING and fact.body.on < case.opened_on


def _provider(case: Case, facts: Sequence[CurrentFact[Body]]) -> str:
    """Of several services under one number that which gave the programme, else the last to receive the referral."""
    sessions = [fact for fact in of_type(facts, bodies.Attendance) if fact.body.attendance in SEEN]
    begun = [*of_type(facts, bodies.ProgrammeStart), *(fact for fact in sessions if is_session(fact.body))]
    return next((fact.source for fact in begun if fact.source in case.sources), case.referrals[-1].source)


def _ends_a_part(body: Body) -> bool:
    """Whether it says that a service ended its part; a withdrawal or decline by the person is no such thing."""
    if type(body) is bodies.Decline:
        return body.declined_by != "person"
    return type(body) in ENDING and type(body) is not bodies.Withdrawal


def _accepted(
    case: Case, facts: Sequence[CurrentFact[Body]], attendances: Iterable[CurrentFact[bodies.Attendance]]
) -> Dated | None:
    acceptance = next(iter(of_type(facts, bodies.Acceptance)), None)
    if acceptance is not None:
        return Dated(acceptance.body.on, acceptance.body.definition or AS_REPORTED, acceptance.source, inferred=False)
    if case.tier != "tier3" or not case.referrals:
        return None
    received_on = case.referrals[0].body.on
    booked = [
        (fact.body.booked_on, fact.source)
        for fact in attendances
        if fact.body.booked_on is not None and received_on <= fact.body.booked_on <= fact.body.on
    ]
    if not booked:
        return None
    on, source = min(booked)
    return Dated(on, ACCEPTED_BY_BOOKING, source, inferred=True)


def _started(
    starts: Sequence[CurrentFact[bodies.ProgrammeStart]],
    sessions: Sequence[CurrentFact[bodies.Attendance]],
    treatments: Sequence[CurrentFact[Body]],
) -> Dated | None:
    if starts:
        return Dated(starts[0].body.on, AS_REPORTED, starts[0].source, inferred=False)
    session, treatment = _first(sessions), _first(treatments)
    if treatment is not None and (session is None or treatment.body.on < session.body.on):
        return Dated(treatment.body.on, START_BY_TREATMENT, treatment.source, inferred=True)
    return Dated(session.body.on, START_BY_SESSION, session.source, inferred=True) if session is not None else None


def _first(facts: Iterable[CurrentFact[Body]]) -> CurrentFact[Body] | None:
    return min(facts, key=lambda fact: (fact.body.on, fact.fact_id), default=None)
