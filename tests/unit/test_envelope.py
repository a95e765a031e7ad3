"""What travels between a door and ingress: sealed, bound to its place, and naming nobody outside."""

import os
import tracemalloc
import uuid
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_engine import RECEIVED_AT, START_MS, door_session, intake_keys

from linkage.record_name import record_parts
from schemas import canonical
from schemas import door_session as sessions
from schemas.door_session import TEXT_BYTES_MAX, Refusal, seal_text
from schemas.envelope import NAMESPACE, SESSION_HEADER, Envelope, IntakePlace, IntakeReader, entry_id, sealed
from schemas.errors import Unreadable
from schemas.identity import LocalId, Person, PersonName
from schemas.sealing import length_prefixed

SOURCE, TOPIC, PARTITION = "gp-hub", "intake.gp-hub.v1", 3
SESSION = door_session(SOURCE)
ENVELOPE = Envelope(
    source=SOURCE,
    message_id="M-1",
    position=0,
    form="fhir",
    received_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    typed=b'{"v":1}',
    bundle=canonical.dump({"resourceType": "Bundle", "name": "Okonkwo"}),
    original=b"\x00\xff the bytes as sent",
    reasons=({"severity": "warning", "code": "value", "rule": "is required", "location": "PID-3"},),
)
KEY = ENVELOPE.entry_id.encode()
PLACE = (TOPIC.encode(), str(PARTITION).encode(), KEY)


def at(value: bytes, *, topic: str = TOPIC, partition: int = PARTITION, key: bytes = KEY) -> IntakePlace:
    headers = ((SESSION_HEADER, SESSION.header),)
    return IntakePlace.of(SOURCE, (topic, partition), (key, value, headers), timestamp_ms=START_MS)


def sealed_here(envelope: Envelope = ENVELOPE) -> bytes:
    return sealed(envelope, SESSION, topic=TOPIC, partition=PARTITION, random=os.urandom)


def opened(place: IntakePlace) -> Envelope:
    return IntakeReader(intake_keys).open(place)


def code(place: IntakePlace) -> str:
    with pytest.raises(Refusal) as raised:
        opened(place)
    return raised.value.code


@pytest.mark.parametrize("envelope", [ENVELOPE, replace(ENVELOPE, bundle=b"", typed=b"", reasons=(), original=b"")])
def test_ingress_reads_what_the_door_sealed(envelope: Envelope) -> None:
    assert opened(at(sealed_here(envelope))) == envelope


def test_it_opens_only_where_it_was_put() -> None:
    value = sealed_here()
    assert code(at(value, partition=4)) == "unreadable"
    assert code(at(value, topic="intake.trust-wm.v1")) == "unreadable"
    assert code(at(value, key=entry_id(SOURCE, "M-2").encode())) == "unreadable"


@pytest.mark.parametrize(
    "changes",
    [{"v": 2}, {"message_id": 5}, {"message_id": None}, {"position": "1"}, {"form": "xml"}, {"received_at": 5},
     {"received_at": "2026-01-05T09:00:00"}, {"received_at": "0001-01-01T00:00:00+14:00"}, {"reasons": [1]},
     {"reasons": None}, {"reasons": [{"rule": "x"}]}],
)  # fmt: skip
def test_a_sealed_text_of_another_form_is_unreadable_and_nothing_worse(changes: dict[str, object]) -> None:
    """A door may be hostile: ingress must not fall over it."""
    head = {"v": 1, "message_id": "M-1", "position": 0, "form": "fhir", "reasons": [],
            "received_at": "2026-01-05T09:00:00+00:00", **changes}  # fmt: skip
    text = length_prefixed((canonical.dump(head), b"", b"", b""))
    assert code(at(seal_text(SESSION, text, place=PLACE, random=os.urandom))) == "unreadable"


@given(st.binary(max_size=80))
def test_any_sealed_bytes_are_an_envelope_or_refused(text: bytes) -> None:
    assert code(at(seal_text(SESSION, text, place=PLACE, random=os.urandom))) == "unreadable"


def test_a_bomb_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte of zeros is a megabyte on the wire: zlib packs them a thousand to one."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    monkeypatch.setattr(sessions.zlib, "compress", lambda _, __: bomb)
    value = seal_text(SESSION, b"", place=PLACE, random=os.urandom)
    tracemalloc.start()
    assert code(at(value)) == "too-large"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * TEXT_BYTES_MAX


def test_what_ingress_would_not_inflate_no_door_seals() -> None:
    with pytest.raises(Unreadable, match="too long"):
        sealed_here(replace(ENVELOPE, original=bytes(TEXT_BYTES_MAX)))


def test_a_provider_can_compute_the_entry_id_itself() -> None:
    assert entry_id("gp-hub", "M-1", 3) == str(uuid.uuid5(NAMESPACE, "6:gp-hub3:M-11:3"))
    assert entry_id("gp-hub", "M-1") == entry_id("gp-hub", "M-1", 0)


@given(*[st.tuples(st.text(max_size=4), st.text(max_size=4), st.integers(0, 99))] * 2)
def test_two_entries_have_one_id_only_when_they_are_one(
    first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    assert (entry_id(*first) == entry_id(*second)) == (first == second)


def test_a_record_is_named_by_its_number_else_by_who_it_is_else_by_the_entry() -> None:
    numbered, named = Person(LocalId("7", "SITEA")), Person(names=(PersonName("Okonkwo", ("Ngozi",)),))
    assert record_parts("gp-hub", numbered, "e1") == record_parts("gp-hub", numbered, "e2")
    assert record_parts("gp-hub", numbered, "e1") != record_parts("gp-hub", Person(LocalId("7")), "e1")
    assert record_parts("gp-hub", named, "e1") == record_parts("gp-hub", named, "e2")
    assert record_parts("gp-hub", Person(), "e1") == record_parts("gp-hub", None, "e1")
    assert record_parts("gp-hub", None, "e1") != record_parts("gp-hub", None, "e2")


def test_nothing_shows_in_the_repr_or_on_the_wire() -> None:
    value = sealed_here()
    for secret in (b"Okonkwo", b"M-1", b"bytes as sent"):
        assert secret not in value + SESSION.header
        assert secret.decode() not in repr(ENVELOPE) + repr(at(value))
    assert SESSION.secret not in SESSION.header
    assert SESSION.not_after >= RECEIVED_AT
