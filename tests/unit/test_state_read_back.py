"""State read back from a changelog stays bytes until it is touched, and then is what it was."""

from collections.abc import Iterable
from typing import Any

import pytest
from memory_engine import MemoryEngine, real_step, stages
from pathway_engine import KeyValue, Run, answer, fact_input, inputs, message, run, step
from pathway_journeys import day, facts, keyed
from small_world import small_world

from schemas import canonical
from schemas.errors import Unreadable
from schemas.pathway_in import EntryInput, parse, tick_message, withdrawal_message
from schemas.topics import EVENTS, PARTITIONS
from streams.steps.outcome import Emit, Message, Outcome, keep
from streams.steps.pathway import PathwayState
from streams.steps.records import GRACE_MS, RecordsState

PEOPLE = [keyed("person", str(number)) for number in range(4)]
JOURNEY = """
    0 | gp    | refers to tier2 ubrn A
    4 | tier2 | receives referral ubrn A
   14 | tier2 | attended
   14 | tier2 | weight 120
   98 | tier2 | weight 110
"""
WAITING = "0 | gp | refers to tier3"


def everybody() -> list[KeyValue]:
    """Each person's journey in turn, one withdrawn, one still waiting, a tick, and all of it once more."""
    journeys = [inputs(JOURNEY, person=person) for person in PEOPLE[:3]] + [inputs(WAITING, person=PEOPLE[3])]
    mixed = [pair for number in range(5) for journey in journeys for pair in journey[number : number + 1]]
    leaves = withdrawal_message(PEOPLE[0], keyed("record", "tier2"), 1)
    return [*mixed, leaves, tick_message(0, day(200)), *mixed]


def kept_in_use(people: int) -> Run:
    """`everybody` with that many people parsed at most."""
    engine, done = step(), Run()
    state = engine.restore([])
    state.in_use_max = people
    for offset, pair in enumerate(everybody()):
        state, outcomes = answer(engine, state, message(pair, offset))
        done.take(outcomes)
        assert len(state.people) <= people
    return done


@pytest.mark.parametrize("people", [1, 2, 3])
def test_people_put_away_and_taken_up_again_are_answered_the_same(people: int) -> None:
    found, expected = kept_in_use(people), run(everybody())
    assert found.sent == expected.sent
    assert found.changelog == expected.changelog


def test_a_person_read_back_is_bytes_until_touched() -> None:
    changelog = run(everybody()).changelog
    state = step().restore(changelog.items())
    assert not state.people
    state, _ = answer(step(), state, message(inputs(JOURNEY, person=PEOPLE[1])[0], 99))
    assert set(state.people) == {PEOPLE[1]}


def test_a_tick_finds_whose_day_it_is_without_reading_anybody_else() -> None:
    changelog = run([*inputs(JOURNEY, person=PEOPLE[0]), *inputs(WAITING, person=PEOPLE[3])]).changelog
    state = step().restore(changelog.items())
    due = {person_id for of_slice in state.due.values() for person_id in of_slice}
    assert due == {PEOPLE[0], PEOPLE[3]}, "a window closes, a referral becomes overdue"
    state, outcomes = answer(step(), state, message(tick_message(0, day(50)), 9))
    assert set(state.people) == {PEOPLE[3]}
    assert any(b'"gap"' in (outcome.value or b"") for outcome in outcomes if isinstance(outcome, Emit))


@pytest.mark.parametrize("key", [b"as_off", b"as_of/x", b"a/b", b""])
def test_a_key_that_pathway_does_not_write_is_refused_at_once(key: bytes) -> None:
    with pytest.raises(Unreadable):
        PathwayState.of_changelog([(key, b"{}")])


@pytest.mark.parametrize("key", [b"record", b"record/q/x", b"record/e/f", b""])
def test_a_key_that_records_does_not_write_is_refused_at_once(key: bytes) -> None:
    with pytest.raises(Unreadable):
        RecordsState.of_changelog([(key, b"{}")])


def after_the_small_world() -> tuple[MemoryEngine, list[dict[bytes, bytes]]]:
    engine = MemoryEngine()
    for slug, entry in small_world():
        engine.take(slug, entry)
    engine.run()
    of = next(stage for stage in stages() if stage.name == "records")
    return engine, [engine.changelog(of, task) for task in range(PARTITIONS)]


def changed(outcomes: Iterable[Outcome], elements: dict[bytes, bytes]) -> dict[bytes, bytes]:
    kept = dict(elements)
    keep(kept, outcomes)
    return kept


def test_records_read_back_are_bytes_until_touched_and_an_event_that_comes_again_changes_nothing() -> None:
    engine, changelogs = after_the_small_world()
    records = real_step("records")
    for task, changelog in enumerate(changelogs):
        state: Any = records.restore(changelog.items())
        assert not state.records
        for item in engine.logs.messages((EVENTS, task)):
            state, outcomes = records.advance(state, item)
            assert outcomes == ()


def test_a_record_that_waited_before_the_restart_expires_after_it() -> None:
    _, changelogs = after_the_small_world()
    records = real_step("records")
    waited = [(key, changelog) for changelog in changelogs for key in changelog if key.split(b"/")[1:2] == [b"s"]]
    assert waited
    for key, changelog in waited:
        state: Any = records.restore(changelog.items())
        record_id = key.split(b"/")[0]
        later = state.waiting[record_id.decode()] + GRACE_MS
        _, outcomes = records.advance(state, Message(EVENTS, 0, 0, b"other/n/x/y", None, (), later))
        left = changed(outcomes, changelog)
        assert not any(key.startswith(record_id) for key in left)


def test_an_entry_composed_of_its_bytes_is_canonical_and_says_what_it_said() -> None:
    (fact,) = facts("7 | tier2 | attended")
    key, value = fact_input(PEOPLE[0], fact, 7)
    assert canonical.dump(canonical.read(value)) == value
    received = parse(key, value)
    assert isinstance(received, EntryInput)
    assert (received.person_id, received.record_id, received.link_revision) == (PEOPLE[0], fact.record_id, 7)
