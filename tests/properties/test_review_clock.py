"""The 18-week clock (`rtt/2`) and the wait to the first attendance cannot stop before they start."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions import RttRule
from schemas.facts import Attendance, Body, Procedure, Referral
from schemas.pathway_episode import Rtt
from streams.steps.pathway_fold.clocks import attendance_wait, rtt
from streams.steps.pathway_fold.current_facts import CurrentFact
from streams.steps.pathway_fold.milestones import Milestones, milestones
from streams.steps.pathway_fold.ownership import Case

RECEIVED_ON = date(2026, 1, 1)
VERSION = (datetime(2026, 6, 1, tzinfo=UTC), "0")
REFERRAL = CurrentFact(
    "r", "x", "test", "tier3", Referral(on=RECEIVED_ON, direction="received", to_tier="tier3"), VERSION
)
days_after = st.lists(st.integers(-900, 900), max_size=6)


def clock_of(*facts: Body) -> tuple[Milestones, Rtt]:
    """The clock of a referral under which the facts lie."""
    current: list[CurrentFact[Body]] = [
        CurrentFact(f"f{number}", "x", "test", "tier3", body, VERSION)
        for number, body in enumerate(sorted(facts, key=lambda body: body.on))
    ]
    found = milestones(Case("r", "tier3", referrals=(REFERRAL,), facts=current), died_on=None)
    clock = rtt(found, None, RttRule(limit_weeks=18, original_days=42))
    assert clock is not None
    return found, clock


def procedure(day: int) -> Procedure:
    """Treatment on that day after the referral."""
    return Procedure(on=RECEIVED_ON + timedelta(day), code="G281", system="opcs4")


def attendance(day: int) -> Attendance:
    """An appointment, seen on time, on that day after the referral."""
    return Attendance(on=RECEIVED_ON + timedelta(day), attendance="5")


@given(days_after)
def test_a_treatment_before_the_referral_neither_stops_nor_passes_the_clock(days: list[int]) -> None:
    _, clock = clock_of(*map(procedure, days))
    after = [day for day in days if day >= 0]
    assert clock.wait_days == min(after, default=None)
    assert clock.within_standard == (min(after) <= 126 if after else None)


@given(days_after)
def test_an_attendance_stops_its_own_wait_if_not_before_the_referral_and_never_the_clock(days: list[int]) -> None:
    found, clock = clock_of(*map(attendance, days))
    assert attendance_wait(found, clock).wait_days == min((day for day in days if day >= 0), default=None)
    assert (clock.stop_on, clock.stop_by, clock.within_standard) == (None, None, None)
