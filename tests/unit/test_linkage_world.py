"""The world that linking is measured on, and the measures themselves, on cases one can count by hand."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import linkage.model
from linkage.model import Model, parse
from linkage.normalise import Identity, Name
from ops.lab.bench.linkage_methods import (
    KEYS,
    encoded_world,
    keyed,
    link,
    match_keys,
    number_join,
    training_counts,
    training_pairs,
)
from ops.lab.bench.linkage_world import COLUMNS, LinkageWorld, WorldRecord, export_csv
from ops.lab.bench.linkage_worlds import KEYS_ALONE, Quality, Reviewed, quality, table, unmet


@cache
def small() -> LinkageWorld:
    return LinkageWorld.of(300, seed=11)


def record(record_id: str, person: str, tier: str, **identity: object) -> WorldRecord:
    known = {
        "nhs_number": None,
        "names": (Name(("Maya",), "Okafor"),),
        "birth_date": "1980-02-11",
        "sex": "female",
        "postcodes": ("SS1 1AA",),
        "houses": ("12 Mill Lane",),
    }
    stored = Identity(**{**known, **identity})  # type: ignore[arg-type]
    return WorldRecord(record_id, "gp-hub", tier, stored, person, "white", 1, "female", "40-49", ())


def first_model() -> Model:
    return parse(Path(linkage.model.__file__).with_name("models").joinpath("shipped.json").read_text("utf-8"))


def world(*records: WorldRecord, relation: Mapping[str, str] | None = None) -> LinkageWorld:
    return LinkageWorld(1, len({record.person for record in records}), records, relation or {})


def test_equal_arguments_give_equal_worlds_and_another_seed_another() -> None:
    assert LinkageWorld.of(60, seed=4) == LinkageWorld.of(60, seed=4)
    assert LinkageWorld.of(60, seed=4) != LinkageWorld.of(60, seed=5)


def test_the_share_of_tier_2_numbers_is_the_one_asked_for() -> None:
    for wanted in (0.3, 0.9):
        tier2 = [
            record for record in LinkageWorld.of(1200, seed=2, tier2_numbers=wanted).records if record.tier == "tier2"
        ]
        present = sum(record.identity.nhs_number is not None for record in tier2) / len(tier2)
        assert present == pytest.approx(wanted, abs=0.04)


def test_what_happened_to_a_record_is_said_in_words() -> None:
    happened = Counter(reason for record in LinkageWorld.of(1200, seed=3).records for reason in record.happened)
    for reason in (
        "no number",
        "moved",
        "renamed",
        "names swapped",
        "forename otherwise",
        "birth date wrong",
    ):
        assert happened[reason] > 0, reason


def test_records_come_one_by_one_and_mostly_from_the_practice_first() -> None:
    first: dict[str, str] = {}
    for record in small().records:
        first.setdefault(record.person, record.tier)
    assert Counter(first.values()).most_common(1)[0][0] == "primary_care"
    assert len({record.record_id for record in small().records}) == len(small().records)


def test_a_perfect_linkage_has_no_error_and_one_cluster_for_all_is_all_wrong() -> None:
    truth = {record.record_id: record.person for record in small().records}
    perfect = quality("perfect", small(), truth, cpu_s=0)
    assert (perfect.wrong_person, perfect.linked, perfect.pair_precision, perfect.pair_recall) == (0, 1, 1, 1)
    assert perfect.ethnic_gap_points == perfect.imd_gap_points == 0
    heap = quality("heap", small(), dict.fromkeys(truth, "one"), cpu_s=0)
    assert heap.wrong_person == 1
    nothing = quality("nothing", small(), {record_id: record_id for record_id in truth}, cpu_s=0)
    assert (nothing.wrong_person, nothing.linked) == (0, 0)


def test_a_record_counts_as_linked_when_it_stands_with_its_practice_record() -> None:
    three = world(record("a", "P1", "primary_care"), record("b", "P1", "tier2"), record("c", "P1", "tier3"))
    found = quality("half", three, {"a": "x", "b": "x", "c": "y"}, cpu_s=0)
    assert found.linked == 0.5
    together_without_the_practice = quality("no home", three, {"a": "x", "b": "y", "c": "y"}, cpu_s=0)
    assert together_without_the_practice.linked == 0


def test_both_people_of_a_mixed_cluster_count_as_attached_to_a_wrong_person() -> None:
    two = world(record("a", "P1", "primary_care"), record("b", "P1", "tier2"), record("c", "P2", "tier2"))
    assert quality("mixed", two, {"a": "x", "b": "x", "c": "x"}, cpu_s=0).wrong_records == 2


def test_a_gap_is_between_the_best_and_the_worst_linked_group() -> None:
    other = replace(record("d", "P2", "tier2"), ethnic_group="black")
    four = world(
        record("a", "P1", "primary_care"),
        record("b", "P1", "tier2"),
        record("c", "P2", "primary_care"),
        other,
    )
    found = quality("unfair", four, {"a": "x", "b": "x", "c": "y", "d": "z"}, cpu_s=0)
    assert found.ethnic_gap_points == 100
    assert found.imd_gap_points == 0


def test_the_number_join_knows_numbers_and_nothing_else() -> None:
    found = number_join(
        [
            record("a", "P1", "primary_care", nhs_number="9990000018"),
            record("b", "P1", "tier2"),
            record("c", "P2", "tier2", nhs_number="9990000018"),
        ]
    )
    assert found["a"] == found["c"] != found["b"]


def test_a_surname_initial_key_takes_twins_for_one_person_and_the_veto_may_stop_it() -> None:
    twins = [
        record("a", "P1", "primary_care", nhs_number="9990000018"),
        record("b", "P2", "primary_care", nhs_number="9990000026", names=(Name(("Nia",), "Okafor"),)),
    ]
    known = keyed(twins)
    joined, kept_apart = match_keys(known), match_keys(known, veto=True)
    assert joined["a"] == joined["b"]
    assert kept_apart["a"] != kept_apart["b"]


def test_every_match_key_is_silent_where_a_field_it_needs_is_missing() -> None:
    assert len(KEYS) == 13
    nothing = dict.fromkeys(("birth_date", "sex"), None)
    empty = [record(name, name, "tier2", names=(), postcodes=(), houses=(), **nothing) for name in "ab"]
    assert set(keyed(empty)[0].keys) == {None}
    found = match_keys(keyed(empty))
    assert found["a"] != found["b"]


def test_a_steward_who_never_errs_leaves_no_open_pair_and_no_new_error() -> None:
    hard = LinkageWorld.of(250, seed=21)
    model = first_model()
    linked = link(hard, encoded_world(hard), model)
    assert linked.reviews
    assert {record_id for pair in linked.reviews for record_id in pair} <= linked.held
    before = quality("before", hard, linked.clusters, cpu_s=0)
    after = quality("after", hard, linked.reviewed, cpu_s=0)
    assert after.linked > before.linked
    assert after.wrong_person <= before.wrong_person


def test_every_pair_that_shares_a_block_is_trained_on_once() -> None:
    encoded = encoded_world(LinkageWorld.of(80, seed=9))
    pairs = list(training_pairs(encoded))
    assert pairs
    assert all(block in a.tokens and block in b.tokens for a, b, block in pairs)
    assert len({frozenset((id(a), id(b))) for a, b, _ in pairs}) == len(pairs)
    ones = list(encoded.values())
    sharing = sum(not set(a.tokens).isdisjoint(b.tokens) for place, a in enumerate(ones) for b in ones[place + 1 :])
    assert len(pairs) == sharing == sum(training_counts(encoded).candidates.values())


def test_a_world_is_written_as_a_table_with_its_truth(tmp_path: Path) -> None:
    path = tmp_path / "world.csv"
    export_csv(small(), path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == COLUMNS
    assert [row["person"] for row in rows] == [record.person for record in small().records]
    assert {row["source"] for row in rows} == {"gp-hub", "council-east", "trust-wm"}


def test_a_world_too_easy_and_a_target_missed_are_said_and_met_ones_are_not() -> None:
    truth = {record.record_id: record.person for record in small().records}
    ours = quality("tierlink", small(), truth, cpu_s=0, reviewed=Reviewed(truth, (), 0))
    keys = replace(ours, method=KEYS_ALONE, wrong_person=0.009)
    assert unmet((keys, ours)) == ()
    easy = replace(keys, wrong_person=0.007)
    worse: Quality = replace(ours, linked=0.984, wrong_person=0.0002)
    assert len(unmet((easy, worse))) == 3


def test_the_table_has_a_line_for_each_method() -> None:
    truth = {record.record_id: record.person for record in small().records}
    row = quality("tierlink", small(), truth, cpu_s=1.25)
    assert len(table([row, row]).splitlines()) == 3
    assert set(row.as_json()) == set(Quality.__dataclass_fields__)
