"""What outranks weights: stewards' decisions and superseded numbers, and what bad input comes to."""

from dataclasses import replace
from itertools import permutations

import pytest
from graph_holdings import holdings
from linkage_tables import (
    FOR_A_STEWARD,
    GP,
    KEYS,
    MODEL,
    NUMBERS,
    ONE_PERSON,
    graph_of,
    member,
    said,
)

from linkage.cluster import LinkGraph, Member
from linkage.normalise import Identity, normalise
from linkage.tokens import encode

# ---------------------------------------------------------------- what stewards decide (V5)

STRANGER = "x: 2 | - | David | Okafor | 1950-01-17 | male | BD9 9ZZ | 4"


def test_a_steward_may_join_any_two_records_and_take_it_back() -> None:
    graph = graph_of(f"{GP}\n{STRANGER}")
    assert graph.decide(said("gp x", "link", 1)) == {"gp", "x"}
    assert graph.answer("x").anchor == "gp"
    assert graph.answer("x").evidence[0].rules == ("V5-link",)
    assert graph.decide(said("gp x", "none", 2)) == {"gp", "x"}
    assert graph.answer("x").members == ("x",)
    assert graph.answer("x").evidence == ()


def test_a_steward_who_joins_two_valid_numbers_outranks_v1_and_is_told_beside_the_weights() -> None:
    graph = graph_of(f"{GP}\n{FOR_A_STEWARD['possible-duplicate-number of one patient']}")
    graph.decide(said("gp x", "link"))
    assert graph.answer("x").members == ("gp", "x")
    rules = [item.rules for item in graph.answer("x").evidence]
    assert rules == [("V5-link",), ("superseded-number",)]


def test_a_steward_who_parts_two_records_parts_them_by_any_path_and_closes_the_doubt() -> None:
    graph = graph_of(f"{GP}\n{ONE_PERSON['all the same, no number']}")
    graph.put("t3", member("3 | - | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12"))
    assert graph.answer("gp").members == ("gp", "t2", "t3")
    graph.decide(said("gp t2", "apart"))
    assert "t2" not in graph.answer("gp").members
    assert graph.answer("t2").evidence[0].rules == ("V5-apart",)
    assert graph.reviews(["gp", "t2", "t3"]) == ()


def test_a_review_closes_when_the_steward_decides_either_way() -> None:
    for kind, members in (("link", ("gp", "x")), ("apart", ("x",))):
        graph = graph_of(f"{GP}\n{FOR_A_STEWARD['V2']}")
        assert graph.answer("x").status == "held"
        graph.decide(said("gp x", kind))  # type: ignore[arg-type]
        assert graph.reviews(["gp", "x"]) == ()
        assert (graph.answer("x").members, graph.answer("x").status) == (members, "linked")


def test_of_several_decisions_on_a_pair_the_last_decided_stands_whatever_came_first() -> None:
    decisions = [said("gp x", "link", 1), said("gp x", "apart", 3, "d2"), said("gp x", "link", 3, "d1")]
    for order in permutations(decisions):
        graph = graph_of(f"{GP}\n{ONE_PERSON['all the same, no number'].replace('t2', 'x')}")
        for decision in order:
            graph.decide(decision)
        assert graph.answer("x").members == ("x",), "of one time, the greater id"
        assert graph.decide(decisions[0]) == frozenset()


def test_decisions_that_contradict_each_other_hold_the_later_link_for_a_steward() -> None:
    rows = [f"{name}: 2 | - | {name} | Reed{name} | 19{i}0-01-17 | - | - | -" for i, name in enumerate("abc", 4)]
    decisions = [said("a b", "link", 1), said("b c", "link", 2), said("a c", "apart", 3)]
    for order in permutations(decisions):
        graph = graph_of("\n".join(rows))
        for decision in order:
            graph.decide(decision)
        assert graph.answer("a").members == ("a", "b")
        (review,) = graph.reviews("abc")
        assert (review.pair, review.rules) == (("b", "c"), ("V5-contradiction",))
        assert graph.answer("c").held_reasons == ("V5-contradiction",)
        graph.decide(said("a c", "none", 4))
        assert graph.answer("c").members == ("a", "b", "c")
        assert graph.reviews("abc") == ()


def test_a_decision_about_a_record_that_is_not_there_waits_for_it_and_is_told() -> None:
    graph = graph_of(GP)
    decision = said("gp x", "link")
    assert graph.decide(decision) == {"gp"}
    assert graph.answer("gp").status == "linked"
    assert graph.answer("gp").evidence[0].rules == ("V5-waiting",)
    assert graph.put("x", member(STRANGER.removeprefix("x: "))) == {"gp", "x"}
    assert graph.answer("x").anchor == "gp"
    assert graph.answer("gp").evidence[0].rules == ("V5-link",)
    assert graph.remove("x") == {"gp"}
    assert graph.answer("gp").evidence[0].rules == ("V5-waiting",)


