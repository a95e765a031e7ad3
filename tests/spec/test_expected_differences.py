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
    return len(pathway["episodes"]) == 2 and all(
        any(outcome["status"] == "measured" for outcome in episode["outcomes"]) and episode["weights"]
        for episode in pathway["episodes"]
    )


def published() -> dict[str, Any]:
    """The pathway as it would stand in a snapshot."""
    return dict(json.loads(_three_tier()))


def test_a_snapshot_that_says_the_same_has_no_difference() -> None:
    assert differences(published(), published()) == []


def test_a_snapshot_may_say_more_and_in_another_order() -> None:
    snapshot = published()
    snapshot |= {"person": "0", "revision": 7, "findings": [], "as_of": "2026-06-30"}
    snapshot["episodes"] = [{**item, "id": "1", "course": None} for item in reversed(snapshot["episodes"])]
    for episode in snapshot["episodes"]:
        episode["weights"] = [dict(weight) for weight in reversed(episode["weights"])]
        for name in ("outcomes", "completions", "eligibility"):
            episode[name].reverse()
    snapshot["handovers"].reverse()
    assert differences(published(), snapshot) == []


def test_an_id_of_an_episode_stands_for_its_tier_and_day() -> None:
    snapshot = published()
    for number, episode in enumerate(snapshot["episodes"]):
        episode["id"] = f"id-{number}"
    ids = {f"{item['tier']} {item['received_on']}": item["id"] for item in snapshot["episodes"]}
    for handover in snapshot["handovers"]:
        handover["episode"] = ids.get(handover["episode"])
        handover["from_episode"] = ids.get(handover["from_episode"])
    assert differences(published(), snapshot) == []
    snapshot["handovers"][0]["episode"] = "id-1"
    assert len(differences(published(), snapshot)) == 1


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("episodes", lambda snapshot: snapshot["episodes"].pop()),
        ("episodes[1].started_on", lambda snapshot: snapshot["episodes"][1].update(started_on="2020-01-01")),
        ("episodes[0].ending", lambda snapshot: snapshot["episodes"][0].update(ending="left")),
        (
            "episodes[0].waits.received_to_treatment_days",
            lambda snapshot: snapshot["episodes"][0]["waits"].pop("received_to_treatment_days"),
        ),
        ("episodes[0].attendance", lambda snapshot: snapshot["episodes"][0]["attendance"].update(attended=0)),
        ("episodes[0].outcomes", lambda snapshot: snapshot["episodes"][0]["outcomes"].pop()),
        (
            "episodes[0].weights[0].kg",
            lambda snapshot: snapshot["episodes"][0]["weights"][0].update(kg=1.0),
        ),
        (
            "episodes[0].weights[0].plausible",
            lambda snapshot: snapshot["episodes"][0]["weights"][0].update(plausible=False),
        ),
        ("episodes[0].outcomes[0].status", lambda snapshot: snapshot["episodes"][0]["outcomes"][0].update(status="")),
        ("episodes[0].completions", lambda snapshot: snapshot["episodes"][0].update(completions=[])),
        ("episodes[0].ambiguous", lambda snapshot: snapshot["episodes"][0].update(ambiguous=True)),
        ("handovers[1].status", lambda snapshot: snapshot["handovers"][1].update(status="overdue")),
        (
            "handovers[0].interval_days",
            lambda snapshot: snapshot["handovers"][0].update(interval_days=None),
        ),
        ("courses", lambda snapshot: snapshot["courses"].append({"started_on": "2025-01-01"})),
        ("medicines", lambda snapshot: snapshot["medicines"].append({"started_on": "2025-01-01", "dmd_code": "1"})),
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
