"""What the simulator expects of a published pathway, as tables a clinician could contest: episodes and the person."""

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

from ops.lab.demo.figures import gaps
from ops.lab.simulator.expected import expected_pathway
from ops.lab.simulator.model import Fact


def booked(on: int) -> Fact:
    return fact("acceptance", on, definition="tier3-accepted-by-booking/1")


# stage-and-ending/1


@pytest.mark.parametrize(
    ("facts", "stage", "ending"),
    [
        ([], "referred", "none"),
        ([fact("acceptance", 3)], "accepted", "none"),
        ([fact("decline", 5, reason="not-eligible")], "declined", "declined"),
        ([fact("decline", 5), fact("acceptance", 20), fact("start", 30)], "started", "none"),  # 5: the later fact wins
        ([fact("decline", 5), fact("acceptance", 5)], "accepted", "none"),
        ([fact("acceptance", 3), fact("withdrawal", 9)], "withdrawn", "never_started"),
        ([fact("discharge", 9, reason="did-not-attend")], "discharged", "never_started"),  # 7
        ([fact("start", 9), fact("withdrawal", 40, reason="work")], "withdrawn", "left"),
        ([fact("start", 9), fact("discharge", 40, reason="transferred")], "transferred", "transferred"),
        ([fact("start", 9), fact("discharge", 90, reason="completed")], "discharged", "completed"),
        ([fact("start", 9), fact("completion", 90), fact("withdrawal", 99)], "withdrawn", "completed"),  # 26c
        ([fact("start", 9), fact("withdrawal", 40), attended(60)], "withdrawn", "none"),  # came back
    ],
)
def test_how_far_it_came_and_how_it_ended_are_two_questions(facts: list[Fact], stage: str, ending: str) -> None:
    found = episode(council=[received(0), *facts])
    assert (found["stage"], found["ending"]) == (stage, ending)


def test_death_ends_what_is_open_and_every_wait() -> None:  # 12
    found = episode(council=[received(0), fact("start", 60)], gp=[fact("death", 45)])
    assert (found["ending"], found["ending_on"]) == ("died", text(45))
    assert found["waits"]["received_to_treatment_days"] is None
    before = episode(council=[received(0), fact("start", 20), fact("withdrawal", 40)], gp=[fact("death", 45)])
    assert before["ending"] == "left"
    completed = episode(council=[received(0), fact("start", 20), fact("completion", 40)], gp=[fact("death", 45)])
    assert completed["ending"] == "completed"


def test_the_current_stage_is_that_of_the_open_episode_of_the_highest_tier() -> None:  # 31
    ended = [received(0), fact("discharge", 60)]
    assert pathway(council=ended)["current_stage"] == "discharged"
    later = pathway(council=ended, trust=[received(70, "tier3", key="R9")])
    assert (later["current_stage"], later["current_tier"]) == ("referred", "tier3")
    in_tier3 = [received(0, "tier3"), attended(20)]
    duplicate = pathway(trust=in_tier3, council=[received(90), fact("decline", 95)])
    assert (duplicate["current_stage"], duplicate["current_tier"]) == ("started", "tier3")


def test_what_was_taken_back_is_nobodys_current_stage_where_there_is_another() -> None:
    wrong = [received(5, "tier3", key="E", retracted=True), attended(20, referral="E")]
    ended = [received(0), fact("discharge", 60)]
    assert pathway(council=ended, trust=wrong)["current_stage"] == "discharged"
    assert pathway(trust=wrong)["current_stage"] == "started"


def test_a_person_only_referred_waits_for_the_tier_they_were_sent_to() -> None:
    found = pathway(gp=[sent(0, "tier3")])
    current = (found["current_stage"], found["current_tier"], found["current_to_tier"])
    assert current == ("referred", "primary_care", "tier3")


# start-by-first-session/1, tier3-accepted-by-booking/1, waits/2


def test_a_telephone_call_and_an_assessment_start_nothing() -> None:  # 33
    found = episode(
        trust=[
            received(0, "tier3"),
            attended(5, medium="telephone"),
            attended(9, purpose="assessment"),
            attended(20, "3"),
            attended(30),
        ]
    )
    days = (found["first_contact_on"], found["first_session_on"], found["started_on"])
    assert days == (text(5), text(30), text(30))
    assert found["start_definition"] == "start-by-first-session/1"


def test_a_session_by_telephone_is_a_session_where_the_service_says_so() -> None:
    assert episode(trust=[received(0, "tier3"), attended(5, medium="telephone", purpose="session")])["started_on"]


