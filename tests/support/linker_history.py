"""What the linker sent and wrote, from a reader's side: what stands, whom each record is believed to be, and what is
read back of the changelog.
"""

import json
import random
from collections.abc import Iterable
from functools import cache
from typing import Any

from memory_engine import MemoryEngine
from small_world import small_world

from schemas.topics import IDENTITY, LINK_MAP, REVIEW
from streams.steps.outcome import Change, Emit, Message, Outcome


@cache
def identities(seed: int) -> tuple[Message, ...]:
    """identity.v1 of the small world in some order: records come, change, merge and are put right."""
    entries = list(small_world())
    random.Random(seed).shuffle(entries)
    engine = MemoryEngine(seed=seed)
    for slug, message in entries:
        engine.take(slug, message)
    engine.run()
    return tuple(engine.logs.messages((IDENTITY, 0)))


def changes(outcomes: Iterable[Outcome]) -> list[Change]:
    """What is written to the changelog."""
    return [outcome for outcome in outcomes if isinstance(outcome, Change)]


def kept(written: Iterable[Change]) -> list[tuple[bytes, bytes]]:
    """What is read back of it."""
    elements = {change.key: change.value for change in written}
    return [(key, value) for key, value in elements.items() if value is not None]


def final_values(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Topic -> key -> last value, without history: answers and reviews. Changes of persons are nothing but history,
    and what the linker says to itself is of no reader.
    """
    last: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Emit) and outcome.topic in (LINK_MAP, REVIEW):
            value = json.loads(outcome.value) if outcome.value is not None else None
            if isinstance(value, dict):
                value = {name: part for name, part in value.items() if name not in ("revision", "formerly")}
            last.setdefault(outcome.topic, {})[outcome.key.decode()] = value
    return {topic: {k: v for k, v in values.items() if v is not None} for topic, values in last.items()}


def believed(outcomes: Iterable[Outcome]) -> dict[str, set[str]]:
    """Record -> people it stands under for a reader that acted on every answer as it came (records does)."""
    known: dict[str, int] = {}
    under: dict[str, set[str]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Emit) and outcome.topic == LINK_MAP and outcome.value is not None:
            record, answer = outcome.key.decode(), json.loads(outcome.value)
            if answer["revision"] > known.get(record, -1):
                known[record] = answer["revision"]
                under[record] = (under.get(record, set()) - set(answer["formerly"])) | {answer["person_id"]}
    return under
