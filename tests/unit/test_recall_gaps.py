"""Fairness of the running linker: its gaps, found a little at a time, and nothing else on the page."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from linkage.cluster import LinkGraph, Member
from linkage.model import parse
from linkage.normalise import Identity, Name, normalise
from linkage.recall_scan import (
    PAIRS_AT_ONCE,
    RECORDS_EACH_MAX,
    RecallScan,
    gaps_for_metrics,
    report_of,
    walk_on,
)
from linkage.subgroups import WHOLE, PairTally, SubgroupReport
from linkage.tokens import TokenKeys, encode
from ops.lab.simulator.population import check_digit
from ops.runtime.paths import linkage_model
from streams.recall_gaps import RecallGaps
from streams.steps.linker import LinkerState
from streams.steps.model_rollout import ModelRollout

MODEL = parse(linkage_model())
KEYS = TokenKeys.from_bytes(b"h" * 32, epoch=1)
PEOPLE = 420  # seen by the council, and as many by the trust
LOST = 42  # of the trust's: known there by another name and birth date
GAUGE = "tierlink_linkage_recall_gap_points"


def numbers() -> Iterator[str]:
    """Valid NHS numbers of the test range."""
    for nine in range(999_000_000, 999_999_999):
        check = check_digit(str(nine))
        if check is not None:
            yield f"{nine}{check}"


def person(number: str | None, at: int, *, otherwise: bool = False) -> Identity:
    """The at-th person; `otherwise`: as somebody who shares nothing but the number."""
    name, year = (f"Quill{at}", 1990) if otherwise else (f"Marsh{at}", 1950)
    return Identity(
        number,
        names=(Name((f"Ada{at}",) if not otherwise else (f"Zoe{at}",), name),),
        birth_date=f"{year + at % 7}-0{1 + at % 9}-1{at % 10}",
        postcodes=(f"LS{1 + at % 8} {1 + at % 9}AB",),
        phones=(f"07700{900000 + at + 1_000 * otherwise}",),
    )


def member_of(source: str, tier: int, identity: Identity) -> Member:
    """A record of it."""
    return Member(tier, encode(normalise(identity), keys=KEYS), source=source)


@pytest.fixture(scope="module")
def records() -> dict[str, Member]:
    """Everybody at the surgery; half at the council too, half at the trust, which knows every tenth otherwise."""
    found = {}
    for at, number in zip(range(2 * PEOPLE), numbers(), strict=False):
        found[f"gp-{at}"] = member_of("gp-hub", 1, person(number, at))
        if at < PEOPLE:
            found[f"council-{at}"] = member_of("council-east", 2, person(number, at))
        else:
            found[f"trust-{at}"] = member_of("trust-wm", 3, person(number, at, otherwise=at < PEOPLE + LOST))
    return found


def loaded(members: Mapping[str, Member], order: Sequence[str] | None = None) -> LinkGraph:
    """A graph of these."""
    graph = LinkGraph(MODEL)
    graph.load({name: members[name] for name in order or list(members)})
    return graph


def walked(graph: LinkGraph) -> tuple[SubgroupReport, int]:
    """A whole walk, and in how many pieces."""
    walk, pieces = walk_on(graph, RecallScan()), 1
    while not walk.done:
        walk, pieces = walk_on(graph, walk), pieces + 1
    return report_of(graph, walk), pieces


def test_every_pair_of_one_number_is_judged_without_it_by_tier_and_source(records: dict[str, Member]) -> None:
    found, pieces = walked(loaded(records))
    at_trust = PairTally(found=PEOPLE - LOST, missed=LOST)
    assert found.tallies["tier", "2"] == found.tallies["source", "council-east"] == PairTally(found=PEOPLE)
    assert found.tallies["tier", "3"] == found.tallies["source", "trust-wm"] == at_trust
    assert found.tallies[WHOLE] == PairTally(found=2 * PEOPLE - LOST, missed=LOST)
    assert found.records[WHOLE] == 4 * PEOPLE
    assert gaps_for_metrics(found) == {"source": 10.0, "tier": 10.0}
    assert pieces >= 2 * PEOPLE // PAIRS_AT_ONCE, "no piece is long"


def test_the_order_in_which_records_came_changes_no_figure(records: dict[str, Member]) -> None:
    first, _ = walked(loaded(records))
    turned, _ = walked(loaded(records, sorted(records, reverse=True)))
    assert dict(first.tallies) == dict(turned.tallies)
    assert (first.records, first.numberless) == (turned.records, turned.numberless)


def test_a_record_that_went_or_changed_during_a_walk_ends_it_with_what_is_there(
    records: dict[str, Member],
) -> None:
    graph = loaded(dict(list(records.items())[:200]))
    walk = walk_on(graph, RecallScan())
    assert walk.at < len(graph)
    for name in list(records)[:150]:
        graph.remove(name)
    graph.put("new", member_of("gp-hub", 1, person(None, 1)))
    while not walk.done:
        walk = walk_on(graph, walk)
    whole = walked(graph)[0]
    assert whole.records[WHOLE] == 50
    assert whole.numberless["source", "gp-hub"] == 1


def test_a_number_on_very_many_records_is_no_persons_and_is_left_out() -> None:
    number = next(numbers())
    for copies, pairs in ((RECORDS_EACH_MAX, RECORDS_EACH_MAX * (RECORDS_EACH_MAX - 1) // 2), (17, 0)):
        item = member_of("gp-hub", 1, person(number, 1))
        found, _ = walked(loaded({f"r{at}": item for at in range(copies)}))
        assert found.tallies.get(WHOLE, PairTally()).matches == pairs


def test_people_without_a_number_are_told_by_what_their_sources_can_do() -> None:
    tallies = {
        WHOLE: PairTally(1_900, missed=100),
        ("source", "a"): PairTally(1_000),
        ("source", "b"): PairTally(900, missed=100),
    }
    sized = dict.fromkeys(tallies, 1_000)
    few, many = (SubgroupReport("m", tallies, sized, {("source", "b"): count}) for count in (399, 400))
    assert gaps_for_metrics(few) == {"source": 10.0}
    assert gaps_for_metrics(many) == {"source": 10.0, "number": 5.0}


def test_the_page_shows_a_gap_for_each_kind_and_not_who_they_are(records: dict[str, Member]) -> None:
    registry = CollectorRegistry()
    rollout = ModelRollout(MODEL, domain=0, batch_records=200)
    rollout.load(None, {}, records, ())
    gaps, states = RecallGaps(registry), {0: LinkerState(rollout)}
    gaps.inspect(states)
    assert registry.get_sample_value(GAUGE, {"dimension": "tier"}) is None, "part of a walk is no sample"
    for _ in range(200):
        gaps.inspect(states)
    assert registry.get_sample_value(GAUGE, {"dimension": "tier"}) == 10.0
    page = generate_latest(registry).decode()
    shown = [line for line in page.splitlines() if not line.startswith("#")]
    assert shown == [f'{GAUGE}{{dimension="{name}"}} 10.0' for name in ("source", "tier")]
    gaps.inspect({})
    assert registry.get_sample_value(GAUGE, {"dimension": "tier"}) is None, "another worker has the task"


def test_where_nobody_is_known_otherwise_there_is_no_gap(records: dict[str, Member]) -> None:
    """The negative control."""
    alike = records | {
        f"trust-{at}": member_of("trust-wm", 3, person(number, at))
        for at, number in zip(range(PEOPLE + LOST), numbers(), strict=False)
        if at >= PEOPLE
    }
    assert gaps_for_metrics(walked(loaded(alike))[0]) == {"source": 0.0, "tier": 0.0}
