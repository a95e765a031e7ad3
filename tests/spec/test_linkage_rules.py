"""Who is taken to be one person, in cases a clinician could contest.

Each case is a table of records: tier, NHS number, forename, surname, birth date, sex, postcode, house. "-" is
missing.
"""

import pytest
from linkage_tables import (
    FOR_A_STEWARD,
    GP,
    KEYS,
    MODEL,
    NUMBERS,
    ONE_PERSON,
    TWO_PEOPLE,
    graph_of,
    member,
    said,
)

from linkage.cluster import LinkGraph, Member
from linkage.explain import explain
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import TokenKeys, encode


@pytest.mark.parametrize("case", ONE_PERSON)
def test_one_person_with(case: str) -> None:
    graph = graph_of(f"{GP}\n{ONE_PERSON[case]}")
    other = next(record for record in ("t2", "t3") if record in ONE_PERSON[case])
    assert graph.answer(other).anchor == "gp"
    assert graph.answer(other).status == "linked"


@pytest.mark.parametrize("case", TWO_PEOPLE)
def test_two_people_with(case: str) -> None:
    graph = graph_of(f"{GP}\n{TWO_PEOPLE[case]}")
    assert graph.answer("x").members == ("x",)
    assert graph.answer("x").status == "linked", "no review either"


@pytest.mark.parametrize("case", FOR_A_STEWARD)
def test_a_steward_decides_where_a_rule_and_the_number_disagree(case: str) -> None:
    graph, rule = graph_of(f"{GP}\n{FOR_A_STEWARD[case]}"), case.split()[0]
    (review,) = graph.reviews(["x"])
    assert (review.pair, review.rules) == (("gp", "x"), (rule,))
    for record in review.pair:
        assert graph.answer(record).status == "held"
        assert graph.answer(record).members == (record,)
        assert rule in graph.answer(record).held_reasons


def test_a_twins_record_without_a_number_goes_to_the_right_twin_and_is_not_held() -> None:
    graph = graph_of(f"""{GP}
        twin: 1 | N2 | Susan | Hall | 1971-05-24 | female | LS1 4AP | 12
        t2:   2 | -  | Susan | Hall | 1971-05-24 | female | LS1 4AP | 12""")
    assert graph.answer("t2").anchor == "twin"
    assert graph.answer("t2").status == "linked"


def test_a_record_that_fits_two_people_equally_is_given_to_neither() -> None:
    graph = graph_of(f"""{GP}
        other: 1 | N2 | Sarah | Hall | 1971-05-24 | female | BD9 9ZZ | 3
        t2:    2 | -  | Sarah | Hall | 1971-05-24 | female | -       | -""")
    assert graph.answer("t2").members == ("t2",)
    assert graph.answer("t2").held_reasons == ("ambiguous",)


@pytest.mark.parametrize(
    ("silent", "differs"),
    [
        ("2 | - | - | Hall | 1971-05-24 | female | LS1 4AP | 12", "- | Susan | Hall | 1971-05-24"),
        ("2 | - | Sarah | Hall | - | female | LS1 4AP | 12", "- | Sarah | Hall | 1998-11-09"),
    ],
    ids=["no forename, and twins", "no birth date, and mother and daughter of one name"],
)
def test_a_record_silent_on_what_tells_two_of_a_household_apart_joins_neither(silent: str, differs: str) -> None:
    graph = graph_of(f"""one: 2 | - | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12
        other: 2 | {differs} | female | LS1 4AP | 12""")
    graph.put("silent", member(silent))
    assert {graph.answer(text).members for text in ("one", "other")} == {("one",), ("other",)}
    assert graph.answer("silent").held_reasons == ("ambiguous",)
    graph.remove("other")
    assert graph.answer("silent").members == ("one", "silent"), "whom else?"


def test_a_silent_record_does_not_come_to_one_twin_through_a_third_record() -> None:
    graph = graph_of(f"""{GP}
        twin: 1 | N2 | Susan | Hall | 1971-05-24 | female | LS1 4AP | 12
        t2: 2 | - | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12
        silent: 3 | - | - | Hall | 1971-05-24 | female | LS1 4AP | 12""")
    assert graph.answer("t2").members == ("gp", "t2")
    assert graph.answer("silent").members == ("silent",)


