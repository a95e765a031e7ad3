"""Records, killed at every possible place: nothing is lost, nothing said twice is wrong, no disposition is stale.

The elements of three entries and the answers of the linker arrive in any interleaving; the task dies once,
after the outputs of a batch and any part of its state; it is given the batch again, interleaved in another
way.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_engine import MemoryEngine, record_id
from small_world import ANN, TRUST, at_source, attended, message_from, weight, without_number

from schemas.elements import fact_names
from schemas.linking import Link
from schemas.topics import DISPOSITIONS, EVENTS, LINK_MAP, PATHWAY_IN
from streams.steps.outcome import Change, Emit, Message, Outcome, keep
from streams.steps.records import RecordsStep, RecordState

A, B = (letter * 32 for letter in "ab")
RECORD = record_id(TRUST, "T1")


def entries() -> list[Message]:
    """What ingress makes of an identity, a letter, a correction and a better identity."""
    person = at_source(ANN, "T1")
    door = MemoryEngine()
    for slug, entry in (
        message_from(TRUST, "t0", without_number(person), at=1, ours=False),
        message_from(TRUST, "t1", without_number(person), attended("a1", 3), at=3),
        message_from(TRUST, "t2", person, attended("a1", 4, "3"), weight("w", 4, "99"), at=5),
    ):
        door.take(slug, entry)
    door.run()
    events = [
        message for (topic, _), log in door.logs.partitions.items() if topic == EVENTS for message in log.messages
    ]
    return [Message(EVENTS, 0, n, event.key, event.value, (), n) for n, event in enumerate(events)]


ANSWERS = [
    Link(A, "linked", (), (), (), 1),
    Link(A, "held", ("unsure",), (), (), 2),
    Link(A, "linked", (), (), (), 3),
    Link(B, "linked", (), (), (A,), 5),
    Link(B, "held", ("unsure",), (), (A,), 6),
    Link(A, "linked", (), (), (B,), 8),
]
EVENTS_LOG = entries()
LINKS_LOG = [Message(LINK_MAP, 0, n, RECORD.encode(), answer.value(), (), n) for n, answer in enumerate(ANSWERS)]


def result(outcomes: Iterable[Outcome]) -> Any:
    """What readers of the topics end with: dispositions, identity, and the facts that live under each person."""
    last, live, withdrawn = {}, dict[tuple[str, str], tuple[int, str]](), dict[str, int]()
    for outcome in outcomes:
        if not isinstance(outcome, Emit):
            continue
        value, person = json.loads(outcome.value or b"null"), outcome.key.decode().split("/")[0]
        if outcome.topic != PATHWAY_IN:
            value.pop("revision", None)
            last[outcome.topic, outcome.key] = value
        elif value["kind"] == "key":
            continue
        elif value["kind"] == "withdrawal":
            withdrawn[person] = max(withdrawn.get(person, -1), value["link_revision"])
        else:
            for name in fact_names(value["entry"]):
                found = (value["link_revision"], value["entry"]["source_version_at"])
                live[person, name.fact_id] = max(live.get((person, name.fact_id), (-1, "")), found)
    living = {place: rank[1] for place, rank in live.items() if rank[0] > withdrawn.get(place[0], -1)}
    return last, living


def advance(step: RecordsStep, state: Any, messages: Iterable[Message]) -> tuple[Any, list[Outcome]]:
    outcomes: list[Outcome] = []
    for message in messages:
        state, found = step.advance(state, message)
        outcomes += found
    return state, outcomes


def kept(changes: Iterable[Outcome]) -> dict[bytes, bytes]:
    elements: dict[bytes, bytes] = {}
    keep(elements, changes)
    return elements


def interleaved(turns: Sequence[bool], done: tuple[int, int] = (0, 0)) -> list[Message]:
    """The two logs from `done` on: a turn says which goes on; what is left when turns end follows."""
    logs = [list(EVENTS_LOG[done[0] :]), list(LINKS_LOG[done[1] :])]
    found = [logs[turn].pop(0) for turn in turns if logs[turn]]
    return [*found, *logs[0], *logs[1]]


turns = st.lists(st.booleans(), max_size=24)


@st.composite
def crashes(draw: st.DrawFn) -> tuple[list[Message], int, int, float, list[bool]]:
    """An interleaving, the batch [first, end) that dies, the share of its state that was written, the rest's
    turns."""
    order = interleaved(draw(turns))
    first = draw(st.integers(0, len(order) - 1))
    end = draw(st.integers(first + 1, len(order)))
    return order, first, end, draw(st.floats(0, 1)), draw(turns)


def after_a_crash(step: RecordsStep, crash: tuple[list[Message], int, int, float, list[bool]]) -> Any:
    order, first, end, share, turns_after = crash
    state, before = advance(step, step.restore([]), order[:first])
    _, batch = advance(step, state, order[first:end])
    changes = [message for message in batch if isinstance(message, Change)]
    written = [change for change in before if isinstance(change, Change)] + changes[: round(share * len(changes))]
    done = [sum(message.topic == topic for message in order[:first]) for topic in (EVENTS, LINK_MAP)]
    _, after = advance(step, step.restore(kept(written).items()), interleaved(turns_after, (done[0], done[1])))
    return result([*before, *batch, *after])


REAL = RecordsStep()
EXPECTED = result(advance(REAL, REAL.restore([]), interleaved([]))[1])


@settings(max_examples=400)
@given(crashes())
def test_a_death_anywhere_changes_nothing_that_readers_end_with(
    crash: tuple[list[Message], int, int, float, list[bool]],
) -> None:
    assert after_a_crash(REAL, crash) == EXPECTED


def test_the_expected_end_is_the_right_one() -> None:
    last, living = EXPECTED
    ends = [value["disposition"] for (topic, _), value in last.items() if topic == DISPOSITIONS]
    assert ends == ["linked"] * 3
    assert {person for person, _ in living} == {A}
    assert len(living) == 2


class LinkNotedFirst(RecordsStep):
    """The mutant: the link is in the changelog before what follows from it."""

    def _on_link(self, record: RecordState, record_id: str, answer: Link) -> list[Outcome]:
        outcomes = super()._on_link(record, record_id, answer)
        return [*outcomes[-1:], *outcomes[:-1]]


def every_cut(step: RecordsStep) -> list[Any]:
    """One crash after each message and after each part of its state; no interleaving."""
    order = interleaved([])
    return [
        after_a_crash(step, (order, place, place + 1, share / 8, []))
        for place in range(len(order))
        for share in range(9)
    ]


def test_no_cut_within_the_state_of_one_message_does_harm() -> None:
    assert [end for end in every_cut(REAL) if end != EXPECTED] == []


def test_a_link_that_is_noted_before_its_dispositions_is_seen_to_leave_a_stale_one() -> None:
    assert [end for end in every_cut(LinkNotedFirst()) if end != EXPECTED] != []
