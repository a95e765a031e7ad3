"""What holds for every seed: the same again, the noise that was promised, and a truth no noise changes."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.lab.simulator import AS_OF, SimulatedFeed, default_rates, simulate
from ops.lab.simulator.expected import expected_pathway
from ops.lab.simulator.journeys import ways_of
from ops.lab.simulator.kinds import deal_kinds
from ops.lab.simulator.model import COUNCIL
from ops.lab.simulator.population import people as population
from ops.lab.simulator.truth import RecordKey, linkage_score, nhs_number_join

SEEDS = (1, 7, 20)
FLOORS = {
    "duplicates": 0.05,
    "out_of_order": 0.10,
    "corrections": 0.03,
    "rejects": 0.02,
    "foreign": 0.01,
    "twins": 0.02,
}


@cache
def simulation(seed: int) -> SimulatedFeed:
    return simulate(seed, 200, rates=default_rates())


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6), people=st.integers(1, 40))
def test_the_same_seed_gives_the_same_deliveries_and_the_same_truth(seed: int, people: int) -> None:
    assert simulate(seed, people, rates=default_rates()) == simulate(seed, people, rates=default_rates())


def test_another_seed_gives_another_world() -> None:
    assert simulation(1).deliveries[0].content != simulation(7).deliveries[0].content


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FLOORS)
def test_the_noise_is_at_least_what_was_promised(seed: int, name: str) -> None:
    assert asdict(simulation(seed).noise)[name] >= FLOORS[name]


def test_a_world_without_noise_measures_none() -> None:
    quiet = replace(default_rates(), noise=dict.fromkeys(default_rates().noise, 0.0))
    measured = asdict(simulate(7, 200, rates=quiet).noise)
    assert {name for name in FLOORS if measured[name] > 0} == {"twins"}


@pytest.mark.parametrize("seed", SEEDS)
def test_two_hundred_people_make_a_thousand_entries_and_thirty_three_tier_paths(seed: int) -> None:
    assert simulation(seed).noise.entries >= 1000
    pathways = [expected_pathway(person, as_of=AS_OF) for person in simulation(seed).truth]
    assert sum(pathway["three_tier"] for pathway in pathways) >= 30
    overdue = Counter(
        (handover["from_tier"], handover["to_tier"])
        for pathway in pathways
        for handover in pathway["handovers"]
        if handover["status"] == "overdue"
    )
    assert set(overdue) == {("primary_care", "tier2"), ("primary_care", "tier3"), ("tier2", "tier3")}


@cache
def expected_people(seed: int) -> list[dict[str, Any]]:
    """Everybody's expected pathway, as JSON has it."""
    people = [expected_pathway(person, as_of=AS_OF) for person in simulation(seed).truth]
    return list(json.loads(json.dumps(people)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [kind for kind, share in default_rates().kinds.items() if share])
def test_every_run_of_two_hundred_people_has_each_kind_that_a_door_reads(seed: int, kind: str) -> None:
    found = Counter(kinds_dealt(seed))
    assert found[kind] >= 1


def kinds_dealt(seed: int) -> list[str]:
    """The kinds of the people of a run, in their order."""
    rng = Random(seed)
    rates = default_rates()
    ways = ways_of(rng, population(rng, 200, rates), rates)
    return deal_kinds(rng, ways, rates.kinds)


# What at least one of 200 people shows. Of what the shares of `rates.toml` make, seen from the outside.
SEEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "a death": lambda pathway: pathway["died_on"],
    "an episode that death ended": lambda pathway: _any(pathway, ending="died"),
    "a referral answered by rejection": lambda pathway: _any(pathway, "handovers", answer="rejected"),
    "a referral answered by death": lambda pathway: _any(pathway, "handovers", answer="died"),
    "a referral received after its days were over": lambda pathway: any(
        (handover["interval_days"] or 0) > handover["days_allowed"] for handover in pathway["handovers"]
    ),
    "a self-referral beside a gap": lambda pathway: (
        _any(pathway, route="self") and _any(pathway, "handovers", status="overdue")
    ),
    "a referral onward from an episode": lambda pathway: any(
        handover["from_episode"] for handover in pathway["handovers"]
    ),
    "two referrals that nothing tells apart": lambda pathway: _any(pathway, ambiguous=True),
    "a referral taken back that facts name": lambda pathway: _any(pathway, referral_retracted=True),
    "contacts whose only referral was taken back": lambda pathway: any(
        episode["tier"] == "tier3" and episode["received_on"] is None and not episode["referral_retracted"]
        for episode in pathway["episodes"]
    ),
    "sessions enough and no completion reported": lambda pathway: any(
        episode["ending"] == "none" and any(item["met"] for item in episode["completions"])
        for episode in pathway["episodes"]
        if episode["tier"] == "tier2"
    ),
    "a suspension": lambda pathway: any(episode["suspensions"] for episode in pathway["episodes"]),
    "two rules of completion reported": lambda pathway: any(
        sum(item["basis"] == "reported" for item in episode["completions"]) > 1 for episode in pathway["episodes"]
    ),
    "a score that changed": lambda pathway: any(episode["scores"] for episode in pathway["episodes"]),
    "a treatment that began by status": lambda pathway: any(
        episode["tier"] == "tier3" and episode["treated_on"] for episode in pathway["episodes"]
    ),
    "a contact by telephone before the first session": lambda pathway: any(
        episode["attendance"]["seen_by_telephone"] and episode["first_contact_on"] < episode["first_session_on"]
        for episode in pathway["episodes"]
        if episode["first_session_on"]
    ),
    "a triage": lambda pathway: any(episode["triaged_on"] for episode in pathway["episodes"]),
    "a referral onward returned with advice": lambda pathway: any(
        handover["from_tier"] == "tier2" and handover["answer"] == "returned_with_advice"
        for handover in pathway["handovers"]
    ),
    "a referral the practice revoked": lambda pathway: _any(pathway, "handovers", answer="withdrawn"),
    "a decline and then an acceptance": lambda pathway: any(
        episode["declined_on"] and episode["ending"] == "completed" for episode in pathway["episodes"]
    ),
    "a completer who left": lambda pathway: any(
        episode["withdrawn_on"] and episode["ending"] == "completed" for episode in pathway["episodes"]
    ),
    "somebody who withdrew before the start": lambda pathway: _any(pathway, ending="never_started", stage="withdrawn"),
    "somebody discharged before the start": lambda pathway: _any(pathway, ending="never_started", stage="discharged"),
    "a transfer to another provider": lambda pathway: _any(pathway, ending="transferred"),
    "a height that shrank": lambda pathway: _any(pathway, "findings", rule="height_shrinks"),
    "a re-entry": lambda pathway: any("re_entry" in course["reasons"] for course in pathway["courses"]),
    "a medicine before an episode": lambda pathway: any(
        "medicine" in course["reasons"] for course in pathway["courses"]
    ),
    "a child": lambda pathway: _any(pathway, age_group="child"),
    "pounds reported as kilograms": lambda pathway: _doubts(pathway, "weight_in_pounds"),
    "a weight that nobody has": lambda pathway: _doubts(pathway, "weight_out_of_range"),
    "an outcome without a baseline": lambda pathway: any(
        outcome["status"] == "no_baseline" for episode in pathway["episodes"] for outcome in episode["outcomes"]
    ),
    "the nearest weight and the last at odds": lambda pathway: any(
        len({outcome["end_on"] for outcome in episode["outcomes"] if outcome["weeks"] == 12 and "end_on" in outcome})
        > 1
        for episode in pathway["episodes"]
    ),
    "somebody whose eligibility rests on the ethnic group": lambda pathway: any(
        27.5 <= (episode["bmi_at_referral"] or 0) < 30 for episode in pathway["episodes"]
    ),
}


