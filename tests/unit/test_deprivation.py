"""The quintile of an area comes from the table that the operator supplies, and never replaces what a source said.

Source: English Indices of Deprivation 2025, File 1 (30 October 2025): LSOAs of 2021; decile 1 is the most deprived
tenth.
"""

from datetime import date

import pytest
from fhir_samples import COUNCIL, TOLD_AT

from ops.lab.known_keys import known_keys
from schemas.deprivation import AREAS_MAX, parse
from schemas.errors import InvalidField
from schemas.facts import Demographics
from schemas.identity import LocalId, Person
from schemas.source_message import SourceFact, SourceMessage
from streams.steps.pseudonyms import Pseudonyms

FILE_1 = (
    "LSOA code (2021),LSOA name (2021),Index of Multiple Deprivation (IMD) Rank,"
    "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)\n"
)
ON = date(2026, 3, 1)


def stored(table: str, **area: object) -> Demographics:
    """Demographics of an area as ingress stores them."""
    body = Demographics(on=ON, **area)  # type: ignore[arg-type]
    message = SourceMessage("M-1", TOLD_AT, Person(local_id=LocalId("C-1")), (SourceFact(body, "demographics"),))
    pseudonyms = Pseudonyms.of(known_keys("simulation", recipients=("demo",)), parse(table))
    (fact,) = pseudonyms.entry(message, COUNCIL, "entry").content.facts
    assert isinstance(fact.body, Demographics)
    return fact.body


def test_two_deciles_make_a_quintile() -> None:
    rows = "".join(f"E0100000{decile % 10},Somewhere,{decile},{decile}\n" for decile in range(1, 11))
    assert list(parse(FILE_1 + rows).values()) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_table_of_quintiles_is_read_as_it_is() -> None:
    assert parse("\ufefflsoa,imd_quintile\nE01000001,5\n\nE01000002,1\n") == {"E01000001": 5, "E01000002": 1}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "row 1"),
        ("postcode,imd_quintile\nCM1 1AA,1\n", "row 1"),
        ("lsoa,imd_quintile\nW01000001,1\n", "row 2"),
        ("lsoa,imd_quintile\nE01000001,6\n", "row 2"),
        ("lsoa,imd_quintile\nE01000001,0\n", "row 2"),
        ("lsoa,imd_quintile\nE01000001\n", "row 2"),
        ("lsoa,imd_quintile\nE01000001,1\nE01000001,2\n", "row 3"),
        (FILE_1 + "E01000001,Somewhere,1,11\n", "row 2"),
        ("lsoa,imd_quintile\n" + "\n" * AREAS_MAX, "rows"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_row(text: str, place: str) -> None:
    with pytest.raises(InvalidField, match=place):
        parse(text)


TABLE = "lsoa,imd_quintile\nE01000001,2\n"


def test_an_area_without_a_quintile_has_that_of_the_table() -> None:
    found = stored(TABLE, lsoa="E01000001", lsoa_version="2021")
    assert (found.imd_quintile, found.imd_version) == (2, "2025")


@pytest.mark.parametrize(
    "area",
    [
        {"lsoa": "E01000001", "lsoa_version": "2021", "imd_quintile": 5, "imd_version": "2019"},
        {"lsoa": "E01000001", "lsoa_version": "2011"},
        {"lsoa": "E01000009", "lsoa_version": "2021"},
        {"sex": "female"},
    ],
    ids=["the source says it", "boundaries of 2011", "not in the table", "no area"],
)
def test_anything_else_stays_as_it_was_sent(area: dict[str, object]) -> None:
    assert stored(TABLE, **area) == Demographics(on=ON, **area)  # type: ignore[arg-type]


def test_without_a_table_nothing_is_added() -> None:
    body = Demographics(on=ON, lsoa="E01000001", lsoa_version="2021")
    message = SourceMessage("M-1", TOLD_AT, Person(local_id=LocalId("C-1")), (SourceFact(body, "demographics"),))
    (fact,) = (
        Pseudonyms.of(known_keys("simulation", recipients=("demo",))).entry(message, COUNCIL, "entry").content.facts
    )
    assert fact.body == body
