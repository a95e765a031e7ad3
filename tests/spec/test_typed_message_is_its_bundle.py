"""What a door tells in types is what its Bundle says: ingress reads the first, and `--recheck` holds both equal.

Over every message that this project has written down or simulates: all golden messages of all doors.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import get_args

import pytest
from case_answers import CASES, SOURCES
from memory_engine import RECEIVED_AT, START_MS, all_keys, intake_keys, published, sealed_entry, sources

from connectors import mapping as mappings
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.lab.bench.restart_world import entries_of
from ops.lab.memory_engine.parts import bucket_keys_of
from ops.lab.simulator import default_rates, simulate
from ops.runtime.paths import packaged
from schemas import typed_message
from schemas.check import check
from schemas.facts import FactBody
from schemas.sources import Source
from streams.steps.ingress import IngressStep
from streams.steps.outcome import Claim, Emit, Message
from streams.steps.vault import VaultState

GOLDEN = CASES.parent
AcceptedEntry = tuple[Source, SourceEntry]


def fhir(content: bytes, source: Source) -> Iterator[AcceptedEntry]:
    for entry in primary_care_fhir.read(content, source=source, test_mode=True, received_at=RECEIVED_AT):
        yield source, entry


def hl7(content: bytes, source: Source) -> Iterator[AcceptedEntry]:
    for message in tier3_hl7v2.split(content):
        yield source, tier3_hl7v2.read(message, source=source, test_mode=True, received_at=RECEIVED_AT)


def rows(content: bytes, source: Source, mapping: str) -> Iterator[AcceptedEntry]:
    file_id, parsed = hashlib.sha256(content).hexdigest(), mappings.parse(packaged("connectors.mappings", mapping))
    read = tier2_csv.read(
        content, source=source, mapping=parsed, file_id=file_id, test_mode=True, received_at=RECEIVED_AT
    )
    return ((source, entry) for entry in read.entries)


@cache
def accepted_entries() -> tuple[AcceptedEntry, ...]:
    """Every accepted entry of every golden message, and of a simulated feed."""
    found: list[AcceptedEntry] = []
    for path in sorted(GOLDEN.rglob("*.json")):
        found += fhir(path.read_bytes(), SOURCES["fhir"]) if "link" not in path.parts else ()
        found += fhir(path.read_bytes(), sources()["gp-hub"])
    for path in sorted(GOLDEN.rglob("*.hl7")):
        for source in (SOURCES["hl7"], sources()["trust-wm"]):
            found += hl7(path.read_bytes(), source)
    for path in sorted(GOLDEN.rglob("*.csv")):
        if "report" not in path.name:
            found += rows(path.read_bytes(), SOURCES["csv"], "council-east.toml")
            found += rows(path.read_bytes(), sources()["council-east"], "council-east.toml")
    for delivery in simulate(5, 60, rates=default_rates()).deliveries:
        found += ((sources()[delivery.source], entry) for entry in entries_of(delivery))
    return tuple(item for item in found if item[1].message is not None)


def test_there_is_something_of_every_door_and_every_kind_of_fact() -> None:
    forms = {entry.form for _, entry in accepted_entries()}
    kinds = {fact.body.type for _, entry in accepted_entries() if entry.message for fact in entry.message.facts}
    assert forms == {"fhir", "hl7v2", "csv"}
    assert len(accepted_entries()) > 500
    assert kinds == {str(kind.model_fields["type"].default) for kind in get_args(FactBody)}


def test_a_typed_message_is_read_as_it_was_accepted_entries() -> None:
    for source, entry in accepted_entries():
        assert entry.message is not None
        assert typed_message.parse(typed_message.dump(entry.message), source=source, test_mode=True) == entry.message


def test_the_bundle_says_the_same_as_the_typed_message() -> None:
    for source, entry in accepted_entries():
        assert entry.message is not None
        when = entry.message.source_version_at
        _, again = check(entry.bundle, source=source, test_mode=True, received_at=when)
        assert again is not None
        assert typed_message.dump(again) == typed_message.dump(entry.message)


@pytest.mark.parametrize("slug", ["gp-hub", "trust-wm", "council-east"])
def test_ingress_answers_the_same_with_and_without_reading_the_bundle(slug: str) -> None:
    zone = all_keys().zone("ingress")
    believing = IngressStep(zone, sources(), intake=intake_keys, data_keys=bucket_keys_of("ingress"), test_mode=True)
    checking = IngressStep(
        zone, sources(), intake=intake_keys, data_keys=bucket_keys_of("ingress"), test_mode=True, recheck=True
    )
    entries = [entry for source, entry in accepted_entries() if source is sources()[slug]]
    for entry in entries:
        emit = published(slug, sealed_entry(slug, entry))
        found = Message(emit.topic, emit.partition, 0, emit.key, emit.value, emit.headers, START_MS)
        outcomes = believing.advance(VaultState(), found)[1]
        assert outcomes == checking.advance(VaultState(), found)[1]
        assert all(isinstance(outcome, Emit | Claim) for outcome in outcomes)
    assert len(entries) > 20
