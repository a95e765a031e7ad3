"""Each number of each definition, one more or one less, and some journey that rests on the definition is seen wrong.

So no number of a rule can change without a row that a clinician can contest.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest
from journey_files import JourneyFile, files, not_yet, read
from journey_paths import differences
from journey_snapshots import snapshot
from pathway_journeys import TEXTS

from schemas import definitions
from schemas.definitions import Definitions

NUMBER = re.compile(r"(?<![\w-])\d+(?![\w-])")


@cache
def journeys() -> list[JourneyFile]:
    return [read(path.read_text(encoding="utf-8"), path.stem) for path in files() if path.stem not in not_yet()]


def numbers() -> Iterator[tuple[str, str, int]]:
    """Definition, parameter, and place within it of each number."""
    for name, definition in definitions.parse(TEXTS).by_name.items():
        for parameter, value in definition.parameters.items():
            for place in range(len(value) if isinstance(value, tuple) else 1):
                yield name, parameter, place


def changed(name: str, parameter: str, place: int, by: int) -> Definitions:
    """The definitions with this number changed."""
    return definitions.parse(_changed(text, parameter, place, by) if _is(text, name) else text for text in TEXTS)


def _is(text: str, name: str) -> bool:
    identifier, version = name.split("/")
    return f'id = "{identifier}"\n' in text and f"\nversion = {version}\n" in text


def _changed(text: str, parameter: str, place: int, by: int) -> str:
    line = re.search(rf"^{parameter} = .*$", text, re.MULTILINE)
    assert line is not None
    found = list(NUMBER.finditer(line[0]))[place]
    number = str(int(found[0]) + by)
    return text.replace(line[0], line[0][: found.start()] + number + line[0][found.end() :])


def seen_by(name: str, other: Definitions) -> str | None:
    """The first journey of a definition that comes out otherwise with others."""
    for journey in journeys():
        if name not in journey.rules:
            continue
        facts = journey.facts()
        for expected in journey.expected:
            if differences(snapshot(facts, expected.as_of, other), expected.paths):
                return journey.name
    return None


def mutants() -> Iterator[object]:
    """Each number, one more and one less."""
    for (name, parameter, place), by in product(numbers(), (1, -1)):
        yield pytest.param(name, parameter, place, by)


@pytest.mark.parametrize(("name", "parameter", "place", "by"), list(mutants()))
def test_a_number_that_is_off_by_one_is_seen(name: str, parameter: str, place: int, by: int) -> None:
    assert seen_by(name, changed(name, parameter, place, by))


def test_without_a_change_nothing_is_seen() -> None:
    assert not [name for name in {name for name, _, _ in numbers()} if seen_by(name, definitions.parse(TEXTS))]
