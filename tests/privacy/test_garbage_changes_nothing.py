"""Garbage on every topic that a stage reads: no result changes, no receipt appears, each is one dead letter.

Who may write to the topics beyond the intake is for the brokers to say; until they do (`SECURITY.md`), these messages
count although nobody of ours sent them, because they are in the form that a stage writes:

- `events.v1`: an entry, an identity or a merge of any record. The keyed name of its content is not made anew by
  records, which has no key for it; bodies are judged by pathway only. A tombstone takes away what a rebuild would read.
- `link.map.v1`: a link of any record to any person, of the current generation and above the last revision; a link of
  another record under this one's key, since a link does not say whose it is; a tombstone, as above.
- `identity.v1`: a steward's decision that is not dated ahead, a record without tokens, a merge, a tombstone, the word
  that a batch is to be answered again. Not tokens of another record: they open under their own record's name only.
- `pathway.in.v1`: an entry or a withdrawal under any person and record, and a day up to the one after it was sent.
"""

from collections import Counter
from functools import cache
from typing import Any

import pytest
from garbage import INTAKE, STAGE_OF, TOPICS, finished, garbage, honest, sealed_world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_engine import Finals, MemoryEngine, differing, real_step, stages

from ops.lab.memory_engine.engine import finals
from ops.lab.memory_engine.logs import Logs
from schemas.topics import DEAD_LETTERS, ERASURES, EVENTS, LINK_MAP
from streams.steps.outcome import Emit, Message, Outcome, Reject

BY_NAME = {stage.name: stage for stage in stages()}
LATER = 10**6  # an offset above all of the run


@cache
def state_of(stage: str, task: int) -> tuple[Any, dict[bytes, bytes]]:
    """The state of one task after the run, and its changelog."""
    elements = finished().changelog(BY_NAME[stage], task)
    return real_step(stage).restore(elements.items()), elements


def outcomes_of(emit: Emit) -> list[Outcome]:
    """All that one message leads to, in a state that all of them share: so none may change it."""
    step, (state, _) = real_step(STAGE_OF[emit.topic]), state_of(STAGE_OF[emit.topic], emit.partition)
    stamp_ms = finished().now_ms
    message = Message(emit.topic, emit.partition, LATER, emit.key, emit.value, emit.headers, stamp_ms)
    _, outcomes = step.advance(state, message)
    return [*outcomes, *(outcome for _, found in step.finish(state) for outcome in found)]


@settings(max_examples=2_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(garbage())
def test_garbage_is_one_dead_letter_and_nothing_else(emit: Emit) -> None:
    (outcome,) = outcomes_of(emit)
    assert isinstance(outcome, Reject)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_honest_messages_it_is_made_of_are_no_dead_letters(topic: str) -> None:
    for message in honest(topic):
        emit = Emit(message.topic, message.partition, message.key or b"", message.value, message.headers)
        assert not [outcome for outcome in outcomes_of(emit) if isinstance(outcome, Reject)]


def _without(engine: MemoryEngine, strewn: set[tuple[str, int, bytes | None, bytes | None]]) -> Logs:
    """The topics as they are, without what was strewn: it stands where it was written, until compaction."""
    logs = Logs()
    for (topic, partition), log in engine.logs.partitions.items():
        for message in log.messages:
            if (topic, partition, message.key, message.value) not in strewn:
                emit = Emit(topic, partition, message.key, message.value, message.headers)  # type: ignore[arg-type]
                logs.append(emit, stamp_ms=message.timestamp_ms)
    return logs


def results(strewn: list[Emit]) -> Finals:
    """The final topics of the small world with this strewn between its messages."""
    engine, rest = MemoryEngine(seed=4), list(strewn)
    for slug, intake in sealed_world():
        engine.take_sealed(slug, intake)
        for _ in range(len(rest) // 20):
            engine.put(rest.pop())
        for _ in range(3):
            engine._batch(*engine.random.choice(sorted(engine._waiting))) if engine._waiting else None
    for emit in rest:
        engine.put(emit)
    engine.run()
    return finals(_without(engine, {emit[:4] for emit in strewn}))


@cache
def clean() -> Finals:
    return results([])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(garbage(), min_size=100, max_size=100))
def test_garbage_between_the_messages_of_a_whole_engine_changes_no_final_byte(strewn: list[Emit]) -> None:
    found = results(strewn)
    letters = found[DEAD_LETTERS][b"count"]
    assert letters - clean()[DEAD_LETTERS][b"count"] == len(strewn)  # type: ignore[operator]
    assert differing(clean(), found | {DEAD_LETTERS: clean()[DEAD_LETTERS]}) == {}


def test_the_same_comparison_sees_one_link_that_is_well_formed() -> None:
    first = honest(LINK_MAP)[0]
    forged = Emit(
        LINK_MAP, first.partition, first.key or b"", (first.value or b"").replace(b'"revision":', b'"revision":9')
    )
    assert differing(clean(), results([forged])) != {}


def test_every_topic_that_a_stage_reads_is_strewn() -> None:
    read = Counter(topic for stage in stages() for topic in stage.reads if not topic.startswith("intake."))
    assert set(read) - {ERASURES} == set(TOPICS) - {INTAKE}, "erasures: tests/spec/test_erasure.py"
    assert EVENTS in read
