"""What the simulator expects of a published pathway, as tables a clinician could contest."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ops.lab.demo.figures import funnel, gaps
from ops.lab.simulator.expected import Pathway, expected_pathway
from ops.lab.simulator.model import (
    COUNCIL,
    GP,
    TIER_OF,
    TRUST,
    Fact,
    SimulatedAddress,
    SimulatedIdentity,
    SourceSlug,
)
from ops.lab.simulator.truth import PersonTruth, RecordTruth

DAY_0 = date(2025, 1, 1)
IDENTITY = SimulatedIdentity(
    nhs_number=None,
    surname="Example",
    forename="Pat",
    birth_date=date(1970, 5, 17),
    sex="female",
    ethnic_category="A",
    address=SimulatedAddress("1 High Street", "Southend-on-Sea", "SS1 1AA", "E01021001", 2),
    postcode="SS1 1AA",
    practice_ods="F81101",
)


def day(number: int) -> date:
    """That many days after the first."""
    return DAY_0 + timedelta(days=number)


def sent(on: int, to_tier: str = "tier2", *, key: str = "100000000001", ubrn: str | None = None) -> Fact:
    return Fact("referral", day(on), key, direction="sent", to_tier=to_tier, ubrn=ubrn)


def received(on: int, to_tier: str = "tier2", *, key: str = "R1", ubrn: str | None = None) -> Fact:
    return Fact("referral", day(on), key, direction="received", to_tier=to_tier, ubrn=ubrn)


def weight(on: int, kg: str, method: str = "measured", key: str | None = None) -> Fact:
    value = Decimal(kg)
    name = key or f"S{on}/{method}"
    return Fact("measurement", day(on), name, quantity="weight", value=value, method=method)  # type: ignore[arg-type]


def attended(on: int, code: str = "5") -> Fact:
    return Fact("attendance", day(on), f"A{on}/{code}", attendance=code)


def start(on: int) -> Fact:
    return Fact("start", day(on), "R1")


def person(**facts_of: list[Fact]) -> PersonTruth:
    """A person with one record at each source named (gp, council, trust, council_2)."""
    source_of: dict[str, SourceSlug] = {"gp": GP, "council": COUNCIL, "council_2": COUNCIL, "trust": TRUST}
    records = tuple(
        RecordTruth(source_of[name], name, TIER_OF[source_of[name]], IDENTITY, tuple(facts))
        for name, facts in facts_of.items()
    )
    return PersonTruth("P1", "female", 1970, "A", 2, records)


def pathway(*, as_of: int = 500, **facts_of: list[Fact]) -> Pathway:
    return expected_pathway(person(**facts_of), as_of=day(as_of))


def loss(*weights: Fact, started: int = 0) -> Pathway:
    episode = pathway(council=[received(0), start(started), *weights])["episodes"][0]
    return dict(episode["loss"])


def test_the_baseline_is_the_first_weight_within_a_fortnight_of_the_start() -> None:
    assert loss(weight(3, "100"), weight(9, "98"))["baseline_kg"] == 100.0
    assert loss(weight(14, "98"))["baseline_kg"] == 98.0
    assert loss(weight(15, "98"))["baseline_kg"] is None


def test_a_weight_before_the_start_is_never_the_baseline() -> None:
    assert loss(weight(9, "104"), weight(12, "100"), started=10)["baseline_kg"] == 100.0


def test_a_measured_baseline_goes_before_an_earlier_self_reported_one() -> None:
    found = loss(weight(1, "95", "self_reported"), weight(8, "100"))
    assert (found["baseline_kg"], found["baseline_method"]) == (100.0, "measured")


@pytest.mark.parametrize(("last_on", "counts"), [(55, False), (56, True), (84, True), (112, True), (113, False)])
def test_the_end_lies_within_four_weeks_of_twelve_weeks(last_on: int, counts: bool) -> None:
    outcome = loss(weight(0, "100"), weight(last_on, "94"))["at_weeks"]["12"]
    assert (outcome is not None) == counts


def test_the_end_is_the_last_weight_in_its_window() -> None:
    outcome = loss(weight(0, "100"), weight(70, "96"), weight(100, "97"))["at_weeks"]["12"]
    assert (outcome["end_kg"], outcome["loss_pct"], outcome["achieved"]) == (97.0, 3.0, False)


@pytest.mark.parametrize(
    ("end_kg", "loss_pct", "achieved"),
    [("95", 5.0, True), ("95.04", 5.0, False), ("95.05", 5.0, False), ("101.25", -1.3, False)],
)
def test_loss_is_judged_before_it_is_rounded_half_away_from_zero(end_kg: str, loss_pct: float, achieved: bool) -> None:
    outcome = loss(weight(0, "100"), weight(84, end_kg))["at_weeks"]["12"]
    assert (outcome["loss_pct"], outcome["achieved"]) == (loss_pct, achieved)


def test_whoever_attended_without_a_told_start_has_started_at_the_first_attendance() -> None:
    episode = pathway(trust=[received(0, "tier3"), attended(20, "3"), attended(30), attended(44)])["episodes"][0]
    assert (episode["started_on"], episode["first_attended_on"]) == (day(30).isoformat(),) * 2
    assert (episode["attended_count"], episode["not_attended_count"]) == (2, 1)


def test_a_first_booking_before_the_referral_accepts_nothing() -> None:
    booked = [Fact("acceptance", day(on), f"A{on}/booked") for on in (-5, 4, 9)]
    assert pathway(trust=[received(0, "tier3"), *booked])["episodes"][0]["accepted_on"] == day(4).isoformat()


def test_waits_run_between_referral_acceptance_and_first_attendance() -> None:
    accepted = Fact("acceptance", day(7), "R1", referral="R1")
    waits = pathway(council=[received(0), accepted, start(20), attended(21)])["episodes"][0]["waits"]
    assert waits == {
        "referral_to_acceptance": 7,
        "acceptance_to_first_attendance": 14,
        "referral_to_first_attendance": 21,
        "referral_to_start": 20,
    }


def test_a_fact_without_a_referral_belongs_to_the_latest_one_begun_by_its_day() -> None:
    council = [received(0, key="R1"), received(200, key="R2"), attended(100), attended(230)]
    first, second = pathway(council=council)["episodes"]
    assert (first["attended_count"], second["attended_count"]) == (1, 1)


def test_a_fact_before_every_referral_belongs_to_the_first() -> None:
    council = [received(50, key="R1"), received(200, key="R2"), attended(10)]
    assert [episode["attended_count"] for episode in pathway(council=council)["episodes"]] == [1, 0]


def test_a_record_that_never_told_a_referral_has_one_episode_without_a_referral_date() -> None:
    (episode,) = pathway(trust=[attended(10)])["episodes"]
    assert (episode["referred_on"], episode["stage"]) == (None, "started")


@pytest.mark.parametrize(("as_of", "status"), [(41, "not_received"), (42, "overdue"), (400, "overdue")])
def test_a_referral_is_overdue_after_six_weeks_unreceived(as_of: int, status: str) -> None:
    (handover,) = pathway(as_of=as_of, gp=[sent(0)])["handovers"]
    assert (handover["status"], handover["received_on"]) == (status, None)


def test_a_referral_received_late_is_received_with_its_interval() -> None:
    (handover,) = pathway(gp=[sent(0)], council=[received(90)])["handovers"]
    assert (handover["status"], handover["interval_days"]) == ("received", 90)


@pytest.mark.parametrize(("received_on", "status"), [(-3, "received"), (-4, "overdue")])
def test_receipt_may_precede_sending_by_three_days(received_on: int, status: str) -> None:
    (handover,) = pathway(gp=[sent(0)], council=[received(received_on)])["handovers"]
    assert handover["status"] == status


def test_equal_referral_numbers_are_matched_before_dates() -> None:
    gp = [sent(0, "tier3", key="1", ubrn="1"), sent(10, "tier3", key="2", ubrn="2")]
    first, second = pathway(gp=gp, trust=[received(20, "tier3", key="2", ubrn="2")])["handovers"]
    assert (first["status"], second["status"]) == ("overdue", "received")


def test_without_numbers_the_referral_sent_first_takes_the_one_received_first() -> None:
    gp = [sent(0, key="1"), sent(100, key="2")]
    council = [received(10, key="R1"), received(120, key="R2")]
    assert [handover["interval_days"] for handover in pathway(gp=gp, council=council)["handovers"]] == [
        10,
        20,
    ]


def test_a_self_referral_leaves_no_handover_and_no_gap() -> None:
    found = pathway(gp=[weight(-10, "100")], council=[received(0)])
    assert (found["handovers"], gaps([found]), found["three_tier"]) == ([], [], False)


def test_three_tiers_need_a_practice_that_sent_and_two_services_that_received() -> None:
    council, trust = [received(5)], [received(90, "tier3", key="R9")]
    assert pathway(gp=[sent(0)], council=council, trust=trust)["three_tier"]
    assert not pathway(gp=[weight(0, "100")], council=council, trust=trust)["three_tier"]
    assert not pathway(gp=[sent(0)], council=council)["three_tier"]


def test_the_current_stage_is_that_of_the_latest_referral_received() -> None:
    ended = [received(0), Fact("discharge", day(60), "R1")]
    assert pathway(council=ended)["current_stage"] == "discharged"
    later = pathway(council=ended, trust=[received(70, "tier3", key="R9")])
    assert (later["current_stage"], later["current_tier"]) == ("referred", "tier3")


def test_a_person_only_referred_waits_for_the_tier_they_were_sent_to() -> None:
    found = pathway(gp=[sent(0, "tier3")])
    current = (found["current_stage"], found["current_tier"], found["current_to_tier"])
    assert current == ("referred", "primary_care", "tier3")


def test_slices_take_the_practices_word_first_and_fill_what_it_left_empty() -> None:
    sent_person = person(gp=[sent(0)], council=[received(5)])
    silent = replace(sent_person.records[0], identity=replace(IDENTITY, sex=None))
    other = replace(sent_person.records[1], identity=replace(IDENTITY, sex="male", birth_date=date(1971, 1, 1)))
    slices = expected_pathway(replace(sent_person, records=(silent, other)), as_of=day(0))["demographics"]
    assert (slices["sex"], slices["birth_year"], slices["imd_quintile"]) == ("male", 1970, 2)


def test_the_funnel_counts_starters_and_completers_apart() -> None:
    completed = Fact("completion", day(84), "R1")
    pathways = [
        pathway(council=[received(0), start(0), weight(0, "100"), weight(84, "94"), completed]),
        pathway(council=[received(0), start(0), weight(0, "100"), weight(84, "93")]),
        pathway(council=[received(0), start(0), completed]),
        pathway(council=[received(0)]),
    ]
    tier2 = funnel(pathways, "tier2")
    assert (tier2.referred, tier2.started, tier2.completed) == (4, 3, 2)
    assert (tier2.lost_5pct, tier2.counted_completers, tier2.lost_5pct_completers) == (2, 1, 1)