def test_a_first_booking_before_the_referral_accepts_nothing() -> None:
    found = episode(trust=[received(0, "tier3"), booked(-5), booked(4), booked(9)])
    assert (found["accepted_on"], found["acceptance_definition"]) == (text(4), "tier3-accepted-by-booking/1")
    reported = episode(council=[received(0), fact("acceptance", 7)])
    assert (reported["accepted_on"], reported["acceptance_definition"]) == (text(7), "as-reported/1")


def test_waits_run_from_sending_and_from_receipt() -> None:
    council = [received(5), fact("acceptance", 7), fact("start", 20), attended(12, medium="telephone"), attended(21)]
    waits = episode(gp=[sent(0)], council=council)["waits"]
    assert waits == {
        "definition": "waits/2",
        "sent_to_received_days": 5,
        "sent_to_acceptance_days": 7, "sent_to_first_contact_days": 12,
        "sent_to_first_session_days": 21, "sent_to_treatment_days": 20,
        "received_to_acceptance_days": 2, "received_to_first_contact_days": 7,
        "received_to_first_session_days": 16, "received_to_treatment_days": 15,
    }  # fmt: skip


def test_no_wait_is_negative() -> None:
    assert episode(council=[received(5), fact("start", 2)])["waits"]["received_to_treatment_days"] is None


def test_treatment_is_a_medicine_a_procedure_or_status_30_and_no_appointment() -> None:  # 9
    tier3 = [received(0, "tier3"), attended(55)]
    assert episode(trust=tier3)["treated_on"] is None
    assert episode(trust=[*tier3, fact("procedure", 295, code="G301", system="opcs4")])["treated_on"] == text(295)
    assert episode(trust=[*tier3, fact("rtt_status", 90, code="30")])["treated_on"] == text(90)
    stopped = fact("medicine", 60, action="stopped", code="777514008")
    assert episode(trust=[*tier3, stopped])["treated_on"] is None


# whose-facts/1


def test_a_fact_without_a_referral_belongs_to_the_latest_received_by_its_day() -> None:
    council = [received(0, key="R1"), fact("discharge", 90, referral="R1"), received(200, key="R2"), attended(100)]
    first, second = episodes(council=[*council, attended(230)])
    assert (first["attendance"]["attended"], second["attendance"]["attended"]) == (1, 1)
    assert not first["ambiguous"]
    assert not second["ambiguous"]


def test_a_fact_before_every_referral_belongs_to_the_first() -> None:
    found = episodes(council=[received(50, key="R1"), received(200, key="R2"), attended(10)])
    assert [item["attendance"]["attended"] for item in found] == [1, 0]


def test_with_two_referrals_open_and_no_label_both_are_ambiguous_and_the_fact_counts_once() -> None:  # 3b
    found = episodes(trust=[received(0, "tier3", key="R1"), received(25, "tier3", key="R2"), attended(60)])
    assert [item["ambiguous"] for item in found] == [True, True]
    assert [item["attendance"]["attended"] for item in found] == [0, 1]


def test_what_names_a_referral_that_was_taken_back_stays_apart() -> None:  # 19b
    wrong = received(0, "tier3", key="R1", retracted=True)
    found = episodes(trust=[wrong, attended(10, referral="R1"), received(5, "tier3", key="R2"), attended(20)])
    assert [(item["referral_retracted"], item["attendance"]["attended"]) for item in found] == [(True, 1), (False, 1)]


def test_contacts_under_another_number_of_one_trust_are_of_its_referral() -> None:  # 20
    found = episode(trust=[received(0, "tier3")], trust_2=[attended(30)])
    assert found["attendance"]["attended"] == 1


def test_a_hub_and_the_provider_it_chose_are_one_referral() -> None:  # 2
    hub = received(0, "tier2", key="H", ubrn="1", provider_ods="HUB")
    chosen = received(9, "tier2", key="P", ubrn="1", provider_ods="E10000")
    found = episode(council=[hub], council_2=[chosen])
    assert (found["route"], found["received_on"], found["provider_ods"]) == ("hub", text(0), "E10000")


def test_a_record_that_never_reported_a_referral_has_one_episode_without_a_day_of_receipt() -> None:
    found = episode(trust=[attended(10)])
    assert (found["received_on"], found["route"], found["stage"]) == (None, None, "started")


# attendance and completion


def test_each_code_of_an_appointment_is_counted_apart() -> None:  # 22, 30
    appointments = [attended(on, code) for on, code in enumerate("556372400", start=1)]
    video = attended(20, medium="video", group=True, purpose="follow_up")
    found = episode(council=[received(0), *appointments, video])["attendance"]
    counts = {name: found[name] for name in found if not name.startswith("seen")}
    assert counts == {"attended": 4, "did_not_attend": 1, "late_not_seen": 1, "cancelled_by_person": 1,
                      "cancelled_by_provider": 1}  # fmt: skip
    assert (found["seen_by_video"], found["seen_in_group"], found["seen_for_follow_up"]) == (1, 1, 1)
    assert (found["seen_in_person"], found["seen_for_session"]) == (0, 0)


