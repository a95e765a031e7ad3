"""A person has a limit of facts: what comes beyond is refused, and the person stays as they were."""

import pytest
from pathway_engine import KeyValue, fact_input, run
from pathway_journeys import day, facts, keyed

from schemas.pathway_in import withdrawal_message
from streams.steps import pathway

PERSON = keyed("person", "1")


def inputs(table: str, *, revision: int = 1) -> list[KeyValue]:
    """The facts of a table as messages."""
    return [fact_input(PERSON, fact, revision) for fact in facts(table)]


def test_an_entry_that_takes_a_person_above_the_limit_is_refused_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fold costs the square of the referrals: without a limit one person's data ends the worker for everybody."""
    first = inputs("0 | tier2 | receives referral as r\n7 | tier2 | starts under r\n7 | tier2 | weight 100")
    monkeypatch.setattr(pathway, "FACTS_MAX", len(first))
    beyond = inputs("8 | tier2 | weight 99")
    done = run([*first, *beyond])
    assert done.rejected == ["too-many-facts"]
    assert done.published() == run(first).published()


def test_at_the_limit_what_is_held_may_come_again_and_what_left_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    first = inputs("0 | tier2 | receives referral as r\n7 | tier3 | receives referral as s")
    monkeypatch.setattr(pathway, "FACTS_MAX", len(first))
    again = inputs("0 | tier2 | receives referral as r", revision=2)
    leaves = withdrawal_message(PERSON, keyed("record", "tier3"), 7)
    done = run([*first, *again, leaves, *inputs("8 | tier2 | starts under r")])
    assert done.rejected == []
    assert [episode["started_on"] for episode in done.snapshot()["episodes"]] == [str(day(8))]
