"""Definitions are named values with a source and a date; a set that lacks one is refused."""

from datetime import date

import pytest
from pathway_journeys import DEFINITIONS, FOLDER, TEXTS

from schemas import definitions
from schemas.errors import InvalidField

GOOD = 'id="a-b"\nversion=1\ntitle="t"\ntext="x"\nsource="s"\ndate=2026-01-01\n'


def test_every_definition_says_what_it_means_where_it_comes_from_and_since_when() -> None:
    for name, definition in DEFINITIONS.by_name.items():
        assert name == definition.name
        assert definition.text
        assert definition.source
        assert definition.date >= date(2014, 1, 1)
        assert (FOLDER / f"{definition.id}-{definition.version}.toml").exists()


def test_the_numbers_the_pathway_computes_with() -> None:
    nearest, last = DEFINITIONS.losses
    assert (nearest.name, last.name) == ("loss-5pct-nearest/1", "loss-5pct-last/1")
    assert (nearest.baseline_days, nearest.threshold_pct, nearest.horizon_weeks) == (14, 5, (12, 26, 52))
    handover = DEFINITIONS.handover
    assert (nearest.window_weeks, handover.early_days, handover.late_days) == (4, 3, 252)
    assert handover.allowed("primary_care", "tier2") == 42
    assert DEFINITIONS.rtt.limit_weeks == 18
    assert set(definitions.PATHWAY_DEFINITIONS) <= set(DEFINITIONS.by_name)


def test_a_pair_of_tiers_may_have_its_own_days() -> None:
    texts = [text.replace("allowed_tier3_tier4_days = 42", "allowed_tier3_tier4_days = 84") for text in TEXTS]
    handover = definitions.parse(texts).handover
    assert (handover.allowed("tier3", "tier4"), handover.allowed("tier2", "tier3")) == (84, 42)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("id = ", "definition"),
        (GOOD.replace('"a-b"', '"A B"'), "definition.id"),
        (GOOD.replace("version=1", 'version="1"'), "definition.version"),
        (GOOD.replace('title="t"', ""), "definition.title"),
        (GOOD.replace('"x"', '" "'), "definition.text"),
        (GOOD.replace("2026-01-01", '"2026"'), "definition.date"),
        (GOOD.replace("2026-01-01", "2026-01-01T00:00:00Z"), "definition.date"),
        (GOOD + "parameters=1", "definition.parameters"),
    ],
)
def test_a_definition_that_is_not_one_is_refused_by_field(text: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        definitions.parse([*TEXTS, text])
    assert refused.value.field == field


def test_one_name_has_one_meaning() -> None:
    with pytest.raises(InvalidField, match="defined twice"):
        definitions.parse([*TEXTS, TEXTS[0]])


@pytest.mark.parametrize("missing", definitions.PATHWAY_DEFINITIONS)
def test_a_definition_the_pathway_needs_may_not_be_absent(missing: str) -> None:
    name, version = missing.split("/")
    kept = [path.read_text() for path in FOLDER.glob("*.toml") if path.name != f"{name}-{version}.toml"]
    with pytest.raises(InvalidField, match=missing):
        definitions.parse(kept)


@pytest.mark.parametrize("bad", ["-1", '"14"', "true", "[14]"])
def test_a_number_of_a_definition_is_a_whole_number(bad: str) -> None:
    texts = [text.replace("baseline_days = 14", f"baseline_days = {bad}") for text in TEXTS]
    with pytest.raises(InvalidField, match="baseline_days"):
        definitions.parse(texts)


@pytest.mark.parametrize("bad", ["[]", "[-1]", '["12"]', "12"])
def test_the_horizons_are_whole_numbers(bad: str) -> None:
    texts = [text.replace("horizon_weeks = [12, 26, 52]", f"horizon_weeks = {bad}") for text in TEXTS]
    with pytest.raises(InvalidField, match="horizon_weeks"):
        definitions.parse(texts)
