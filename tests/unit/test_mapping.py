"""A file mapping is written by a council's engineer: what it takes, and what it says when it is wrong."""

from pathlib import Path

import pytest
from council_files import SMALLEST, mapping_text

from connectors.mapping import header_key, parse
from schemas.errors import InvalidField

MAPPINGS = sorted((Path(__file__).resolve().parents[2] / "connectors/mappings").glob("*.toml"))

WEIGHT = 'type = "measurement"\nquantity = "weight"\nvalue = { column = "w" }'


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_every_mapping_in_the_project_parses_and_is_named_as_its_file(path: Path) -> None:
    assert parse(path.read_text(encoding="utf-8")).name == path.stem


def test_the_smallest_mapping_needs_only_a_person_and_one_fact() -> None:
    mapping = parse(SMALLEST)
    assert [group.type for group in mapping.facts] == ["discharge"]
    assert {column.header for column in mapping.columns()} == {"id", "ended"}


def test_headers_are_the_same_whatever_their_case_spaces_underscores_and_hyphens() -> None:
    assert {header_key(header) for header in ("nhs_no", "NHS No", " nhs-NO ")} == {"nhsno"}


@pytest.mark.parametrize(
    ("instead", "of", "field"),
    [
        ("this is not TOML =", 'mapping = "small"', "mapping"),
        ('mapping = ""', 'mapping = "small"', "mapping.mapping"),
        ('service = ""', 'service = "adult-weight-management"', "file.service"),
        ('delimiter = "|"', 'delimiter = ","', "file.delimiter"),
        ('delimiter = ","\ncolour = "red"', 'delimiter = ","', "file.colour"),
        ('date = "dd/mm/yy"', 'date = "yyyy-mm-dd"', "dates.date"),
        ('date = "yyyy-mm-dd"\ndatetime = "iso"', 'date = "yyyy-mm-dd"', "dates.datetime"),
        ('zone = "Europe/Paris"', 'zone = "UTC"', "dates.zone"),
        ("[row]\nrequired = 3", "[row]", "row.required"),
        ('[row]\ntold_at = "updated"', "[row]", "row.told_at"),
        ("", '[person]\nlocal_id = { column = "id" }', "person"),
        ('postcode = { column = "pc" }', 'local_id = { column = "id" }', "person.local_id"),
        ('local_id = "id"', 'local_id = { column = "id" }', "person.local_id"),
        ('local_id = { column = "" }', 'local_id = { column = "id" }', "person.local_id"),
        ('local_id = { column = "id", size = 3 }', 'local_id = { column = "id" }', "person.local_id.size"),
        ('local_id = { column = "id", codes = "any" }', 'local_id = { column = "id" }', "person.local_id"),
        (
            'local_id = { column = "id" }\nsex = { column = "s" }',
            'local_id = { column = "id" }',
            "person.sex",
        ),
        (
            'local_id = { column = "id" }\nage = { column = "s" }',
            'local_id = { column = "id" }',
            "person.age",
        ),
        ("[[facts]]", "[[fact]]", "mapping.fact"),
        ('type = "wedding"', 'type = "discharge"', "fact[0].type"),
        ("key = []", 'key = ["id"]', "fact[0].key"),
        ("", 'on = { column = "ended" }', "fact[0].on"),
        ('on = "2026-01-01"', 'on = { column = "ended" }', "fact[0].on"),
        ('type = "discharge"\nreason = { column = "r" }', 'type = "discharge"', "fact[0].reason"),
        (
            'type = "discharge"\nreason = { column = "r", codes = "none" }',
            'type = "discharge"',
            "fact[0].reason.codes",
        ),
        ('type = "discharge"\nreason = "Smith"', 'type = "discharge"', "fact[0].reason"),
        ('type = "discharge"\nweight = { column = "w" }', 'type = "discharge"', "fact[0].weight"),
        (
            'type = "attendance"\nattendance = { column = "x", codes = "any" }',
            'type = "discharge"',
            "fact[0].attendance",
        ),
        ('type = "completion"', 'type = "discharge"', "fact[0].definition"),
        ('type = "referral"', 'type = "discharge"', "fact[0].direction"),
        ('type = "referral"\ndirection = "sideways"', 'type = "discharge"', "fact[0].direction"),
        ('type = "referral"\ndirection = { column = "d" }', 'type = "discharge"', "fact[0].direction"),
        ('type = "measurement"\nquantity = "weight"', 'type = "discharge"', "fact[0].value"),
        (
            'type = "measurement"\nquantity = "weight"\nvalue = { column = "w" }',
            'type = "discharge"',
            "fact[0].unit",
        ),
        (
            WEIGHT + '\nunit = "cm"',
            'type = "discharge"',
            "fact[0].unit",
        ),
        (
            WEIGHT + '\nunit = "kg"\nplus = { column = "p" }',
            'type = "discharge"',
            "fact[0].plus",
        ),
        (
            WEIGHT + '\nunit = "[stone_av]"\nplus = { column = "p" }\nplus_unit = "kg"',
            'type = "discharge"',
            "fact[0].plus_unit",
        ),
        ('A = "1"\na = "other"', 'a = "other"', "codes.any.a"),
        ("a = 1.5", 'a = "other"', "codes.any.a"),
    ],
)
def test_a_wrong_mapping_is_refused_naming_the_table_and_the_key(instead: str, of: str, field: str) -> None:
    assert SMALLEST.count(of) == 1, "the change must hit one place"
    with pytest.raises(InvalidField) as refused:
        parse(SMALLEST.replace(of, instead))
    assert refused.value.field == field


def test_a_code_that_no_closed_list_has_is_refused_before_any_file_is_read() -> None:
    text = mapping_text().replace('"moved away" = "moved-away"', '"moved away" = "gone"')
    with pytest.raises(InvalidField, match="closed list") as refused:
        parse(text)
    assert refused.value.field == "fact[3].reason"
