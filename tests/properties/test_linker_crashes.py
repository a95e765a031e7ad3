"""The linker, killed anywhere: whoever read its answers ends with each record under one person.

An answer may have been read and acted on though the linker that gave it died before it had noted it. Then the
next one must name that person in `formerly`, or a pathway keeps facts that nobody withdraws.
"""

import random
from collections.abc import Iterable
from functools import cache
from typing import Any

from linker_history import believed, changes, final_values, identities, kept
from memory_engine import all_keys

from linkage.model import parse as parse_model
from ops.lab.memory_engine.parts import bucket_keys_of
from ops.runtime.paths import linkage_model
from schemas.topics import LINK_MAP
from streams.steps.linker import LinkerState, LinkerStep
from streams.steps.outcome import Change, Message, Outcome

CUTS, LOGS = 100, 10


@cache
def step(kind: type[LinkerStep] = LinkerStep) -> LinkerStep:
    return kind(all_keys().zone("linker"), parse_model(linkage_model()), data_keys=bucket_keys_of("linker"))


def advance(linker: LinkerStep, state: LinkerState, messages: Iterable[Message]) -> tuple[Any, list[Outcome]]:
    outcomes: list[Outcome] = []
    for message in messages:
        state, found = linker.advance(state, message)
        outcomes += found
    return state, outcomes


def after_crashes(linker: LinkerStep, seed: int) -> list[Outcome]:
    """All that was sent in a run that died up to three times, each time at a drawn place of a drawn batch."""
    chance = random.Random(seed)
    log = identities(seed % LOGS)
    sent: list[Outcome] = []
    written: list[Change] = []
    committed = 0
    for _ in range(3):
        first = chance.randint(committed, len(log) - 1)
        state, before = advance(linker, linker.restore(kept(written)), log[committed:first])
        written += changes(before)
        _, batch = advance(linker, state, log[first : first + chance.randint(1, 4)])
        part = changes(batch)
        written += part[: chance.randint(0, len(part))]
        sent += [*before, *batch]
        committed = first
    _, rest = advance(linker, linker.restore(kept(written)), log[committed:])
    return [*sent, *rest]


@cache
def undisturbed(seed: int) -> tuple[dict[str, dict[str, Any]], dict[str, set[str]]]:
    """What stands in the end, and the one person of each record."""
    linker = step()
    stands = final_values(advance(linker, linker.restore([]), identities(seed))[1])
    return stands, {record: {answer["person_id"]} for record, answer in stands[LINK_MAP].items()}


def does_harm(linker: LinkerStep, seed: int) -> bool:
    """Whether a reader ends with anything else than an undisturbed one."""
    sent = after_crashes(linker, seed)
    return (final_values(sent), believed(sent)) != undisturbed(seed % LOGS)


def test_a_death_anywhere_leaves_every_record_under_exactly_its_person() -> None:
    assert [seed for seed in range(CUTS) if does_harm(step(), seed)] == []


class MemberNotedFirst(LinkerStep):
    """The mutant: the new member is in the changelog before the answers it led to."""

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        state, outcomes = super().advance(state, message)
        return state, (*outcomes[-1:], *outcomes[:-1])


def test_a_member_noted_before_its_answers_is_seen_to_do_harm() -> None:
    assert any(does_harm(step(MemberNotedFirst), seed) for seed in range(CUTS))
