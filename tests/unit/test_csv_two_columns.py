"""Stones and pounds, feet and inches, in two columns, and the column that says whose row it is: Council West."""

import hashlib
from dataclasses import replace

import pytest
from council_files import RECEIVED_AT, ROOT, east, line, mapping_text

from connectors.mapping import parse
from connectors.sources.tier2_csv import read
from schemas.disposition import Checked

WEST = {
    "ClientID": "W1", "NHS Number": "9990000018", "GivenName": "Ngozi", "Surname": "Okonkwo",
    "Date of Birth": "1980-02-29", "Gender": "Female", "Ethnic Group": "Black", "PostCode": "CM1 1AA",
    "Programme": "Tier 2 Adult", "EpisodeNo": "E1", "ReferralDate": "2026-04-01", "EnrolDate": "",
    "VisitDate": "2026-04-20", "Outcome": "Came", "Stones": "15", "Pounds": "4", "Feet": "5", "Inches": "7",
    "ClosedDate": "", "RecordDate": "2026-04-21",
}  # fmt: skip


def checked_row(**cells: str) -> Checked:
    """The verdict on a row of Council West with these cells instead."""
    values = {**WEST, **cells}
    content = (line(list(values), delimiter=";") + line(list(values.values()), delimiter=";")).encode()
    source = replace(east(), slug="council-west")
    reading = read(
        content,
        source=source,
        mapping=parse(mapping_text("council-west")),
        file_id=hashlib.sha256(content).hexdigest(),
        test_mode=True,
        received_at=RECEIVED_AT,
    )
    return reading.entries[0].checked


def given(checked: Checked, quantity: str) -> list[tuple[object, object]]:
    """Number and unit of a measurement as given."""
    return [(f["value_given"], f["unit_given"]) for f in checked.facts if f.get("quantity") == quantity]


def places(checked: Checked) -> list[tuple[str, str]]:
    return [(i.severity.value, i.location.rpartition("column ")[2]) for i in checked.issues]


def test_the_shape_is_council_wests() -> None:
    header = (ROOT / "tests/golden/tier2/council-west.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert sorted(header.split(";")) == sorted(WEST)


@pytest.mark.parametrize(
    ("stones", "pounds", "weight"),
    [
        ("15", "4", ("214", "lb_av")),
        ("15 st", "4", ("214", "lb_av")),
        ("15", "", ("15", "stone_av")),
        ("15", "0", ("210", "lb_av")),
        ("15st 4", "", ("214", "lb_av")),
    ],
)
def test_stones_and_pounds_are_one_weight(stones: str, pounds: str, weight: tuple[str, str]) -> None:
    checked = checked_row(Stones=stones, Pounds=pounds)
    assert given(checked, "weight") == [weight]
    assert places(checked) == []


@pytest.mark.parametrize(
    ("stones", "pounds", "place"),
    [
        ("15", "14", "Pounds"),
        ("15", "x", "Pounds"),
        ("15", "4 kg", "Pounds"),
        ("15.5", "4", "Stones"),
        ("15st 4", "4", "Stones"),
    ],
)
def test_stones_and_pounds_that_are_no_weight_together_cost_the_weight(stones: str, pounds: str, place: str) -> None:
    """15 stone and an unreadable number of pounds are not 15 stone."""
    checked = checked_row(Stones=stones, Pounds=pounds)
    assert given(checked, "weight") == []
    assert places(checked) == [("error", place)]
    assert given(checked, "height") == [("67", "in_i")]


def test_pounds_without_stones_are_named() -> None:
    assert places(checked_row(Stones="", Pounds="7")) == [("warning", "Pounds")]


@pytest.mark.parametrize("word", ["", "N/A", "Weight Mgt"])
def test_a_row_that_does_not_say_its_service_is_refused_not_ignored(word: str) -> None:
    checked = checked_row(Programme=word)
    assert checked.verdict.value == "rejected"
    assert ("error", "Programme") in places(checked)
