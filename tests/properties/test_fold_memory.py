"""What is kept between two folds of a person only saves work: the answer is that of a fold that remembers nothing."""

import random

import pytest
from examples import share
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_files import files, read
from pathway_journeys import DEFINITIONS, day, person_fact
from pathway_messages import stored_facts

from schemas.facts import StoredFact
from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.fold import FoldMemory, Pathway, fold

JOURNEYS = [pytest.param(path.read_text(encoding="utf-8"), id=path.stem) for path in files()]


def said(pathway: Pathway) -> object:
    """All that follows from it."""
    return pathway.content, pathway.digest, pathway.events, pathway.due_on, pathway.is_empty


@pytest.mark.parametrize("text", JOURNEYS)
def test_a_fold_that_remembers_answers_as_one_that_does_not(text: str) -> None:
    """Facts come one by one and in any order, and are taken away again; the day moves on."""
    remembers_no_more_than_it_should([person_fact(fact) for fact in read(text, "it").facts()], random.Random(text))


@settings(max_examples=share(60))
@given(st.lists(stored_facts(), max_size=14), st.integers(0))
def test_so_it_does_of_any_facts(stored: list[StoredFact], seed: int) -> None:
    remembers_no_more_than_it_should([person_fact(fact) for fact in stored], random.Random(seed))


def remembers_no_more_than_it_should(facts: list[PersonFact], rng: random.Random) -> None:
    """Raises AssertionError where a fold with a memory answers otherwise."""
    memory, held = FoldMemory(), list[PersonFact]()
    as_of = None
    for fact in [*rng.sample(facts, len(facts)), *rng.sample(facts, len(facts) // 2)]:
        if fact in held:
            held.remove(fact)
        else:
            held.append(fact)
        if rng.random() < 0.2:
            as_of = day(rng.randrange(900))
        with_memory = fold(rng.sample(held, len(held)), as_of=as_of, definitions=DEFINITIONS, memory=memory)
        assert said(with_memory) == said(fold(held, as_of=as_of, definitions=DEFINITIONS))
