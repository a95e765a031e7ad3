"""Fitting on NHS-number labels, and the gate: a model that joins households is refused, and says by which figure."""

from collections import Counter
from dataclasses import replace
from math import log2

import pytest
from agreement_patterns import (
    CHANCE_CANDIDATES,
    NOTHING_TOLD,
    ONE_PERSON,
    Shares,
    drawn,
    household_world,
    strangers_world,
    together,
)

from linkage.compare import Levels
from linkage.counts import RULED, Counts, counted, without_number
from linkage.errors import ModelRefused
from linkage.levels import INTERACTIONS
from linkage.model import NUMBER_RULE, NUMBER_WEIGHTS, weigh
from linkage.regression import PatternRow, never_rising, regress, scarce_together, weighing_most_first
from linkage.train import (
    Fitting,
    Origin,
    anchored,
    em,
    quality_on_labels,
    refuse_unless_precise,
)

ORIGIN = Origin("made up", "Drawn patterns.", "2025-01-01", "0")
HOUSEHOLDS = household_world()

# Fields that overlap enough for every weight to be found: the truth is log2 of the two shares.
ALIKE: Shares = {
    "given": {"exact": 0.7, "edit": 0.2, "none": 0.1},
    "birth_date": {"exact": 0.8, "edit": 0.15, "none": 0.05},
    "sex": {"equal": 0.9, "none": 0.1},
}
UNLIKE: Shares = {
    "given": {"exact": 0.15, "edit": 0.15, "none": 0.7},
    "birth_date": {"exact": 0.2, "edit": 0.2, "none": 0.6},
    "sex": {"equal": 0.5, "none": 0.5},
}


def known_world(pairs: int = 20_000, known_share: float = 0.8) -> Counts:
    parts = [
        drawn(ALIKE, pairs, seed=11, label="equal", known_share=known_share),
        drawn(UNLIKE, pairs, seed=12, label="differ", known_share=known_share),
    ]
    return together(parts, random=Counter[Levels](), pairs_in_all=0)


def test_a_fit_on_pairs_of_a_known_model_finds_its_weights() -> None:
    model = anchored(known_world(), origin=ORIGIN, fitting=Fitting(ridge=0.01, mistaken=0.0))
    for field, shares in ALIKE.items():
        for level, share in shares.items():
            expected = log2(share / UNLIKE[field][level])
            assert model.weights[field][level] / 1000 == pytest.approx(expected, abs=0.12), (field, level)
    assert model.prior / 1000 == pytest.approx(0, abs=0.12)


def test_a_heavy_ridge_finds_them_not() -> None:
    model = anchored(known_world(2_000), origin=ORIGIN, fitting=Fitting(ridge=10_000))
    assert abs(model.weights["given"]["exact"]) < 1_000


def test_a_few_wrong_labels_do_not_make_sure_agreement_doubtful() -> None:
    parts = [
        drawn(ONE_PERSON, 8_000, seed=14, label="equal"),
        drawn(CHANCE_CANDIDATES, 8_000, seed=15, label="differ"),
        drawn(ONE_PERSON, 40, seed=13, label="differ"),
    ]
    world = together(parts, random=Counter[Levels](), pairs_in_all=0)
    alike = replace(NOTHING_TOLD, given="exact", family="exact", birth_date="exact", postcode="none")
    bits = {
        mistaken: weigh(anchored(world, origin=ORIGIN, fitting=Fitting(mistaken=mistaken)), alike).bits
        for mistaken in (0.0, 0.005)
    }
    assert bits[0.005] > bits[0.0] + 2_000


def test_labels_are_not_overruled_by_what_is_merely_likely() -> None:
    sceptical = anchored(known_world(), origin=ORIGIN, fitting=Fitting(mistaken=0.005))
    trusting = anchored(known_world(), origin=ORIGIN, fitting=Fitting(mistaken=0.0))
    for field in ALIKE:
        for level, bits in trusting.weights[field].items():
            assert sceptical.weights[field][level] == pytest.approx(bits, abs=250), (field, level)


def test_twice_the_counting_is_twice_the_pairs() -> None:
    once = known_world(1_000)
    doubled = Counts({at: 2 * pairs for at, pairs in once.candidates.items()})
    fitted = anchored(once + once, origin=ORIGIN)
    assert fitted == anchored(doubled, origin=ORIGIN)
    assert fitted.fitted is not None
    assert (fitted.fitted.pairs, fitted.fitted.matches) == (4_000, 2_000)


def test_the_number_weighs_what_the_rule_says_and_the_provenance_says_so() -> None:
    model = anchored(known_world(500), origin=ORIGIN)
    assert model.weights["nhs_number"] == NUMBER_WEIGHTS
    assert NUMBER_RULE in model.provenance


def test_closer_agreement_never_weighs_less_even_where_the_pairs_say_so() -> None:
    perverse = ALIKE | {"sex": {"equal": 0.1, "none": 0.9}}
    parts = [drawn(perverse, 3_000, seed=1, label="equal"), drawn(UNLIKE, 3_000, seed=2, label="differ")]
    model = anchored(together(parts, random=Counter[Levels](), pairs_in_all=0), origin=ORIGIN)
    assert set(model.weights["sex"].values()) == {0}


