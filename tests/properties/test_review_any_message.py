"""Whatever stands on a topic of ours, a stage answers it or rejects it: an exception would stop it for ever."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from memory_engine import START_MS, real_step

from schemas import canonical
from streams.steps.outcome import Message, Reject

R, F, P = (letter * 32 for letter in "abc")
HASH = "0" * 32
DAY = "2026-01-01T00:00:00.000000Z"
ENTRY = {
    "v": 1, "kind": "entry", "entry": F, "source": "gp-hub", "tier": "tier2", "source_version_at": DAY,
    "identity": F, "service_named": True, "facts": [[F, HASH, True, False]],
    "body": "AAAA",
}  # fmt: skip
LINK = {
    "v": 1,
    "person_id": P,
    "status": "linked",
    "reasons": [],
    "evidence": [],
    "formerly": [P],
    "revision": 3,
}
Told = tuple[str, str, dict[str, Any]]
WELL_FORMED: dict[str, list[Told]] = {
    "records": [
        (
            "events.v1",
            f"{R}/i/{F}",
            {"v": 1, "kind": "identity", "identity": F, "tokens": "AAAA", "usable": True},
        ),
        ("events.v1", f"{R}/n/{F}/{HASH}", ENTRY),
        ("events.v1", f"{R}/m/{HASH}", {"v": 1, "kind": "merge", "into": R, "source_version_at": DAY}),
        ("link.map.v1", R, LINK),
    ],
    "linker": [("identity.v1", R, {"v": 1, "tier": "tier2", "tokens": None, "key": None, "merged_into": R})],
    "pathway": [
        ("pathway.in.v1", f"{P}/{R}/{F}/{HASH}", {"v": 1, "kind": "entry", "link_revision": 1, "entry": ENTRY}),
        (
            "pathway.in.v1",
            f"{P}/{R}/w",
            {"v": 1, "kind": "withdrawal", "link_revision": 1},
        ),
        ("pathway.in.v1", "tick/0", {"v": 1, "kind": "tick", "as_of": "2026-01-01"}),
    ],
}
STRANGE = [
    None, True, 0, -1, 1.5, 10**30, "", "x", "é", [], {}, [[]], [{}], {"type": []}, {"type": None}, [1], ["é"],
    "!!!", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
]  # fmt: skip


def _places(value: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, part in value.items():
        yield (name,)
        if isinstance(part, dict):
            yield from ((name, *rest) for rest in _places(part))


def _mutants(value: dict[str, Any]) -> Iterator[bytes]:
    for place in _places(value):
        for strange in STRANGE:
            mutant = copy.deepcopy(value)
            inside = mutant
            for name in place[:-1]:
                inside = inside[name]
            inside[place[-1]] = strange
            yield canonical.dump(mutant)


def _message(topic: str, key: str, value: bytes) -> Message:
    return Message(topic, 0, 1, key.encode(), value, (), START_MS)


@pytest.mark.parametrize("stage", sorted(WELL_FORMED))
def test_a_message_of_another_form_never_stops_a_stage_nor_do_good_ones_after_it(stage: str) -> None:
    step = real_step(stage)
    good = [_message(topic, key, canonical.dump(value)) for topic, key, value in WELL_FORMED[stage]]
    tried = 0
    for topic, key, value in WELL_FORMED[stage]:
        for mutant in _mutants(value):
            state = step.restore([])
            for message in (_message(topic, key, mutant), *good, _message(topic, key, mutant)):
                state, _ = step.advance(state, message)
            tried += 1
    assert tried > 50


@pytest.mark.parametrize("key", [None, b"", b"x/y", b"/", b"A" * 32, b"\xff"])
def test_a_key_that_names_no_record_makes_no_state_that_cannot_be_read_back(key: bytes | None) -> None:
    """A link under `x/y` left an element of no known kind: its worker could not start again."""
    link = canonical.dump(LINK)
    for stage, topic, value in (("records", "link.map.v1", link), ("records", "events.v1", None),
                                ("linker", "identity.v1", None)):  # fmt: skip
        step = real_step(stage)
        received = Message(topic, 0, 1, key, value, (), START_MS)  # type: ignore[arg-type]
        assert step.advance(step.restore([]), received)[1] == (Reject("unreadable"),)


def test_a_link_to_a_person_of_no_form_does_not_make_the_next_honest_one_unreadable() -> None:
    """It stayed among those to withdraw from, and no key can be made of it."""
    step = real_step("records")
    state = step.restore([])
    for odd in ({"person_id": "é"}, {"formerly": ["é"]}, {"reasons": [[1], "x"]}, {"revision": -1}):
        received = _message("link.map.v1", R, canonical.dump(LINK | odd))
        assert step.advance(state, received)[1] == (Reject("unreadable"),)
    honest = _message("link.map.v1", R, canonical.dump(LINK))
    assert len(step.advance(state, honest)[1]) > 1
