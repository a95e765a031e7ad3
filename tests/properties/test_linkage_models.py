"""Models whatever was counted: written and read back the same, whatever the order of counting, never rising with
distance.
"""

from collections import Counter
from dataclasses import replace
from random import Random

from agreement_patterns import NOTHING_TOLD, household_world
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.compare import LEVELS, Levels
from linkage.counts import Counts, counted
from linkage.levels import INTERACTIONS
from linkage.model import WEIGHT_MAX, Fitted, Model, dump, parse, weigh
from linkage.regression import weighing_most_first
from linkage.train import Origin, anchored, em

ORIGIN = Origin("any", "Any.", "2025-01-01", "0")
BITS = st.integers(-WEIGHT_MAX, WEIGHT_MAX)
WORDS = st.text(min_size=1).filter(str.strip)
PATTERNS = st.builds(Levels, **{field: st.sampled_from(known) for field, known in LEVELS.items()})


@st.composite
def models(draw: st.DrawFn) -> Model:
    review = draw(st.integers(-WEIGHT_MAX, WEIGHT_MAX - 1))
    pairs = draw(st.integers(0, 10**12))
    figures = Fitted(draw(WORDS), pairs, draw(st.integers(0, pairs)), draw(WORDS), draw(WORDS))
    return Model(
        name=draw(WORDS),
        provenance=draw(WORDS),
        prior=draw(BITS),
        link=draw(st.integers(review + 1, WEIGHT_MAX)),
        review=review,
        ambiguous=draw(st.integers(0, WEIGHT_MAX)),
        weights={field: {level: draw(BITS) for level in known} for field, known in LEVELS.items()},
        interactions={name: draw(BITS) for name in INTERACTIONS},
        fitted=draw(st.sampled_from([None, figures])),
    )


@settings(max_examples=50)
@given(models())
def test_a_model_read_back_is_the_model_written(model: Model) -> None:
    assert parse(dump(model)) == model
    assert dump(parse(dump(model))) == dump(model)


@settings(max_examples=50)
@given(models(), PATTERNS)
def test_a_score_is_the_sum_of_what_it_names_and_is_given_again(model: Model, at: Levels) -> None:
    score = weigh(model, at)
    fields = sum(model.weights[field][getattr(at, field)] for field in LEVELS)
    assert score.bits == model.prior + fields + sum(model.interactions[name] for name in score.interactions)
    assert weigh(model, replace(at)) is score
    raised = replace(model, prior=model.prior - 1)  # a changed model remembers nothing of the old one
    assert weigh(raised, at).bits == score.bits - 1


@settings(max_examples=12, deadline=None)
@given(st.lists(PATTERNS, max_size=60), st.lists(PATTERNS, min_size=1, max_size=30))
def test_no_fit_weighs_farther_agreement_more(seen: list[Levels], random: list[Levels]) -> None:
    known = household_world()
    counts = known + counted(seen * 40, random=random * 20, pairs_in_all=1000)
    for model in (em(counts, origin=ORIGIN), anchored(counts, origin=ORIGIN)):
        for field, weights in model.weights.items():
            if field not in ("crossed", "nhs_number"):
                bits = [weights[level] for level in weighing_most_first(field)]
                assert bits == sorted(bits, reverse=True), field
                assert weights["missing"] == 0
        assert parse(dump(model)) == model


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32))
def test_a_fit_does_not_depend_on_the_order_or_the_places_of_counting(seed: int) -> None:
    known = household_world()
    shuffled = list(known.candidates.items())
    Random(seed).shuffle(shuffled)
    chance = Random(seed + 1)
    parts: list[Counter[Levels]] = [Counter() for _ in range(3)]
    for at, pairs in shuffled:
        for _ in range(pairs):
            parts[chance.randrange(3)][at] += 1
    total = Counts({}, known.random, known.pairs_in_all)
    for part in parts:
        total = Counts(dict(part)) + total
    for fit in (em, anchored):
        assert dump(fit(total, origin=ORIGIN)) == dump(fit(known, origin=ORIGIN))


def test_another_world_gives_another_model() -> None:
    known = household_world()
    more = known + Counts({replace(NOTHING_TOLD, nhs_number="equal"): 500})
    for fit in (em, anchored):
        assert dump(fit(known, origin=ORIGIN)) != dump(fit(more, origin=ORIGIN))