def test_the_other_twins_number_is_found_out_by_the_record_it_looks_like() -> None:
    """A council has Sarah under the number of her twin Susan."""
    mistaken = member("2 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12")
    graph = graph_of("twin: 1 | N2 | Susan | Hall | 1971-05-24 | female | LS1 4AP | 12")
    graph.put("t2", mistaken)
    assert graph.answer("t2").anchor == "twin", "one number, and nothing says that it is wrong"
    assert graph.put("gp", member(GP.partition(":")[2])) == {"gp", "t2", "twin"}
    assert graph.answer("t2").members == ("t2",)
    assert graph.answer("t2").held_reasons == ("V2", "possible-duplicate-number")
    graph.decide(said("gp t2", "apart"))
    assert graph.answer("t2").anchor == "twin", "who decides knows better"
    graph.decide(said("gp t2", "link", day=2))
    assert graph.answer("t2").anchor == "gp"
    graph.remove("gp")
    assert graph.answer("t2").anchor == "twin"


def test_a_number_in_doubt_does_not_undo_what_holds_without_it() -> None:
    graph = graph_of(f"""{GP}
        t2: 2 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12
        t3: 3 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12""")
    assert graph.answer("t2").members == ("t2", "t3")


def test_a_link_is_explained_by_field_level_and_bits_that_add_up() -> None:
    graph = graph_of(f"{GP}\n{ONE_PERSON['married and moved, with a number']}")
    (found,) = graph.answer("t3").evidence
    value = explain(found)
    assert found.bits == sum(bits for _, _, bits in found.terms)
    assert {"field": "nhs_number", "level": "equal", "bits": 14.0} in value["fields"]  # type: ignore[operator]
    assert value["other"] == "gp"


def test_two_numbers_on_otherwise_one_person_are_told_as_a_possible_duplicate() -> None:
    graph = graph_of(f"{GP}\n{FOR_A_STEWARD['possible-duplicate-number of one patient']}")
    (found,) = graph.answer("x").evidence
    assert found.rules == ("V1", "possible-duplicate-number")


def test_a_record_without_usable_identity_is_held_alone() -> None:
    graph = LinkGraph(MODEL)
    for record, encoded in (("none", None), ("empty", encode(normalise(Identity(None)), keys=KEYS))):
        assert graph.put(record, Member(2, encoded, None)) == {record}
        assert graph.answer(record).held_reasons == ("no-usable-identity",)
        assert graph.answer(record).members == (record,)


def test_a_source_that_merges_two_records_is_believed_once_both_are_there() -> None:
    graph = LinkGraph(MODEL)
    graph.put("old", Member(3, None, merged_into="new"))
    assert graph.answer("old").status == "held"
    assert graph.put("new", member("3 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12")) == {
        "old",
        "new",
    }
    assert graph.answer("old").members == ("new", "old")
    assert graph.answer("old").status == "linked"
    assert graph.answer("old").evidence[0].rules == ("merge",)
    graph.remove("new")
    assert graph.answer("old").members == ("old",)


def test_a_record_merged_away_does_not_bring_its_wrong_number_along() -> None:
    graph = graph_of(f"{GP}\nnew: 3 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12")
    graph.put("old", member("3 | N2 | Susan | Reed | 1933-01-02 | female | - | -", merged_into="new"))
    assert graph.answer("old").members == ("gp", "new", "old")


def test_a_correction_of_the_number_splits_and_joins() -> None:
    graph = graph_of(f"{GP}\nt2: 2 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12")
    graph.put("other", member("1 | N2 | Sara | Hale | 1971-05-24 | female | LS1 4AP | 14"))
    assert graph.answer("t2").anchor == "gp"
    changed = graph.put("t2", member("2 | N2 | Sara | Hale | 1971-05-24 | female | LS1 4AP | 14"))
    assert changed == {"gp", "t2", "other"}
    assert graph.answer("t2").anchor == "other"


def test_primary_care_is_the_anchor_whatever_the_ids() -> None:
    graph = graph_of(f"{GP}\na: 2 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12")
    assert graph.answer("a").anchor == "gp"
    graph.remove("gp")
    assert graph.answer("a").anchor == "a"


