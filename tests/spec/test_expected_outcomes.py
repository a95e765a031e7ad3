"""What the simulator expects of weights and outcomes, as tables a clinician could contest."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from expected_people import (
    attended,
    day,
    episode,
    episodes,
    fact,
    height,
    pathway,
    person,
    received,
    sent,
    text,
    weight,
    with_identity,
)

from ops.lab.simulator.expected import expected_pathway
from ops.lab.simulator.model import Fact

NEAREST, LAST = "loss-5pct-nearest/1", "loss-5pct-last/1"


def outcomes(*facts: Fact, started: int = 0, as_of: int = 900, **others: list[Fact]) -> dict[tuple[str, int], Any]:
    """The outcomes of somebody who began a programme, by definition and weeks."""
    found = pathway(as_of=as_of, council=[received(0), fact("start", started), *facts], **others)["episodes"]
    assert isinstance(found, list)
    return {(item["definition"], item["weeks"]): item for item in found[0]["outcomes"]}


def at_12(*facts: Fact, definition: str = LAST, **fields: Any) -> Any:
    return outcomes(*facts, **fields)[definition, 12]


# baseline


@pytest.mark.parametrize(("on", "counts"), [(-1, False), (0, True), (14, True), (15, False)])
def test_the_baseline_is_a_weight_of_the_fortnight_from_the_start(on: int, counts: bool) -> None:  # 16
    found = at_12(weight(on, "100"), weight(84, "94"))
    assert (found["baseline_kg"], found["status"]) == ((100.0, "measured") if counts else (None, "no_baseline"))


def test_a_measured_baseline_goes_before_an_earlier_self_reported_weight() -> None:
    found = at_12(weight(1, "95", "self_reported"), weight(8, "100"))
    assert (found["baseline_kg"], found["baseline_method"]) == (100.0, "measured")


def test_a_weight_of_the_practice_is_no_baseline_of_the_programme() -> None:
    assert at_12(weight(84, "94"), gp=[weight(0, "100")])["status"] == "no_baseline"


# end


@pytest.mark.parametrize(("on", "counts"), [(55, False), (56, True), (84, True), (112, True), (113, False)])
@pytest.mark.parametrize("definition", [NEAREST, LAST])
def test_the_end_lies_within_four_weeks_of_twelve_weeks(on: int, counts: bool, definition: str) -> None:
    found = at_12(weight(0, "100"), weight(on, "94"), definition=definition)
    assert found["status"] == ("measured" if counts else "no_end")


def test_last_in_the_window_and_nearest_to_the_horizon_are_two_definitions() -> None:  # 17b
    weights = [weight(0, "100"), weight(84, "94.5"), weight(111, "96")]
    nearest, last = at_12(*weights, definition=NEAREST), at_12(*weights, definition=LAST)
    assert (nearest["loss_pct"], nearest["achieved"]) == (5.5, True)
    assert (last["loss_pct"], last["achieved"]) == (4.0, False)


def test_measured_goes_before_self_reported_where_the_nearest_counts_and_both_show_the_method() -> None:  # 17
    weights = [
        weight(0, "100"),
        weight(92, "97"),
        weight(86, "94", "self_reported"),
        weight(110, "94", "self_reported"),
    ]
    nearest, last = at_12(*weights, definition=NEAREST), at_12(*weights, definition=LAST)
    assert (nearest["end_kg"], nearest["end_method"]) == (97.0, "measured")
    assert (last["end_kg"], last["end_method"]) == (94.0, "self_reported")


def test_of_two_as_near_the_later_counts() -> None:
    found = at_12(weight(0, "100"), weight(80, "95"), weight(88, "94"), definition=NEAREST)
    assert found["end_on"] == text(88)


@pytest.mark.parametrize(
    ("end_kg", "loss_pct", "achieved"),
    [("95", 5.0, True), ("95.04", 5.0, False), ("95.05", 5.0, False), ("101.25", -1.3, False)],
)
def test_loss_is_judged_before_it_is_rounded_half_away_from_zero(end_kg: str, loss_pct: float, achieved: bool) -> None:
    found = at_12(weight(0, "100"), weight(84, end_kg))
    assert (found["loss_pct"], found["achieved"]) == (loss_pct, achieved)


def going_on(first: str | None, second: str | None) -> list[Fact]:
    return [
        received(0, key="R1", programme=first), fact("start", 0, referral="R1"), weight(0, "100", referral="R1"),
        received(100, key="R2", programme=second), fact("start", 110, referral="R2"),
        weight(110, "98", referral="R2"), weight(180, "92", referral="R2"),
    ]  # fmt: skip


def test_a_later_programme_at_the_source_ends_the_window_of_the_earlier() -> None:  # 34
    first, second = episodes(council=going_on("tier2-group-12w", "weight-maintenance"))
    assert [item["status"] for item in first["outcomes"] if item["weeks"] == 26] == ["no_end", "no_end"]
    assert {item["closes_on"] for item in first["outcomes"]} == {text(109)}
    excluded = {item["weeks"]: item["excluded"] for item in first["outcomes"]}
    assert excluded == {12: None, 26: "superseded", 52: "superseded"}
    assert {item["loss_pct"] for item in second["outcomes"] if item["weeks"] == 12} == {6.1}


@pytest.mark.parametrize("second", ["tier2-group-12w", None])
def test_the_same_programme_once_more_is_no_excuse(second: str | None) -> None:  # 109d, 109e
    first, _ = episodes(council=going_on("tier2-group-12w", second))
    assert {item["excluded"] for item in first["outcomes"]} == {None}
    assert {item["in_closed"] for item in first["outcomes"]} == {True}


def test_one_programme_told_twice_is_counted_once() -> None:  # 109h
    council = [
        received(0, key="R1"), fact("start", 5, referral="R1"), received(1, key="R2"), fact("start", 5, referral="R2"),
    ]  # fmt: skip
    first, second = episodes(council=council)
    assert {item["excluded"] for item in first["outcomes"]} == {None}
    assert {item["excluded"] for item in second["outcomes"]} == {"duplicate"}


# status and denominators


@pytest.mark.parametrize(("as_of", "status"), [(112, "not_due"), (113, "no_end")])
def test_an_outcome_without_an_end_is_not_due_until_the_window_has_closed(as_of: int, status: str) -> None:
    found = at_12(weight(0, "100"), as_of=as_of)
    assert (found["status"], found["in_closed"]) == (status, status == "no_end")
    assert (found["due_on"], found["closes_on"], found["in_starters"]) == (text(84), text(112), True)


def test_completers_are_a_denominator_apart() -> None:
    assert at_12(fact("completion", 84))["in_completers"]
    assert not at_12()["in_completers"]


def test_who_never_started_has_no_outcome() -> None:
    assert episode(council=[received(0), attended(9, "3"), weight(9, "100")])["outcomes"] == []


def test_a_child_is_in_no_denominator_and_shown_all_the_same() -> None:  # 13
    truth = person(council=[received(0), fact("start", 0), weight(0, "80"), weight(84, "76")])
    truth = with_identity(truth, 0, birth_date=date(2014, 3, 1))
    (found,) = expected_pathway(truth, as_of=day(900))["episodes"]  # type: ignore[misc]
    for outcome in found["outcomes"]:
        assert outcome["excluded"] == "child"
        assert not any(outcome[name] for name in ("in_starters", "in_closed", "in_completers"))
    assert found["outcomes"][0]["end_kg"] == 76.0


@pytest.mark.parametrize(("on", "excluded"), [(112, "pregnancy"), (113, None)])
def test_pregnancy_before_the_window_closes_excludes(on: int, excluded: str | None) -> None:  # 11
    assert at_12(weight(0, "100"), fact("suspension", on, reason="pregnancy"))["excluded"] == excluded


def test_a_pregnancy_over_before_the_start_excludes_nothing() -> None:
    over = fact("suspension", 0, reason="pregnancy", ends_on=day(150))
    assert at_12(over, started=200)["excluded"] is None


def test_death_excludes_who_has_no_end_weight() -> None:
    death = [fact("death", 90)]
    assert at_12(weight(0, "100"), gp=death)["excluded"] == "death"
    assert at_12(weight(0, "100"), weight(84, "94"), gp=death)["excluded"] is None
    assert at_12(weight(0, "100"), gp=[fact("death", 113)])["excluded"] is None


# plausibility/1


def doubts(**facts_of: list[Fact]) -> list[str | None]:
    """Why each weight of the episode is not counted, in order of day."""
    return [item["doubt"] for item in episode(**facts_of)["weights"]]


@pytest.mark.parametrize(("kg", "doubt"), [("34.9", True), ("35", False), ("500", False), ("500.1", True)])
def test_a_weight_outside_35_to_500_kg_is_no_weight(kg: str, doubt: bool) -> None:  # 14a
    assert doubts(council=[received(0), weight(10, kg)]) == ["weight_out_of_range" if doubt else None]


def test_pounds_reported_as_kilograms_are_seen_beside_another_weight() -> None:  # 14b
    council = [received(0), weight(10, "220.5", unit_given="kg"), weight(24, "99")]
    assert doubts(council=council) == ["weight_in_pounds", None]
    assert doubts(council=[received(0), weight(10, "220.5"), weight(191, "99")]) == [None, None]


def test_a_jump_is_marked_where_most_of_its_neighbours_say_otherwise() -> None:
    council = [received(0), weight(0, "100"), weight(14, "99"), weight(28, "75"), weight(42, "98"), weight(56, "97")]
    assert doubts(council=council) == [None, None, "weight_jump", None, None]


def test_where_no_majority_says_which_is_wrong_both_are_marked() -> None:
    assert doubts(council=[received(0), weight(0, "100"), weight(14, "75")]) == ["weight_jump"] * 2


def test_a_slow_loss_of_more_than_20_pct_is_no_jump() -> None:
    assert doubts(council=[received(0), weight(0, "100"), weight(61, "75")]) == [None, None]


def test_a_weight_that_is_doubted_is_in_no_outcome() -> None:
    found = at_12(weight(0, "220.5", unit_given="kg"), weight(7, "100"), weight(84, "94"))
    assert found["baseline_kg"] == 100.0


def test_a_height_of_a_child_or_far_below_the_others_does_not_count() -> None:  # 15
    gp = [sent(0), weight(0, "100"), height(0, "170"), height(1, "107"), height(2, "160"), height(3, "171")]
    found = episode(gp=gp, council=[received(5)])
    assert (found["height_cm"], found["bmi_at_referral"]) == (171.0, 34.2)
    truth = person(gp=[sent(0), height(0, "150"), weight(0, "80")], council=[received(5)])
    child = with_identity(truth, 0, birth_date=date(2014, 3, 1))
    (found,) = expected_pathway(child, as_of=day(9))["episodes"]  # type: ignore[misc]
    assert (found["height_cm"], found["bmi_at_referral"]) == (None, None)


@pytest.mark.parametrize(
    ("bmi", "shown", "rule"),
    [("33", 33.0, None), ("33.1", 30.0, "bmi_contradicts"), ("315", 30.0, "bmi_out_of_range")],
)
def test_a_reported_bmi_that_cannot_be_is_a_finding(bmi: str, shown: float, rule: str | None) -> None:  # 110, 110c
    reported = Fact("measurement", day(0), "B0", quantity="bmi", value=Decimal(bmi))
    found = pathway(council=[received(0), height(0, "200"), weight(0, "120"), reported])
    (shown_episode,) = found["episodes"]  # type: ignore[misc]
    assert shown_episode["bmi_at_referral"] == shown
    assert [item["rule"] for item in found["findings"]] == ([rule] if rule else [])  # type: ignore[union-attr]


def test_weights_of_a_referral_that_was_taken_back_are_in_no_outcome_of_another() -> None:
    wrong = received(0, "tier3", key="R1", retracted=True)
    stray = weight(40, "80", referral="R1")
    trust = [wrong, stray, received(0, "tier3", key="R2"), attended(5), weight(5, "100"), weight(89, "97")]
    found = next(item for item in episodes(trust=trust) if not item["referral_retracted"])
    assert {item["loss_pct"] for item in found["outcomes"] if item["weeks"] == 12} == {3.0}
    with_it = [replace(stray, referral="R2") if item is stray else item for item in trust]
    assert len(next(item for item in episodes(trust=with_it) if not item["referral_retracted"])["weights"]) == 3
