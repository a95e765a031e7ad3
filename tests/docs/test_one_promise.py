"""README, SECURITY, the decision and the host's docstring promise the same, word by word."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISION = "ops/decisions/0007-what-is-promised-against-which-faults.md"
PLACES = ("README.md", "SECURITY.md", "streams/host/__init__.py")


def promise(text: str) -> str:
    """The paragraph that begins with what a door has acknowledged, in one line."""
    found = re.search(r"^What a door has acknowledged .+?(?=\n\n|\n\"\"\")", text, re.DOTALL | re.MULTILINE)
    assert found is not None, "the promise is not there"
    return " ".join(found.group().split())


@pytest.mark.parametrize("place", PLACES)
def test_the_promise_is_the_same_everywhere(place: str) -> None:
    assert promise((ROOT / place).read_text()) == promise((ROOT / DECISION).read_text())


def test_a_word_more_would_be_seen() -> None:
    text = (ROOT / DECISION).read_text()
    assert promise(text.replace("never lost", "hardly ever lost")) != promise(text)
