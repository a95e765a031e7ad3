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
from schemas import topics


def outcome(achieved: bool) -> dict[str, Any]:
    return {
        "end_on": "2026-04-01",
        "end_kg": 90.0,
        "loss_pct": 5.2 if achieved else 1.0,
        "achieved": achieved,
    }


def episode(tier: str = "tier2", **changes: Any) -> dict[str, Any]:
    plain = {
        "id": "e1", "tier": tier, "referred_on": "2026-01-01", "weights": [], "loss": None,
        "accepted_on": None, "acceptance_definition": None, "declined_on": None, "decline_reason": None,
        "started_on": None, "completed_on": None, "completion_definition": None, "withdrawn_on": None,
        "discharged_on": None,
        "waits": {"definition": "waits/1", "referral_to_acceptance": None, "referral_to_start": None},
    }  # fmt: skip
    return plain | changes


def started(achieved: bool | None, *, completed: bool = False, wait_days: int = 10) -> dict[str, Any]:
    return episode(
        started_on="2026-01-11",
        completed_on="2026-04-02" if completed else None,
        waits={"definition": "waits/1", "referral_to_acceptance": 3, "referral_to_start": wait_days},
        loss=None if achieved is None else {"definition": "loss-5pct/1", "at_weeks": {"12": outcome(achieved)}},
    )


def snapshot(*episodes: Any, quintile: int | None = None, handovers: Any = (), **changes: Any) -> dict[str, Any]:
    plain = {"person": "p", "episodes": list(episodes), "handovers": list(handovers),
             "demographics": {"imd_quintile": quintile}, "three_tier": False}  # fmt: skip
    return plain | changes


def handover(status: str, interval_days: int | None = None) -> dict[str, Any]:
    return {"from_tier": "primary_care", "to_tier": "tier2", "status": status, "sent_on": "2025-12-20",
            "episode": "e1" if interval_days else None, "interval_days": interval_days,
            "definition": "handover/1"}  # fmt: skip


def test_who_never_started_is_in_the_first_denominator_only() -> None:
    found = funnel([snapshot(episode()), snapshot(started(True)), snapshot(started(None))], "tier2")
    assert (found.referred, found.accepted, found.started, found.completed) == (3, 0, 2, 0)
    assert (found.lost_5pct, found.lost_5pct_completers, found.counted_completers) == (1, 0, 0)


def test_both_denominators() -> None:
    people = [snapshot(episode_json) for episode_json in (started(True, completed=True), started(False, completed=True),
                                        started(None, completed=True), started(True))]  # fmt: skip
    found = funnel(people, "tier2")
    assert (found.started, found.lost_5pct) == (4, 2)
    assert (found.completed, found.counted_completers, found.lost_5pct_completers) == (3, 2, 1)


def test_tiers_do_not_mix_and_nobody_gives_no_median() -> None:
    found = funnel([snapshot(episode("tier3"))], "tier2")
    assert (found.referred, found.acceptance_wait_days, found.start_wait_days) == (0, None, None)


def test_the_median_wait_is_of_those_who_waited() -> None:
    people = [snapshot(started(None, wait_days=days)) for days in (4, 10, 40)]
    assert funnel([*people, snapshot(episode())], "tier2").start_wait_days == 10.0


def test_gaps_count_sent_received_and_overdue() -> None:
    people = [snapshot(handovers=[handover("received", 5), handover("overdue")]),
              snapshot(handovers=[handover("not_received")])]  # fmt: skip
    assert gaps(people) == [HandoverFigures("primary_care", "tier2", 3, 1, 1)]


def test_equity_has_a_row_for_each_quintile_and_those_not_known_last() -> None:
    people = [snapshot(episode(), quintile=5), snapshot(started(True), quintile=1), snapshot()]
    assert equity(people) == [EquityRow(1, 1, 1, 1, 1), EquityRow(5, 1, 1, 0, 0), EquityRow(None, 1, 0, 0, 0)]


def test_a_timeline_is_in_order_of_date_and_names_its_definitions() -> None:
    weight = {"on": "2026-01-12", "kg": 101.25, "method": "self_reported"}
    weighed = started(True) | {"weights": [weight], "accepted_on": "2026-01-04"}
    lines = timeline(snapshot(weighed, handovers=[handover("received", 12), handover("overdue")]))
    assert [line.on for line in lines] == sorted(line.on for line in lines)
    assert TimelineRow("2026-01-01", "tier2", "referral received, 12 days after it was sent") in lines
    assert TimelineRow("2025-12-20", "tier2", "never received (handover/1)") in lines
    assert TimelineRow("2026-01-11", "tier2", "started after 10 days (waits/1)") in lines
    assert TimelineRow("2026-04-01", "tier2", "12 weeks: 5.2 %, at least 5 % lost (loss-5pct/1)") in lines
    assert TimelineRow("2026-01-12", "tier2", "weight 101.2 kg (self-reported)") in lines


def test_the_example_has_three_tiers_or_there_is_none() -> None:
    assert example([snapshot(started(True))]) is None
    rich = snapshot(started(True), three_tier=True, person="b")
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
