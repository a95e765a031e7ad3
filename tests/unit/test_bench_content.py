"""What the memory and restart benches feed a worker is what the engine itself leaves, copied; growth is seen."""

import json
from collections import defaultdict
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ops.admin.keys import make_keys
from ops.lab.bench.memory import Feed, MemorySample, judged
from ops.lab.bench.restart_linkage import linker_elements
from ops.lab.bench.restart_world import ElementTemplate, RestartWorld, restart_world
from ops.lab.memory_engine.parts import step_with
from ops.runtime.paths import EnginePaths
from schemas.topics import IDENTITY
from streams.steps.outcome import Change, Message

ENTRIES = 300


@cache
def world_in(directory: Path) -> tuple[EnginePaths, RestartWorld]:
    layout = EnginePaths(directory)
    make_keys(layout.keys, recipients=("demo",))
    return layout, restart_world(layout, people=4)


@pytest.fixture(scope="module")
def keys_and_world(tmp_path_factory: pytest.TempPathFactory) -> tuple[EnginePaths, RestartWorld]:
    return world_in(tmp_path_factory.mktemp("keys"))


def test_a_copy_has_other_ids_and_keeps_which_are_the_same(
    keys_and_world: tuple[EnginePaths, RestartWorld],
) -> None:
    for key, value in keys_and_world[1].elements["records"].items():
        third, other = (ElementTemplate.of(key, value).copy(number) for number in (3, 4))
        assert third[0] != other[0]
        if b"/n/" in third[0]:
            assert json.loads(third[1])["entry"] == third[0].split(b"/")[2].decode()


@pytest.mark.parametrize("stage", ["records", "pathway"])
def test_a_worker_reads_a_copied_changelog_as_its_own(
    stage: str, keys_and_world: tuple[EnginePaths, RestartWorld]
) -> None:
    layout, world = keys_and_world
    copies = [ElementTemplate.of(*element).copy(7) for element in world.elements[stage].items()]
    state: Any = step_with(stage, layout.keyring, layout.current_bucket_keys).restore(copies)
    for name in [unread.decode() for unread in state.unread]:
        state.of(name)
    assert not state.unread


@pytest.mark.parametrize("stage", ["records", "pathway"])
def test_a_million_events_would_be_about_the_entries_asked_for(
    stage: str, keys_and_world: tuple[EnginePaths, RestartWorld]
) -> None:
    feed = Feed(stage, keys_and_world[1], entries=ENTRIES)
    assert ENTRIES <= feed.entries < 3 * ENTRIES
    step = step_with(stage, keys_and_world[0].keyring)
    states: dict[int, Any] = defaultdict(lambda: step.restore([]))
    changes = 0
    for offset, (partition, key, value) in enumerate(islice(feed.events(), 6 * ENTRIES)):
        topic = "events.v1" if stage == "records" else "pathway.in.v1"
        message = Message(topic, partition, offset, key, value, (), offset)
        states[partition], outcomes = step.advance(states[partition], message)
        changes += any(isinstance(outcome, Change) for outcome in outcomes)
        assert not any(hasattr(outcome, "code") for outcome in outcomes), "nothing is rejected"
    assert changes >= feed.entries, "each is new once, and pathway hears some anew"


def test_every_copy_of_a_linked_population_is_answered_as_its_changelog_says(
    keys_and_world: tuple[EnginePaths, RestartWorld],
) -> None:
    layout = keys_and_world[0]
    elements = dict(linker_elements(layout, elements=150, people=25))
    step: Any = step_with("linker", layout.keyring, layout.current_bucket_keys)
    state = step.restore(elements.items())
    members = [key.decode()[2:] for key in elements if key.startswith(b"m/")]
    assert len({member[:9] for member in members}) > 1, "more than one copy"
    assert any(len(state.graph.answer(member).members) > 1 for member in members)
    for record_id in members:
        value = elements[f"m/{record_id}".encode()]
        _, outcomes = step.advance(state, Message(IDENTITY, 0, 0, record_id.encode(), value, (), 0))
        assert len(outcomes) == 1, "no answer and no review is another one"


def samples(memory: list[float]) -> list[MemorySample]:
    return [MemorySample(float(number), 1_000 * number, mb) for number, mb in enumerate(memory, start=1)]


def test_memory_that_grows_after_the_warm_up_is_not_flat() -> None:
    growing = judged(samples([100.0 + 2 * number for number in range(50)]))
    assert not growing["flat"]
    steady = judged(samples([60.0, 80.0] + [100.0 + number % 3 for number in range(48)]))
    assert steady["flat"]
    assert steady["events_per_s"] == 1_000
