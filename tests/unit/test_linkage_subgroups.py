"""Recall and precision by group of people: counted rightly, bounded rightly, and no small group shown."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import linkage
from linkage.compare import LEVELS, Levels
from linkage.decide import Band
from linkage.model import parse
from linkage.normalise import Identity, normalise
from linkage.subgroups import (
    WHOLE,
    Group,
    HeldOut,
    PairTally,
    SubgroupReport,
    held_out,
    met_without_number,
    report,
    widest_gap,
    widest_gaps,
    wilson,
    without_number,
)
from linkage.subgroups_shown import HEADINGS, as_json, lines, table
from linkage.tokens import TokenKeys, encode

MODEL = parse((Path(linkage.__file__).parent / "models" / "shipped.json").read_text())
KEYS = TokenKeys.from_bytes(b"k" * 32, epoch=1)
# Closest first, on a birth date that is nobody's in particular.
ALIKE = Levels(
    **{field: levels[0] for field, levels in LEVELS.items()} | {"crossed": "no", "birth_date_frequency": "usual"}
)
UNLIKE = Levels(
    **{field: "none" if "none" in levels else "missing" for field, levels in LEVELS.items()} | {"crossed": "no"}
)
WOMEN: Group = ("sex", "female")
MEN: Group = ("sex", "male")


def pairs(*groups: Group, found: int = 0, reviewed: int = 0, missed: int = 0, wrong: int = 0) -> list[HeldOut]:
    """So many pairs of each outcome."""
    outcomes = (
        (Band.AUTO, True, found),
        (Band.REVIEW, True, reviewed),
        (Band.APART, True, missed),
        (Band.AUTO, False, wrong),
    )
    return list(chain(*(repeat(HeldOut(band, same, frozenset(groups)), times) for band, same, times in outcomes)))


def numbered(number: str, at: Levels = ALIKE) -> Levels:
    return replace(at, nhs_number=number)


# ---------------------------------------------------------------- holding out


def test_only_pairs_with_two_numbers_are_held_out() -> None:
    for level in LEVELS["nhs_number"]:
        found = held_out(MODEL, numbered(level), [WOMEN], met=True)
        assert (found is not None) is (level in ("equal", "differ"))


def test_the_number_has_no_say_in_the_band() -> None:
    bands = set()
    for at in (ALIKE, UNLIKE, replace(ALIKE, birth_date="none"), replace(ALIKE, family="none", house="none")):
        same, other = (held_out(MODEL, numbered(level, at), [], met=True) for level in ("equal", "differ"))
        assert same is not None
        assert other is not None
        assert same.band is other.band
        assert (same.same, other.same) == (True, False)
        bands.add(same.band)
    assert len(bands) > 1, "the rest does have a say"
    # two numbers that differ would stand apart, were they heard
    assert held_out(MODEL, numbered("differ"), [], met=True) == HeldOut(Band.AUTO, False, frozenset())


def test_a_pair_that_would_never_have_met_stands_apart() -> None:
    found = held_out(MODEL, numbered("equal"), [], met=False)
    assert found == HeldOut(Band.APART, True, frozenset())


@pytest.mark.parametrize(
    ("a", "b", "is_met"),
    [
        (
            Identity("9434765919", phones=("07700900123",)),
            Identity("9434765919", phones=("07700900123",)),
            True,
        ),
        (
            Identity("9434765919", phones=("07700900123",)),
            Identity("9434765919", phones=("07700900321",)),
            False,
        ),
        (
            Identity("9434765919", phones=("07700900123",)),
            Identity("9434765870", phones=("07700900123",)),
            True,
        ),
        # the old number brings them together twice over, and is still a number
        (
            Identity("9434765919", former_numbers=("9434765870",)),
            Identity("9434765919", former_numbers=("9434765870",)),
            False,
        ),
        (Identity("9434765919", former_numbers=("9434765870",)), Identity("9434765870"), False),
    ],
)
def test_a_pair_only_a_number_brings_together_would_not_have_met(a: Identity, b: Identity, is_met: bool) -> None:
    left, right = (encode(normalise(item), keys=KEYS) for item in (a, b))
    shared = len(set(left.tokens) & set(right.tokens))
    assert shared >= 1
    assert met_without_number(left, right, live_blocks_shared=shared) is is_met


def test_a_pair_counts_once_in_every_group_of_either_record() -> None:
    item = report(pairs(WOMEN, MEN, WOMEN, found=1), model="m", records={})
    assert item.tallies == {group: PairTally(found=1) for group in (WOMEN, MEN, WHOLE)}


@given(
    st.lists(
        st.tuples(st.sampled_from(Band), st.booleans(), st.frozensets(st.sampled_from([WOMEN, MEN]))),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_pairs_is_of_no_account(
    outcomes: list[tuple[Band, bool, frozenset[Group]]], chance: object
) -> None:
    held = [HeldOut(*outcome) for outcome in outcomes]
    shuffled = list(held)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random without saying so
    first, second = (report(given_so, model="m", records={}) for given_so in (held, shuffled))
    assert list(first.tallies.items()) == list(second.tallies.items())
    counted = Counter((band, same) for band, same, _ in outcomes)
    whole = first.tallies.get(WHOLE, PairTally())
    assert (whole.found, whole.doubted) == (counted[Band.AUTO, True], counted[Band.REVIEW, False])
    assert whole.matches + whole.others == len(held)


def test_recall_and_precision_are_told_or_said_to_be_unknown() -> None:
    tally = PairTally(found=90, reviewed=6, missed=4, wrong=10, doubted=1, parted=2)
    assert (tally.recall, tally.precision) == (Fraction(9, 10), Fraction(9, 10))
    assert (tally.matches, tally.others) == (100, 13)
    assert (PairTally(parted=5).recall, PairTally(parted=5).precision) == (None, None)


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Newcombe, Statistics in Medicine 1998, 17:857, table I, method 3 (score without continuity correction)
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_the_interval_holds_the_share_and_stays_a_share(count: int, more: int) -> None:
    low, high = wilson(count, count + more)
    assert 0 <= low <= high <= 1
    if count + more:
        assert low <= count / (count + more) <= high
        assert (low == 0) is (count == 0)
        assert (high == 1) is (more == 0)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


# ---------------------------------------------------------------- what is shown


def shown(records: dict[Group, int], **tallies: PairTally) -> SubgroupReport:
    return SubgroupReport("m", {("sex", name): tally for name, tally in tallies.items()}, records)


@pytest.mark.parametrize(
    ("records", "matches", "is_shown"),
    [(10, 10, True), (9, 10, False), (10, 9, False), (500, 9, False), (0, 500, False)],
)
def test_a_group_of_fewer_than_ten_records_or_pairs_is_nowhere_shown(
    records: int, matches: int, is_shown: bool
) -> None:
    of = shown({WOMEN: records}, female=PairTally(found=matches, parted=1000))
    assert (len(lines(of)) == 1) is is_shown
    assert ("female" in json.dumps(as_json(of)) + str(table(of))) is is_shown
    assert as_json(of)["groups_withheld"] == (0 if is_shown else 1)


def test_a_group_nobody_counted_the_records_of_is_not_shown() -> None:
    assert lines(shown({}, female=PairTally(found=5000))) == []


CELL = st.integers(0, 60)


@given(st.tuples(CELL, CELL, CELL, CELL, CELL, CELL), st.integers(10, 300))
def test_below_four_hundred_pairs_nothing_is_shown_that_rounded_counts_do_not_say(
    cells: tuple[int, ...], records: int
) -> None:
    """Two groups whose counts round alike cannot be told apart, by any figure."""
    exact = PairTally(*cells)
    alike = exact.rounded()
    if min(exact.matches, alike.matches) >= 10:
        first = shown({WOMEN: records}, female=exact)
        second = shown({WOMEN: (records + 2) // 5 * 5}, female=alike)
        assert lines(first) == lines(second)
        assert all(
            count % 5 == 0 for line in lines(first) for count in (*line.one_person, *line.two_people, line.records)
        )


def test_from_four_hundred_pairs_on_the_shares_the_gate_decides_on_are_shown() -> None:
    of = shown({WOMEN: 900, MEN: 900}, female=PairTally(found=493, missed=7), male=PairTally(found=500))
    female, male = lines(of)
    assert (female.recall, female.gap_points) == (0.986, 1.4)
    assert (male.recall, male.gap_points) == (1.0, 0.0)
    assert (female.one_person, male.one_person) == ((495, 0, 5), (500, 0, 0))
    assert widest_gap(of) == pytest.approx(1.4)


def test_the_widest_gap_is_of_large_groups_of_one_kind_only() -> None:
    tallies = {WOMEN: PairTally(500), MEN: PairTally(0, 0, 399), ("tier", "2"): PairTally(400, 100)}
    assert widest_gap(SubgroupReport("m", tallies)) == 0.0
    assert widest_gap(SubgroupReport("m", {**tallies, ("tier", "3"): PairTally(500)})) == 20.0


def test_of_each_kind_one_gap_is_told_and_none_where_nothing_can_be_compared() -> None:
    tallies = {
        WOMEN: PairTally(500),
        MEN: PairTally(399),
        ("tier", "2"): PairTally(396, 4),
        ("tier", "3"): PairTally(500),
    }
    assert widest_gaps(SubgroupReport("m", tallies)) == {"tier": 1.0}
    assert widest_gaps(SubgroupReport("m", {WHOLE: PairTally(5000)})) == {}


def test_the_table_reads_like_the_json() -> None:
    of = report(
        pairs(WOMEN, found=980, reviewed=15, missed=5, wrong=1) + pairs(MEN, found=97, missed=3),
        model="m",
        records={WOMEN: 1203, MEN: 204, WHOLE: 1407},
    )
    assert table(of) == [
        HEADINGS,
        (
            "number present",
            "1,405",
            "1,075",
            "15",
            "10",
            "0",
            "97.9",
            "96.9 to 98.6",
            "99.9",
            "99.5 to 100.0",
            "-",
        ),
        (
            "sex female",
            "1,205",
            "980",
            "15",
            "5",
            "0",
            "98.0",
            "96.9 to 98.7",
            "99.9",
            "99.4 to 100.0",
            "0.0",
        ),
        ("sex male", "205", "95", "0", "5", "0", "95.0", "88.8 to 97.8", "100.0", "96.1 to 100.0", "-"),
    ]
    assert json.loads(json.dumps(as_json(of)))["groups"][1]["recall"] == 0.98


def test_no_representation_shows_a_group_of_a_pair_or_an_exact_count() -> None:
    assert "female" not in repr(HeldOut(Band.AUTO, True, frozenset([WOMEN])))
    assert "7" not in repr(shown({WOMEN: 7}, female=PairTally(found=7)))


# ---------------------------------------------------------------- people without a number


def sources(**found_of: tuple[int, int, int]) -> SubgroupReport:
    """Pairs linked, of how many, and records without a number, by source."""
    tallies = {("source", name): PairTally(found, missed=of - found) for name, (found, of, _) in found_of.items()}
    numberless = {("source", name): without for name, (_, _, without) in found_of.items()}
    return SubgroupReport("m", tallies, dict.fromkeys(tallies, 1000), numberless)


def test_people_without_a_number_are_weighed_by_where_their_records_come_from() -> None:
    found = without_number(sources(surgery=(1000, 1000, 10), council=(900, 1000, 90)))
    assert found is not None
    assert (found.recall, found.covered) == (0.91, 1.0)
    as_sure_as = 1 / (0.1**2 / 1000 + 0.9**2 / 1000)  # pairs of one plain sample: 1,220, not 2,000
    assert (found.low, found.high) == pytest.approx(wilson(0.91 * as_sure_as, as_sure_as), abs=5e-4)


def test_one_source_alone_is_that_source() -> None:
    found = without_number(sources(council=(900, 1000, 90)))
    assert found is not None
    assert (found.low, found.high) == tuple(round(limit, 3) for limit in wilson(900, 1000))


def test_a_source_with_too_few_pairs_is_not_spoken_for() -> None:
    found = without_number(sources(surgery=(1000, 1000, 50), council=(9, 9, 150)))
    assert found is not None
    assert (found.recall, found.covered) == (1.0, 0.25)
    assert without_number(sources(council=(9, 9, 150))) is None
    assert without_number(sources(surgery=(1000, 1000, 9))) is None
    assert without_number(shown({})) is None


def test_the_estimate_is_the_last_row_and_says_so() -> None:
    of = sources(surgery=(1000, 1000, 10), council=(900, 1000, 90))
    assert table(of)[-1][0] == "number absent (estimated)"
    assert {len(row) for row in table(of)} == {len(HEADINGS)}
    assert json.loads(json.dumps(as_json(of)))["without_number"]["recall"] == 0.91