def test_numbers_of_two_key_epochs_are_never_held_against_each_other() -> None:
    graph = graph_of(GP)
    later = TokenKeys.from_bytes(b"s" * 32, epoch=2)
    graph.put("x", Member(2, encode(normalise(Identity(NUMBERS["N2"])), keys=later), None))
    assert graph.answer("x").status == "linked"
    assert graph.answer("x").evidence == ()


def test_a_token_everybody_shares_links_nobody_and_revives_when_they_leave() -> None:
    graph = LinkGraph(MODEL, cap=3)
    crowd = Member(2, encode(normalise(Identity(NUMBERS["N1"])), keys=KEYS), None)
    for i in range(4):
        graph.put(f"r{i}", crowd)
    assert {graph.answer(f"r{i}").members for i in range(4)} == {(f"r{i}",) for i in range(4)}
    assert graph.remove("r3") == {"r0", "r1", "r2"}
    assert graph.answer("r0").members == ("r0", "r1", "r2")


def test_one_record_changing_identity_a_thousand_times_leaves_no_trace() -> None:
    graph = graph_of(GP)
    before = graph.answer("gp")
    members = [
        member(f"2 | N{1 + i % 3} | Sarah | Hall | 1971-05-{1 + i % 28:02} | female | LS1 4AP | 12") for i in range(20)
    ]
    for i in range(1000):
        graph.put("t2", members[i % 20])
    graph.remove("t2")
    assert graph.answer("gp") == before


def test_a_merge_taken_back_parts_the_records_and_says_so_for_both() -> None:
    graph = graph_of(GP)
    assert graph.put("old", Member(3, None, merged_into="gp")) == {"gp", "old"}
    assert graph.put("old", Member(3, None, merged_into=None)) == {"gp", "old"}
    assert graph.answer("gp").members == ("gp",)
    assert graph.put("old", Member(3, None, merged_into="gp")) == {"gp", "old"}
    assert graph.remove("old") == {"gp"}
    assert graph.answer("gp").members == ("gp",)


def _found(first: str, second: str, *, contacts: tuple[str, str] = ("", "")) -> tuple[str, tuple[str, ...]]:
    """How the second record is held, and why: "linked" where it is of the first's person. Columns as above."""
    graph = LinkGraph(MODEL)
    for name, row, phone in (("a", first, contacts[0]), ("b", second, contacts[1])):
        number, given, family, born, sex, postcode, house = (cell.strip() for cell in row.split("|"))
        identity = Identity(
            nhs_number=NUMBERS.get(number),
            names=(Name((given,), family),),
            birth_date=born,
            sex=sex,
            postcodes=(postcode,),
            houses=(house,),
            phones=(phone,) if phone else (),
        )
        graph.put(name, Member(2, encode(normalise(identity), keys=KEYS)))
    together = graph.answer("b").anchor == graph.answer("a").anchor
    return ("linked" if together else "apart"), graph.answer("b").held_reasons


@pytest.mark.parametrize(
    ("name", "born", "way", "why"),
    [
        ("Margaret | Davies", "1948-10-14", "apart", ("V8",)),  # the commonest names of their year: many share the day
        ("Ngozi | Okonkwo", "1980-01-01", "apart", ("V8",)),  # 1 January: written where only the year is known
        ("Ngozi | Okonkwo", "1980-01-02", "linked", ()),  # the control
    ],
)
def test_namesakes_of_a_crowded_birth_date_need_a_witness(name: str, born: str, way: str, why: tuple[str, ...]) -> None:
    here, there = f"- | {name} | {born} | female | LS1 4AP | 12", f"- | {name} | {born} | female | BD9 9ZZ | 3"
    assert _found(here, there) == (way, why)


def test_one_address_is_a_witness_enough() -> None:
    row = "- | Margaret | Davies | 1948-10-14 | female | LS1 4AP | 12"
    assert _found(row, row) == ("linked", ())


@pytest.mark.parametrize(
    ("contacts", "way", "why"),
    [
        (("07700900123", "07700900456"), "apart", ("V3",)),  # each of two twins has a telephone
        (("07700900123", "07700900123"), "linked", ()),
        (("07700900123", ""), "linked", ()),
    ],
)
def test_twins_under_one_number_are_told_apart_by_their_telephones(
    contacts: tuple[str, str], way: str, why: tuple[str, ...]
) -> None:
    sarah = "N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12"
    assert _found(sarah, sarah.replace("Sarah", "Ngozi"), contacts=contacts) == (way, why)
