"""In test mode a number that a patient may have is named at its field, at every door; in production it is everyday."""

from collections.abc import Callable, Iterator

import pytest
from case_answers import MAPPINGS, RECEIVED_AT, SOURCES
from fhir_samples import GP_HUB, referral_bundle
from hl7_messages import PID, TRUST, message

from connectors import mapping as mappings
from connectors.sources import tier2_csv, tier3_hl7v2
from schemas.check import check
from schemas.errors import Issue
from schemas.identity import NOT_FOR_TESTS, NHSNumber

ISSUED = ("0101000006", "3201234567", "4010232137", "6000000065", "7000000007")
SYNTHETIC = ("9990000018", "9000000009", "9434765919")  # tests, the sandbox of PDS, the Data Dictionary's example


def by_hl7(number: str, test_mode: bool) -> Iterator[Issue]:
    segment = PID.replace("9990000018", number)
    raw = message("ADT^A31", segment)
    yield from tier3_hl7v2.read(raw, source=TRUST, test_mode=test_mode, received_at=RECEIVED_AT).checked.issues


def by_fhir(number: str, test_mode: bool) -> Iterator[Issue]:
    document = referral_bundle(Patient=lambda patient: patient["identifier"][0].update(value=number))
    yield from check(document, source=GP_HUB, test_mode=test_mode, received_at=RECEIVED_AT)[0].issues


def by_file(number: str, test_mode: bool) -> Iterator[Issue]:
    text = (MAPPINGS.parents[1] / "tests/golden/tier2/council-west.csv").read_text().replace("9990000018", number)
    found = tier2_csv.read(
        text.encode(),
        source=SOURCES["csv"],
        mapping=mappings.parse((MAPPINGS / "council-west.toml").read_text()),
        file_id="0" * 64,
        test_mode=test_mode,
        received_at=RECEIVED_AT,
    )
    yield from next(entry for entry in found.entries if entry.position == 2).checked.issues


DOORS = [
    (by_hl7, "PID-3.1"),
    (by_fhir, "Bundle.entry[1].resource.identifier[0].value"),
    (by_file, "row 2, column nhs number"),
]


@pytest.mark.parametrize(("door", "place"), DOORS)
@pytest.mark.parametrize("number", ISSUED)
def test_a_number_of_an_issued_range_is_a_warning_in_test_mode_alone(
    number: str, door: Callable[[str, bool], Iterator[Issue]], place: str
) -> None:
    assert NHSNumber.parse(number, test_mode=True).digits == number
    named = [
        (issue.severity.value, issue.location.casefold()) for issue in door(number, True) if NOT_FOR_TESTS in issue.rule
    ]
    assert named == [("warning", place.casefold())]
    assert not any(NOT_FOR_TESTS in issue.rule for issue in door(number, False))


@pytest.mark.parametrize("door", [by_hl7, by_fhir, by_file])
@pytest.mark.parametrize("number", SYNTHETIC)
def test_a_number_that_nobody_has_is_none(number: str, door: Callable[[str, bool], Iterator[Issue]]) -> None:
    assert not any(NOT_FOR_TESTS in issue.rule for issue in door(number, True))


def test_a_superseded_number_is_named_too() -> None:
    segment = PID.replace("9990000018^^^NHS^NH", "4010232137^^^NHS^NH^^20200101^20210101")
    entry = tier3_hl7v2.read(message("ADT^A31", segment), source=TRUST, test_mode=True, received_at=RECEIVED_AT)
    assert [(issue.location, issue.rule) for issue in entry.checked.issues] == [("PID-3.1", NOT_FOR_TESTS)]
