"""What the simulator expects of handovers, courses and the 18-week clock, as tables a commissioner could contest."""

from dataclasses import replace
from typing import Any

import pytest
from expected_people import attended, day, episode, fact, pathway, received, sent, text, weight

from ops.lab.simulator.model import Fact


def handovers(*, as_of: int = 500, **facts_of: list[Fact]) -> list[dict[str, Any]]:
    found = pathway(as_of=as_of, **facts_of)["handovers"]
    assert isinstance(found, list)
    return found


def statuses(**facts_of: list[Fact]) -> list[str]:
    return [item["status"] for item in handovers(**facts_of)]


def courses(**facts_of: list[Fact]) -> list[dict[str, Any]]:
    found = pathway(**facts_of)["courses"]
    assert isinstance(found, list)
    return found


# handover/2


@pytest.mark.parametrize(("as_of", "status"), [(41, "not_received"), (42, "overdue"), (400, "overdue")])
def test_a_referral_is_overdue_after_six_weeks_without_receipt_or_answer(as_of: int, status: str) -> None:  # 23a
    (found,) = handovers(as_of=as_of, gp=[sent(0)])
    assert (found["status"], found["received_on"], found["days_allowed"]) == (status, None, 42)
    assert found["overdue_since"] == (text(42) if status == "overdue" else None)


@pytest.mark.parametrize(("on", "since"), [(41, None), (42, 42), (100, 42)])
def test_a_late_receipt_leaves_the_day_since_when_it_was_overdue(on: int, since: int | None) -> None:  # 23m, 23n
    (found,) = handovers(gp=[sent(0)], council=[received(on)])
    assert (found["status"], found["overdue_since"]) == ("received", text(since) if since else None)


@pytest.mark.parametrize(("on", "status"), [(-4, "overdue"), (-3, "received"), (252, "received"), (253, "overdue")])
def test_receipt_lies_between_three_days_before_and_252_days_after_sending(on: int, status: str) -> None:
    assert statuses(gp=[sent(0)], council=[received(on)]) == [status]


def test_a_late_receipt_has_its_interval_and_names_its_episode() -> None:  # 23b
    (found,) = handovers(gp=[sent(0)], council=[received(200)])
    assert (found["interval_days"], found["episode"]) == (200, f"tier2 {text(200)}")


def test_a_self_referral_closes_no_gap() -> None:  # 23c
    assert statuses(gp=[sent(0)], council=[received(100, referral_source="self")]) == ["overdue"]


def test_equal_booking_numbers_match_and_different_ones_never() -> None:  # 23d
    gp = [sent(0, "tier3", key="1", ubrn="1"), sent(10, "tier3", key="2", ubrn="2")]
    assert statuses(gp=gp, trust=[received(300, "tier3", key="2", ubrn="2")]) == ["overdue", "received"]
    assert statuses(gp=gp[:1], trust=[received(20, "tier3", key="3", ubrn="3")]) == ["overdue"]


def test_the_provider_that_was_named_receives_before_another_of_the_same_day() -> None:  # 21
    gp = [sent(0, key="1", provider_ods="E10001"), sent(0, key="2", provider_ods="E10000")]
    found = handovers(gp=gp, council=[received(5, provider_ods="E10000")])
    assert {item["provider_ods"]: item["status"] for item in found} == {"E10001": "overdue", "E10000": "received"}


def test_two_programmes_that_differ_never_match() -> None:
    gp, council = [sent(0, programme="dwmp")], [received(5, programme="tier2-group-12w")]
    assert statuses(gp=gp, council=council) == ["overdue"]


