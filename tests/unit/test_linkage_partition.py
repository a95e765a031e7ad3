"""A component cut into people: surest links first, vetoes before weights, the whole cluster heard."""

from itertools import combinations, pairwise, permutations

from linkage.compare import LEVELS, Levels
from linkage.decide import Band, PairVerdict, Rule
from linkage.decisions import Decision, Kind
from linkage.model import Model, Score
from linkage.partition import COMPONENT_MAX, Member, Pair, Partition, ScoredPair, partition
from linkage.tokens import EncodedIdentity

MODEL = Model("m", "made up", prior=0, link=4000, review=-2000, ambiguous=4000, weights={}, interactions={})
AT = Levels.of(tuple(len(known) - 1 for known in LEVELS.values()))  # nothing said


def member(number: str | None = None, merged_into: str | None = None, source: str | None = None) -> Member:
    encoded = EncodedIdentity(1, number.encode() if number else None, b"", b"")
    return Member(1, encoded, merged_into, source, unique_ids=source is not None)


def judged(bits: int, *rules: Rule) -> ScoredPair:
    band = Band.AUTO if bits >= 4000 and not rules else Band.REVIEW if bits >= -2000 else Band.APART
    return ScoredPair(Score(bits, AT, ()), PairVerdict(band, rules))


def said(pair: str, kind: Kind, day: int = 1) -> Decision:
    return Decision((pair[0], pair[1]), kind, f"2026-01-{day:02}T09:00:00Z", f"d-{pair}")


def cut(members: dict[str, Member], bits: dict[str, int], *decisions: Decision) -> Partition:
    """`bits` by two-letter pair. Checked on the way: no order of the inputs makes a difference."""
    pairs: dict[Pair, ScoredPair] = {(pair[0], pair[1]): judged(weight) for pair, weight in bits.items()}
    results = [
        partition(
            MODEL,
            dict(order),
            dict(sorted(pairs.items(), reverse=order[0][0] != min(members))),
            decisions if order[0][0] == min(members) else decisions[::-1],
        )
        for order in list(permutations(members.items()))[:24]
    ]
    assert len({(tuple(groups(result)), tuple(sorted(result.refused.items(), key=str))) for result in results}) == 1
    return results[0]


def groups(result: Partition) -> list[str]:
    return sorted("".join(cluster.members) for cluster in result.clusters)


def test_the_surest_link_is_taken_first_and_a_number_then_keeps_the_other_out() -> None:
    people = {"x": member(), "a": member("1"), "b": member("2")}
    result = cut(people, {"ax": 9000, "bx": 20000, "ab": -30000})
    assert groups(result) == ["a", "bx"]
    assert result.refused == {("a", "x"): Rule.NUMBERS_DIFFER}


def test_no_number_of_records_without_a_number_outvotes_two_numbers_that_differ() -> None:
    people = {"a": member("1"), "b": member("2"), **{name: member() for name in "vwxyz"}}
    bits = {"".join(pair): 15000 for pair in combinations("vwxyz", 2)}
    bits |= {"a" + name: 20000 for name in "vwxyz"} | {"b" + name: 10000 for name in "vwxyz"}
    assert groups(cut(people, bits)) == ["avwxyz", "b"]


def test_a_record_that_fits_two_numbers_within_a_hair_gets_neither() -> None:
    people = {"x": member(), "a": member("1"), "b": member("2")}
    result = cut(people, {"ax": 9000, "bx": 9500})
    assert groups(result) == ["a", "b", "x"]
    assert set(result.refused.values()) == {Rule.AMBIGUOUS}


def test_a_cluster_is_heard_as_a_whole() -> None:
    people = {name: member() for name in "abcx"}
    close = {"ab": 15000, "ac": 15000, "bc": 15000}
    assert groups(cut(people, {**close, "ax": 5000, "bx": -4000, "cx": -4000})) == ["abc", "x"]
    assert groups(cut(people, {**close, "ax": 5000, "bx": -4000, "cx": -500})) == ["abcx"]
    assert groups(cut(people, {**close, "ax": 5000})) == ["abcx"], "a pair that shares no block is no veto"


def test_a_merge_stands_above_weights_and_numbers() -> None:
    people = {"a": member("1"), "b": member("2", merged_into="a"), "c": member("2")}
    result = cut(people, {"ab": -30000, "bc": 20000, "ac": -30000})
    assert groups(result) == ["ab", "c"], "the number merged away joins nobody"


def test_merges_in_a_circle_and_into_nowhere_do_no_harm() -> None:
    people = {"a": member(merged_into="b"), "b": member(merged_into="a"), "c": member(merged_into="nowhere")}
    assert groups(cut(people, {})) == ["ab", "c"]


