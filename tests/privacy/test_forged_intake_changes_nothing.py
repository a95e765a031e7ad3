"""Whoever reaches an intake topic, a door of another source or a hostile door of the same: what can they change?

The gain of an attacker is a fact under somebody else's record, a receipt that a source believes, or a version time that
wins for ever. Each forgery ends as a dead letter with its own code and leaves no other message.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from forged_intake import (
    EDITS,
    GOOD,
    RECORD,
    TOLD,
    answer,
    body_of,
    envelope_of_door,
    hostile,
    ingress,
    message,
    refused,
    typed_with,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_engine import (
    RECEIVED_AT,
    START_MS,
    door_seal,
    door_session,
    intake_keys,
    intake_message,
    sealed_envelope,
    sources,
)
from small_world import GP, TRUST

from schemas import canonical, typed_message
from schemas.door_session import open_session
from schemas.envelope import SESSION_HEADER, entry_id
from schemas.intake_keys import DoorSeal, IntakeKeys, new_day_key, new_door_key
from schemas.topics import intake_partition
from streams.steps.outcome import Reject
from streams.steps.vault import VaultState

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def test_what_an_honest_door_seals_is_taken() -> None:
    outcomes = answer(message(GOOD))
    assert len(outcomes) > 2
    assert not [outcome for outcome in outcomes if isinstance(outcome, Reject)]


# ---------------------------------------------------------------- who has no key of a door


def test_the_public_keys_alone_open_no_session() -> None:
    """Before, the one public key of the intake was enough to tell anything as any source."""
    public = DoorSeal(new_door_key(), RECEIVED_AT.date(), door_seal(GP).ingress_public)
    session = open_session(public, GP, now=RECEIVED_AT, random=os.urandom)
    assert refused(message(hostile(envelope_of_door(), session))) == "unknown-door"
    renamed = session.header[:1] + door_session(GP).header[1:9] + session.header[9:]
    assert refused(message(hostile(envelope_of_door(), replace(session, header=renamed)))) == "forged"


def test_the_door_of_another_source_speaks_for_its_own_only() -> None:
    other = open_session(door_seal(TRUST), GP, now=RECEIVED_AT, random=os.urandom)
    assert refused(message(hostile(envelope_of_door(), other))) == "unknown-door"
    assert refused(message(GOOD, headers=((SESSION_HEADER, door_session(TRUST).header),))) == "unknown-door"


def test_a_key_that_two_sources_share_signs_each_session_for_one_of_them() -> None:
    """One process may serve several sources: the signature names the source, so no header moves between topics."""
    shared = {key: replace(row, public=_public(GP)) for key, row in intake_keys().doors.items()}
    keys = IntakeKeys.of(shared.values(), intake_keys().days)
    session = open_session(door_seal(GP), TRUST, now=RECEIVED_AT, random=os.urandom)
    assert refused(message(hostile(envelope_of_door(), session)), lambda: keys) == "forged"


def _public(slug: str) -> bytes:
    return next(row.public for (source, _), row in intake_keys().doors.items() if source == slug)


def test_an_entry_copied_to_another_source_partition_or_key_is_refused() -> None:
    elsewhere = message(GOOD)
    assert refused(elsewhere._replace(topic=sources()[TRUST].intake_topic)) == "unknown-door"
    assert refused(elsewhere._replace(partition=(GOOD.partition + 1) % 12)) == "unreadable"
    assert refused(elsewhere._replace(key=entry_id(GP, "m2").encode())) == "unreadable"
    assert refused(elsewhere._replace(key=None)) == "unreadable"


def test_headers_are_the_sessions_alone() -> None:
    header = (SESSION_HEADER, door_session(GP).header)
    for headers in ((), (header, header), (header, ("began", b"0")), (("began", b"0"), header)):
        assert refused(message(GOOD, headers=headers)) == "unreadable"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_header_or_value_with_any_bit_changed_or_cut_anywhere_is_refused(data: st.DataObject) -> None:
    header, value = door_session(GP).header, GOOD.value
    whole = bytearray(data.draw(st.sampled_from((header, value))))
    of_header = len(whole) == len(header)
    if data.draw(st.booleans()):
        changed = bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    else:
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        changed = bytes(whole)
    found = message(GOOD, headers=((SESSION_HEADER, changed),)) if of_header else message(GOOD, value=changed)
    assert refused(found) in {"unreadable", "unknown-door", "forged"}


# ---------------------------------------------------------------- when


def test_a_session_is_over_when_the_broker_says_so() -> None:
    assert refused(message(GOOD, stamp_ms=START_MS + 2 * HOUR_MS)) == "expired"
    assert refused(message(GOOD, stamp_ms=START_MS - HOUR_MS)) == "expired"
    assert refused(message(GOOD, stamp_ms=START_MS - 2 * DAY_MS)) == "revoked-door"  # before the key was there


def test_no_door_opens_a_session_for_a_year_or_under_the_key_of_another_day() -> None:
    long = open_session(door_seal(GP), GP, now=RECEIVED_AT, random=os.urandom, seconds=86_400)
    assert refused(message(hostile(envelope_of_door(), long))) == "unreadable"
    tomorrow = replace(door_seal(GP), day=RECEIVED_AT.date() + timedelta(days=1))
    other = open_session(tomorrow, GP, now=RECEIVED_AT, random=os.urandom)
    assert refused(message(hostile(envelope_of_door(), other))) == "unreadable"


def test_a_door_revoked_between_two_entries_of_one_session_has_told_the_first_only() -> None:
    ends = RECEIVED_AT + timedelta(minutes=10)
    rows = [replace(row, valid_to=ends) if row.source == GP else row for row in intake_keys().doors.values()]
    revoked = IntakeKeys.of(rows, intake_keys().days)
    step, second = ingress(lambda: revoked), intake_message(GP, replace(TOLD, message_id="m2"))
    minute = START_MS + 60_000
    assert len(step.advance(VaultState(), message(GOOD, stamp_ms=minute))[1]) > 2
    assert step.advance(VaultState(), message(second, stamp_ms=minute + 600_000))[1] == (Reject("revoked-door"),)
    assert len(step.advance(VaultState(), message(GOOD, stamp_ms=minute))[1]) > 2, "what came before stays good"


def test_a_revocation_counts_although_the_session_is_remembered() -> None:
    current = [intake_keys()]
    step = ingress(lambda: current[0])
    assert len(step.advance(VaultState(), message(GOOD))[1]) > 2
    rows = [replace(row, valid_to=RECEIVED_AT) for row in intake_keys().doors.values()]
    current[0] = IntakeKeys.of(rows, intake_keys().days)
    assert step.advance(VaultState(), message(GOOD))[1] == (Reject("revoked-door"),)


def test_an_entry_cannot_be_opened_once_the_key_of_its_day_is_destroyed() -> None:
    later = {RECEIVED_AT.date() + timedelta(days=16): new_day_key()}
    current = [intake_keys()]
    step = ingress(lambda: current[0])
    assert len(step.advance(VaultState(), message(GOOD))[1]) > 2
    current[0] = IntakeKeys.of(intake_keys().doors.values(), later)
    assert step.advance(VaultState(), message(GOOD))[1] == (Reject("key-destroyed"),), "and nothing remembered opens it"


def test_while_the_key_of_the_day_has_not_come_nothing_is_decided() -> None:
    earlier = {RECEIVED_AT.date() - timedelta(days=1): new_day_key()}
    for days in ({}, earlier):
        keys = IntakeKeys.of(intake_keys().doors.values(), days)
        with pytest.raises(LookupError):
            answer(message(GOOD), lambda: keys)  # noqa: B023


@pytest.mark.parametrize("days", [2, 400, 365 * 7_900])
def test_a_version_time_far_ahead_is_refused_not_clamped(days: int) -> None:
    """The highest version wins: one of the year 9999 would win for ever."""
    ahead = replace(TOLD, source_version_at=min(RECEIVED_AT + timedelta(days=days), _year_9998()), facts=())
    assert refused(message(hostile(envelope_of_door(typed=typed_message.dump(ahead))))) == "version-ahead"


def _year_9998() -> datetime:
    return datetime(9998, 12, 31, tzinfo=UTC)


def test_the_year_9999_is_refused() -> None:
    text = typed_message.dump(TOLD).replace(b'"source_version_at":"2026', b'"source_version_at":"9999')
    assert refused(message(hostile(envelope_of_door(typed=text)))) == "invalid"


@pytest.mark.parametrize(
    ("away", "code"),
    [(timedelta(minutes=6), "received-ahead"), (timedelta(days=8_000 * 365), "received-ahead"),
     (timedelta(days=-15, minutes=-1), "received-long-ago")],
)  # fmt: skip
def test_a_door_cannot_choose_when_it_received(away: timedelta, code: str) -> None:
    received_at = min(RECEIVED_AT, RECEIVED_AT + away) if away < timedelta() else _later(away)
    assert refused(message(hostile(envelope_of_door(received_at=received_at)))) == code


def _later(away: timedelta) -> datetime:
    try:
        return RECEIVED_AT + away
    except OverflowError:
        return _year_9998()


def test_clocks_may_differ_by_five_minutes() -> None:
    for minutes in (-5, 5):
        found = message(hostile(envelope_of_door(received_at=RECEIVED_AT + timedelta(minutes=minutes))))
        assert len(answer(found)) > 2


# ---------------------------------------------------------------- a hostile door of the same source


def test_a_hostile_door_cannot_hand_in_an_entry_under_the_key_of_another() -> None:
    value = hostile(envelope_of_door())
    sealed_as = sealed_envelope(replace(envelope_of_door(), message_id="m2"), door_session(GP), value.partition)
    assert refused(message(sealed_as._replace(entry_id=value.entry_id))) == "unreadable"


def test_entries_of_a_record_cannot_be_spread_over_partitions() -> None:
    for partition in set(range(12)) - {intake_partition(RECORD)}:
        assert refused(message(hostile(envelope_of_door(), partition=partition))) == "misplaced"


@pytest.mark.parametrize("name", EDITS)
def test_a_value_that_no_reader_of_ours_makes_refuses_the_entry(name: str) -> None:
    assert refused(message(hostile(envelope_of_door(typed=typed_with(EDITS[name]))))) == "invalid"


@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(), st.lists).map(canonical.dump))
def test_a_typed_message_of_any_bytes_is_refused(typed: bytes) -> None:
    if typed:
        assert refused(message(hostile(envelope_of_door(typed=typed)))) == "invalid"


def test_a_recheck_refuses_what_its_bundle_does_not_say() -> None:
    lying = envelope_of_door(typed=typed_with(lambda p: body_of(p, "measurement").update(value="99", value_given="99")))
    step = ingress(recheck=True)
    assert step.advance(VaultState(), message(hostile(lying)))[1] == (Reject("differs"),)
    assert step.advance(VaultState(), message(hostile(envelope_of_door(bundle=b"{"))))[1] == (Reject("differs"),)
    assert len(step.advance(VaultState(), message(GOOD))[1]) > 2
    assert len(answer(message(hostile(lying)))) > 2, "else the door of a source is believed"


# ---------------------------------------------------------------- nothing that is remembered matters


def test_a_new_process_begins_in_the_middle_of_a_session() -> None:
    second = message(intake_message(GP, replace(TOLD, message_id="m2")))
    step = ingress()
    step.advance(VaultState(), message(GOOD))
    assert step.advance(VaultState(), second) == ingress().advance(VaultState(), second)


def test_an_entry_appended_twice_is_the_same_entry() -> None:
    assert answer(message(GOOD)) == answer(message(GOOD)._replace(offset=900, timestamp_ms=START_MS + 60_000))


def test_a_forked_door_needs_no_rule() -> None:
    """Two processes with one key, even with one session: no counter is shared, so none can be used twice."""
    opened = open_session(door_seal(GP), GP, now=RECEIVED_AT, random=os.urandom)
    values = [hostile(envelope_of_door(), session).value for session in (opened, opened, door_session(GP))]
    assert len(set(values)) == 3
    assert len({value[1:17] for value in values}) == 3, "a fresh salt, and so a fresh key, each"
    outcomes = [answer(message(hostile(envelope_of_door(), session))) for session in (opened, opened, door_session(GP))]
    assert outcomes[0] == outcomes[1] == outcomes[2]
