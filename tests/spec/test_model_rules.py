"""What a model may say: the rules a clinician or an operator could contest."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from agreement_patterns import NOTHING_TOLD, household_world

import linkage
from linkage.errors import ModelInvalid
from linkage.model import AMBIGUOUS, LINK, REVIEW, Model, dump, millibits, parse, weigh
from linkage.train import Origin, anchored, em

SHIPPED = [path.read_text() for path in sorted((Path(linkage.__file__).parent / "models").glob("*.json"))]
ORIGIN = Origin("made up", "Drawn patterns.", "2025-01-01", "0")
FITTED = [fit(household_world(), origin=ORIGIN) for fit in (em, anchored)]


def chance(bits: int) -> float:
    odds = 2.0 ** (bits / 1000)
    return odds / (1 + odds)


def test_a_pair_is_linked_from_a_chance_of_95_in_100_and_shown_to_a_person_from_20() -> None:
    assert chance(LINK) == pytest.approx(0.95, abs=0.001)
    assert chance(REVIEW) == pytest.approx(0.20, abs=0.001)
    assert chance(AMBIGUOUS) == pytest.approx(0.95, abs=0.001)
    for model in FITTED:
        assert (model.link, model.review, model.ambiguous) == (LINK, REVIEW, AMBIGUOUS)


@pytest.mark.parametrize("model", [*FITTED, *map(parse, SHIPPED)], ids=lambda model: model.name)
def test_what_nobody_tells_speaks_neither_for_nor_against(model: Model) -> None:
    assert {weights.get("missing", 0) for weights in model.weights.values()} == {0}
    assert model.weights["crossed"]["no"] == 0
    assert weigh(model, NOTHING_TOLD).bits == model.prior


@pytest.mark.parametrize("model", [*FITTED, *map(parse, SHIPPED)], ids=lambda model: model.name)
def test_a_model_says_what_it_was_fitted_on(model: Model) -> None:
    assert model.provenance.strip()
    assert parse(dump(model)) == model


def test_a_fitted_model_gives_the_figures_and_says_who_counted_when_with_what() -> None:
    for model in FITTED:
        assert model.fitted is not None
        assert model.fitted.pairs > model.fitted.matches > 0
        assert (model.fitted.counted, model.fitted.code) == ("2025-01-01", "0")


@pytest.mark.parametrize(("part", "name"), [("weights", "street"), ("interactions", "unrelated_names")])
def test_a_model_text_leaves_nothing_out(part: str, name: str) -> None:
    tree = json.loads(dump(FITTED[1]))
    del tree[part][name]
    with pytest.raises(ModelInvalid):
        parse(json.dumps(tree))


@pytest.mark.parametrize(
    ("name", "value"),
    [("pairs", -1), ("pairs", 0.5), ("matches", 10**15), ("method", " "), ("counted", 3)],
)
def test_figures_of_a_fit_that_cannot_be_are_refused_by_name_and_without_the_value(name: str, value: object) -> None:
    tree = json.loads(dump(FITTED[1]))
    tree["fitted"][name] = value
    with pytest.raises(ModelInvalid) as refused:
        parse(json.dumps(tree))
    assert str(value).strip() not in str(refused.value) or not str(value).strip()


def test_a_model_that_cannot_be_read_back_is_not_written() -> None:
    with pytest.raises(ModelInvalid):
        dump(replace(FITTED[0], weights={}))
    with pytest.raises(ModelInvalid):
        dump(replace(FITTED[0], prior=10**9))


def test_bits_become_whole_thousandths_within_range() -> None:
    assert millibits(1.23456) == 1_235
    assert millibits(1e9) == 60_000
    assert millibits(-1e9) == -60_000