def completions(facts: list[Fact], as_of: int = 500) -> dict[tuple[str, str], Any]:
    (found,) = pathway(as_of=as_of, council=[received(0), *facts])["episodes"]  # type: ignore[misc]
    return {(item["basis"], item["definition"]): item["met"] for item in found["completions"]}


def test_eight_of_twelve_attended_is_completed_by_both_computed_rules() -> None:  # 26a
    sessions = [attended(7 * week, "5" if week < 8 else "3") for week in range(12)]
    found = completions([fact("start", 0), *sessions])
    assert found == {
        ("computed", "dwmp-attended-60pct/1"): True,
        ("computed", "attended-60pct-of-sessions/1"): True,
    }


def test_two_rules_that_a_service_reports_are_both_shown() -> None:  # 26b
    reported = [fact("completion", 84, definition=name) for name in ("attended-8-of-12/1", "dwmp-attended-60pct/1")]
    found = completions([fact("start", 0), *reported])
    assert {key for key in found if key[0] == "reported"} == {
        ("reported", "attended-8-of-12/1"),
        ("reported", "dwmp-attended-60pct/1"),
    }


def test_the_common_rule_says_nothing_before_84_days_and_needs_four_sessions() -> None:
    common = ("computed", "attended-60pct-of-sessions/1")
    four = [fact("start", 0), *(attended(7 * week) for week in range(4))]
    assert completions(four, as_of=83)[common] is None
    assert completions([fact("start", 0), attended(3, "4")])[common] is None  # none took place: nobody knows
    assert completions(four, as_of=84)[common] is True
    assert completions(four[:-1])[common] is False
    assert completions([*four, *(attended(30 + week, "4") for week in range(9))])[common] is True  # cancelled: no count


# the person


def test_three_tiers_need_a_practice_that_sent_and_two_services_that_received() -> None:
    council, trust = [received(5)], [received(90, "tier3", key="R9")]
    assert pathway(gp=[sent(0)], council=council, trust=trust)["three_tier"]
    assert not pathway(gp=[weight(0, "100")], council=council, trust=trust)["three_tier"]
    assert not pathway(gp=[sent(0)], council=council)["three_tier"]


def test_a_self_referral_leaves_no_handover_and_no_gap() -> None:  # 1
    found = pathway(gp=[weight(-10, "100")], council=[received(0, referral_source="self")])
    assert (found["handovers"], gaps([found]), found["three_tier"]) == ([], [], False)  # type: ignore[list-item]
    assert episode(council=[received(0, referral_source="self")])["route"] == "self"


def test_what_is_known_beats_what_is_not_and_the_most_recent_beats_the_older() -> None:  # 29
    both = person(gp=[sent(0)], council=[received(5)])
    unstated = with_identity(both, 0, hour=15, ethnic_category="Z", sex=None, birth_date=None)
    known = with_identity(unstated, 1, hour=9, ethnic_category="J", sex="male", birth_date=date(1971, 1, 1))
    slices = expected_pathway(known, as_of=day(0))["demographics"]
    assert isinstance(slices, dict)
    assert (slices["ethnic_category"], slices["ethnic_group"], slices["sex"]) == ("J", "asian", "male")
    assert (slices["birth_year"], slices["imd_quintile"]) == (1971, 2)
    later = with_identity(known, 0, hour=15, ethnic_category="R", sex="female")
    slices = expected_pathway(later, as_of=day(0))["demographics"]
    assert isinstance(slices, dict)
    assert (slices["ethnic_category"], slices["ethnic_group"], slices["sex"]) == ("R", "asian", "female")


def test_a_medicine_of_the_practice_is_the_persons() -> None:  # 10
    gp = [
        fact("medicine", -60, action="started", code="777514008", indication="weight_management"),
        fact("medicine", 40, action="stopped", code="777514008"),
    ]
    (medicine,) = pathway(gp=gp)["medicines"]  # type: ignore[misc]
    assert (medicine["tier"], medicine["started_on"], medicine["stopped_on"]) == ("primary_care", text(-60), text(40))


def test_conditions_are_present_or_ruled_out_as_last_reported() -> None:
    gp = [
        fact("comorbidity", 0, code="diabetes_type2", present=False),
        fact("comorbidity", 9, code="diabetes_type2", present=True),
        fact("comorbidity", 0, code="hypertension", present=False),
    ]
    found = pathway(gp=gp)
    assert (found["comorbidities"], found["ruled_out"]) == (["diabetes_type2"], ["hypertension"])


