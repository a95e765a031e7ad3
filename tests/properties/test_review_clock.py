"""The 18-week clock cannot have stopped before it started."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions import RttRule
from schemas.facts import Attendance, Body, Referral
from streams.steps.pathway_fold.current_facts import CurrentFact
from streams.steps.pathway_fold.milestones import milestones, rtt

REFERRED_ON = date(2026, 1, 1)
TOLD = (datetime(2026, 6, 1, tzinfo=UTC), "0")


@given(st.lists(st.integers(-900, 900), max_size=6))
def test_an_attendance_before_the_referral_neither_stops_nor_passes_the_clock(days: list[int]) -> None:
    body = Referral(on=REFERRED_ON, direction="received", to_tier="tier3", consultant_led=True)
    referral = CurrentFact("r", "x", "tier3", body, TOLD)
    facts: list[CurrentFact[Body]] = [
        CurrentFact(f"a{number}", "x", "tier3", Attendance(on=REFERRED_ON + timedelta(day), attendance="5"), TOLD)
        for number, day in enumerate(sorted(days))
    ]
    clock = rtt(milestones("tier3", referral, facts), consultant_led=True, rule=RttRule(18))
    assert clock is not None
    after = [day for day in days if day >= 0]
    assert clock.wait_days == min(after, default=None)
    assert clock.within_standard == (min(after) <= 126 if after else None)
