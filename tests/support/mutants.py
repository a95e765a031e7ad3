"""Mutants of the rules: the fold or a definition with one piece of its text replaced, and who must see it.

A row of `mutants.toml`:

    definition   the rule it breaks
    says         the words of the definition that it breaks
    wrong        what is wrong then, in one sentence
    file         a module of the fold, or a definition's file
    old, new     the text that is replaced, which occurs exactly once, and what stands there instead
    journey      the journey that must come out wrong

`stated` are sentences of definitions that no program can break, each with the reason.
"""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import pathway_journeys
from journey_files import JourneyFile
from journey_paths import differences
from journey_snapshots import of_pathway

from schemas import definitions
from schemas.definitions import Definitions

TABLE = Path(__file__).resolve().parents[1] / "spec" / "journeys" / "mutants.toml"
PACKAGE = "streams.steps.pathway_fold"
FOLD = Path(__file__).resolve().parents[2] / PACKAGE.replace(".", "/")


@dataclass(frozen=True)
class Mutant:
    """One row of the table."""

    definition: str
    says: str
    wrong: str
    file: str
    old: str
    new: str
    journey: str

    @property
    def module(self) -> str | None:
        """The name of the module it changes, None for one of a definition."""
        return None if self.file.endswith(".toml") else f"{PACKAGE}.{self.file.removesuffix('.py')}"

    @property
    def path(self) -> Path:
        """The file it changes."""
        return (FOLD if self.module else pathway_journeys.FOLDER) / self.file

    def text(self) -> str:
        """The file with the change. Raises AssertionError unless the text to replace occurs exactly once."""
        whole = self.path.read_text(encoding="utf-8")
        count = whole.count(self.old)
        assert count == 1, f"{self.file}: the text to replace occurs {count} times: {self.old}"
        assert self.old != self.new, f"{self.file}: nothing is replaced: {self.old}"
        return whole.replace(self.old, self.new)


@dataclass(frozen=True)
class Stated:
    """A sentence of a definition that no program can break."""

    definition: str
    says: str
    why: str


def mutants() -> list[Mutant]:
    """Every mutant, in the order of the table."""
    return [Mutant(**row) for row in _table()["mutant"]]


def stated() -> list[Stated]:
    """Every sentence that needs no mutant."""
    return [Stated(**row) for row in _table()["stated"]]


def found_by(mutant: Mutant, journey: JourneyFile) -> list[str]:
    """What the journey finds wrong under the mutant."""
    if mutant.module is not None:
        with fold_with(mutant.module, mutant.text()):
            return complaints(journey, pathway_journeys.DEFINITIONS)
    texts = [path.read_text(encoding="utf-8") for path in pathway_journeys.FOLDER.glob("*.toml") if path != mutant.path]
    return complaints(journey, definitions.parse([*texts, mutant.text()]))


def complaints(journey: JourneyFile, rules: Definitions) -> list[str]:
    """What is not as the journey expects, by the fold that is loaded now."""
    fold = import_module(f"{PACKAGE}.fold").fold
    fact_type = import_module(f"{PACKAGE}.current_facts").PersonFact
    given = [fact_type(*pathway_journeys.person_fact(fact)) for fact in journey.facts()]
    return [
        line
        for expected in journey.expected
        for line in differences(
            of_pathway(fold(given, as_of=expected.as_of, definitions=rules)), expected.paths
        )
    ]


@contextmanager
def fold_with(name: str, text: str) -> Iterator[None]:
    """Load the fold anew, one of its modules from `text`; afterwards the modules are those of before."""
    before = {key: module for key, module in sys.modules.items() if _is_of_fold(key)}
    parent = import_module(PACKAGE.rpartition(".")[0])
    attribute = PACKAGE.rpartition(".")[2]
    package = getattr(parent, attribute)
    finder = _Finder(name, text)
    for key in before:
        del sys.modules[key]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for key in [key for key in sys.modules if _is_of_fold(key)]:
            del sys.modules[key]
        sys.modules.update(before)
        setattr(parent, attribute, package)


def _is_of_fold(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


class _Finder(MetaPathFinder):
    """Finds one module in a text."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        file = str(FOLD / f"{fullname.rpartition('.')[2]}.py")
        return spec_from_file_location(fullname, file, loader=_TextLoader(fullname, file, self._text))


class _TextLoader(SourceFileLoader):
    """Loads a module from a text in the place of its file's."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)


def _table() -> dict[str, list[dict[str, str]]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
