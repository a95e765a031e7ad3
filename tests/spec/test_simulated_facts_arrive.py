"""What a simulated source means is what its door reads: every fact of every journey, by each of the three doors."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random

import pytest
from council_files import ROOT, east, east_mapping

from connectors.doors import TRANSPORTS
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.lab.simulator import default_rates
from ops.lab.simulator.journeys import journeys
from ops.lab.simulator.model import COUNCIL, GP, TRUST, SimulatedEntry, SourceSlug
from ops.lab.simulator.population import people
from ops.lab.simulator.render import primary_care_fhir as gp_writes
from ops.lab.simulator.render import tier2_csv as council_writes
from ops.lab.simulator.render import tier3_hl7v2 as trust_writes
from ops.lab.simulator.sending import numbered
from schemas.source_message import SourceFact
from schemas.sources import parse

SOURCES = parse((ROOT / "connectors/sources.toml").read_text(), doors=TRANSPORTS, test_mode=True)
RECEIVED_AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
TYPES = {"start": "programme_start", "score": "questionnaire_score"}  # where the simulator's kind is another word
# field of the simulator -> of the body, by kind; `on`, the type and whether it was taken back are of every fact
FIELDS: Mapping[str, Mapping[str, str]] = {
    "referral": {
        name: name for name in ("direction", "to_tier", "provider_ods", "programme", "priority", "consultant_led",
                                "referral_source")
    },
    "triage": {"level": "level"},
    "acceptance": {"definition": "definition"},
    "decline": {"by": "declined_by", "reason": "reason"},
    "choice": {"provider_ods": "provider_ods", "offered_count": "offered_count"},
    "attendance": {
        name: name for name in ("attendance", "booked_on", "group", "medium", "purpose", "provider_ods")
    },
    "measurement": {"quantity": "quantity", "value": "value", "method": "method"},
    "completion": {"definition": "definition"},
    "discharge": {"reason": "reason"},
    "withdrawal": {"reason": "reason"},
    "medicine": {"action": "action", "code": "dmd_code", "indication": "indication", "setting": "setting",
                 "dose_mg": "dose_mg"},
    "procedure": {"code": "code", "system": "system"},
    "suspension": {"reason": "reason", "ends_on": "ends_on"},
    "rtt_status": {"code": "status"},
    "comorbidity": {"code": "condition", "present": "present"},
    "score": {"code": "questionnaire", "value": "score"},
}  # fmt: skip


def by_http(simulated: SimulatedEntry) -> SourceEntry:
    raw = gp_writes.bundle_bytes(simulated)
    (entry,) = primary_care_fhir.read(raw, source=SOURCES[GP], test_mode=True, received_at=RECEIVED_AT)
    return entry


def by_folder(simulated: SimulatedEntry) -> SourceEntry:
    raw = council_writes.file_text([council_writes.row(simulated)]).encode()
    name = hashlib.sha256(raw).hexdigest()
    (entry,) = tier2_csv.read(
        raw, source=east(), mapping=east_mapping(), file_id=name, test_mode=True, received_at=RECEIVED_AT
    ).entries
    return entry


def by_mllp(simulated: SimulatedEntry) -> SourceEntry:
    raw = trust_writes.message(simulated)
    return tier3_hl7v2.read(raw, source=SOURCES[TRUST], test_mode=True, received_at=RECEIVED_AT)


DOORS: Mapping[SourceSlug, Callable[[SimulatedEntry], SourceEntry]] = {
    GP: by_http,
    COUNCIL: by_folder,
    TRUST: by_mllp,
}


@cache
def entries() -> tuple[SimulatedEntry, ...]:
    """What the sources of 70 people send, each fact once."""
    rng, rates = Random(7), default_rates()
    return numbered(rng, journeys(rng, people(rng, 70, rates), rates))


def meant(entry: SimulatedEntry) -> Iterator[object]:
    for fact in entry.facts:
        values = {ours: _plain(getattr(fact, name)) for name, ours in FIELDS.get(fact.kind, {}).items()}
        kind = TYPES.get(fact.kind, fact.kind)
        yield kind, fact.on, fact.retracted, fact.referral is not None, fact.ubrn, tuple(sorted(values.items()))


def _plain(value: object) -> str:
    return "" if value is None else str(float(value)) if _is_number(value) else str(value)


def _is_number(value: object) -> bool:
    return hasattr(value, "quantize") or type(value) in (int, float)


def read(entry: SimulatedEntry) -> Iterator[object]:
    message = DOORS[entry.source](entry).message
    assert message is not None
    kinds = {TYPES.get(kind, kind): kind for kind in FIELDS}
    for fact in message.facts:
        if fact.body.type == "demographics" or (fact.body.type == "rtt_status" and fact.retracted):
            continue  # a status that nobody sent is taken back with its activity
        values = {ours: _plain(_value(fact, ours)) for ours in FIELDS.get(kinds.get(fact.body.type, ""), {}).values()}
        yield (
            fact.body.type,
            fact.body.on,
            fact.retracted,
            fact.referral_business_id is not None,
            fact.ubrn,
            tuple(sorted(values.items())),
        )


def _value(fact: SourceFact, name: str) -> object:
    value = getattr(fact.body, name)
    return round(value, 2) if name == "value" else value


@pytest.mark.parametrize("source", DOORS)
def test_the_door_reads_every_fact_that_the_source_means_and_no_other(source: SourceSlug) -> None:
    kinds = Counter[str]()
    for entry in (entry for entry in entries() if entry.source == source):
        assert Counter(read(entry)) == Counter(meant(entry)), entry.form
        kinds.update(fact.kind for fact in entry.facts)
    assert kinds
