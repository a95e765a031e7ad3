"""What counts as a difference between an expected and a published pathway, and what does not."""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from ops.lab.simulator import AS_OF, default_rates, simulate
from ops.lab.simulator.expected import differences, expected_pathway

Change = Callable[[dict[str, Any]], object]


@cache
def _three_tier() -> str:
    simulation = simulate(5, 60, rates=default_rates())
    pathways = (expected_pathway(person, as_of=AS_OF) for person in simulation.truth)
    # a weight at both ends, so that every kind of change has something to change
    return json.dumps(next(pathway for pathway in pathways if pathway["three_tier"] and _ended(pathway)))


def _ended(pathway: dict[str, Any]) -> bool:
    return all(
        episode["loss"]["at_weeks"]["26" if place else "12"] for place, episode in enumerate(pathway["episodes"])
    )


def published() -> dict[str, Any]:
    """The pathway as it would stand in a snapshot."""
    return dict(json.loads(_three_tier()))


def test_a_snapshot_that_says_the_same_has_no_difference() -> None:
    assert differences(published(), published()) == []


def test_a_snapshot_may_say_more_and_in_another_order() -> None:
    snapshot = published()
    snapshot |= {"person": "0", "revision": 7, "comorbidities": []}
    snapshot["episodes"] = [{**item, "id": "1", "rtt": None} for item in reversed(snapshot["episodes"])]
    for episode in snapshot["episodes"]:
        episode["weights"] = [{**weight, "plausible": True} for weight in reversed(episode["weights"])]
    snapshot["handovers"].reverse()
    assert differences(published(), snapshot) == []


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("episodes", lambda snapshot: snapshot["episodes"].pop()),
        (
            "episodes[1].started_on",
            lambda snapshot: snapshot["episodes"][1].update(started_on="2020-01-01"),
        ),
        ("episodes[0].waits.referral_to_start", lambda snapshot: snapshot["episodes"][0]["waits"].clear()),
        ("episodes[0].attended_count", lambda snapshot: snapshot["episodes"][0].update(attended_count=0)),
        ("episodes[0].loss", lambda snapshot: snapshot["episodes"][0].update(loss=None)),
        (
            "episodes[0].weights[0].kg",
            lambda snapshot: snapshot["episodes"][0]["weights"][0].update(kg=1.0),
        ),
        (
            "episodes[0].loss.at_weeks.12.end_kg",
            lambda snapshot: snapshot["episodes"][0]["loss"]["at_weeks"]["12"].update(end_kg=1.0),
        ),
        ("handovers[1].status", lambda snapshot: snapshot["handovers"][1].update(status="overdue")),
        (
            "handovers[0].interval_days",
            lambda snapshot: snapshot["handovers"][0].update(interval_days=None),
        ),
        ("three_tier", lambda snapshot: snapshot.update(three_tier=False)),
        ("demographics.sex", lambda snapshot: snapshot["demographics"].update(sex="other")),
        ("current_stage", lambda snapshot: snapshot.pop("current_stage")),
    ],
)
def test_each_thing_said_wrongly_is_named_by_its_place(place: str, change: Change) -> None:
    snapshot = copy.deepcopy(published())
    change(snapshot)
    assert any(line.startswith((f"{place}:", f"{place}.")) for line in differences(published(), snapshot))


def test_a_lost_entry_or_an_earlier_day_would_be_seen() -> None:
    people = simulate(5, 60, rates=default_rates()).truth
    early = AS_OF - timedelta(days=900)
    seen = [
        bool(differences(expected_pathway(person, as_of=AS_OF), expected_pathway(person, as_of=early)))
        for person in people
    ]
    assert any(seen)  # the gaps: nothing is overdue before it was sent
