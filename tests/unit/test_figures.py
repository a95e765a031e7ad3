"""What snapshots add up to: funnel, waits, gaps, equity, one timeline."""

from typing import Any

from memory_engine import MemoryEngine
from small_world import small_world

from ops.lab.demo.figures import (
    EquityRow,
    HandoverFigures,
    TimelineRow,
    equity,
    example,
    funnel,
    gaps,
    timeline,
)
from ops.lab.demo.outcome_figures import HORIZON_WEEKS, outcome_figures
from schemas import topics

NEAREST, LAST = "loss-5pct-nearest/1", "loss-5pct-last/1"


def outcome(achieved: bool | None, weeks: int = 12, definition: str = NEAREST, **denominators: bool) -> dict[str, Any]:
    plain = {
        "definition": definition, "weeks": weeks, "achieved": achieved,
        "end_on": None if achieved is None else "2026-04-01",
        "loss_pct": None if achieved is None else 5.2 if achieved else 1.0,
        "in_starters": True, "in_closed": True, "in_completers": False,
    }  # fmt: skip
    return plain | denominators


def episode(tier: str = "tier2", **changes: Any) -> dict[str, Any]:
    plain = {
        "id": "e1", "tier": tier, "referral_retracted": False, "received_on": "2026-01-01", "ending": "none",
        "accepted_on": None, "acceptance_definition": None, "declined_on": None, "decline_reason": None,
        "started_on": None, "start_definition": None, "first_session_on": None, "withdrawn_on": None,
        "discharged_on": None, "completions": [], "weights": [], "outcomes": [],
        "waits": {
            "definition": "waits/2", "received_to_acceptance_days": None, "received_to_first_session_days": None
        },
    }  # fmt: skip
    return plain | changes


def started(*outcomes: dict[str, Any], wait_days: int = 10, ending: str = "none") -> dict[str, Any]:
    waits = {"definition": "waits/2", "received_to_acceptance_days": 3, "received_to_first_session_days": wait_days}
    return episode(
        started_on="2026-01-11", start_definition="as-reported/1", first_session_on="2026-01-11",
        ending=ending, waits=waits, outcomes=list(outcomes),
    )  # fmt: skip


def snapshot(*episodes: Any, quintile: int | None = None, handovers: Any = (), **changes: Any) -> dict[str, Any]:
    plain = {"person": "p", "episodes": list(episodes), "handovers": list(handovers),
             "demographics": {"imd_quintile": quintile}, "three_tier": False}  # fmt: skip
    return plain | changes


def handover(status: str, interval_days: int | None = None) -> dict[str, Any]:
    return {"from_tier": "primary_care", "to_tier": "tier2", "status": status, "sent_on": "2025-12-20",
            "episode": "e1" if interval_days else None, "interval_days": interval_days, "answer": None,
            "overdue_since": "2026-01-31" if status == "overdue" else None, "definition": "handover/2"}  # fmt: skip


def test_a_funnel_counts_who_was_referred_accepted_started_and_completed() -> None:
    people = [snapshot(episode()), snapshot(started()), snapshot(started(ending="completed"))]
    found = funnel(people, "tier2")
    assert (found.referred, found.accepted, found.started, found.completed) == (3, 0, 2, 1)


def test_a_referral_that_was_taken_back_is_in_no_figure() -> None:
    wrong = started(outcome(True)) | {"referral_retracted": True}
    assert funnel([snapshot(wrong)], "tier2").referred == 0
    assert outcome_figures([snapshot(wrong)], "tier2", 12).starters == 0


def test_three_denominators() -> None:
    people = [
        snapshot(started(outcome(True, in_completers=True))),
        snapshot(started(outcome(None, in_completers=True))),
        snapshot(started(outcome(True))),
        snapshot(started(outcome(None, in_closed=False))),
        snapshot(started(outcome(True, in_starters=False, in_closed=False))),  # a child
        snapshot(episode()),
    ]
    assert outcome_figures(people, "tier2", 12).as_json() == {
        "starters": [2, 4], "closed": [2, 3], "completers": [1, 2],
    }  # fmt: skip


