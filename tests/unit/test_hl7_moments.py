"""HL7 times are local times of an English hospital."""

from datetime import UTC, date, datetime

import pytest

from connectors.sources.tier3_hl7v2.moments import birth_date, birth_year, moment


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("202601150930", (2026, 1, 15, 9, 30)),
        ("202607150930", (2026, 7, 15, 8, 30)),
        ("20260715093015.1234", (2026, 7, 15, 8, 30, 15, 123400)),
        ("2026071509", (2026, 7, 15, 8)),
        ("20260715093000+0100", (2026, 7, 15, 8, 30)),
        ("20260715093000-0500", (2026, 7, 15, 14, 30)),
        # 25 October 2026, 02:00 summer time becomes 01:00: 01:30 happens twice, the first is meant
        ("20261025013000", (2026, 10, 25, 0, 30)),
        ("20261025013000+0000", (2026, 10, 25, 1, 30)),
        # 29 March 2026, 01:30 does not exist
        ("20260329013000", (2026, 3, 29, 1, 30)),
    ],
)
def test_a_local_time_becomes_utc(text: str, utc: tuple[int, ...]):
    known = moment(text)
    assert known is not None
    assert known.at == datetime(*utc, tzinfo=UTC)  # type: ignore[misc,arg-type]  # the parts of a datetime


def test_a_day_alone_has_no_moment_and_midnight_belongs_to_its_english_day():
    assert moment("20260715") is not None
    assert moment("20260715").at is None  # type: ignore[union-attr]  # asserted above
    assert moment("20260715000000").on == date(2026, 7, 15)  # type: ignore[union-attr]  # a whole time
    assert moment("20260714233000+0000").on == date(2026, 7, 15)  # type: ignore[union-attr]  # a whole time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "202607",
        "20260230",
        "20260715250000",
        "00000000",
        "2026-07-15",
        "２０２６０７１５",
        "20260715093000+9999",
        "20260715x",
        "99999999",
        "20261301",
    ],
)
def test_what_is_no_day_is_no_time(text: str):
    assert moment(text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("19881105", date(1988, 11, 5)),
        ("198811051399", date(1988, 11, 5)),
        ("19881105000000", date(1988, 11, 5)),
        ("196513121515", None),
        ("19650229", None),
        ("1965", None),
        ("", None),
    ],
)
def test_a_birthday_is_its_first_eight_digits_whatever_follows(text: str, day: date | None):
    assert birth_date(text) == day


@pytest.mark.parametrize(
    ("text", "year"), [("1965", 1965), ("196511", 1965), ("19651100", 1965), ("196513", None), ("65", None)]
)
def test_a_year_alone_still_gives_an_age(text: str, year: int | None):
    assert birth_year(text) == year
