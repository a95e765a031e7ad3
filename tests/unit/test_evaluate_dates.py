"""Birth dates as files write them: read where they can only mean one thing, else missing or refused."""

import pytest

from ops.errors import SettingsError
from ops.training.dates import birth_date, check_column, check_spelling


@pytest.mark.parametrize(
    ("text", "spelling", "read"),
    [
        ("1985-03-12", "auto", "1985-03-12"),
        ("1985-03-12T00:00:00Z", "auto", "1985-03-12"),
        ("1985-03-12 00:00:00", "auto", "1985-03-12"),
        ("1985/3/2", "auto", "1985-03-02"),
        ("19850312", "auto", "1985-03-12"),
        ("12/03/1985", "auto", "1985-03-12"),
        ("2.3.1985", "auto", "1985-03-02"),
        ("12 Mar 1985", "auto", "1985-03-12"),
        ("12-MAR-1985", "auto", "1985-03-12"),
        ("1st March 1985", "auto", "1985-03-01"),
        ("March 12, 1985", "auto", "1985-03-12"),
        ("03/12/1985", "mdy", "1985-03-12"),
        ("12031985", "dmy", "1985-03-12"),
        ("12|1985|03", "%d|%Y|%m", "1985-03-12"),
        ("1985", "auto", "1985"),
        ("1985-03", "auto", "1985-03"),
        ("", "auto", None),
        ("12/03/85", "auto", None),
        ("12 Foo 1985", "auto", None),
        ("31118", "auto", None),
        ("not known", "auto", None),
        ("12/03/1985", "%Y-%m-%d", None),
    ],
)
def test_a_birth_date_is_read_in_its_spelling(text: str, spelling: str, read: str | None) -> None:
    assert birth_date(text, spelling=spelling) == read


def test_a_day_the_calendar_does_not_have_is_left_to_cleaning() -> None:
    assert birth_date("19371301") == "1937-13-01"


def test_a_column_of_spreadsheet_serials_is_refused_and_a_few_slips_are_not() -> None:
    with pytest.raises(SettingsError, match="serial"):
        check_column("dob", ["31118", "29221.0", ""], spelling="auto")
    check_column("dob", ["1985-03-12", "1985-03-13", "31118"], spelling="auto")


def test_a_column_with_the_month_first_is_refused_until_somebody_says_so() -> None:
    cells = ["03/25/1985", "04/05/1985", "12/31/1990"]
    with pytest.raises(SettingsError, match="--dates mdy"):
        check_column("dob", cells, spelling="auto")
    check_column("dob", cells, spelling="mdy")
    check_column("dob", ["25/03/1985", "31/12/1990", "03/25/1985"], spelling="auto")


def test_an_unknown_spelling_is_refused() -> None:
    with pytest.raises(SettingsError, match="--dates"):
        check_spelling("american")
