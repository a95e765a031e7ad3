"""What a simulated source says of a person is what linking hears of them, by each of the three doors."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from random import Random

import pytest
from council_files import east, east_mapping
from memory_engine import sources

from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from linkage.normalise import NormalisedIdentity, normalise
from linkage.record_name import identity_of
from ops.lab.bench.linkage_world import as_linkage
from ops.lab.simulator import default_rates
from ops.lab.simulator.identities import record_identity
from ops.lab.simulator.model import (
    COUNCIL,
    GP,
    TRUST,
    Fact,
    Form,
    SimulatedEntry,
    SimulatedIdentity,
    SourceSlug,
)
from ops.lab.simulator.population import COUNTY, people
from ops.lab.simulator.render import primary_care_fhir as gp_writes
from ops.lab.simulator.render import tier2_csv as council_writes
from ops.lab.simulator.render import tier3_hl7v2 as trust_writes
from ops.lab.simulator.render.fhir_patient import patient as patient_of
from schemas.check import check
from schemas.identity import Person

SOURCE_VERSION_AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
FORMS: Mapping[SourceSlug, Form] = {GP: "referral", COUNCIL: "row", TRUST: "I12"}


def by_http(simulated: SimulatedEntry) -> SourceEntry:
    (entry,) = primary_care_fhir.read(
        gp_writes.bundle_bytes(simulated), source=sources()[GP], test_mode=True, received_at=RECEIVED_AT
    )
    return entry


def by_folder(simulated: SimulatedEntry) -> SourceEntry:
    raw = council_writes.file_text([council_writes.row(simulated)]).encode()
    name = hashlib.sha256(raw).hexdigest()
    (entry,) = tier2_csv.read(
        raw, source=east(), mapping=east_mapping(), file_id=name, test_mode=True, received_at=RECEIVED_AT
    ).entries
    return entry


def by_mllp(entry: SimulatedEntry) -> SourceEntry:
    raw = trust_writes.message(entry)
    return tier3_hl7v2.read(raw, source=sources()[TRUST], test_mode=True, received_at=RECEIVED_AT)


DOORS: Mapping[SourceSlug, Callable[[SimulatedEntry], SourceEntry]] = {
    GP: by_http,
    COUNCIL: by_folder,
    TRUST: by_mllp,
}


@cache
def identities(source: SourceSlug) -> tuple[SimulatedIdentity, ...]:
    """What 150 people's records say at the source, every clerk's slip in them, and a record that says all."""
    rng, rates = Random(6), default_rates()
    everyone = people(Random(5), 150, rates, names=COUNTY)
    identities_sent = [
        record_identity(rng, person, source, rates=rates, household_numbers=("9990000018",)) for person in everyone
    ]
    before = replace(identities_sent[0].address, line="7 Reed Close", town="Witham", postcode="CM8 1AA")
    whole = next(identity for identity in identities_sent if identity.phone and identity.email and identity.postcode)
    whole = replace(whole, old_surname="Reed", middle_name="Ada", known_as="Bo", former_address=before)
    return (*identities_sent, whole)


def entry_of(identity: SimulatedIdentity, source: SourceSlug) -> SimulatedEntry:
    day = date(2026, 3, 2)
    sent = {"direction": "sent", "to_tier": "tier2", "priority": "routine"}
    received = {"direction": "received", "to_tier": "tier3", "referral_source": "gp"}
    fact = Fact("referral", day, "000000000001", **(sent if source == GP else received))  # type: ignore[arg-type]
    message_id = "00000000-0000-4000-8000-000000000000"
    return SimulatedEntry(source, "L1", "P1", SOURCE_VERSION_AT, FORMS[source], identity, (fact,), message_id)


def person_of(entry: SourceEntry, source: SourceSlug) -> Person:
    """Who the entry is about, as ingress reads its Bundle."""
    _, message = check(entry.bundle, source=sources()[source], test_mode=True, received_at=RECEIVED_AT)
    assert message is not None, entry.checked.issues
    return message.person


def heard(identity: SimulatedIdentity, source: SourceSlug) -> NormalisedIdentity:
    return normalise(identity_of(person_of(DOORS[source](entry_of(identity, source)), source)))


def meant(identity: SimulatedIdentity, source: SourceSlug) -> NormalisedIdentity:
    said = as_linkage(identity)
    if source == COUNCIL and identity.middle_name:  # one cell holds both forenames, of the former name too
        middle = identity.middle_name
        names = [replace(name, given=(*name.given, middle)) if name.use == "old" else name for name in said.names]
        said = replace(said, names=tuple(names))
    return normalise(said)


@pytest.mark.parametrize("source", DOORS)
def test_linking_hears_all_that_a_source_says_of_a_person_and_nothing_else(source: SourceSlug) -> None:
    kinds = Counter[str]()
    for identity in identities(source):
        arrived = heard(identity, source)
        assert replace(arrived, names=()) == replace(meant(identity, source), names=())
        assert [(name.use.replace("official", "usual"), name.given, name.family) for name in arrived.names] == [
            (name.use, name.given, name.family) for name in meant(identity, source).names
        ]
        kinds.update(key for key in ("phones", "emails", "cities", "nhs_number") if getattr(arrived, key))
        kinds.update(name.use for name in arrived.names)
    assert arrived.cities[1] == "WITHAM", "the record that says all has its former address"
    assert set(kinds) == {"phones", "emails", "cities", "nhs_number", "official", "old", "nickname"}


@pytest.mark.parametrize("source", DOORS)
@pytest.mark.parametrize("what", ["phone", "email", "former_address", "middle_name"])
def test_what_a_source_leaves_out_is_not_heard(source: SourceSlug, what: str) -> None:
    identity = next(identity for identity in identities(source) if getattr(identity, what))
    assert heard(replace(identity, **{what: None}), source) != heard(identity, source)


def test_a_practice_writes_telephone_and_mailbox_as_uk_core_has_them() -> None:
    identity = replace(identities(GP)[0], phone="07012345678", email="a.b@example.org")
    patient = patient_of("L1", identity)
    assert patient["telecom"] == [
        {"system": "phone", "value": "+447012345678", "use": "mobile"},
        {"system": "email", "value": "a.b@example.org", "use": "home"},
    ]
    assert "telecom" not in patient_of("L1", replace(identity, phone=None, email=None))


def test_a_former_name_and_a_former_address_are_marked_as_old() -> None:
    home = identities(GP)[0].address
    identity = replace(identities(GP)[0], old_surname="Reed", former_address=replace(home, town="Witham"))
    patient = patient_of("L1", identity)
    assert [name["family"] for name in patient["name"] if name["use"] == "old"] == ["Reed"]
    assert [address["city"] for address in patient["address"] if address["use"] == "old"] == ["Witham"]


def test_a_trust_writes_one_repetition_for_the_mobile_and_one_for_the_mailbox() -> None:
    identity = replace(identities(TRUST)[0], phone="07012345678", email="a.b@example.org")
    pid = next(
        line for line in trust_writes.message(entry_of(identity, TRUST)).decode().split("\r") if line.startswith("PID")
    ).split("|")
    assert pid[13] == "07012345678^PRN^CP~^NET^Internet^a.b@example.org"


def test_a_stranger_of_another_clinic_has_nobodys_telephone_or_mailbox() -> None:
    from ops.lab.simulator.faults import foreign

    stranger = foreign(Random(1), entry_of(identities(TRUST)[0], TRUST), "X1").identity
    assert (stranger.phone, stranger.email, stranger.former_address) == (None, None, None)


def test_telephones_are_written_three_ways_and_heard_as_one() -> None:
    written = {
        source: json.dumps(person_of(DOORS[source](entry_of(identity, source)), source).phones)
        for source in DOORS
        for identity in (replace(identities(source)[0], phone="07012345678"),)
    }
    assert set(written.values()) == {'["+447012345678"]', '["07012 345678"]', '["07012345678"]'}
    phones = {heard(replace(identities(source)[0], phone="07012345678"), source).phones for source in DOORS}
    assert phones == {("447012345678",)}
