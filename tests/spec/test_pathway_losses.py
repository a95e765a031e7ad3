"""The events of an outcome: one for each horizon and each definition that gave a loss. Losses are in `journeys/`."""

from pathway_journeys import journey

STARTED = """
          0 | tier2 | receives referral
         10 | tier2 | starts
         10 | tier2 | weight 120
         94 | tier2 | weight 110
"""


def test_the_loss_event_names_its_definition_and_says_whether_the_person_completed() -> None:
    found = journey(f"{STARTED}95 | tier2 | completes")
    events = [event.content for event in found.pathway.events if event.kind == "loss"]
    assert [event["definition"] for event in events] == ["loss-5pct-last/1", "loss-5pct-nearest/1"]
    for event in events:
        assert (event["weeks"], event["achieved"], event["completer"]) == (12, True, True)


def test_somebody_excluded_has_no_loss_event() -> None:
    found = journey(f"{STARTED}0 | gp | demographics birth_year=2014")
    assert found.episode("tier2").outcomes[0].excluded == "child"
    assert "loss" not in found.kinds
