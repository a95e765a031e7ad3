"""Dates and clock times as the mapping's format has them, and in no other way."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import get_args

import pytest
from council_files import RECEIVED_AT, east, east_mapping, mapping_text, session, sheet

from connectors.mapping import Column, DateFormat, parse
from connectors.sources.tier2_csv import read
from connectors.sources.tier2_csv.cells import Cells
from connectors.sources.tier2_csv.days import Unfit, parse_date

WRITTEN = {
    "dd/mm/yyyy": "04/03/2026",
    "d/m/yyyy": "4/3/2026",
    "dd-mm-yyyy": "04-03-2026",
    "dd.mm.yyyy": "04.03.2026",
    "yyyy-mm-dd": "2026-03-04",
    "yyyy/mm/dd": "2026/03/04",
    "yyyymmdd": "20260304",
    "mm/dd/yyyy": "03/04/2026",
}


def test_every_format_a_mapping_may_name_is_here() -> None:
    assert set(WRITTEN) == set(get_args(DateFormat))


@pytest.mark.parametrize(("day_format", "text"), WRITTEN.items())
def test_the_fourth_of_march_is_read_in_each_format(day_format: str, text: str) -> None:
    assert parse_date(text, day_format) == date(2026, 3, 4)


@pytest.mark.parametrize("day_format", [item for item in WRITTEN if item not in ("d/m/yyyy", "mm/dd/yyyy")])
def test_a_format_takes_no_other_formats_spelling(day_format: str) -> None:
    others = [text for other, text in WRITTEN.items() if other != day_format]
    for text in others:
        if (day_format, text) == ("dd/mm/yyyy", WRITTEN["mm/dd/yyyy"]):
            continue  # the same shape: this one is the third of April, and nobody can know better
        with pytest.raises(Unfit):
            parse_date(text, day_format)


@pytest.mark.parametrize(
    "text",
    [
        "4/03/2026",
        "04/3/2026",
        "04/03/26",
        "30/02/2026",
        "29/02/2023",
        "00/03/2026",
        "04/00/2026",
        "04/03/0000",
    ],
)
def test_what_is_not_exactly_a_day_is_no_date(text: str) -> None:
    with pytest.raises(Unfit):
        parse_date(text, "dd/mm/yyyy")


def test_the_twenty_ninth_of_february_is_a_day_in_leap_years() -> None:
    assert parse_date("29/02/2024", "dd/mm/yyyy") == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("clock", "moment"),
    [
        ("15/01/2026 09:30", (1, 15, 9, 30)),
        ("29/03/2026 00:59", (3, 29, 0, 59)),
        ("29/03/2026 02:00", (3, 29, 1, 0)),
        ("15/07/2026 09:30", (7, 15, 8, 30)),
        ("15/07/2026 00:30", (7, 14, 23, 30)),
        ("25/10/2026 00:59", (10, 24, 23, 59)),
        ("25/10/2026 01:30", (10, 25, 0, 30)),
        ("25/10/2026 02:00", (10, 25, 2, 0)),
    ],
)
def test_a_british_clock_is_an_hour_ahead_in_summer(clock: str, moment: tuple[int, int, int, int]) -> None:
    assert moment_in(clock, "dd/mm/yyyy hh:mm", "Europe/London") == (datetime(2026, *moment, tzinfo=UTC), [])


def moment_in(text: str, moment_format: str, zone: str) -> tuple[datetime | None, list[str]]:
    """What the cell reader makes of a moment, and the rules of its issues."""
    mapping = replace(east_mapping(), datetime_format=moment_format, zone=zone)
    cells = Cells(2, {"seen": text}, mapping, frozenset(), "utf-8")
    return cells.moment(Column("seen")), [issue.rule for issue in cells.issues]


def test_a_clock_kept_in_utc_is_taken_as_it_is() -> None:
    moment = datetime(2026, 7, 15, 9, 30, 15, tzinfo=UTC)
    assert moment_in("15/07/2026T09:30:15", "dd/mm/yyyyThh:mm:ss", "UTC") == (moment, [])


@pytest.mark.parametrize("text", ["15/07/2026 24:00", "15/07/2026 9", "15/07/2026 09:60"])
def test_what_is_not_exactly_a_moment_is_none_and_is_named(text: str) -> None:
    moment, rules = moment_in(text, "dd/mm/yyyy hh:mm", "UTC")
    assert moment is None
    assert len(rules) == 1


def test_a_day_alone_is_its_first_moment_and_is_named() -> None:
    moment, rules = moment_in("15/07/2026", "dd/mm/yyyy hh:mm", "UTC")
    assert moment == datetime(2026, 7, 15, tzinfo=UTC)
    assert len(rules) == 1


def test_two_things_named_by_two_columns_are_never_taken_for_one() -> None:
    """Client a/b, session c is not client a, session b/c."""
    mapping = parse(mapping_text().replace('key = ["session_ref"]', 'key = ["client_ref", "session_ref"]'))
    text = sheet(session(client_ref="a/b", session_ref="c"), session(client_ref="a", session_ref="b/c"))
    reading = read(
        text.encode(),
        source=east(),
        mapping=mapping,
        file_id="0" * 64,
        test_mode=True,
        received_at=RECEIVED_AT,
    )
    attended = [
        resource["resource"]["identifier"][0]["value"]
        for entry in reading.entries
        if entry.bundle is not None
        for resource in entry.bundle["entry"]
        if resource["resource"]["resourceType"] == "Appointment"
    ]
    assert attended == ["a%2Fb/c", "a/b%2Fc"]
