"""Ingress caches sealed identities: its outputs stay the same, and the cache is bounded and sealed."""

import re

import pytest
from memory_engine import all_keys, sources
from small_world import small_world

from schemas.envelope import entry_id, entry_name
from schemas.topics import EVENTS
from streams.steps import ingress
from streams.steps.ingress import EntryNames, Pseudonyms, pseudonymised
from streams.steps.outcome import Emit


def sent_by(pseudonyms: Pseudonyms, *, forgetting: bool = False) -> list[Emit]:
    found: list[Emit] = []
    for slug, message in small_world():
        identifier = entry_id(slug, message.message_id)
        used = Pseudonyms.of(all_keys().zone("ingress")) if forgetting else pseudonyms
        names = EntryNames(identifier, entry_name(all_keys(), slug, identifier))
        found += pseudonymised(message, sources()[slug], names, used)
    return found


@pytest.mark.parametrize("cached_max", [1, 3, 4_096])
def test_a_cached_identity_is_sent_as_if_it_were_made_anew(cached_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingress, "IDENTITIES_MAX", cached_max)
    pseudonyms = Pseudonyms.of(all_keys().zone("ingress"))
    again = sent_by(pseudonyms) + sent_by(pseudonyms)
    once = sent_by(pseudonyms, forgetting=True)
    assert again == once + once
    assert len(pseudonyms._identities) <= cached_max


def test_only_keyed_hashes_and_sealed_elements_are_cached() -> None:
    pseudonyms = Pseudonyms.of(all_keys().zone("ingress"))
    sent = {(emit.key.decode(), emit.value) for emit in sent_by(pseudonyms) if emit.topic == EVENTS}
    assert pseudonyms._identities
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in pseudonyms._identities)
    assert set(pseudonyms._identities.values()) <= sent
    assert "Okafor" not in repr(pseudonyms)
