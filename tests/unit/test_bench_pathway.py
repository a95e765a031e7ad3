"""The pathway bench: its people have the facts they are called by, are published whole, and a missed target is said."""

from itertools import pairwise
from typing import Any

import pytest

from ops.lab.bench.pathway import demo_us, judged, new_event_us
from ops.lab.bench.pathway_people import entries, id_of, under
from ops.lab.memory_engine.parts import real_step
from schemas import canonical
from streams.steps.outcome import Emit

PERSON = id_of("person")


def published(facts: int) -> list[Emit]:
    step: Any = real_step("pathway")
    state = step.restore([])
    for message in under(PERSON, entries(facts)):
        state, outcomes = step.advance(state, message)
        assert not any(hasattr(outcome, "code") for outcome in outcomes), "nothing is rejected"
    return [outcome for _, outcomes in step.finish(state) for outcome in outcomes if isinstance(outcome, Emit)]


@pytest.mark.parametrize(("facts", "episodes"), [(1, 0), (10, 1), (100, 4)])
def test_a_person_of_the_bench_is_published_with_an_event_for_every_fact(facts: int, episodes: int) -> None:
    sent = published(facts)
    (snapshot,) = [canonical.load_object(emit.value or b"") for emit in sent if "state" in emit.topic]
    assert len(snapshot["episodes"]) == episodes
    of_facts = [emit for emit in sent if "events" in emit.topic and b'"event":"loss"' not in (emit.value or b"")]
    handovers = [emit for emit in of_facts if b'"event":"handover_' in (emit.value or b"")]
    assert len(of_facts) - len(handovers) == facts
    assert not snapshot["findings"], "nothing of it is doubted"


def test_people_of_rising_sizes_have_the_same_facts_and_more() -> None:
    for fewer, more in pairwise([entries(facts) for facts in (1, 10, 40)]):
        assert more[: len(fewer)] == fewer


def test_each_size_and_the_demonstration_are_measured() -> None:
    assert all(us > 0 for us in new_event_us((1, 3), 1).values())
    demo = demo_us(2, 1)
    assert demo["read_by_pathway"] >= demo["messages"] > 0
    assert demo["us_a_message"] > 0


def test_a_missed_target_is_named_with_its_figure() -> None:
    good = {"people": 1.0, "us_a_message": 800.0}
    assert judged({10: 100.0, 100: 300.0}, good)["missed"] == []
    assert len(judged({10: 100.0, 100: 301.0}, good | {"us_a_message": 801.0})["missed"]) == 2  # type: ignore[arg-type]