def test_horizons_definitions_and_tiers_do_not_mix() -> None:
    every = [outcome(True, weeks) for weeks in HORIZON_WEEKS] + [outcome(True, 12, LAST)]
    people = [snapshot(started(*every)), snapshot(started(outcome(True)) | {"tier": "tier3"})]
    for weeks in HORIZON_WEEKS:
        assert outcome_figures(people, "tier2", weeks).lost_closed == 1
    assert outcome_figures(people, "tier3", 52).starters == 0


def test_tiers_do_not_mix_and_nobody_gives_no_median() -> None:
    found = funnel([snapshot(episode("tier3"))], "tier2")
    assert (found.referred, found.acceptance_wait_days, found.session_wait_days) == (0, None, None)


def test_the_median_wait_is_of_those_who_waited() -> None:
    people = [snapshot(started(wait_days=days)) for days in (4, 10, 40)]
    assert funnel([*people, snapshot(episode())], "tier2").session_wait_days == 10.0


def test_gaps_count_sent_received_answered_and_overdue() -> None:
    people = [snapshot(handovers=[handover("received", 5), handover("overdue"), handover("answered")]),
              snapshot(handovers=[handover("not_received")])]  # fmt: skip
    assert gaps(people) == [HandoverFigures("primary_care", "tier2", 4, 1, 1, 1)]


def test_equity_has_a_row_for_each_quintile_and_those_not_known_last() -> None:
    people = [snapshot(episode(), quintile=5), snapshot(started(outcome(True)), quintile=1), snapshot()]
    assert equity(people) == [
        EquityRow(1, 1, 1, 1, 1, 1), EquityRow(5, 1, 1, 0, 0, 0), EquityRow(None, 1, 0, 0, 0, 0)
    ]  # fmt: skip


def test_a_timeline_is_in_order_of_date_and_names_its_definitions() -> None:
    weight = {"on": "2026-01-12", "kg": 101.25, "method": "self_reported", "plausible": True}
    doubted = {"on": "2026-01-13", "kg": 220.5, "method": "measured", "plausible": False}
    completion = {"definition": "attended-8-of-12/1", "basis": "reported", "met": True, "on": "2026-04-02"}
    unmet = completion | {"met": False, "on": None}
    weighed = started(outcome(True)) | {
        "weights": [weight, doubted], "accepted_on": "2026-01-04", "completions": [completion, unmet],
    }  # fmt: skip
    lines = timeline(snapshot(weighed, handovers=[handover("received", 12), handover("overdue")]))
    assert [line.on for line in lines] == sorted(line.on for line in lines)
    assert TimelineRow("2026-01-01", "tier2", "referral received, 12 days after it was sent") in lines
    assert TimelineRow("2026-01-31", "tier2", "overdue: never received (handover/2)") in lines
    assert TimelineRow("2026-01-11", "tier2", "started (as-reported/1)") in lines
    assert TimelineRow("2026-01-11", "tier2", "first session after 10 days (waits/2)") in lines
    assert TimelineRow("2026-04-02", "tier2", "completed, reported (attended-8-of-12/1)") in lines
    assert TimelineRow("2026-04-01", "tier2", "12 weeks: 5.2 %, at least 5 % lost (loss-5pct-nearest/1)") in lines
    assert TimelineRow("2026-01-12", "tier2", "weight 101.2 kg (self-reported)") in lines
    assert TimelineRow("2026-01-13", "tier2", "weight 220.5 kg (measured, not plausible)") in lines


def test_the_example_has_three_tiers_or_there_is_none() -> None:
    assert example([snapshot(started(outcome(True)))]) is None
    rich = snapshot(started(outcome(True)), three_tier=True, person="b")
    poor = snapshot(episode(), three_tier=True, person="c")
    assert example([poor, rich]) is rich


def test_figures_read_what_the_engine_publishes() -> None:
    engine = MemoryEngine(seed=4)
    for slug, message in small_world():
        engine.take(slug, message)
    snapshots = list(engine.run().latest(topics.pathway_state("demo")).values())
    found = funnel(snapshots, "tier2")
    assert (found.referred, found.started) == (7, 4)  # four referrals, three records that only attended
    chosen = example(snapshots)
    assert chosen is not None
    assert {line.tier for line in timeline(chosen)} == {"primary_care", "tier2", "tier3"}
    assert any("12 weeks" in line.text for line in timeline(chosen))
    assert sum(gap.received for gap in gaps(snapshots)) >= 3
    assert [row.imd_quintile for row in equity(snapshots)] == [None]
