"""Whatever the order, repetition or batching of arrival, the same is published in the end."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from pathway_engine import BUCKET_KEYS, KeyValue, fact_input, run, step
from pathway_journeys import DEFINITIONS, person_fact
from pathway_messages import DAY_0, FACT_IDS, PEOPLE, RECORDS, any_day, messages, stored_facts

from schemas import canonical, facts
from schemas.data_keys import Family
from schemas.facts import StoredFact
from schemas.pathway_in import EntryInput, WithdrawalInput, withdrawal_message
from streams.steps.outcome import Message, Outcome
from streams.steps.pathway import LinkedEntry, PathwayState, PathwayStep
from streams.steps.pathway_fold.fold import fold


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[KeyValue], list[KeyValue], list[int]]:
    """Messages, the same in another order with some repeated, and where the task is restarted."""
    first = draw(st.lists(messages(), max_size=14))
    repeated = first + draw(st.lists(st.sampled_from(first), max_size=4) if first else st.just([]))
    shuffled = draw(st.permutations(repeated))
    return first, shuffled, draw(st.lists(st.integers(0, 17), max_size=3))


@settings(max_examples=120)
@given(arrivals())
def test_any_order_with_repetitions_and_restarts_publishes_and_keeps_the_same(
    arrived: tuple[list[KeyValue], list[KeyValue], list[int]],
) -> None:
    first, shuffled, restarts = arrived
    once, again = run(first), run(shuffled, restart_after=restarts)
    assert once.rejected == again.rejected == []
    assert once.published() == again.published()
    assert once.kept() == again.kept()


@settings(max_examples=50)
@given(arrivals())
def test_replaying_everything_after_it_was_kept_changes_nothing(
    arrived: tuple[list[KeyValue], list[KeyValue], list[int]],
) -> None:
    first, _, _ = arrived
    once, twice = run(first), run(first + first, restart_after=[len(first) - 1])
    assert once.published() == twice.published()
    assert once.kept() == twice.kept()


@settings(max_examples=50)
@given(st.lists(stored_facts(any_day), max_size=12), st.none() | any_day)
def test_every_set_of_facts_has_one_pathway(stored: list[StoredFact], as_of: date | None) -> None:
    found = [person_fact(fact) for fact in stored]
    backwards = list(reversed(found)) + found
    assert fold(found, as_of=as_of, definitions=DEFINITIONS) == fold(backwards, as_of=as_of, definitions=DEFINITIONS)


@settings(max_examples=50)
@given(st.lists(stored_facts(), min_size=1, max_size=10), st.permutations(RECORDS))
def test_withdrawing_every_record_leaves_nothing_of_the_person(
    stored: list[StoredFact], records: list[tuple[str, str]]
) -> None:
    person_id = PEOPLE[0]
    arrived = [fact_input(person_id, fact, 1) for fact in stored]
    done = run(arrived + [withdrawal_message(person_id, record_id, 1) for record_id, _ in records])
    assert done.published() == {}
    assert sorted(done.changelog) == sorted(f"{person_id}/{record_id}/w".encode() for record_id, _ in records)


@st.composite
def crowded(draw: st.DrawFn) -> tuple[list[KeyValue], list[KeyValue]]:
    """Versions, moves and withdrawals of two facts of one record under one person, in two orders."""
    drawn = st.one_of(
        st.builds(
            _attended,
            st.integers(0, 2),
            st.sampled_from("523"),
            revision=st.integers(0, 3),
            fact=st.integers(0, 1),
        ),
        st.integers(0, 3).map(lambda revision: withdrawal_message(PEOPLE[0], RECORDS[1][0], revision)),
    )
    pairs = draw(st.lists(drawn, min_size=2, max_size=6))
    return pairs, draw(st.permutations(pairs))


def same_in_both_orders(orders: tuple[list[KeyValue], list[KeyValue]], kind: type[PathwayStep] = PathwayStep) -> bool:
    """Whether a step publishes and keeps the same for both."""
    first, second = (run(pairs, by=step(kind=kind)) for pairs in orders)
    return first.published() == second.published() and first.kept() == second.kept()


@settings(max_examples=300)
@given(crowded())
def test_versions_moves_and_withdrawals_of_one_record_meet_in_any_order(
    orders: tuple[list[KeyValue], list[KeyValue]],
) -> None:
    assert same_in_both_orders(orders)


class LastArrivalWins(PathwayStep):
    """A mutant: of one entry it keeps what came last."""

    def _entry(self, state: PathwayState, received: EntryInput, message: Message) -> list[Outcome]:
        state.of(received.person_id).entries.pop((received.record_id, received.name), None)
        return super()._entry(state, received, message)


class TheLinkDoesNotCount(PathwayStep):
    """A mutant: an entry that it has it keeps, under however old a link."""

    def _entry(self, state: PathwayState, received: EntryInput, message: Message) -> list[Outcome]:
        if (received.record_id, received.name) in state.of(received.person_id).entries:
            return []
        return super()._entry(state, received, message)


class WithdrawalsAreForgotten(PathwayStep):
    """A mutant: a withdrawal removes what is there and is not kept."""

    def _withdrawal(self, state: PathwayState, received: WithdrawalInput, message: Message) -> list[Outcome]:
        outcomes = super()._withdrawal(state, received, message)
        state.of(received.person_id).withdrawn.clear()
        return outcomes


class NothingIsRetracted(PathwayStep):
    """A mutant: it forgets what it has published."""

    def _withdrawal(self, state: PathwayState, received: WithdrawalInput, message: Message) -> list[Outcome]:
        state.of(received.person_id).claims = {}
        return super()._withdrawal(state, received, message)


MUTANTS = [LastArrivalWins, TheLinkDoesNotCount, WithdrawalsAreForgotten, NothingIsRetracted]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_property_sees_a_step_that_depends_on_arrival(mutant: type[PathwayStep]) -> None:
    seen = find(
        crowded(),
        lambda orders: not same_in_both_orders(orders, kind=mutant),
        settings=settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate]),
    )
    assert same_in_both_orders(seen)


def _attended(hour: int, code: str, *, revision: int = 1, fact: int = 0) -> KeyValue:
    stored = StoredFact(
        record_id=RECORDS[1][0], fact_id=FACT_IDS[fact], source="test", tier="tier2",
        source_version_at=datetime(2026, 1, 5, hour, tzinfo=UTC), body=facts.Attendance(on=DAY_0, attendance=code),
    )  # fmt: skip
    return fact_input(PEOPLE[0], stored, revision)


def test_a_record_that_leaves_and_comes_back_counts_again() -> None:
    first, second, record = PEOPLE[0], PEOPLE[1], RECORDS[1][0]
    back = _attended(1, "5", revision=9)
    pairs = [_attended(1, "5", revision=2), withdrawal_message(first, record, 5), back]
    pairs += [withdrawal_message(second, record, 9)]
    for order in (pairs, list(reversed(pairs)), [pairs[2], pairs[0], pairs[3], pairs[1]]):
        assert run(order).events() == ["attended", "started"]


def test_a_held_fact_survives_the_changelog() -> None:
    fact = StoredFact(
        record_id=RECORDS[1][0], fact_id=FACT_IDS[0], source="test", tier="tier2",
        source_version_at=datetime(2026, 1, 5, tzinfo=UTC), body=facts.Attendance(on=DAY_0, attendance="5"),
    )  # fmt: skip
    key, value = fact_input(PEOPLE[0], fact, 3)
    linked = LinkedEntry(3, canonical.read_object(value)["entry"])
    again, name = LinkedEntry.parse(linked.element()), key.decode().split("/", 2)[2]
    assert again == linked
    data_key = BUCKET_KEYS.made(Family.BODY, fact.record_id, 1)
    assert [held.fact for held in again.open(fact.record_id, name, data_key)] == [fact]
