"""The linker, killed anywhere: whoever read its answers ends with each record under one person.

An answer may have been read and acted on though the linker that gave it died before it had noted it. Then the
next one must name that person in `formerly`, or a pathway keeps facts that nobody withdraws.
"""

import json
import random
from collections.abc import Iterable
from functools import cache
from typing import Any

from memory_engine import MemoryEngine, all_keys
from small_world import small_world

from linkage import weights
from ops.layout import linkage_model
from schemas.topics import IDENTITY, LINK_MAP, PERSON_CHANGES
from streams.steps.linker import LinkerState, LinkerStep
from streams.steps.outcome import Change, Emit, Message, Outcome

CUTS, LOGS = 100, 10


@cache
def step(kind: type[LinkerStep] = LinkerStep) -> LinkerStep:
    return kind(all_keys().zone("linker"), weights.parse(linkage_model()))


@cache
def identities(seed: int) -> tuple[Message, ...]:
    """identity.v1 of the small world, told in some order: records come, change, merge and are put right."""
    told = list(small_world())
    random.Random(seed).shuffle(told)
    engine = MemoryEngine(seed=seed)
    for slug, message in told:
        engine.take(slug, message)
    engine.run()
    return tuple(engine.logs[IDENTITY, 0])


def advance(linker: LinkerStep, state: LinkerState, messages: Iterable[Message]) -> tuple[Any, list[Outcome]]:
    outcomes: list[Outcome] = []
    for message in messages:
        state, found = linker.advance(state, message)
        outcomes += found
    return state, outcomes


def changes(outcomes: Iterable[Outcome]) -> list[Change]:
    return [one for one in outcomes if isinstance(one, Change)]


def kept(written: Iterable[Change]) -> list[tuple[bytes, bytes]]:
    elements = {one.key: one.value for one in written}
    return [(key, value) for key, value in elements.items() if value is not None]


def standing(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Topic -> key -> last value, without history. Changes of persons are nothing but history."""
    last: dict[str, dict[str, Any]] = {}
    for one in outcomes:
        if isinstance(one, Emit) and one.topic != PERSON_CHANGES:
            value = json.loads(one.value) if one.value is not None else None
            if isinstance(value, dict):
                value = {name: part for name, part in value.items() if name not in ("revision", "formerly")}
            last.setdefault(one.topic, {})[one.key.decode()] = value
    return {topic: {k: v for k, v in values.items() if v is not None} for topic, values in last.items()}


def believed(outcomes: Iterable[Outcome]) -> dict[str, set[str]]:
    """Record -> people it stands under for a reader that acted on every answer as it came (records does)."""
    known: dict[str, int] = {}
    under: dict[str, set[str]] = {}
    for one in outcomes:
        if isinstance(one, Emit) and one.topic == LINK_MAP and one.value is not None:
            record, answer = one.key.decode(), json.loads(one.value)
            if answer["revision"] > known.get(record, -1):
                known[record] = answer["revision"]
                under[record] = (under.get(record, set()) - set(answer["formerly"])) | {answer["person_id"]}
    return under


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
    stands = standing(advance(linker, linker.restore([]), identities(seed))[1])
    return stands, {record: {answer["person_id"]} for record, answer in stands[LINK_MAP].items()}


def does_harm(linker: LinkerStep, seed: int) -> bool:
    """Whether a reader ends with anything else than an undisturbed one."""
    sent = after_crashes(linker, seed)
    return (standing(sent), believed(sent)) != undisturbed(seed % LOGS)


def test_a_death_anywhere_leaves_every_record_under_exactly_its_person() -> None:
    assert [seed for seed in range(CUTS) if does_harm(step(), seed)] == []


class MemberNotedFirst(LinkerStep):
    """The mutant: the new member is in the changelog before the answers it led to."""

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        state, outcomes = super().advance(state, message)
        return state, (*outcomes[-1:], *outcomes[:-1])


def test_a_member_noted_before_its_answers_is_seen_to_do_harm() -> None:
    assert any(does_harm(step(MemberNotedFirst), seed) for seed in range(CUTS))
