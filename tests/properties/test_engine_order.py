"""The promise of the engine: the same final topics and the same people, whatever the order of arrival,
the repetition, the batching and the crashes.

Every run goes through the real steps, from sealed intake to published pathway; mutants show that the
comparison sees what it should.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_engine import (
    CRASH_POINTS,
    Faults,
    Finals,
    IntakeMessage,
    MemoryEngine,
    all_keys,
    differing,
    intake_message,
    record_id,
    sources,
)
from small_world import COUNCIL, GP, TRUST, small_world

from linkage.model import parse as parse_model
from ops.admin.topic_reader import last_values
from ops.lab.memory_engine.parts import bucket_keys_of, pathway_step
from ops.runtime.paths import linkage_model
from schemas.elements import fact_names
from schemas.linking import Link
from schemas.pathway_in import EntryInput
from schemas.topics import DEAD_LETTERS, DISPOSITIONS, EVENTS, LINK_MAP, VAULT
from streams.steps.linker import LinkerState, LinkerStep
from streams.steps.outcome import Emit, Message, Outcome, Step
from streams.steps.pathway import PathwayState, PathwayStep
from streams.steps.records import RecordsStep, RecordState

Intake = tuple[str, IntakeMessage]


@cache
def intake() -> tuple[Intake, ...]:
    """The sealed world, in order of sending."""
    return tuple((slug, intake_message(slug, message)) for slug, message in small_world())


def run(
    intakes: Sequence[Intake],
    *,
    seed: int = 0,
    faults: Faults | None = None,
    steps: Mapping[str, Step[Any]] = {},
) -> MemoryEngine:
    engine = MemoryEngine(seed=seed, faults=faults or Faults(), steps=steps)
    for slug, sealed in intakes:
        engine.take_sealed(slug, sealed)
    return engine.run()


def shuffled(seed: int) -> list[Intake]:
    intakes = list(intake())
    random.Random(seed).shuffle(intakes)
    return intakes


@cache
def undisturbed() -> tuple[Finals, frozenset[frozenset[str]]]:
    engine = run(intake())
    return engine.finals(), engine.clusters()


def people(*locals_: str) -> frozenset[str]:
    slugs = {"G": GP, "C": COUNCIL, "T": TRUST}
    return frozenset(record_id(slugs[local_id[0]], local_id) for local_id in locals_)


def test_the_small_world_is_linked_as_a_person_would() -> None:
    _, clusters = undisturbed()
    named = {cluster for cluster in clusters if len(cluster) > 1}
    assert {people("G1", "C1", "T1"), people("G2", "C2"), people("G3", "C3"), people("T2", "T3"),
            people("G5", "T4"), people("G6", "C5")} <= named  # fmt: skip
    (without_local_id,) = [cluster for cluster in named if people("T6") < cluster]
    assert len(without_local_id) == 2
    alone = {cluster for cluster in clusters if len(cluster) == 1}
    assert {people("G4"), people("G7"), people("C4"), people("C6")} == alone


def test_the_small_world_ends_in_every_disposition_there_is() -> None:
    found = {value["disposition"] for value in undisturbed()[0][DISPOSITIONS].values()}
    assert found == {"linked", "held", "ignored", "rejected"}


@pytest.mark.parametrize("seed", range(1, 21))
def test_twenty_shuffles_end_in_the_same_topics_and_the_same_people(seed: int) -> None:
    finals, clusters = undisturbed()
    engine = run(shuffled(seed), seed=seed)
    assert differing(finals, engine.finals()) == {}
    assert engine.clusters() == clusters


@settings(max_examples=10)
@given(st.permutations(range(len(intake()))), st.integers(0, 2**16), st.integers(1, 40))
def test_any_order_and_any_batching_does(order: Sequence[int], seed: int, batch_max: int) -> None:
    engine = MemoryEngine(seed=seed, batch_max=batch_max)
    for place in order:
        engine.take_sealed(*intake()[place])
    assert differing(undisturbed()[0], engine.run().finals()) == {}


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_crashes_at_each_point_change_nothing(point: str) -> None:
    crashes = redelivered = 0
    for seed in range(3):
        engine = run(shuffled(seed), seed=seed, faults=Faults(0.25, points=[point]))
        assert differing(undisturbed()[0], engine.finals()) == {}, seed
        crashes, redelivered = crashes + engine.crashes, redelivered + engine.redelivered
    assert crashes >= 45
    assert redelivered > crashes


@pytest.mark.parametrize("seed", range(8))
def test_crashes_anywhere_and_often_change_nothing(seed: int) -> None:
    engine = run(shuffled(seed), seed=seed, faults=Faults(0.5, crashes_max=80))
    assert engine.crashes == 80
    finals, clusters = undisturbed()
    assert differing(finals, engine.finals()) == {}
    assert engine.clusters() == clusters


def test_a_replay_of_the_same_intake_writes_the_same_bytes_into_the_system_of_record() -> None:
    once, again = (
        {message.key: message.value for message in run(intake(), seed=seed).read([EVENTS])} for seed in (1, 2)
    )
    assert once == again
    crashed = run(intake(), seed=3, faults=Faults(0.3))
    assert {message.key: message.value for message in crashed.read([EVENTS])} == once


def test_sending_everything_again_changes_nothing() -> None:
    engine = run([*intake(), *reversed(intake())], seed=5)
    finals, _ = undisturbed()
    left_out = {"dlq.v1"}  # a poison told twice is two dead letters
    assert set(differing(finals, engine.finals())) <= left_out


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_what_compaction_leaves_of_the_system_of_record_gives_everything_back(seed: int | None) -> None:
    """Also when a correction had come before what it corrects; `seed` is another order of the elements."""
    original = run(shuffled(7), seed=7)
    kept = list(last_values(original.read([EVENTS])).values())
    assert len(kept) < sum(1 for _ in original.read([EVENTS])), "something was there to compact"
    if seed is not None:
        random.Random(seed).shuffle(kept)
    rebuilt = MemoryEngine(seed=seed or 0)
    for entry in kept:
        rebuilt.put(Emit(EVENTS, entry.partition, entry.key or b"", entry.value))
    found = differing(original.finals(), rebuilt.run().finals())
    receipts = {source.receipts_topic for source in sources().values()}
    of_ingress = {VAULT, DEAD_LETTERS, DISPOSITIONS, *receipts}
    assert {DEAD_LETTERS, DISPOSITIONS} < set(found) <= of_ingress
    assert len(found[DISPOSITIONS]) == 1, "of the row that was rejected"


# ------------------------------------------------------------ mutants: what the comparison has to see


class ArrivalWins(PathwayStep):
    """Of one fact it keeps what came last."""

    def _entry(self, state: PathwayState, received: EntryInput, message: Message) -> list[Outcome]:
        entries, said = state.of(received.person_id).entries, {name.fact_id for name in fact_names(received.entry)}
        for key, entry in entries.items():
            assert not isinstance(entry, bytes)
            kept = tuple(held for held in entry.facts if held.fact.fact_id not in said)
            entries[key] = replace(entry, facts=kept)
        return super()._entry(state, received, message)


class FirstIdentityWins(RecordsStep):
    """It announces a record once, and what is put right later stays wrong."""

    def _announce(self, record: RecordState, record_id: str) -> list[Outcome]:
        return [] if record.announced is not None else super()._announce(record, record_id)


class ForgetsWhere(RecordsStep):
    """It does not know whom it sent facts to."""

    def _on_link(self, record: RecordState, record_id: str, answer: Link) -> list[Outcome]:
        record.persons.clear()
        return super()._on_link(record, record_id, answer)


class ForgetsFormerly(LinkerStep):
    """It does not say where a record was before."""

    def advance(self, state: LinkerState, message: Message) -> tuple[LinkerState, tuple[Outcome, ...]]:
        state, outcomes = super().advance(state, message)
        return state, tuple(_without_formerly(outcome) for outcome in outcomes)


def _without_formerly(outcome: Outcome) -> Outcome:
    if not isinstance(outcome, Emit) or outcome.topic != LINK_MAP or outcome.value is None:
        return outcome
    link = Link.parse(outcome.value)
    bare = Link(link.person_id, link.status, link.reasons, link.evidence, (), link.revision)
    return Emit(outcome.topic, outcome.partition, outcome.key, bare.value())


def mutants() -> dict[str, Mapping[str, Step[Any]]]:
    forgets = ForgetsFormerly(
        all_keys().zone("linker"), parse_model(linkage_model()), data_keys=bucket_keys_of("linker")
    )
    return {
        "arrival wins": {"pathway": pathway_step(ArrivalWins)},
        "the first identity wins": {"records": FirstIdentityWins()},
        "nobody knows where a record was": {"linker": forgets, "records": ForgetsWhere()},
        "formerly is forgotten": {"linker": forgets},
    }


@pytest.mark.parametrize("name", ["arrival wins", "the first identity wins", "nobody knows where a record was"])
def test_the_comparison_sees_a_step_that_depends_on_arrival(name: str) -> None:
    steps = mutants()[name]
    found = [differing(undisturbed()[0], run(shuffled(s), seed=s, steps=steps).finals()) for s in range(4)]
    assert any(found)


def test_records_withdraws_from_whom_it_sent_to_though_the_linker_has_forgotten() -> None:
    steps = mutants()["formerly is forgotten"]
    for seed in range(4):
        assert not differing(undisturbed()[0], run(shuffled(seed), seed=seed, steps=steps).finals())


def test_the_comparison_sees_a_host_that_writes_state_before_outputs() -> None:
    faults = Faults(0.25, state_first=True)
    assert any(differing(undisturbed()[0], run(shuffled(seed), seed=seed, faults=faults).finals()) for seed in range(4))


def test_the_comparison_sees_one_entry_that_was_dropped() -> None:
    entries = [sealed.entry_id for _, sealed in intake()]
    only_once = [place for place, entry in enumerate(entries) if entries.count(entry) == 1]
    for dropped in only_once[::9]:
        intakes = [sealed for place, sealed in enumerate(intake()) if place != dropped]
        assert differing(undisturbed()[0], run(intakes).finals())
