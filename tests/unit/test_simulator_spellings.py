"""However a simulated source spells an entry, a door hears the same facts about the same record."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from random import Random

import pytest
from council_files import east, east_mapping
from memory_engine import sources

from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.lab.simulator import default_rates
from ops.lab.simulator.faults import with_corrections
from ops.lab.simulator.journeys import journeys
from ops.lab.simulator.model import COUNCIL, GP, TRUST, SimulatedEntry, SourceSlug
from ops.lab.simulator.population import people
from ops.lab.simulator.render import no_facts
from ops.lab.simulator.render import primary_care_fhir as gp_writes
from ops.lab.simulator.render import tier2_csv as council_writes
from ops.lab.simulator.render import tier3_hl7v2 as trust_writes
from ops.lab.simulator.sending import numbered
from ops.lab.simulator.spellings import as_usual, spelt
from schemas.check import check
from schemas.disposition import Verdict
from schemas.source_message import SourceFact, SourceMessage

RECEIVED_AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
SPELLINGS = tuple(tuple(key.split()) for key in default_rates().spelling)


def by_http(simulated: SimulatedEntry) -> SourceEntry:
    raw = gp_writes.bundle_bytes(simulated)
    (entry,) = primary_care_fhir.read(raw, source=sources()[GP], test_mode=True, received_at=RECEIVED_AT)
    return entry


def by_folder(simulated: SimulatedEntry) -> SourceEntry:
    raw = council_writes.file_text([council_writes.row(simulated)]).encode()
    read = tier2_csv.read(
        raw, source=east(), mapping=east_mapping(), file_id="f", test_mode=True, received_at=RECEIVED_AT
    )
    (entry,) = read.entries
    return entry


def by_mllp(simulated: SimulatedEntry) -> SourceEntry:
    raw = trust_writes.message(simulated)
    return tier3_hl7v2.read(raw, source=sources()[TRUST], test_mode=True, received_at=RECEIVED_AT)


DOORS: Mapping[str, Callable[[SimulatedEntry], SourceEntry]] = {GP: by_http, COUNCIL: by_folder, TRUST: by_mllp}
WRITERS: Mapping[str, Callable[[SimulatedEntry], object]] = {
    GP: gp_writes.bundle_bytes,
    COUNCIL: council_writes.row,
    TRUST: trust_writes.message,
}


@cache
def entries() -> tuple[SimulatedEntry, ...]:
    rng, rates = Random(4), default_rates()
    written = with_corrections(rng, journeys(rng, people(rng, 150, rates), rates), rates)
    return spelt(numbered(rng, written), rates)


def heard(entry: SimulatedEntry) -> tuple[Verdict, SourceMessage]:
    read = DOORS[entry.source](entry)
    _, message = check(read.bundle, source=sources()[entry.source], test_mode=True, received_at=RECEIVED_AT)
    assert message is not None, read.checked.issues
    return read.checked.verdict, message


def facts_of(message: SourceMessage) -> list[SourceFact]:
    """The facts, a result of HL7 by its order and place alone: OBX-3, its code, is part of what names it."""
    return [replace(fact, business_id=re.sub("/.+/", "/", fact.business_id or "")) for fact in message.facts]


def in_some_entries(name: str, source: str, count: int = 25) -> Iterator[tuple[SimulatedEntry, SimulatedEntry]]:
    """Entries as usual, and with that spelling alone, where it makes a difference."""
    for entry in entries():
        usual = as_usual(entry)
        otherwise = replace(entry, spellings=frozenset({name}))
        if entry.source == source and WRITERS[source](usual) != WRITERS[source](otherwise):
            yield usual, otherwise
            count -= 1
            if not count:
                return


@pytest.mark.parametrize(("name", "source"), SPELLINGS)
def test_a_spelling_changes_what_is_sent_and_nothing_that_is_meant(name: str, source: str) -> None:
    compared = 0
    for usual, otherwise in in_some_entries(name, source):
        (_, meant), (verdict, message) = heard(usual), heard(otherwise)
        assert verdict in (Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS)
        assert facts_of(message) == facts_of(meant)
        assert message.person == meant.person
        compared += 1
    assert compared > 2


def test_every_entry_with_all_its_spellings_is_accepted_and_means_the_same() -> None:
    verdicts = Counter[Verdict]()
    for entry in entries()[::4]:
        (_, meant), (verdict, message) = heard(as_usual(entry)), heard(entry)
        assert facts_of(message) == facts_of(meant)
        assert message.person.local_id == meant.person.local_id
        assert message.person.nhs_number == meant.person.nhs_number
        verdicts[verdict] += 1
    assert set(verdicts) <= {Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS}


@pytest.mark.parametrize("source", [GP, COUNCIL, TRUST])
def test_spellings_are_drawn_as_often_as_the_rates_say(source: SourceSlug) -> None:
    drawn = [entry.spellings for entry in entries() if entry.source == source]
    for name, of in SPELLINGS:
        if of == source:
            share = sum(name in spellings for spellings in drawn) / len(drawn)
            assert share == pytest.approx(default_rates().spelling[f"{name} {of}"], abs=0.12)


@pytest.mark.parametrize("source", [COUNCIL, TRUST])
def test_a_number_with_a_slip_is_claimed_as_the_same_ten_digits_in_every_spelling(source: SourceSlug) -> None:
    claims = set()
    for _, otherwise in in_some_entries("nhs_as_text", source):
        slip = replace(otherwise.identity, nhs_number="9990000019")  # Modulus 11 asks for 8
        _, message = heard(replace(otherwise, identity=slip))
        assert message.person.nhs_number is None
        claims.add(message.person.nhs_number_claimed)
    assert claims == {"9990000019"}


def test_a_correction_is_written_as_what_it_corrects_was() -> None:
    by_number = {entry.number: entry for entry in entries()}
    corrections = [entry for entry in entries() if entry.corrects]
    assert len(corrections) > 20
    assert all(entry.spellings == by_number[entry.corrects or ""].spellings for entry in corrections)
    results = [entry for entry in corrections if entry.form == "R01"]
    for entry in results:
        codes = [
            re.findall(rb"OBX[|]1[|]NM[|]([^|]+)", trust_writes.message(of))
            for of in (entry, by_number[entry.corrects or ""])
        ]
        assert codes[0] == codes[1] != []


def test_the_weight_that_tells_no_fact_would_be_one_without_what_denies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    affirmed = {"status": "final", "valueQuantity": no_facts._TOO_HEAVY}
    monkeypatch.setattr(no_facts, "_NO_MEASUREMENT", (affirmed,))
    for usual, otherwise in in_some_entries("no_measurement_beside", GP, 5):
        assert len(heard(otherwise)[1].facts) == len(heard(usual)[1].facts) + 1


def test_every_element_that_tells_no_fact_has_an_issue_at_its_place() -> None:
    for name, source in SPELLINGS:
        if name.startswith("no_"):
            for usual, otherwise in in_some_entries(name, source):
                issues = [DOORS[source](entry).checked.issues for entry in (usual, otherwise)]
                assert set(issues[1]) - set(issues[0]), (name, source)