def test_without_numbers_the_referral_sent_first_takes_the_episode_received_first() -> None:
    gp = [sent(0, key="1"), sent(100, key="2")]
    found = handovers(gp=gp, council=[received(10, key="R1"), received(120, key="R2")])
    assert [item["interval_days"] for item in found] == [10, 20]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (fact("decline", 9, referral="1", by="service", reason="returned-with-advice"), "returned_with_advice"),  # 24a
        (fact("decline", 9, referral="1", by="service", reason="not-eligible"), "rejected"),
        (fact("decline", 9, referral="1", by="person"), "withdrawn"),
        (fact("withdrawal", 9, referral="1"), "withdrawn"),
        (fact("death", 9), "died"),
    ],
)
def test_what_was_answered_is_no_gap(answer: Fact, shown: str) -> None:
    (found,) = handovers(gp=[sent(0, key="1"), answer])
    assert (found["status"], found["answer"], found["answered_on"]) == ("answered", shown, text(9))


def test_what_was_answered_is_received_by_its_number_alone() -> None:
    rejected = fact("decline", 10, referral="1", by="service", reason="not-eligible")
    gp = [sent(0, key="1", ubrn="1"), rejected, sent(30, key="2", ubrn="2")]
    assert statuses(gp=gp, council=[received(35)]) == ["answered", "received"]
    assert statuses(gp=gp[:2], council=[received(35, ubrn="1")]) == ["received"]


def test_a_death_after_the_days_allowed_answers_nothing() -> None:
    assert statuses(gp=[sent(0), fact("death", 43)]) == ["overdue"]


def test_a_referral_taken_back_was_not_sent_and_one_number_is_one_referral() -> None:
    assert handovers(gp=[sent(0, retracted=True)]) == []
    assert len(handovers(gp=[sent(0, key="1", ubrn="1"), sent(3, key="2", ubrn="1")])) == 1


def test_who_sends_on_names_the_episode_it_came_from_and_receives_nothing_itself() -> None:
    onward = Fact("referral", day(60), "R1/onward", direction="sent", to_tier="tier2", referral="R1")
    (found,) = handovers(council=[received(0), onward])
    assert (found["from_episode"], found["status"]) == (f"tier2 {text(0)}", "overdue")


# course/1


def test_a_re_referral_within_a_year_is_one_course_with_one_loss() -> None:  # 4
    council = [
        received(0, key="R1"), fact("start", 10, referral="R1"), weight(10, "100", referral="R1"),
        fact("withdrawal", 60, referral="R1", reason="work"),
        received(200, key="R2"), fact("start", 210, referral="R2"), weight(300, "94", referral="R2"),
    ]  # fmt: skip
    (found,) = courses(council=council)
    assert (found["reasons"], found["started_on"], found["loss_pct"]) == (["re_entry"], text(10), 6.0)
    assert found["episodes"] == [f"tier2 {text(0)}", f"tier2 {text(200)}"]


@pytest.mark.parametrize(("again", "count"), [(425, 1), (426, 0)])
def test_a_year_is_365_days_after_the_end(again: int, count: int) -> None:
    council = [received(0, key="R1"), fact("decline", 60, referral="R1"), received(again, key="R2")]
    assert len(courses(council=council)) == count


def test_a_medicine_of_the_practice_begins_the_course_of_the_episode_that_starts_then() -> None:  # 10
    gp = [weight(-65, "140"), fact("medicine", -60, action="started", code="777514008")]
    trust = [received(0, "tier3"), attended(30), weight(30, "126")]
    (found,) = courses(gp=gp, trust=trust)
    assert (found["reasons"], found["baseline_kg"], found["loss_pct"]) == (["medicine"], 140.0, 10.0)
    for_diabetes = [*gp[:1], fact("medicine", -60, action="started", code="777514008", indication="diabetes")]
    assert courses(gp=for_diabetes, trust=trust) == []


def test_another_tier_is_another_course() -> None:  # 24c
    moved = [received(0), fact("start", 5), weight(5, "100"), fact("withdrawal", 60, reason="moved-away")]
    assert courses(council=moved, trust=[received(80, "tier3", key="T"), attended(90)]) == []


