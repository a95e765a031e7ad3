"""What became of people: one event each, with the ids before, the reason and the evidence."""

from collections.abc import Mapping

from linkage.answers import LinkAnswer
from linkage.changes import PersonChange, changes
from linkage.explain import Evidence

LINK = ("auto", ())


def evidence(other: str, band: str, rules: tuple[str, ...], bits: int = 9000) -> Evidence:
    return Evidence(other, bits, band, (("prior", "", -4000), ("nhs_number", "equal", bits + 4000)), rules)


def state(people: str, texts: Mapping[str, tuple[str, tuple[str, ...]]] | None = None) -> dict[str, LinkAnswer]:
    """People as words, the anchor first: "ab c". `told` is the evidence of a pair: its band and rules."""
    answers = {}
    for word in people.split():
        for record in word:
            found = tuple(
                evidence(pair.replace(record, ""), *of) for pair, of in sorted((texts or {}).items()) if record in pair
            )
            answers[record] = LinkAnswer(word[0], tuple(sorted(word)), "linked", (), found)
    return answers


def became(
    before: str, after: str, texts: Mapping[str, tuple[str, tuple[str, ...]]] | None = None
) -> dict[str, PersonChange]:
    """The events by person. Checked on the way: one event a person, the same when given again, and in another
    order.
    """
    was = {record: answer.anchor for record, answer in state(before).items()}
    now = state(after, texts)
    found = changes(was, now, model="m1")
    turned = changes(dict(reversed(was.items())), dict(reversed(now.items())), model="m1")
    assert found == turned
    assert [item.person for item in found] == sorted({item.person for item in found})
    assert {item.model for item in found} <= {"m1"}
    return {item.person: item for item in found}


def test_nothing_changed_is_no_event() -> None:
    assert became("ab c", "ab c") == {}


def test_the_first_record_of_a_person_is_linked_to_nobody() -> None:
    found = became("", "a")["a"]
    assert (found.kind, found.previous, found.records, found.reason) == ("linked", (), ("a",), "first-record")


def test_a_record_that_joins_a_person_is_linked_with_its_evidence_by_field() -> None:
    found = became("a", "ab", {"ab": LINK})["a"]
    assert (found.kind, found.previous, found.records, found.reason) == ("linked", ("a",), ("b",), "weight")
    ((pair, item),) = found.evidence
    assert pair == ("a", "b")
    assert item.bits == sum(bits for _, _, bits in item.terms)


def test_two_people_found_to_be_one_are_merged_and_both_ids_are_told() -> None:
    found = became("a bc", "abc", {"ab": LINK})["a"]
    assert (found.kind, found.previous, found.records) == ("merged", ("a", "b"), ("b", "c"))
    assert became("a b", "ab", {"ab": ("auto", ("V5-link",))})["a"].reason == "V5-link"
    assert became("a b", "ab", {"ab": ("auto", ("merge",))})["a"].reason == "merge"


def test_one_person_found_to_be_two_is_split_and_each_part_is_told() -> None:
    found = became("abc", "a bc", {"ab": ("apart", ("V5-apart",))})
    assert {action.kind for action in found.values()} == {"split"}
    assert found["a"].records == ("b", "c")
    assert found["b"].records == ("a",)
    assert found["b"].previous == ("a",)
    assert {item.reason for item in found.values()} == {"V5-apart"}
    assert became("ab", "a b")["a"].reason == "weight", "no evidence is left between them"


def test_a_record_that_moves_merges_where_it_comes_and_splits_where_it_leaves() -> None:
    found = became("ax b", "a bx", {"bx": LINK})
    assert (found["a"].kind, found["a"].records) == ("split", ("x",))
    assert (found["b"].kind, found["b"].previous) == ("merged", ("a", "b"))


def test_a_record_nearer_to_primary_care_renames_the_person() -> None:
    found = became("bc", "abc", {"ab": LINK})["a"]
    assert (found.kind, found.previous, found.reason) == ("renamed", ("b",), "anchor")
    assert became("ab", "b")["b"].kind == "renamed", "its anchor is gone"


def test_a_record_that_is_gone_is_withdrawn_from_its_person_and_the_last_with_it() -> None:
    found = became("ab", "a")["a"]
    assert (found.kind, found.records, found.reason) == ("withdrawn", ("b",), "record-gone")
    last = became("a", "")["a"]
    assert (last.kind, last.previous, last.records) == ("withdrawn", ("a",), ("a",))
