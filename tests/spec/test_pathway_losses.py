"""Weight loss at 12, 26 and 52 weeks: which weights count, and for whom."""

from typing import Any

import pytest
from pathway_journeys import day, journey

STARTED = """
          0 | tier2 | receives referral
         10 | tier2 | starts
"""


def loss(weights: str) -> Any:
    """The loss of a Tier 2 episode that started on day 10."""
    return journey(STARTED + weights).episode("tier2").loss


def test_loss_is_baseline_minus_end_over_baseline_in_per_cent_to_one_decimal() -> None:
    outcome = loss("""
         10 | tier2 | weight 120
         94 | tier2 | weight 111.3
    """)
    assert (outcome.definition, outcome.baseline_on, outcome.baseline_kg) == ("loss-5pct/1", day(10), 120.0)
    end = outcome.at_weeks["12"]
    assert (end.end_on, end.end_kg, end.loss_pct, end.achieved) == (day(94), 111.3, 7.3, True)
    assert outcome.at_weeks["26"] is None


def test_the_referral_weight_is_never_the_baseline() -> None:
    outcome = loss("""
          0 | gp    | weight 130
         10 | gp    | weight 130
          5 | tier2 | weight 131
         17 | tier2 | weight 125
    """)
    assert (outcome.baseline_on, outcome.baseline_kg) == (day(17), 125.0)


@pytest.mark.parametrize(("on", "counts"), [(9, False), (10, True), (24, True), (25, False)])
def test_a_baseline_is_taken_from_the_start_to_14_days_after(on: int, counts: bool) -> None:
    assert (loss(f"{on} | tier2 | weight 120").baseline_on is not None) == counts


def test_a_measured_baseline_outranks_an_earlier_self_reported_one() -> None:
    outcome = loss("""
         10 | tier2 | weight 119 self-reported
         20 | tier2 | weight 121
         22 | tier2 | weight 120
    """)
    assert (outcome.baseline_kg, outcome.baseline_method) == (121.0, "measured")
    assert loss("10 | tier2 | weight 119 self-reported").baseline_method == "self_reported"


@pytest.mark.parametrize(("on", "counts"), [(65, False), (66, True), (122, True), (123, False)])
def test_the_12_week_end_lies_within_4_weeks_either_side(on: int, counts: bool) -> None:
    outcome = loss(f"""
         10 | tier2 | weight 120
        {on} | tier2 | weight 110
    """)
    assert (outcome.at_weeks["12"] is not None) == counts


def test_the_end_is_the_last_weight_of_its_window_measured_before_self_reported() -> None:
    outcome = loss("""
         10 | tier2 | weight 120
         90 | tier2 | weight 108
        100 | tier2 | weight 115 self-reported
        100 | tier2 | weight 114
    """)
    assert outcome.at_weeks["12"].end_kg == 114.0


def test_26_and_52_weeks_have_windows_of_their_own() -> None:
    outcome = loss("""
         10 | tier2 | weight 100
        192 | tier2 | weight 93
        374 | tier2 | weight 103
    """)
    assert outcome.at_weeks["12"] is None
    assert outcome.at_weeks["26"].loss_pct == 7.0
    assert (outcome.at_weeks["52"].loss_pct, outcome.at_weeks["52"].achieved) == (-3.0, False)


def test_5_per_cent_is_judged_before_rounding() -> None:
    almost = loss("""
         10 | tier2 | weight 100
         94 | tier2 | weight 95.04
    """).at_weeks["12"]
    assert (almost.loss_pct, almost.achieved) == (5.0, False)
    exactly = loss("""
         10 | tier2 | weight 100
         94 | tier2 | weight 95
    """).at_weeks["12"]
    assert exactly.achieved is True


def test_halves_round_away_from_zero() -> None:
    outcome = loss("""
         10 | tier2 | weight 100
         94 | tier2 | weight 95.15
    """)
    assert outcome.at_weeks["12"].loss_pct == 4.9  # 4.85


def test_an_implausible_weight_is_shown_and_never_counted() -> None:
    found = journey(STARTED + "10 | tier2 | weight 12 implausible")
    assert found.episode("tier2").loss.baseline_on is None
    assert [weight.plausible for weight in found.episode("tier2").weights] == [False]


def test_a_starter_without_an_end_weight_still_stands_in_the_denominator() -> None:
    assert loss("10 | tier2 | weight 120").at_weeks == {"12": None, "26": None, "52": None}
    assert journey("0 | tier2 | receives referral").episode("tier2").loss is None


def test_another_services_weight_does_not_count() -> None:
    outcome = loss("""
         10 | tier2 | weight 120
         94 | tier3 | weight 100
    """)
    assert outcome.at_weeks["12"] is None


def test_the_loss_event_says_whether_the_person_completed() -> None:
    found = journey(
        STARTED
        + """
         10 | tier2 | weight 120
         94 | tier2 | weight 110
         95 | tier2 | completes
    """
    )
    (event,) = [event for event in found.pathway.events if event.kind == "loss"]
    assert (event.content["weeks"], event.content["achieved"], event.content["completer"]) == (12, True, True)