@pytest.mark.parametrize(
    ("category", "kg", "condition", "met"),
    [
        ("J", "83", True, "yes"),  # BMI 28.7: 28
        ("A", "83", True, "no"),
        ("Z", "83", True, "not_known"),
        ("A", "90", True, "yes"),  # 31.1
        ("J", "83", None, "not_known"),
        ("J", "75", None, "no"),  # 26: what is known excludes the person
    ],
)
def test_the_hub_admits_from_27_and_a_half_where_the_ethnic_group_is_not_white(
    category: str, kg: str, condition: bool | None, met: str
) -> None:
    conditions = [] if condition is None else [fact("comorbidity", 0, code="hypertension", present=condition)]
    truth = person(gp=[sent(0), weight(0, kg), height(0, "170"), *conditions], council=[received(5)])
    for place in (0, 1):
        truth = with_identity(truth, place, ethnic_category=category)
    (found,) = expected_pathway(truth, as_of=day(100))["episodes"]  # type: ignore[misc]
    assert {item["rule"]: item["met"] for item in found["eligibility"]}["dwmp-hub-eligibility/1"] == met


def test_age_is_that_on_the_day_of_referral() -> None:
    truth = with_identity(person(council=[received(0)]), 0, birth_date=date(2014, 3, 1))
    (found,) = expected_pathway(truth, as_of=day(100))["episodes"]  # type: ignore[misc]
    assert (found["age_at_referral"], found["age_group"]) == (10, "child")


# findings/1


def findings(**facts_of: list[Fact]) -> list[tuple[str, str]]:
    """Rule and day of each finding."""
    found = pathway(**facts_of)["findings"]
    assert isinstance(found, list)
    return [(item["rule"], item["on"]) for item in found]


@pytest.mark.parametrize(
    ("facts", "rule", "on"),
    [
        ([fact("completion", 30)], "completion_without_start", 30),
        ([fact("discharge", 30, reason="completed")], "completion_without_start", 30),
        ([fact("start", 0), fact("discharge", -1, reason="work")], "outcome_before_referral", -1),
        ([fact("start", 0), weight(9, "600")], "weight_out_of_range", 9),
        ([height(0, "170"), height(9, "107")], "height_out_of_range", 9),
        ([height(0, "170"), height(9, "150"), height(12, "171")], "height_shrinks", 9),
        (
            [fact("start", 0), *(fact("completion", on, definition="as-reported/1") for on in (80, 90))],
            "contradicting_completions",
            90,
        ),
    ],
)
def test_what_cannot_be_as_it_was_reported_is_a_finding(facts: list[Fact], rule: str, on: int) -> None:
    assert findings(council=[received(0), *facts]) == [(rule, text(on))]


def test_a_fact_after_the_death_is_a_finding_and_counts_in_nothing() -> None:
    found = pathway(council=[received(0), fact("start", 5), attended(60)], gp=[fact("death", 45)])
    assert findings(council=[received(0), attended(60)], gp=[fact("death", 45)]) == [("after_death", text(60))]
    assert found["first_contact_on"] is None


def test_two_rules_and_a_plain_discharge_contradict_nothing() -> None:
    rules = [fact("completion", on, definition=name) for on, name in ((80, "as-reported/1"), (90, "dwmp/1"))]
    assert findings(council=[received(0), fact("start", 0), *rules]) == []
    assert findings(council=[received(0), fact("discharge", 30, reason="work")]) == []


def test_experience_and_suspension_are_shown() -> None:
    facts = [fact("experience", on, code=code) for on, code in enumerate("12346")]
    found = episode(council=[received(0), *facts, fact("suspension", 9, reason="illness", ends_on=day(30))])
    assert found["experience"] == {"answered": 5, "positive": 2, "negative": 1}
    assert found["suspensions"] == [{"reason": "illness", "from_on": text(9), "to_on": text(30)}]


def test_the_first_and_the_last_score_of_a_questionnaire_and_their_change() -> None:
    scores = [fact("score", on, code="eq-vas", value=Decimal(value)) for on, value in ((0, 55), (40, 60), (84, 70))]
    (found,) = episode(council=[received(0), *scores])["scores"]
    assert (found["first_score"], found["last_score"], found["score_change"]) == (55.0, 70.0, 15.0)


@pytest.mark.parametrize(
    ("born", "group"), [(2006, "adult"), (2007, "not_known"), (2008, "child"), (None, "not_known")]
)
def test_without_a_date_of_birth_the_year_alone_decides_where_it_can(born: int | None, group: str) -> None:
    truth = with_identity(person(council=[received(0)], gp=[sent(0)]), 0, birth_date=None)
    truth = with_identity(truth, 1, birth_date=date(born, 6, 1) if born else None)
    (found,) = expected_pathway(truth, as_of=day(100))["episodes"]  # type: ignore[misc]
    assert (found["age_group"], found.get("age_at_referral")) == (group, None)
