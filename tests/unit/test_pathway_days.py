"""How days pass for the pathway: slice by slice, so that no message leads to hours of work."""

import random

import pytest
from pathway_engine import KeyValue, Run, answer, inputs, message, run, step
from pathway_journeys import day, keyed

from schemas.pathway_in import SLICES, slice_of, tick_message
from streams.steps.outcome import Emit

PEOPLE = [keyed("person", f"waiting {number}") for number in range(40)]
SENT = "0 | tier2 | refers to tier3"
REFERRED: list[KeyValue] = [pair for person_id in PEOPLE for pair in inputs(SENT, person=person_id)]


def by_slices(count: int) -> list[KeyValue]:
    """Day `count`, as it is sent in production."""
    return [tick_message(0, day(count), number) for number in range(SLICES)]


def test_a_day_that_comes_slice_by_slice_is_a_day_for_all_in_any_order() -> None:
    whole = run([*REFERRED, tick_message(0, day(42))])
    assert sum("events" in topic and value["event"] == "gap" for (topic, _), value in whole.published().items()) == 40
    ticks = [*by_slices(41), *by_slices(42)]
    random.Random(1).shuffle(ticks)
    assert run([*REFERRED, *ticks]).published() == whole.published()
    assert run([*ticks, *REFERRED]).published() == whole.published()


def test_a_slice_touches_its_own_people_and_nobody_else() -> None:
    engine, done = step(), Run()
    state = engine.restore([])
    for offset, pair in enumerate(REFERRED):
        state, _ = answer(engine, state, message(pair, offset))
    number = slice_of(PEOPLE[0])
    expected = {person_id for person_id in PEOPLE if slice_of(person_id) == number}
    state, _ = engine.advance(state, message(tick_message(0, day(42), number), 99))
    assert set(state.touched) == expected != set(PEOPLE)
    assert engine.waiting(state) == len(expected)
    done.take(outcome for _, found in engine.finish(state) for outcome in found)
    assert engine.waiting(state) == 0
    assert len([emit for emit in done.sent if "state" in emit.topic]) == len(expected)


def test_a_slice_keeps_its_day_over_a_restart_and_a_day_for_all_takes_its_place() -> None:
    late = by_slices(42)[slice_of(PEOPLE[0])]
    kept = run([*REFERRED, late], restart_after=[len(REFERRED)])
    assert [key for key in kept.changelog if key.startswith(b"as_of")] == [b"as_of/%d" % slice_of(PEOPLE[0])]
    again = run([*REFERRED, late, late], restart_after=[len(REFERRED)])
    assert again.published() == kept.published()
    both = run([*REFERRED, late, tick_message(0, day(43))])
    assert [key for key in both.changelog if key.startswith(b"as_of")] == [b"as_of"]
    assert both.kept() == run([*REFERRED, tick_message(0, day(43)), late]).kept()


@pytest.mark.parametrize("share", range(4))
def test_people_are_spread_over_slices(share: int) -> None:
    """Each quarter of the slices has a quarter of the people, give or take a tenth."""
    quarter = range(share * SLICES // 4, (share + 1) * SLICES // 4)
    people = [keyed("person", f"spread {number}") for number in range(4_000)]
    assert 900 < sum(slice_of(person_id) in quarter for person_id in people) < 1_100


def test_what_a_day_changes_is_published_by_its_slice() -> None:
    done = run([*REFERRED, *by_slices(42)])
    assert len([emit for emit in done.sent if isinstance(emit, Emit) and "state" in emit.topic]) == 80
