"""`tierlink linkage train` with groups of people: what an operator is shown, and which models are not written."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from linkage.compare import LEVELS, Levels
from linkage.model import Model, dump, parse
from linkage.subgroups import WHOLE, Group
from ops.commands.linkage import register
from ops.errors import SettingsError, TierlinkError
from ops.lab.simulator.population import check_digit
from ops.runtime.paths import linkage_model
from ops.training.groups import Labelled, age_band, groups_of, parse_groups
from ops.training.mapping import Reader, parse_map
from ops.training.records import load
from ops.training.training import ByGroup, Refused

MODEL = parse(linkage_model())
# Closest first, on a birth date that is nobody's in particular.
ALIKE = Levels(
    **{field: levels[0] for field, levels in LEVELS.items()} | {"crossed": "no", "birth_date_frequency": "usual"}
)
RENAMED = replace(ALIKE, family="none", family_frequency=LEVELS["family_frequency"][-1])
NORTH, SOUTH = ("area", "north"), ("area", "south")
MAP = "nhs_number=nhs,family=family,given=given,birth_date=born,gender=sex,postcode=postcode,phone=phone"


def deaf_to(model: Model, at: Levels) -> Model:
    """The model as it would be had it learnt that another surname is another person."""
    assert at.family == "none"
    return replace(model, weights={**model.weights, "family": {**model.weights["family"], "none": -60_000}})


def pairs(*of: tuple[Levels, Group, int]) -> Labelled:
    """So many pairs of one person of a pattern and a group."""
    items = [
        (replace(at, nhs_number="equal"), frozenset({group}), True) for at, group, times in of for _ in range(times)
    ]
    return Labelled(tuple(items), dict.fromkeys((NORTH, SOUTH, WHOLE), 2_000), {})


def test_a_model_that_gives_up_on_one_group_is_refused_and_the_same_without_that_loss_is_not() -> None:
    """Women of the north take another surname; the new model no longer knows them. It is refused for the north alone,
    also where the whole of the people would not have shown it.
    """
    new = deaf_to(MODEL, RENAMED)
    hidden = pairs((ALIKE, SOUTH, 5_000), (ALIKE, NORTH, 990), (RENAMED, NORTH, 10))
    value = ByGroup.of(hidden, new=new, in_use=MODEL)
    (loss,) = value.reasons()
    assert loss.startswith("area north: recall would fall from 100.00 % to 99.00 %, by 1.00 points")
    with pytest.raises(Refused, match="model refused: area north"):
        value.refuse_unless_fair()
    same = ByGroup.of(pairs((ALIKE, SOUTH, 5_000), (ALIKE, NORTH, 1_000)), new=new, in_use=MODEL)
    assert same.reasons() == []
    same.refuse_unless_fair()


def test_a_first_model_is_refused_for_a_gap_alone() -> None:
    found = pairs((ALIKE, SOUTH, 4_000), (ALIKE, NORTH, 950), (RENAMED, NORTH, 50))
    (reason,) = ByGroup.of(found, new=deaf_to(MODEL, RENAMED), in_use=None).reasons()
    assert "area north: recall 95.00 % would be 5.00 points below area south" in reason
    assert ByGroup.of(found, new=MODEL, in_use=None).reasons() == []


# ---------------------------------------------------------------- the command


def number(rng: Random) -> str:
    """A valid NHS number of the test range."""
    while (check := check_digit(nine := f"999{rng.randrange(10**6):06}")) is None:
        continue
    return f"{nine}{check}"


def rows(people: int, *, lost: int) -> Iterable[dict[str, str]]:
    """Everybody twice, with a brother or sister at home once; so many are in the second row as if somebody else."""
    rng = Random(8)
    for at in range(people):
        items = {
            "family": f"Marsh{chr(97 + at % 26)}{chr(97 + at // 26)}",
            "given": rng.choice("Ann Brian Chloe David Esther Farid Grace Hamza".split()),
            "born": f"{rng.randrange(1940, 1990)}-0{rng.randrange(1, 10)}-{rng.randrange(10, 29)}",
            "sex": rng.choice("MF"),
            "postcode": f"LS{rng.randrange(1, 9)} {rng.randrange(1, 9)}A{rng.choice('BDEF')}",
            "phone": f"07700{rng.randrange(900000, 999999)}",
            "nhs": number(rng),
            "area": "[bold]north" if at % 2 else "south",
        }
        yield items
        far = {"family": f"Quill{at}", "given": "Zoe", "born": ""}
        yield items | far if at < lost else items
        if at % 2:
            sibling = {"given": rng.choice("Irene Jacob Kiran Laura".split()), "born": "1995-03-11"}
            yield items | sibling | {"nhs": number(rng), "phone": ""}


def csv(path: Path, texts: Iterable[dict[str, str]]) -> Path:
    """The rows as a file."""
    lines = list(texts)
    path.write_text("\n".join(",".join(row) for row in ([*lines[0]], *(row.values() for row in lines))) + "\n")
    return path


def train(*words: str | Path) -> Result:
    """`tierlink linkage train …`."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["linkage", "train", "--map", MAP, *map(str, words)])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """410 people, of whom twelve are known by another name and no birth date in their second record."""
    return csv(tmp_path_factory.mktemp("people") / "people.csv", rows(410, lost=12))


def test_the_report_by_group_is_shown_and_a_model_that_links_fewer_than_the_one_in_use_is_not_written(
    table: Path, tmp_path: Path
) -> None:
    first, second, generous = (tmp_path / name for name in ("first.json", "second.json", "generous.json"))
    words = ("--input", table, "--group", "area=area", "--json")
    shown = train(*words, "--out", first)
    assert shown.exit_code == 0, shown.output
    found: dict[str, Any] = json.loads(shown.stdout.splitlines()[-1])
    assert found["refused"] == []
    assert found["by_group_in_use"] is None
    groups = {(item["dimension"], item["group"]) for item in found["by_group"]["groups"]}
    assert {("area", "[bold]north"), ("area", "south"), ("sex", "female"), ("source", "people.csv")} <= groups
    assert {dimension for dimension, _ in groups} == {"area", "sex", "age band", "source", "number"}
    assert "area [bold]north" in shown.output

    model = parse(first.read_text())
    generous.write_text(dump(replace(model, name="generous", link=-59_000, review=-60_000)))
    refused = train(*words, "--out", second, "--against", generous)
    assert refused.exit_code == 1
    assert isinstance(refused.exception, TierlinkError)
    assert "number present: recall would fall" in str(refused.exception)
    assert not second.exists()
    assert json.loads(refused.stdout.splitlines()[-1])["refused"] != []
    assert train(*words, "--out", second, "--against", first).exit_code == 0, "by itself it loses nobody"


def test_a_column_that_tells_people_apart_is_no_group_and_is_not_quoted(table: Path) -> None:
    records = load([table], Reader(parse_map([MAP])))
    with pytest.raises(SettingsError, match="no groups of people") as refused:
        groups_of(records, [table], columns={"name": "family"}, mapped=(), on=date(2026, 1, 1))
    assert "Marsh" not in str(refused.value)
    with pytest.raises(SettingsError, match="no column"):
        groups_of(records, [table], columns={"name": "nowhere"}, mapped=(), on=date(2026, 1, 1))


def test_a_record_is_in_one_group_of_each_kind_and_what_is_blank_is_not_known(tmp_path: Path) -> None:
    items = [
        {"family": "Hall", "born": "1971-11-24", "sex": "F", "tier": "2"},
        {"family": "Hall", "born": "", "sex": "", "tier": ""},
    ]
    path = csv(tmp_path / "two.csv", items)
    reader = Reader(parse_map(["family=family,birth_date=born,gender=sex"]))
    first, second = groups_of(
        load([path], reader), [path], columns={"tier": "tier"}, mapped=reader.columns, on=date(2026, 11, 23)
    )
    kinds = ("source", "sex", "age band", "tier")
    assert first == frozenset(zip(kinds, ("two.csv", "female", "50-59", "2"), strict=True))
    assert second == frozenset(zip(kinds, ("two.csv", *["not known"] * 3), strict=True))
    given = groups_of(load([path], reader), [path], columns={"sex": "tier"}, mapped=reader.columns, on=date.max)
    assert ("sex", "2") in given[0], "a column that is named outranks the field"


@pytest.mark.parametrize(
    ("born", "band"),
    [
        ("2006-11-24", "under 20"),
        ("2006-11-23", "20-29"),
        ("1946-12", "70-79"),
        ("1946-11", "80 and over"),
        ("1946", "80 and over"),
        (None, "not known"),
    ],
)
def test_age_is_counted_in_completed_years(born: str | None, band: str) -> None:
    assert age_band(born, on=date(2026, 11, 23)) == band


@pytest.mark.parametrize("text", ["tier", "=tier", "tier=", "source=s", "number=n", "a=b,a", f"{'x' * 61}=c"])
def test_a_group_names_a_kind_and_a_column(text: str) -> None:
    given = text.split(",") if "," in text else [text]
    given = ["a=b", "a=c"] if text == "a=b,a" else given
    with pytest.raises(SettingsError, match="--group"):
        parse_groups(given)
    assert parse_groups(["ethnic group = ethnicity", "imd=imd"]) == {
        "ethnic group": "ethnicity",
        "imd": "imd",
    }
