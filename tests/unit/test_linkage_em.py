"""The cold start: weights found without a label, and what it refuses to guess."""

from collections import Counter
from dataclasses import replace
from math import log2

import pytest
from agreement_patterns import (
    CHANCE_CANDIDATES,
    NOTHING_TOLD,
    ONE_PERSON,
    STRANGERS,
    drawn,
    strangers_world,
    together,
)

from linkage.counts import Counts
from linkage.em import em
from linkage.errors import ModelRefused
from linkage.model import LINK, NUMBER_WEIGHTS, REVIEW, weigh

WORLD = strangers_world()
MODEL = em(WORLD)


@pytest.mark.parametrize(("field", "level"), [("given", "exact"), ("postcode", "exact"), ("house", "equal")])
def test_a_level_weighs_its_share_among_matches_over_its_share_among_strangers(field: str, level: str) -> None:
    expected = log2(ONE_PERSON[field][level] / STRANGERS[field][level])
    assert MODEL.weights[field][level] / 1000 == pytest.approx(expected, abs=0.5)


def test_the_prior_is_the_share_of_matches_among_all_pairs() -> None:
    assert MODEL.prior / 1000 == pytest.approx(log2(2_000 / 10_000_000), abs=0.1)
    assert MODEL.fitted is not None
    assert MODEL.fitted.matches == pytest.approx(2_000, rel=0.03)
    assert MODEL.fitted.pairs == sum(WORLD.candidates.values())


def test_one_valid_number_links_two_records_that_tell_nothing_else_and_a_second_one_parts_any_two() -> None:
    alone = {level: replace(NOTHING_TOLD, nhs_number=level) for level in ("equal", "differ")}
    assert weigh(MODEL, alone["equal"]).bits >= LINK
    alike = {"given": "exact", "family": "exact", "birth_date": "exact", "sex": "equal"}
    assert weigh(MODEL, replace(NOTHING_TOLD, **alike, nhs_number="differ")).bits < REVIEW
    assert MODEL.weights["nhs_number"]["differ"] == NUMBER_WEIGHTS["differ"]


def test_the_labels_are_not_looked_at() -> None:
    blind = together(
        [drawn(ONE_PERSON, 2_000, seed=1), drawn(CHANCE_CANDIDATES, 6_000, seed=2)],
        random=WORLD.random,
        pairs_in_all=WORLD.pairs_in_all,
    )
    assert em(blind) == MODEL


def test_a_field_nobody_tells_weighs_nothing_and_missing_never_does() -> None:
    assert set(MODEL.weights["email"].values()) == {0}
    assert {weights.get("missing", 0) for weights in MODEL.weights.values()} == {0}


def test_a_level_nobody_showed_weighs_as_its_farther_neighbour() -> None:
    given = MODEL.weights["given"]
    assert given["nickname"] == given["edit"]
    assert given["sounds"] == given["none"]


def test_matches_among_the_random_pairs_are_not_taken_for_strangers() -> None:
    chance = drawn(STRANGERS, 20_000, seed=3) + drawn(ONE_PERSON, 200, seed=8)  # one in a hundred, as in a small file
    parts = [drawn(ONE_PERSON, 2_000, seed=1), drawn(CHANCE_CANDIDATES, 6_000, seed=2)]
    weighed = em(together(parts, random=chance, pairs_in_all=202_000)).weights["postcode"]["exact"] / 1000
    assert weighed == pytest.approx(log2(ONE_PERSON["postcode"]["exact"] / STRANGERS["postcode"]["exact"]), abs=0.7)
    believed = sum(pairs for at, pairs in chance.items() if at.postcode == "exact") / 20_200
    assert weighed > log2(ONE_PERSON["postcode"]["exact"] / believed) + 2


def test_names_that_had_to_be_crossed_are_never_evidence_for() -> None:
    often = Counter({replace(at, crossed="yes"): pairs for at, pairs in drawn(ONE_PERSON, 500, seed=5).items()})
    parts = [drawn(ONE_PERSON, 2_000, seed=1), often, drawn(CHANCE_CANDIDATES, 6_000, seed=2)]
    model = em(together(parts, random=WORLD.random, pairs_in_all=10_000_000))
    assert model.weights["crossed"]["yes"] <= 0


@pytest.mark.parametrize(
    "lacking",
    [
        Counts({}, WORLD.random, WORLD.pairs_in_all),
        Counts(WORLD.candidates, {}, WORLD.pairs_in_all),
        Counts(WORLD.candidates, WORLD.random, 0),
    ],
    ids=["candidates", "random pairs", "the number of all pairs"],
)
def test_nothing_is_guessed_without(lacking: Counts) -> None:
    with pytest.raises(ModelRefused) as refused:
        em(lacking)
    assert refused.value.field == "counts"


def test_a_world_of_nothing_but_silence_still_gives_a_model_that_links_nothing() -> None:
    silent = Counts({NOTHING_TOLD: 50}, {NOTHING_TOLD: 50}, 1_000)
    assert weigh(em(silent), NOTHING_TOLD).bits < REVIEW
