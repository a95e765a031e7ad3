"""Columns as fields of an identity: what is joined, what is trusted, what counts as missing."""

import pytest

from ops.errors import SettingsError
from ops.training.mapping import Reader, Spellings, TableRecord, foreign_postcode, parse_map
from ops.training.tables import InputTable

VALID, MISTYPED = "943 476 5919", "9434765918"


def table_records(
    columns: str, *rows: tuple[str, ...], mapped: str, any_postcode: bool = False
) -> tuple[TableRecord, ...]:
    """The rows of a table as identities."""
    reader = Reader(parse_map([mapped]), Spellings(any_postcode=any_postcode))
    return reader.read(InputTable("t.csv", tuple(columns.split(",")), rows), truth=None)


def test_a_map_names_columns_for_fields_and_joins_two_with_a_blank() -> None:
    columns = parse_map(["house=street_number+address_1, family=surname", "given=forename"])
    assert columns == {
        "house": ("street_number", "address_1"),
        "family": ("surname",),
        "given": ("forename",),
    }
    (item,) = table_records("n,s", ("8", "stanley street"), mapped="house=n+s")
    assert item.identity.houses == ("8 STANLEY STREET",)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("family", "field=column"),
        ("family=", "field=column"),
        ("family=a+", "field=column"),
        ("surname=a", "no field surname"),
        ("family=a,family=b", "twice"),
        ("", "field=column"),
    ],
)
def test_a_broken_map_is_refused_with_its_rule(text: str, rule: str) -> None:
    with pytest.raises(SettingsError, match=rule):
        parse_map([text])


def test_a_field_nobody_maps_is_missing() -> None:
    (item,) = table_records("s", ("Smith",), mapped="family=s")
    assert item.identity.names[0].family == "SMITH"
    assert (item.identity.birth_date, item.identity.sex, item.identity.postcodes) == (None, None, ())


def test_nhs_numbers_are_trusted_when_valid_and_claimed_when_mistyped() -> None:
    good, bad = table_records("n", (VALID,), (MISTYPED,), mapped="nhs_number=n")
    assert good.identity.nhs_number == "9434765919"
    assert bad.identity.nhs_number is None
    assert bad.identity.nhs_number_claimed == MISTYPED


def test_numbers_of_another_scheme_veto_nothing_even_where_one_passes_the_check() -> None:
    rows = table_records("n", (VALID,), (MISTYPED,), ("1234567890",), mapped="nhs_number=n")
    assert [row.identity.nhs_number for row in rows] == [None, None, None]
    (short,) = table_records("n", ("5304218",), mapped="nhs_number=n")
    assert (short.identity.nhs_number, short.identity.nhs_number_claimed) == (None, "0005304218")


@pytest.mark.parametrize(
    ("text", "sex"), [("F", "female"), ("male", "male"), ("2", "female"), ("9", None), ("x", None)]
)
def test_gender_is_a_word_a_letter_or_the_nhs_code(text: str, sex: str | None) -> None:
    (item,) = table_records("g", (text,), mapped="gender=g")
    assert item.identity.sex == sex


def test_what_was_filled_and_could_not_be_read_is_counted() -> None:
    reader = Reader(parse_map(["birth_date=d,gender=g"]))
    reader.read(InputTable("t.csv", ("d", "g"), (("12/03/85", "?"), ("", ""), ("1985-03-12", "F"))), truth=None)
    assert (reader.unread["birth_date"], reader.unread["gender"]) == (1, 1)


def test_foreign_postcodes_survive_cleaning_only_when_asked_for_and_keep_their_neighbours() -> None:
    kept = [table_records("p", (code,), mapped="postcode=p", any_postcode=True)[0] for code in ("4223", "4226")]
    first, second = (item.identity.postcodes[0] for item in kept)
    assert (first != second, first[:-2] == second[:-2]) == (True, True)  # two codes, one sector
    (dropped,) = table_records("p", ("4223",), mapped="postcode=p")
    assert dropped.identity.postcodes == ()
    assert foreign_postcode("--") == ""


def test_records_are_named_by_row_or_by_a_column_that_names_each_once() -> None:
    assert [text.record for text in table_records("s", ("a",), ("b",), mapped="family=s")] == ["1", "2"]
    assert [text.record for text in table_records("s", ("a",), ("b",), mapped="family=s,record=s")] == [
        "a",
        "b",
    ]
    with pytest.raises(SettingsError, match="two rows of one record"):
        table_records("s", ("a",), ("a",), mapped="family=s,record=s")


def test_what_a_row_tells_is_not_shown() -> None:
    (item,) = table_records("s", ("Featherstonehaugh",), mapped="family=s")
    assert "Featherstonehaugh" not in repr(item)