def test_a_giant_component_counts_only_links_that_are_surer() -> None:
    names = [f"r{i:03}" for i in range(COMPONENT_MAX + 1)]
    chain = {(a, b): judged(8000) for a, b in pairwise(names)}
    people = {name: member() for name in names}
    weak = partition(MODEL, people, chain)
    assert len(weak.clusters) == len(names)
    assert set(weak.refused.values()) == {Rule.GIANT}
    sure = {(a, b): judged(9000 if (a, b) == (names[0], names[1]) else 8000) for a, b in chain}
    assert len(partition(MODEL, people, sure).clusters) == len(names) - 1
    smaller = {name: people[name] for name in names[:-1]}
    kept = {pair: item for pair, item in chain.items() if names[-1] not in pair}
    assert Rule.GIANT not in partition(MODEL, smaller, kept).refused.values()


def test_a_pair_that_a_guard_holds_back_is_no_evidence_for_others() -> None:
    people = {name: member() for name in "abx"}
    close = {("a", "b"): judged(9000), ("a", "x"): judged(4100)}
    assert groups(partition(MODEL, people, {**close, ("b", "x"): judged(-4200)})) == ["ab", "x"]
    assert groups(partition(MODEL, people, {**close, ("b", "x"): judged(9000, Rule.TWIN)})) == ["abx"]
    third = {**close, ("a", "c"): judged(9000), ("b", "c"): judged(9000), ("c", "x"): judged(-3500)}
    guarded = {**third, ("b", "x"): judged(9000, Rule.TWIN)}
    assert groups(partition(MODEL, {**people, "c": member()}, guarded)) == ["abc", "x"]


def test_a_steward_joins_what_weights_and_numbers_keep_apart() -> None:
    people = {"a": member("1"), "b": member("2")}
    assert groups(cut(people, {"ab": -30000})) == ["a", "b"]
    assert groups(cut(people, {"ab": -30000}, said("ab", "link"))) == ["ab"]
    (cluster,) = cut(people, {}, said("ab", "link")).clusters
    assert cluster.numbers == {(1, b"1"), (1, b"2")}


def test_the_numbers_of_two_records_a_steward_joined_are_one_persons_from_then_on() -> None:
    people = {"a": member("1"), "b": member("2"), "c": member("1"), "d": member("3")}
    close = {"ac": 20000, "bd": 20000}
    assert groups(cut(people, close, said("ab", "link"))) == ["abc", "d"]


def test_a_steward_parts_what_weights_join_by_any_path() -> None:
    people = {name: member() for name in "abx"}
    close = {"ab": 15000, "ax": 14000, "bx": 13000}
    assert groups(cut(people, close)) == ["abx"]
    result = cut(people, close, said("ax", "apart"))
    assert groups(result) == ["ab", "x"]
    assert result.refused == {("a", "x"): Rule.DECIDED_APART, ("b", "x"): Rule.DECIDED_APART}


def test_a_steward_who_parts_a_record_from_one_of_two_settles_whose_it_is() -> None:
    people = {"x": member(), "a": member("1"), "b": member("2")}
    assert groups(cut(people, {"ax": 9000, "bx": 9500}, said("bx", "apart"))) == ["ax", "b"]


def test_of_three_decisions_that_contradict_each_other_the_later_link_is_refused_and_told() -> None:
    people = {name: member() for name in "abc"}
    for first, second in (("ab", "bc"), ("bc", "ab")):
        result = cut(people, {}, said("ac", "apart", 9), said(first, "link", 1), said(second, "link", 2))
        assert groups(result) == sorted((first, *set("abc") - set(first)))
        assert result.refused == {tuple(second): Rule.CONTRADICTION}


def test_a_steward_who_parts_two_records_outranks_the_source_that_merged_them() -> None:
    people = {"a": member(), "b": member(merged_into="a"), "c": member(merged_into="b")}
    result = cut(people, {}, said("ab", "apart"))
    assert groups(result) == ["a", "bc"]
    assert result.refused == {("a", "b"): Rule.DECIDED_APART}
    assert cut(people, {}, said("ac", "apart")).refused == {("b", "c"): Rule.CONTRADICTION}


def test_two_active_records_of_a_source_with_unique_ids_need_six_bits_more() -> None:
    pair = {"a": member(source="gp"), "b": member(source="gp")}
    result = cut(pair, {"ab": 5900})
    assert groups(result) == ["a", "b"]
    assert result.refused == {("a", "b"): Rule.ONE_ID_EACH}
    assert groups(cut(pair, {"ab": 6000})) == ["ab"]
    assert groups(cut({**pair, "b": member(source="trust")}, {"ab": 5900})) == ["ab"]
    assert groups(cut({**pair, "b": member(merged_into="z", source="gp")}, {"ab": 5900})) == ["ab"]
