"""A linker that is started with another model, killed anywhere on the way: whoever read its answers ends where they
would be had the new model been there from the beginning, with each record under one person.
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from linker_history import believed, final_values, identities
from linker_lives import LinkerLives, models, step

from schemas.topics import LINK_MAP
from streams.steps.linker import LinkerState, LinkerStep
from streams.steps.model_rollout import Unrecorded
from streams.steps.outcome import Message, Outcome

CUTS, LOGS = 50, 10
TRIED = 10 * CUTS  # until a mutant is seen to do harm


@cache
def undisturbed(seed: int, model: str) -> tuple[dict[str, dict[str, Any]], dict[str, set[str]]]:
    """What stands in the end where this model was there from the beginning, and the one person of each record."""
    lives = LinkerLives(identities(seed))
    lives.live(step(model))
    stands = final_values(lives.sent)
    return stands, {record: {answer["person_id"]} for record, answer in stands[LINK_MAP].items()}


def after_other_models(seed: int, models: list[str], kind: type[LinkerStep] = LinkerStep) -> list[Outcome]:
    """All that was sent under three models one after the other; each life but the last is ended anywhere. Before
    another comes, it is in the changelog that the former counts, and all that was sent till then: what an orderly stop
    or a restart under the same model leaves (decision 0012).
    """
    chance = random.Random(seed)
    lives = LinkerLives(identities(seed % LOGS))
    first, second, third = [step(model, kind) for model in models]
    lives.crash(first, chance, least=1)
    lives.crash(second, chance)
    lives.crash(second, chance, noted=True)
    lives.crash(third, chance)
    lives.crash(third, chance)
    lives.live(third)
    return lives.sent


def does_harm(seed: int, kind: type[LinkerStep] = LinkerStep) -> bool:
    """Whether a reader ends with anything else than an undisturbed one."""
    order = random.Random(seed).sample(sorted(models()), 3)
    sent = after_other_models(seed, order, kind)
    return (final_values(sent), believed(sent)) != undisturbed(seed % LOGS, order[-1])


def test_other_models_and_deaths_anywhere_end_in_the_answers_of_the_last_model() -> None:
    assert [seed for seed in range(CUTS) if does_harm(seed)] == []


def test_the_models_of_this_test_do_not_link_alike() -> None:
    people = [set(map(frozenset, undisturbed(0, model)[1].values())) for model in models()]
    assert len({len(person) for person in people}) == len(models())


class AtOnce(LinkerStep):
    """The mutant: the model asked for counts from the moment the linker starts."""

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> LinkerState:
        return super().restore((key, value) for key, value in elements if key != b"model")


class AnsweredAgain(LinkerStep):
    """The mutant: what was answered under a former model is answered again under the one that counts."""

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        phase = state.rollout.phase
        if not isinstance(phase, Unrecorded):
            state.rollout.phase = replace(phase, active=replace(phase.active, since=0))
        return super().advance(state, message)


class NothingAnew(LinkerStep):
    """The mutant: only what is touched by chance is answered under another model."""

    def _answer_batch(self, state: LinkerState, records: Iterable[str], revision: int) -> list[Outcome]:
        return []


def test_a_model_that_counts_at_once_is_seen_to_do_harm() -> None:
    assert any(does_harm(seed, AtOnce) for seed in range(TRIED))


def test_answering_again_under_another_model_is_seen_to_do_harm() -> None:
    assert any(does_harm(seed, AnsweredAgain) for seed in range(TRIED))


def test_answers_left_to_chance_are_seen_to_do_harm() -> None:
    assert any(does_harm(seed, NothingAnew) for seed in range(TRIED))
