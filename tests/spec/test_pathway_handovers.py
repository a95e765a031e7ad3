"""Referrals sent on and whether they were received: the gap nobody sees."""

import pytest
from pathway_journeys import journey


def test_a_referral_sent_and_received_is_a_handover_with_its_interval() -> None:
    found = journey("""
          0 | gp    | refers to tier2
          4 | tier2 | receives referral
        100 | tier2 | refers to tier3
        121 | tier3 | receives referral
    """)
    assert found.handovers == [
        ("primary_care", "tier2", "received", 4),
        ("tier2", "tier3", "received", 21),
    ]
    assert found.kinds.count("handover_received") == 2


@pytest.mark.parametrize(
    ("as_of", "status"), [(None, "not_received"), (41, "not_received"), (42, "overdue"), (400, "overdue")]
)
def test_a_referral_not_received_for_42_days_is_a_gap(as_of: int | None, status: str) -> None:
    found = journey("0 | tier2 | refers to tier3", as_of=as_of)
    assert found.handovers == [("tier2", "tier3", status, None)]
    assert ("gap" in found.kinds) == (status == "overdue")


def test_a_gap_closes_when_the_referral_is_received_after_all() -> None:
    found = journey(
        """
          0 | tier2 | refers to tier3
         90 | tier3 | receives referral
    """,
        as_of=100,
    )
    assert found.handovers == [("tier2", "tier3", "received", 90)]
    assert "gap" not in found.kinds


@pytest.mark.parametrize(("received", "status"), [(-3, "received"), (-4, "not_received")])
def test_a_receipt_may_precede_its_sending_by_3_days_and_no_more(received: int, status: str) -> None:
    found = journey(f"""
            0 | gp    | refers to tier2
   {received} | tier2 | receives referral
    """)
    assert found.handovers[0][2] == status


def test_an_equal_ubrn_matches_before_any_date_does() -> None:
    found = journey(
        """
          0 | gp      | refers to tier2 ubrn A
          5 | gp      | refers to tier2 ubrn B
         10 | tier2   | receives referral ubrn B
    """,
        as_of=60,
    )
    assert [status for _, _, status, _ in found.handovers] == ["overdue", "received"]


def test_without_a_ubrn_the_first_sent_takes_the_first_received() -> None:
    found = journey("""
          0 | gp      | refers to tier2
         50 | gp      | refers to tier2
          6 | tier2   | receives referral
         58 | tier2 b | receives referral
    """)
    assert [interval for _, _, _, interval in found.handovers] == [6, 8]


def test_one_receipt_answers_one_referral() -> None:
    found = journey(
        """
          0 | gp    | refers to tier2
          1 | gp    | refers to tier2
          6 | tier2 | receives referral
    """,
        as_of=60,
    )
    assert [status for _, _, status, _ in found.handovers] == ["received", "overdue"]


def test_one_referral_from_two_sources_under_one_ubrn_is_one_referral() -> None:
    found = journey(
        """
          0 | gp    | refers to tier2 ubrn A
          1 | gp b  | refers to tier2 ubrn A
          6 | tier2 | receives referral ubrn A
    """,
        as_of=60,
    )
    assert found.handovers == [("primary_care", "tier2", "received", 6)]


def test_someone_who_referred_themselves_is_received_without_a_sender() -> None:
    found = journey("0 | tier2 | receives referral", as_of=100)
    assert found.handovers == []
    assert found.kinds == ["referral_received"]


def test_a_referral_is_received_only_by_the_tier_it_was_sent_to() -> None:
    found = journey("""
          0 | gp    | refers to tier3
          5 | tier2 | receives referral
    """)
    assert found.handovers == [("primary_care", "tier3", "not_received", None)]


def test_a_service_does_not_receive_what_it_sent_itself() -> None:
    found = journey("""
          0 | tier2 | receives referral
          1 | tier2 | refers to tier2
    """)
    assert found.handovers == [("tier2", "tier2", "not_received", None)]


@pytest.mark.parametrize(("died", "status"), [(20, "answered"), (60, "overdue")])
def test_nobody_waits_after_death(died: int, status: str) -> None:
    """Who died after 20 days was not lost between tiers; who had waited 60 by then was."""
    found = journey(
        f"""
          0 | tier2 | refers to tier3
     {died:6} | gp    | dies
    """,
        as_of=400,
    )
    assert [handover[2] for handover in found.handovers] == [status]
