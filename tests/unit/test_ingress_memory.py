"""Ingress remembers sealed identities: what it says is the same, and what it remembers is bounded and sealed."""

import pytest
from memory_engine import all_keys, sources
from small_world import small_world

from schemas.envelope import entry_id
from schemas.topics import EVENTS
from streams.steps import ingress
from streams.steps.ingress import Pseudonyms, pseudonymised
from streams.steps.outcome import Emit


def said(pseudonyms: Pseudonyms, *, forgetting: bool = False) -> list[Emit]:
    found: list[Emit] = []
    for slug, told in small_world():
        identifier = entry_id(slug, told.message_id)
        known = Pseudonyms.of(all_keys().zone("ingress")) if forgetting else pseudonyms
        found += pseudonymised(told, source=sources()[slug], entry_id=identifier, pseudonyms=known)
    return found


@pytest.mark.parametrize("remembered_max", [1, 3, 4_096])
def test_what_is_remembered_is_said_as_if_it_were_made_anew(
    remembered_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingress, "IDENTITIES_MAX", remembered_max)
    pseudonyms = Pseudonyms.of(all_keys().zone("ingress"))
    again = said(pseudonyms) + said(pseudonyms)
    once = said(pseudonyms, forgetting=True)
    assert again == once + once
    assert len(pseudonyms._told) <= remembered_max


def test_only_keyed_hashes_and_sealed_elements_are_remembered() -> None:
    pseudonyms = Pseudonyms.of(all_keys().zone("ingress"))
    sent = {(one.key.decode(), one.value) for one in said(pseudonyms) if one.topic == EVENTS}
    assert pseudonyms._told
    assert all(name.startswith("v1:") and element in sent for name, element in pseudonyms._told.items())
    assert "Okafor" not in repr(pseudonyms)
