"""What travels between a door and ingress: sealed, bound to its place, and naming nobody outside."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_engine import all_keys

from schemas import canonical
from schemas.envelope import NAMESPACE, Envelope, entry_id, opened, record_reference, sealed
from schemas.errors import Unreadable
from schemas.identity import LocalId
from schemas.keyring import Purpose
from schemas.sealing import seal_for_ingress

CONNECTOR, INGRESS = all_keys().zone("connector"), all_keys().zone("ingress")
TOPIC, KEY = "intake.gp-hub.v1", b"00"
ENVELOPE = Envelope(
    source="gp-hub",
    message_id="M-1",
    entry_id=entry_id("gp-hub", "M-1"),
    form="fhir",
    received_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    bundle={"resourceType": "Bundle", "name": "Okonkwo"},
    original=b"\x00\xff the bytes as sent",
    reasons=({"rule": "is required", "location": "PID-3"},),
)


def reopened(envelope: Envelope) -> Envelope:
    return opened(sealed(envelope, keys=CONNECTOR, topic=TOPIC, key=KEY), keys=INGRESS, topic=TOPIC, key=KEY)


@pytest.mark.parametrize("envelope", [ENVELOPE, replace(ENVELOPE, bundle=None, reasons=(), original=b"")])
def test_ingress_reads_what_the_door_sealed(envelope: Envelope) -> None:
    assert reopened(envelope) == envelope


def test_the_deepest_bundle_a_door_takes_can_be_opened() -> None:
    deepest = canonical.load_object(b'{"a":' * canonical.DEPTH_MAX + b"1" + b"}" * canonical.DEPTH_MAX)
    assert reopened(replace(ENVELOPE, bundle=deepest)).bundle == deepest


def test_it_opens_only_where_it_was_put() -> None:
    value = sealed(ENVELOPE, keys=CONNECTOR, topic=TOPIC, key=KEY)
    for topic, key in ((TOPIC, b"01"), ("intake.trust-wm.v1", KEY), (TOPIC + "|", KEY[1:])):
        with pytest.raises(Unreadable):
            opened(value, keys=INGRESS, topic=topic, key=key)
    for changed in (b"", b"\x02" + value[1:], value[:-1], value[1:]):
        with pytest.raises(Unreadable):
            opened(changed, keys=INGRESS, topic=TOPIC, key=KEY)


PARTS = json.loads(
    canonical.dump(
        {"v": 1, "source": "gp-hub", "message_id": "M", "entry_id": "e", "form": "fhir",
         "received_at": "2026-01-05T09:00:00+00:00", "bundle": None, "original": "", "reasons": []}
    )
)  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [*({name: "left out"} for name in PARTS if name != "v"), {"received_at": "2026-01-05T09:00:00"},
     {"received_at": 5}, {"original": "!"}, {"original": None}, {"reasons": [1]}, {"reasons": None}],
)  # fmt: skip
def test_a_sealed_text_of_another_form_is_unreadable_and_nothing_worse(changes: dict[str, object]) -> None:
    """Whoever has the public key can seal anything: ingress must not fall over it."""
    parts = {**PARTS, **changes}
    for name, value in changes.items():
        if value == "left out":
            del parts[name]
    public, context = CONNECTOR.key(Purpose.INTAKE_SEAL), TOPIC.encode() + b"|" + KEY
    value = b"\x01" + seal_for_ingress(public, canonical.dump(parts), context=context)
    with pytest.raises(Unreadable):
        opened(value, keys=INGRESS, topic=TOPIC, key=KEY)


def test_a_provider_can_compute_the_entry_id_itself() -> None:
    assert entry_id("gp-hub", "M-1", 3) == str(uuid.uuid5(NAMESPACE, "6:gp-hub3:M-11:3"))
    assert entry_id("gp-hub", "M-1") == entry_id("gp-hub", "M-1", 0)


@given(*[st.tuples(st.text(max_size=4), st.text(max_size=4), st.integers(0, 99))] * 2)
def test_two_entries_have_one_id_only_when_they_are_one(
    first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    assert (entry_id(*first) == entry_id(*second)) == (first == second)


def test_the_key_of_an_intake_message_tells_no_local_id_and_is_one_for_one_patient() -> None:
    number = LocalId("700002", "SITEA")
    reference = record_reference(CONNECTOR, "gp-hub", number, "e1")
    assert reference == record_reference(CONNECTOR, "gp-hub", number, "e2")
    assert reference != record_reference(CONNECTOR, "trust-wm", number, "e1")
    assert reference != record_reference(CONNECTOR, "gp-hub", LocalId("700002", "SITEB"), "e1")
    assert b"700002" not in reference
    assert record_reference(CONNECTOR, "gp-hub", None, "e1") != record_reference(
        CONNECTOR, "gp-hub", LocalId("e1"), "e1"
    )


def test_nothing_shows_in_the_repr_or_on_the_wire() -> None:
    value = sealed(ENVELOPE, keys=CONNECTOR, topic=TOPIC, key=KEY)
    for secret in (b"Okonkwo", b"M-1", b"bytes as sent"):
        assert secret not in value
        assert secret.decode() not in repr(ENVELOPE)
