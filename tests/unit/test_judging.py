"""Judging sees what is wrong: a pathway that differs, a person put together with another, one who is missing."""

import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from ops.lab.demo.judging import Judgement, PublishedRun, judge, record_of
from ops.lab.simulator import AS_OF, SimulatedFeed, default_rates, expected, simulate
from schemas.keyring import Keyring, derive, recipient_purpose


@cache
def world() -> tuple[SimulatedFeed, Keyring]:
    """Twenty people, and keys."""
    keys = derive(secrets.token_bytes(32), version=1, recipients=("demo",))
    return simulate(3, 20, rates=default_rates()), keys


def published() -> tuple[dict[str, str], dict[str, Mapping[str, Any]]]:
    """Links and snapshots as they should be."""
    simulation, keys = world()
    links, snapshots = {}, {}
    for person in simulation.truth:
        for record in person.records:
            links[record_of(keys, record.key)] = person.key
        snapshot = expected.expected_pathway(person, as_of=AS_OF)
        snapshots[keys.mac(recipient_purpose("demo"), person.key)] = snapshot
    return links, snapshots


def judged(links: Mapping[str, str], snapshots: Mapping[str, Mapping[str, Any]]) -> Judgement:
    simulation, keys = world()
    return judge(simulation.truth, PublishedRun(links, snapshots, keys, "demo"), as_of=AS_OF)


def test_what_is_as_it_should_be_is_exact() -> None:
    verdict = judged(*published())
    assert verdict.compared == len(world()[0].truth)
    assert (verdict.pathway_exact, verdict.linkage.f1) == (1.0, 1.0)
    assert not verdict.differences


@pytest.mark.parametrize("part", ["episodes", "handovers", "demographics"])
def test_one_differing_part_of_one_pathway_is_seen(part: str) -> None:
    links, snapshots = published()
    changed = next(key for key, snapshot in snapshots.items() if snapshot[part])
    wrong: Any = [] if isinstance(snapshots[changed][part], list) else {**snapshots[changed][part], "sex": "?"}
    snapshots[changed] = {**snapshots[changed], part: wrong}
    verdict = judged(links, snapshots)
    assert verdict.compared - verdict.exact == 1
    assert verdict.differences


def test_a_person_without_a_snapshot_is_not_exact() -> None:
    links, snapshots = published()
    snapshots.popitem()
    verdict = judged(links, snapshots)
    assert verdict.differences == ["no snapshot"]
    assert verdict.pathway_exact < 1.0


def test_two_people_put_together_are_not_compared_and_cost_precision() -> None:
    links, snapshots = published()
    first, other = (person.key for person in world()[0].truth[:2])
    verdict = judged({record: first if to == other else to for record, to in links.items()}, snapshots)
    assert verdict.compared == len(world()[0].truth) - 2
    assert verdict.linkage.precision < 1.0


def test_a_record_left_out_costs_recall() -> None:
    links, snapshots = published()
    split = next(person for person in world()[0].truth if len(person.records) > 1)
    keys = world()[1]
    del links[record_of(keys, split.records[0].key)]
    verdict = judged(links, snapshots)
    assert verdict.linkage.recall < 1.0
    assert verdict.compared == len(world()[0].truth) - 1


def test_nothing_to_compare_is_not_called_exact() -> None:
    assert judge((), PublishedRun({}, {}, world()[1], "demo"), as_of=AS_OF).pathway_exact == 0.0
