"""Closed lists stay closed, and units turn into kilograms and centimetres exactly."""

import doctest
from decimal import Decimal

import pytest

from schemas import codes, units, uris
from schemas.errors import InvalidField
from schemas.facts import Measurement, Referral
from schemas.fhir.bodies import known_code
from schemas.sources import Source

HUB = Source("hub", "Y00001", "primary_care", "fhir_http", frozenset({"408289007"}))
A_PERSONS = [
    "9990000018",
    "999 000 0018",
    "Zyxwvutsrqpo",
    "Smith",
    "1971-03-14",
    "19710314",
    "LS1 4HR",
    "LS14HR",
]


@pytest.mark.parametrize("module", [codes, units, uris])
def test_the_examples_in_the_docstrings_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "field",
    [
        "programme",
        "referral_source",
        "reason",
        "level",
        "questionnaire",
        "council",
        "definition",
        "dmd_code",
        "provider_ods",
        "practice_ods",
    ],
)
@pytest.mark.parametrize("text", A_PERSONS)
def test_nothing_that_names_a_person_passes_as_a_code(field: str, text: str) -> None:
    assert known_code(field, text, HUB) is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("programme", "dwmp"),
        ("referral_source", "pharmacy"),
        ("reason", "bmi-too-low"),
        ("level", "2"),
        ("council", "E06000001"),
        ("council", "102"),
        ("definition", "loss-5pct/1"),
        ("definition", "attended-8-of-12/1"),
        ("dmd_code", "777514008"),
        ("dmd_code", "33747711000001102"),
        ("provider_ods", "rxx01"),
        ("practice_ods", "V81997"),
    ],
)
def test_the_codes_of_the_lists_pass(field: str, text: str) -> None:
    assert known_code(field, text, HUB) is not None


def test_a_programme_of_the_sources_own_configuration_passes_there_and_nowhere_else() -> None:
    trust = Source("t", "RXX", "tier3", "hl7_mllp", frozenset({"WMS"}), programme="our-own-clinic")
    assert known_code("programme", "our-own-clinic", trust) == "our-own-clinic"
    assert known_code("programme", "our-own-clinic", HUB) is None


def test_every_snomed_code_of_the_tables_has_its_check_digit() -> None:
    snomed = [code for system, code in codes.MEASUREMENT if system == uris.SNOMED]
    for code in [*snomed, *codes.REFERRAL_TIER, *codes.COMORBIDITY, *codes.REASONS_FOR_REFERRAL]:
        assert codes.is_sctid(code), code
        assert not codes.is_sctid(code[:-1] + str((int(code[-1]) + 1) % 10))


def test_every_literal_of_the_facts_that_we_write_has_its_code() -> None:
    quantities = Measurement.model_fields["quantity"].annotation
    assert set(codes.MEASUREMENT_CODE) == set(units.DIMENSION_OF) == set(units.PLAUSIBLE)
    assert set(getattr(quantities, "__args__", ())) == set(codes.MEASUREMENT_CODE)
    assert "two-week-wait" in str(Referral.model_fields["priority"].annotation)


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "expected"),
    [
        ("82.4", "kg", "weight", "82.40"),
        ("82400", "g", "weight", "82.40"),
        ("181.5", "[lb_av]", "weight", "82.33"),
        ("13", "[stone_av]", "weight", "82.55"),
        ("1.64", "m", "height", "164.00"),
        ("164", "cm", "height", "164.00"),
        ("64.5", "[in_i]", "height", "163.83"),
        ("5.5", "[ft_i]", "height", "167.64"),
        ("41.25", "kg/m2", "bmi", "41.25"),
        ("40", "[in_i]", "waist", "101.60"),
    ],
)
def test_units_convert_exactly_and_round_half_up(value: str, unit: str, quantity: str, expected: str) -> None:
    assert str(units.converted(Decimal(value), unit, quantity=quantity)) == expected


@pytest.mark.parametrize(
    ("value", "unit", "field"),
    [
        ("82", "firkin", "unit"),
        ("82", "cm", "unit"),
        ("0", "kg", "value"),
        ("-1", "kg", "value"),
        ("0.001", "kg", "value"),
        ("NaN", "kg", "value"),
        ("Infinity", "kg", "value"),
        ("9990000018", "g", "value"),
    ],
)
def test_what_cannot_be_a_weight_is_refused(value: str, unit: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        units.converted(Decimal(value), unit, quantity="weight")
    assert refused.value.field == field


@pytest.mark.parametrize(("kilograms", "likely"), [("34.99", False), ("35", True), ("500", True), ("500.01", False)])
def test_plausible_is_inclusive(kilograms: str, likely: bool) -> None:
    assert units.plausible(Decimal(kilograms), quantity="weight") is likely


@pytest.mark.parametrize(
    "spelling",
    ["http://fhir.nhs.uk/Id/ods-organization-code", "https://fhir.nhs.uk/id/ODS-organization-code/"],
)
def test_variant_spellings_of_a_system_are_one(spelling: str) -> None:
    assert uris.canonical_uri(spelling) == uris.ODS_ORGANISATION


def test_a_system_we_do_not_know_stays_as_it_is() -> None:
    assert uris.canonical_uri("https://trust.example/MRN/") == "https://trust.example/MRN/"
