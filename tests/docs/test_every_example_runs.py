"""Examples are executed: those of every page, and those in every docstring."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest
from kept_files import ROOT
from pages import PAGES

PACKAGES = ("schemas", "linkage", "connectors", "streams", "ops")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if ">>> " in path.read_text()
)


def failures(text: str, name: str) -> int:
    """How many examples of a page do not give what it says."""
    without_fences = "\n".join("" if line.startswith("```") else line for line in text.splitlines())
    examples = doctest.DocTestParser().get_doctest(without_fences + "\n", {}, name, name, 0)
    return doctest.DocTestRunner(optionflags=FLAGS).run(examples).failed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_a_page_runs(page: Path) -> None:
    assert failures(page.read_text(), str(page.relative_to(ROOT))) == 0


@pytest.mark.parametrize("module", MODULES)
def test_every_example_in_a_docstring_runs(module: str) -> None:
    outcome = doctest.testmod(import_module(module), optionflags=FLAGS)
    assert outcome.attempted, "there is an example, but doctest does not find it"
    assert outcome.failed == 0


def test_a_wrong_example_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures("```python\n>>> 1 + 1\n3\n```\n", "planted") == 1
    assert "Expected" in capsys.readouterr().out