def test_two_programmes_at_once_are_one_course() -> None:  # 3
    overlapping = [
        received(0, key="R1", programme="a"), fact("start", 5, referral="R1"), attended(100, referral="R1"),
        received(9, key="R2", programme="b"), fact("start", 20, referral="R2"),
    ]  # fmt: skip
    (found,) = courses(council=overlapping)
    assert found["reasons"] == ["overlap"]
    (twice,) = courses(council=[replace(item, programme="a") for item in overlapping])  # one programme, 109h
    assert twice["reasons"] == ["overlap"]


# rtt/2


def clock(*facts: Fact, **others: list[Fact]) -> tuple[Any, Any]:
    trust = [received(0, "tier3", consultant_led=True), *facts]
    found = episode(trust=trust, **others)
    return found["rtt"], found["wait_to_first_attendance"]


def test_no_clock_runs_in_a_service_that_no_consultant_leads() -> None:
    assert episode(trust=[received(0, "tier3", consultant_led=False), attended(20)])["rtt"] is None


def test_an_appointment_stops_nothing_and_a_procedure_does() -> None:  # 9
    running, wait = clock(attended(55))
    assert (running["stop_on"], running["wait_days"], wait["wait_days"]) == (None, None, 55)
    stopped, _ = clock(attended(55), fact("procedure", 295))
    assert (stopped["stop_by"], stopped["wait_days"], stopped["within_standard"]) == ("treatment", 295, False)


def test_a_first_appointment_missed_voids_the_clock_until_the_next_is_agreed() -> None:  # 6
    rebooked = attended(140, booked_on=day(45))
    found, wait = clock(attended(40, "3"), rebooked)
    assert (found["start_on"], found["start_by"], found["nullified_on"]) == (text(45), "rebooked_after_dna", [text(40)])
    assert wait["wait_days"] == 95
    unknown, wait = clock(attended(40, "3"), attended(140), fact("discharge", 200))
    assert (unknown["start_on"], unknown["wait_days"], wait["stop_on"]) == (None, None, None)
    assert unknown["stop_by"] == "discharged"  # nobody waits any more, however long it was
    later, _ = clock(attended(20), attended(40, "3"), attended(140))
    assert (later["start_by"], later["nullified_on"]) == ("referral", [])


@pytest.mark.parametrize(
    ("stop", "stop_by"),
    [
        (fact("rtt_status", 50, code="30"), "treatment"),
        (fact("rtt_status", 50, code="31"), "active_monitoring"),
        (fact("rtt_status", 50, code="34"), "decision_not_to_treat"),
        (fact("rtt_status", 50, code="35"), "declined_by_person"),
        (fact("withdrawal", 50), "declined_by_person"),
        (fact("decline", 50, by="service"), "rejected"),
        (fact("discharge", 50), "discharged"),
        (fact("start", 50), "treatment"),
    ],
)
def test_what_stops_the_clock(stop: Fact, stop_by: str) -> None:
    found, _ = clock(stop)
    assert (found["stop_by"], found["wait_days"], found["within_standard"]) == (stop_by, 50, True)


def test_active_monitoring_may_end_in_a_new_clock() -> None:  # 25
    found, _ = clock(fact("rtt_status", 50, code="32"), fact("rtt_status", 100, code="11"))
    assert (found["start_on"], found["start_by"], found["stop_on"]) == (text(100), "after_active_monitoring", None)


def test_death_stops_the_clock_and_126_days_are_within_the_standard() -> None:  # 12
    for on, within in ((126, True), (127, False)):
        found, _ = clock(gp=[fact("death", on)])
        assert (found["stop_by"], found["within_standard"]) == ("died", within)


@pytest.mark.parametrize(("again", "start"), [(52, 0), (53, 53)])
def test_after_a_rejection_the_first_receipt_counts_for_42_days(again: int, start: int) -> None:  # 24b
    trust = [
        received(0, "tier3", key="1", consultant_led=True), fact("decline", 10, referral="1", by="service"),
        received(again, "tier3", key="2", consultant_led=True),
    ]  # fmt: skip
    found = pathway(trust=trust)["episodes"]
    assert isinstance(found, list)
    assert found[1]["rtt"]["start_on"] == text(start)
