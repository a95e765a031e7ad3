"""What is kept between two folds of a person only saves work: the answer is that of a fold that remembers nothing."""

import random

import pytest
from journey_files import files, read
from pathway_journeys import DEFINITIONS, day, person_fact

from streams.steps.pathway_fold.current_facts import PersonFact
from streams.steps.pathway_fold.fold import FoldMemory, Pathway, fold

JOURNEYS = [pytest.param(path.read_text(encoding="utf-8"), id=path.stem) for path in files()]


def said(pathway: Pathway) -> object:
    """All that follows from it."""
    return pathway.content, pathway.digest, pathway.events, pathway.due_on, pathway.is_empty


@pytest.mark.parametrize("text", JOURNEYS)
def test_a_fold_that_remembers_answers_as_one_that_does_not(text: str) -> None:
    """Facts come one by one and in any order, and are taken away again; the day moves on."""
    rng = random.Random(text)
    facts = [person_fact(fact) for fact in read(text, "it").facts()]
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