def test_an_interaction_is_learned_unless_it_is_set_by_hand_or_too_seldom_met() -> None:
    learned = anchored(HOUSEHOLDS, origin=ORIGIN)
    assert learned.interactions["household"] < -2_000
    by_hand = anchored(HOUSEHOLDS, origin=ORIGIN, fitting=Fitting(by_hand={"household": -1_234}))
    assert by_hand.interactions["household"] == -1_234
    seldom = anchored(HOUSEHOLDS, origin=ORIGIN, fitting=Fitting(scarce=10**9))
    assert set(seldom.interactions.values()) == {0}
    assert {bits for field, of in seldom.weights.items() if field not in RULED for bits in of.values()} == {0}


@pytest.mark.parametrize("label", ["equal", "differ"])
def test_labels_of_one_kind_only_fit_nothing(label: str) -> None:
    with pytest.raises(ModelRefused) as refused:
        anchored(Counts(dict(drawn(ALIKE, 500, seed=1, label=label))), origin=ORIGIN)
    assert refused.value.field == "labels"


def test_a_fit_that_cannot_settle_says_so() -> None:
    separable = [PatternRow((0, 1), 100, 100), PatternRow((0,), 100, 0)]
    with pytest.raises(ModelRefused):
        regress(separable, [0.0, 0.0], ridge=0.0)
    assert regress(separable, [0.0, 0.0], ridge=1.0)[1] > 0


def test_a_mixture_that_found_households_is_refused_and_the_anchored_fit_is_not() -> None:
    cold = em(HOUSEHOLDS, origin=ORIGIN)
    assert quality_on_labels(cold, HOUSEHOLDS).precision < 0.5
    with pytest.raises(ModelRefused) as refused:
        refuse_unless_precise(cold, HOUSEHOLDS)
    assert refused.value.field == "precision"
    assert "0.99" in refused.value.rule
    refuse_unless_precise(anchored(HOUSEHOLDS, origin=ORIGIN), HOUSEHOLDS)


def test_a_mixture_of_strangers_passes_the_gate() -> None:
    world = strangers_world()
    refuse_unless_precise(em(world, origin=ORIGIN), world)


def test_a_model_nobody_can_judge_is_refused() -> None:
    world = strangers_world()
    unlabelled = Counts(without_number(world.candidates), world.random, world.pairs_in_all)
    with pytest.raises(ModelRefused) as refused:
        refuse_unless_precise(em(world, origin=ORIGIN), unlabelled)
    assert refused.value.field == "labels"


def test_a_labelled_pair_is_judged_without_its_number() -> None:
    world = strangers_world()
    model = em(world, origin=ORIGIN)
    trusting = replace(model, weights={**model.weights, "nhs_number": dict.fromkeys(NUMBER_WEIGHTS, 50_000)})
    assert quality_on_labels(trusting, world).right < 2_000 + 1
    assert quality_on_labels(replace(model, prior=-60_000), world).linked == 0
    assert quality_on_labels(replace(model, prior=-60_000), world).precision == 1.0


def test_patterns_are_counted_as_met_and_labelled_by_their_number() -> None:
    equal, differ = replace(NOTHING_TOLD, nhs_number="equal"), replace(NOTHING_TOLD, nhs_number="differ")
    near = replace(NOTHING_TOLD, nhs_number="near")
    counts = counted([equal, equal, differ, near], random=[NOTHING_TOLD], pairs_in_all=6)
    assert counts.matches() == {NOTHING_TOLD: 2}
    assert counts.others() == {NOTHING_TOLD: 1}
    assert counts + Counts() == counts


def test_levels_few_pairs_showed_share_the_weight_of_the_next_farther_one() -> None:
    assert scarce_together("sex", {"equal": 9, "none": 9}, at_least=5) == [("equal",), ("none",)]
    assert scarce_together("sex", {"equal": 1, "none": 9}, at_least=5) == [("equal", "none")]
    assert scarce_together("sex", {"equal": 9, "none": 1}, at_least=5) == [("equal", "none")]
    assert scarce_together("street", {"exact": 9, "none": 9}, at_least=5) == [("exact",), ("close", "none")]


def test_a_rarer_name_is_the_one_expected_to_weigh_more() -> None:
    assert weighing_most_first("family_frequency")[0] == "unlisted"
    assert weighing_most_first("family")[0] == "exact"


def test_neighbours_are_pooled_until_no_weight_rises() -> None:
    weight = {("a",): 1.0, ("b",): 3.0, ("c",): 2.5, ("d",): 0.0, ("a", "b"): 2.0, ("a", "b", "c"): 2.2}
    assert never_rising([("a",), ("b",), ("c",), ("d",)], weight.__getitem__) == [("a", "b", "c"), ("d",)]


def test_every_interaction_has_a_pattern_that_shows_it() -> None:
    home = {"family": "exact", "postcode": "exact", "house": "equal"}
    shown = {
        "household": home,
        "same_birth_date_other_given": {"birth_date": "exact", "given": "none"},
        "twin": home | {"birth_date": "exact", "given": "none"},
        "father_son": home | {"birth_date": "none", "given": "exact"},
        "renamed": home | {"family": "none", "birth_date": "exact", "given": "exact"},
        "birth_date_mistyped": home | {"birth_date": "edit", "given": "exact"},
        "unrelated_names": {"family": "none", "given": "none"},
    }
    assert set(shown) == set(INTERACTIONS)
    for name, levels in shown.items():
        assert INTERACTIONS[name](replace(NOTHING_TOLD, **levels)), name
        assert not INTERACTIONS[name](NOTHING_TOLD), name