def test_a_decision_about_two_unknown_records_changes_nothing_yet() -> None:
    graph = graph_of(GP)
    assert graph.decide(said("x y", "apart")) == frozenset()
    graph.put("x", member(STRANGER.removeprefix("x: ")))
    assert graph.answer("x").evidence[0].rules == ("V5-waiting",)


# ---------------------------------------------------------------- numbers a source says were superseded


def known_formerly(row: str, *former: str) -> Member:
    found = member(row)
    tokens = tuple(token for name in former if (token := member(f"1 | {name} | - | - | - | - | - | -").number))
    assert found.encoded is not None
    return replace(found, encoded=replace(found.encoded, former=tuple(token for _, token in tokens)))


TWICE = "1 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12"


def test_a_number_its_source_says_was_superseded_does_not_conflict_with_the_new_one() -> None:
    old = "2 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12"
    for order in (("gp", "old"), ("old", "gp")):
        graph = LinkGraph(MODEL)
        for name in order:
            graph.put(name, known_formerly(TWICE, "N1") if name == "gp" else member(old))
        assert graph.answer("old").members == ("gp", "old")
    graph.put("gp", known_formerly(TWICE, "N3"))
    assert graph.answer("old").members == ("old",), "another number was superseded"


def test_one_record_that_knows_of_the_old_number_joins_others_that_do_not() -> None:
    graph = graph_of("""a: 2 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12
                        b: 3 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12""")
    assert graph.answer("a").members == ("a",)
    graph.put("gp", known_formerly(TWICE, "N1"))
    assert graph.answer("a").members == ("a", "b", "gp")
    graph.remove("gp")
    assert graph.answer("a").members == ("a",)


def test_a_third_number_still_conflicts_with_both() -> None:
    graph = LinkGraph(MODEL)
    graph.put("gp", known_formerly(TWICE, "N1"))
    graph.put("x", member("3 | N3 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12"))
    assert graph.answer("x").members == ("x",)


# ---------------------------------------------------------------- bad input


def test_a_record_of_which_only_the_year_of_birth_is_known_is_held_alone() -> None:
    graph = graph_of(f"{GP}\nx: 2 | - | - | - | 1971 | - | - | -")
    assert graph.answer("x").members == ("x",)
    assert graph.answer("x").held_reasons == ("no-usable-identity",)


def test_a_record_that_goes_through_a_thousand_identities_leaves_nothing_of_them_behind() -> None:
    graph, other = graph_of(GP), graph_of(GP)
    rows = [f"2 | N{1 + i % 3} | Sarah | Hall | 1971-05-{1 + i % 28:02} | female | LS1 4AP | 12" for i in range(9)]
    identities = [member(row) for row in rows]
    for i in range(1000):
        graph.put("t2", identities[i % 9])
    other.put("t2", identities[999 % 9])
    assert holdings(graph) == holdings(other)
    assert [graph.answer(name) for name in ("gp", "t2")] == [other.answer(name) for name in ("gp", "t2")]


def test_a_number_that_a_crowd_shares_costs_a_new_record_no_comparison_with_it() -> None:
    graph = LinkGraph(MODEL, cap=5)
    crowd = Member(2, encode(normalise(Identity(NUMBERS["N1"])), keys=KEYS))
    for i in range(200):
        touched = graph.put(f"r{i:03}", crowd)
        assert len(touched) <= 6
    assert holdings(graph).pairs == 0
    assert holdings(graph).crowds == 1
    assert graph.put("gp", member(GP.removeprefix("gp: "))) == {"gp"}


def test_an_unknown_record_has_no_answer_and_removing_it_changes_nothing() -> None:
    graph = graph_of(GP)
    assert graph.remove("nobody") == frozenset()
    assert graph.reviews(["nobody"]) == ()
    with pytest.raises(KeyError, match="never put"):
        graph.answer("nobody")


def test_two_numbers_a_steward_found_to_be_one_persons_are_told_as_set_aside() -> None:
    """The word is on t2; t3, which nobody spoke of, has the same number."""
    graph = graph_of(f"""{GP}
        t2: 2 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12
        t3: 3 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12""")
    graph.decide(said("gp t2", "link"))
    assert graph.answer("t3").members == ("gp", "t2", "t3")
    items = {item.other: item for item in graph.answer("t3").evidence}
    assert items["gp"].rules == ("superseded-number",)
    assert items["gp"].band == "auto"
    assert sum(bits for _, _, bits in items["gp"].terms) == items["gp"].bits