_DUE = (12, "measured")


def _any(pathway: dict[str, Any], where: str = "episodes", **fields: object) -> bool:
    return any(all(item.get(name) == value for name, value in fields.items()) for item in pathway[where])


def _doubts(pathway: dict[str, Any], doubt: str) -> bool:
    return any(weight["doubt"] == doubt for episode in pathway["episodes"] for weight in episode["weights"])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", SEEN)
def test_two_hundred_people_show(seed: int, what: str) -> None:
    assert any(SEEN[what](pathway) for pathway in expected_people(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_joining_on_nhs_numbers_alone_finds_at_most_four_pairs_in_five(seed: int) -> None:
    score = nhs_number_join(simulation(seed).truth)
    assert score.recall <= 0.80
    assert score.precision >= 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_every_entry_delivered_is_named_once_and_nothing_is_told_after_the_last_day(seed: int) -> None:
    names = Counter(
        (delivery.source, entry.message_id, entry.position)
        for delivery in simulation(seed).deliveries
        for entry in delivery.entries
        if delivery.tag != "duplicate" and entry.expected in ("accepted", "rejected_row")
    )
    assert set(names.values()) == {1}
    entries = [
        entry.source_version_at
        for delivery in simulation(seed).deliveries
        for entry in delivery.entries
        if entry.source_version_at
    ]
    assert date(2023, 11, 1) < min(entries).date()
    assert max(entries).date() <= AS_OF


@pytest.mark.parametrize("seed", SEEDS)
def test_every_weight_that_finally_holds_was_delivered_in_an_entry_to_be_accepted(seed: int) -> None:
    delivered = set()
    for delivery in simulation(seed).deliveries:
        accepted = {entry.position for entry in delivery.entries if entry.expected == "accepted"}
        if delivery.kind == "csv_file":
            rows = csv.DictReader(io.StringIO(delivery.content.decode(), newline=""))
            delivered |= {
                (row["session_ref"], row["weight"]) for number, row in enumerate(rows, 2) if number in accepted
            }
        elif accepted and delivery.kind == "fhir":
            for entry in json.loads(delivery.content)["entry"]:
                if "valueQuantity" in entry["resource"]:
                    key = entry["resource"]["identifier"][0]["value"].split("/")[0]
                    delivered.add((key, f"{entry['resource']['valueQuantity']['value']:g}"))
        elif accepted and (
            found := re.search(r"OBR\|1\|\|([^|]+).*OBX\|1\|NM\|[^|]+\|\|([^|]+)", delivery.content.decode(), re.DOTALL)
        ):
            delivered.add((found[1], found[2]))
    for person in simulation(seed).truth:
        for record in person.records:
            for fact in record.facts:
                if fact.quantity == "weight" and fact.value_given is not None:
                    number = fact.value_given
                    spellings = {f"{number:f}", f"{float(number):g}"}
                    assert spellings & {given for key, given in delivered if key == fact.key.split("/")[0]}


def test_a_correction_may_arrive_before_what_it_corrects_and_still_be_the_truth() -> None:
    arrived: dict[RecordKey, list[tuple[bool, object]]] = {}
    for delivery in simulation(7).deliveries:
        if delivery.tag == "good":
            for entry in delivery.entries:
                if entry.expected == "accepted" and not entry.repeated:
                    arrived.setdefault((delivery.source, entry.local_id), []).append(
                        (entry.correction, entry.source_version_at)
                    )
    overtaking = [
        source_version_at
        for entries in arrived.values()
        for place, (correction, source_version_at) in enumerate(entries)
        if correction and any(later < source_version_at for _, later in entries[place + 1 :])  # type: ignore[operator]
    ]
    assert len(overtaking) >= 10


def test_a_perfect_linkage_scores_one_and_linking_nothing_or_everything_does_not() -> None:
    truth = simulation(7).truth
    right = {record.key: person.key for person in truth for record in person.records}
    perfect = linkage_score(right, truth)
    assert (perfect.precision, perfect.recall, perfect.f1) == (1.0, 1.0, 1.0)
    nothing = linkage_score({key: str(key) for key in right}, truth)
    assert (nothing.recall, nothing.f1) == (0.0, 0.0)
    everything = linkage_score(dict.fromkeys(right, "one"), truth)
    assert everything.recall == 1.0
    assert everything.precision < 0.02


@given(st.data())
@settings(max_examples=20)
def test_splitting_one_record_off_costs_recall_and_no_precision(data: st.DataObject) -> None:
    truth = simulation(7).truth
    right = {record.key: person.key for person in truth for record in person.records}
    shared = [record.key for person in truth if len(person.records) > 1 for record in person.records]
    alone = data.draw(st.sampled_from(shared))
    score = linkage_score({**right, alone: "alone"}, truth)
    assert score.precision == 1.0
    assert score.recall < 1.0


def test_a_record_the_linkage_does_not_know_is_linked_to_nothing() -> None:
    truth = simulation(7).truth
    right = {record.key: person.key for person in truth for record in person.records}
    tier2 = [key for key in right if key[0] == COUNCIL]
    score = linkage_score({key: person_key for key, person_key in right.items() if key not in tier2}, truth)
    assert score.precision == 1.0
    assert score.recall < 0.5
