"""What a referral at one service comes to: sentences a clinician may contest."""

from pathway_journeys import day, journey


def test_an_episode_carries_the_dates_the_service_reports() -> None:
    episode = journey("""
        day | from  | event
        ----+-------+------
          0 | tier2 | receives referral
          3 | tier2 | triages level 2
          7 | tier2 | accepts
         14 | tier2 | starts
         14 | tier2 | attended
         21 | tier2 | did not attend
         28 | tier2 | cancelled
         98 | tier2 | completes
        100 | tier2 | discharges
    """).episode("tier2")
    assert (episode.received_on, episode.triaged_on, episode.triage_level) == (day(0), day(3), "2")
    assert (episode.accepted_on, episode.acceptance_definition) == (day(7), "as-reported/1")
    assert (episode.started_on, episode.start_definition) == (day(14), "as-reported/1")
    assert (
        episode.attendance.attended,
        episode.attendance.did_not_attend,
        episode.attendance.cancelled_by_person,
    ) == (1, 1, 1)
    assert (episode.ending, episode.ending_on, episode.ending_definition) == (
        "completed",
        day(98),
        "dwmp-attended-60pct/1",
    )
    assert (episode.discharged_on, episode.discharge_reason, episode.stage) == (
        day(100),
        "programme-ended",
        "discharged",
    )


def test_waits_are_whole_days_and_none_while_an_end_is_missing() -> None:
    waits = (
        journey("""
          0 | tier2 | receives referral
         10 | tier2 | accepts
         24 | tier2 | attended
    """)
        .episode("tier2")
        .waits
    )
    assert waits.definition == "waits/2"
    assert (waits.received_to_acceptance_days, waits.received_to_first_contact_days) == (10, 24)
    assert (waits.received_to_first_session_days, waits.received_to_treatment_days) == (24, None)
    waiting = journey("0 | tier2 | receives referral").episode("tier2").waits
    assert (waiting.received_to_acceptance_days, waiting.received_to_first_session_days) == (None, None)


def test_a_tier3_service_accepts_by_its_first_booking_after_the_referral_arrived() -> None:
    episode = journey("""
          0 | tier3 | receives referral
         30 | tier3 | cancelled booked on day 12
         40 | tier3 | attended booked on day 20
         50 | tier3 | appointment booked on day -5
    """).episode("tier3")
    assert (episode.accepted_on, episode.acceptance_definition) == (day(12), "tier3-accepted-by-booking/1")


def test_an_acceptance_that_is_reported_outranks_a_booking() -> None:
    episode = journey("""
          0 | tier3 | receives referral
         40 | tier3 | attended booked on day 12
         20 | tier3 | accepts
    """).episode("tier3")
    assert (episode.accepted_on, episode.acceptance_definition) == (day(20), "as-reported/1")


def test_a_booking_does_not_mean_acceptance_in_tier2() -> None:
    episode = journey("""
          0 | tier2 | receives referral
         40 | tier2 | attended booked on day 12
    """).episode("tier2")
    assert episode.accepted_on is None


def test_without_a_reported_start_the_first_attendance_is_the_start() -> None:
    episode = journey("""
          0 | tier2 | receives referral
         10 | tier2 | did not attend
         17 | tier2 | attended
         24 | tier2 | attended
    """).episode("tier2")
    assert (episode.started_on, episode.start_definition) == (day(17), "start-by-first-session/1")
    assert episode.first_contact_on == day(17)


def test_someone_who_never_came_has_not_started() -> None:
    episode = journey("""
          0 | tier2 | receives referral
         10 | tier2 | did not attend
         17 | tier2 | cancelled
    """).episode("tier2")
    assert (episode.started_on, episode.first_contact_on, episode.stage) == (None, None, "referred")


def test_a_declined_referral_says_by_whom_and_why() -> None:
    episode = journey("""
          0 | tier2 | receives referral
          5 | tier2 | declines
    """).episode("tier2")
    assert (episode.declined_on, episode.declined_by, episode.decline_reason) == (
        day(5),
        "service",
        "not-eligible",
    )
    assert episode.stage == "declined"


def test_a_fact_joins_the_latest_referral_before_it_unless_it_names_another() -> None:
    pathway = journey("""
          0 | tier2 | receives referral as first
        200 | tier2 | receives referral as second
        100 | tier2 | attended
        210 | tier2 | attended
        220 | tier2 | completes under first
         -5 | tier2 | attended
    """).pathway
    first, second = (episode.view for episode in pathway.episodes)
    assert (first.received_on, first.attendance.attended, first.ending_on) == (day(0), 2, day(220))
    assert (second.received_on, second.attendance.attended, second.ending) == (day(200), 1, "none")


def test_a_service_that_never_sent_a_referral_still_has_an_episode() -> None:
    found = journey("20 | tier3 | attended")
    episode = found.episode("tier3")
    assert (episode.received_on, episode.stage, episode.waits.received_to_first_session_days) == (None, "started", None)
    assert found.pathway.view.current_stage == "started"


def test_demographics_alone_are_no_episode_and_gp_facts_never_are() -> None:
    assert (
        journey("""
          0 | tier2 | demographics sex=female
          0 | gp    | weight 120
          1 | tier3 | diabetes present
          2 | tier2 | refers to tier3
    """).pathway.episodes
        == ()
    )


def test_the_current_stage_is_that_of_the_latest_episode() -> None:
    view = journey("""
          0 | gp    | refers to tier2
          2 | tier2 | receives referral
         20 | tier2 | starts
        110 | tier2 | completes
        120 | tier2 | refers to tier3
        125 | tier3 | receives referral
    """).pathway.view
    assert (view.current_stage, view.current_tier, view.three_tier) == ("referred", "tier3", True)


def test_before_anyone_receives_it_the_person_is_referred_by_primary_care() -> None:
    view = journey("0 | gp | refers to tier2").pathway.view
    assert (view.current_stage, view.current_tier, view.current_to_tier) == (
        "referred",
        "primary_care",
        "tier2",
    )
    assert view.three_tier is False


def test_a_comorbidity_later_ruled_out_is_not_present() -> None:
    view = journey("""
          0 | gp    | diabetes present
          0 | gp    | hypertension present
         50 | tier3 | diabetes absent
    """).pathway.view
    assert view.comorbidities == ("hypertension",)


def test_a_correction_replaces_what_it_corrects_also_when_it_arrives_first() -> None:
    episode = journey("""
         14 | tier2 | attended as visit told day 30
          7 | tier2 | attended as visit told day 7
          0 | tier2 | receives referral
    """).episode("tier2")
    assert (episode.first_contact_on, episode.attendance.attended) == (day(14), 1)


def test_a_fact_taken_back_was_never_there() -> None:
    found = journey("""
          0 | tier2 | receives referral
          7 | tier2 | attended as visit
          7 | tier2 | attended as visit told day 9 retracted
    """)
    assert found.episode("tier2").attendance.attended == 0
    assert found.kinds == ["referral_received"]


def test_an_appointment_moved_to_the_persons_other_record_counts_once() -> None:
    pathway = journey("""
          7 | tier3   | attended as visit told day 7
          7 | tier3 b | attended as visit told day 9
    """).pathway
    assert [episode.view.attendance.attended for episode in pathway.episodes] == [1]
