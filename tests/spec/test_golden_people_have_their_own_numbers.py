"""Nobody in the golden files has a number that a patient may have, or somebody else's.

A golden message is sent to engines by people who try them: two people under one NHS number would become one there, and
a number of the issued ranges is somebody's. Who is who: family name and date of birth, as far as the message says them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from case_answers import CASES, MAPPINGS, RECEIVED_AT, SOURCES, readings_of

from connectors import mapping as mappings
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from schemas.check import check
from schemas.errors import InvalidField
from schemas.identity import NHSNumber, Person
from schemas.sources import Source

GOLDEN = CASES.parent
TEN_DIGITS = re.compile(rb"(?<![0-9.])([0-9]{3})[ -]?([0-9]{3})[ -]?([0-9]{4})(?![0-9])")


def entries() -> Iterator[tuple[SourceEntry, Source]]:
    """Every entry of every golden file that is one of a door."""
    for door, pattern in (("hl7", "*.hl7"), ("fhir", "*.json"), ("csv", "*.csv")):
        for path in sorted((CASES / door).glob(pattern)):
            yield from ((reading.entry, reading.source) for reading in readings_of(door, path.name))
    for path in sorted((GOLDEN / "tier3").glob("*.hl7")):
        for part in tier3_hl7v2.split(path.read_bytes()):
            source = SOURCES["hl7"]
            yield tier3_hl7v2.read(part, source=source, test_mode=True, received_at=RECEIVED_AT), source
    for path in sorted((GOLDEN / "primary_care").glob("*.bundle.json")):
        source = SOURCES["fhir"]
        for entry in primary_care_fhir.read(path.read_bytes(), source=source, test_mode=True, received_at=RECEIVED_AT):
            yield entry, source
    for name in ("council-east", "council-west"):
        yield from ((entry, SOURCES["csv"]) for entry in rows(name))


def rows(name: str) -> tuple[SourceEntry, ...]:
    found = tier2_csv.read(
        (GOLDEN / f"tier2/{name}.csv").read_bytes(),
        source=SOURCES["csv"],
        mapping=mappings.parse((MAPPINGS / f"{name}.toml").read_text()),
        file_id="0" * 64,
        test_mode=True,
        received_at=RECEIVED_AT,
    )
    return tuple(found.entries)


@cache
def people() -> tuple[Person, ...]:
    """Who the golden messages are about, once for each message."""
    found = []
    for entry, source in entries():
        if entry.bundle is not None:
            _, message = check(entry.bundle, source=source, test_mode=True, received_at=RECEIVED_AT)
            found.append(message.person if message else Person())
    return tuple(found)


def shared_numbers(everyone: tuple[Person, ...]) -> list[str]:
    """Numbers under which two people stand; a missing name or birth date contradicts nobody."""
    bearers: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for person in everyone:
        who = (person.names[0].family.casefold() if person.names else "", str(person.birth_date or ""))
        for number in {person.nhs_number, *person.former_nhs_numbers} - {None}:
            assert number is not None
            bearers[number.digits].append(who)
    return sorted(number for number, found in bearers.items() if not _one_person(found))


def _one_person(found: list[tuple[str, str]]) -> bool:
    return all(len(set(part) - {""}) <= 1 for part in zip(*found, strict=True))


def test_no_two_golden_people_have_one_number() -> None:
    assert len(people()) > 250
    assert shared_numbers(people()) == []


def test_a_number_of_two_people_would_be_seen() -> None:
    first, *others = (person for person in people() if person.nhs_number and person.names)
    stranger = next(person for person in others if person.names[0].family != first.names[0].family)
    taken = Person(nhs_number=first.nhs_number, names=stranger.names)
    assert first.nhs_number is not None
    assert shared_numbers((first, taken)) == [first.nhs_number.digits]


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.*")), ids=lambda path: str(path.relative_to(GOLDEN)))
def test_no_golden_file_holds_a_number_that_a_patient_may_have(path: Path) -> None:
    real = []
    for groups in TEN_DIGITS.findall(path.read_bytes().replace(b"\x00", b"")):
        try:
            number = NHSNumber.parse(b"".join(groups).decode(), test_mode=True)
        except InvalidField:
            continue
        real += [number] if number.may_be_real else []
    assert real == []


def test_every_number_of_golden_people_is_of_the_test_range() -> None:
    numbers = {person.nhs_number for person in people()} - {None}
    assert len(numbers) > 150
    assert all(number.digits.startswith("999") for number in numbers if number)
