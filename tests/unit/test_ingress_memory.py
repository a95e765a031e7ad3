"""What ingress keeps of a record while it is in use: what is sent once, what again, and that none of it is clear."""

from collections.abc import Sequence

import pytest
from memory_engine import MemoryEngine, real_step
from small_world import ANN, TRUST, at_source, attended, message_from, small_world

from schemas.source_message import SourceMessage
from schemas.topics import EVENTS
from streams.steps import vault
from streams.steps.outcome import Claim, Emit, Message, Outcome, keep
from streams.steps.vault import VaultState

OURS = [message_from(TRUST, f"t{n}", at_source(ANN, "T1"), attended(f"a{n}", n), at=n) for n in (1, 2)]
STRANGER = [message_from(TRUST, f"s{n}", at_source(ANN, "T1"), at=n, ours=False) for n in (1, 2)]


def intake(entries: Sequence[tuple[str, SourceMessage]]) -> list[Message]:
    """The entries as their doors sealed them."""
    door = MemoryEngine()
    for slug, entry in entries:
        door.take(slug, entry)
    return [message for log in door.logs.partitions.values() for message in log.messages]


def answered(state: VaultState, entries: Sequence[tuple[str, SourceMessage]]) -> list[list[Outcome]]:
    return [list(real_step("ingress").advance(state, message)[1]) for message in intake(entries)]


def kinds(outcomes: Sequence[Outcome]) -> str:
    """The kinds of the elements that go to `events.v1`, in order."""
    return "".join(o.key.decode().split("/")[1] for o in outcomes if isinstance(o, Emit) and o.topic == EVENTS)


def test_keys_and_identity_of_a_record_of_ours_are_sent_once_in_a_life() -> None:
    assert [kinds(outcomes) for outcomes in answered(VaultState(), OURS)] == ["kin", "n"]


def test_of_a_stranger_they_are_sent_each_time_because_records_may_have_removed_them() -> None:
    assert [kinds(outcomes) for outcomes in answered(VaultState(), STRANGER)] == ["kin", "kin"]


def test_after_a_restart_they_are_sent_again_and_nothing_is_claimed_twice() -> None:
    """Whether they left before the process died, nobody knows."""
    first, second = intake(OURS)
    _, outcomes = real_step("ingress").advance(VaultState(), first)
    claims = {o.key: o.value for o in outcomes if isinstance(o, Claim)}
    assert [key.split(b"/")[1] for key in claims] == [b"k", b"i"]
    again = real_step("ingress").restore(claims.items())
    _, outcomes = real_step("ingress").advance(again, second)
    assert kinds(outcomes) == "kin"
    assert not [o for o in outcomes if isinstance(o, Claim)]


@pytest.mark.parametrize("landed", range(4))
def test_a_stranger_is_forgotten_whatever_part_of_the_first_claims_had_arrived_before_a_crash(landed: int) -> None:
    """A mark that came after the keys was never made again, so the stranger's identity stayed for ever."""
    step, (first, _), elements = real_step("ingress"), intake(STRANGER), dict[bytes, bytes]()
    _, outcomes = step.advance(VaultState(), first)
    claims = [outcome for outcome in outcomes if isinstance(outcome, Claim)]
    assert len(claims) == 3
    keep(elements, claims[:landed])
    _, outcomes = step.advance(step.restore(list(elements.items())), first)
    keep(elements, outcomes)
    late = intake(OURS)[0]._replace(timestamp_ms=first.timestamp_ms + vault.WAITING_MAX_MS)
    record_id = next(iter(elements)).split(b"/")[0]
    _, outcomes = step.advance(step.restore(list(elements.items())), late._replace(key=b"", value=b""))
    keep(elements, outcomes)
    assert not [key for key in elements if key.startswith(record_id)]


@pytest.mark.parametrize("in_use_max", [1, 3, 4_096])
def test_however_few_records_are_in_use_the_elements_end_the_same(
    in_use_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "IN_USE_MAX", in_use_max)
    state, messages = VaultState(), intake(list(small_world()))
    found = [o for m in messages for o in real_step("ingress").advance(state, m)[1] if isinstance(o, Emit)]
    once = [o for m in messages for o in real_step("ingress").advance(VaultState(), m)[1] if isinstance(o, Emit)]
    assert {(o.topic, o.key, o.value) for o in found} == {(o.topic, o.key, o.value) for o in once}
    assert len(state.in_use) <= in_use_max


def test_nothing_that_is_kept_names_anybody() -> None:
    state = VaultState()
    answered(state, list(small_world()))
    assert state.wrapped
    assert "Okafor" not in repr(state)
    assert not [
        key for record in state.in_use.values() for key in record.data_keys.values() if repr(key) in repr(state)
    ]
