"""Mutants of the rules: the fold or a definition with one piece of its text replaced, and who must see it.

A row of `mutants.toml`:

    definition   the rule it breaks
    says         the words of the definition that it breaks
    wrong        what is wrong then, in one sentence
    file         a module of the fold, or a definition's file
    old, new     the text that is replaced, which occurs exactly once, and what stands there instead
    journey      the journey that must come out wrong

`stated` are sentences of definitions that no program can break, each with the reason.
`not_yet` are sentences that no mutant breaks yet.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import pathway_journeys
from journey_files import JourneyFile
from journey_paths import differences
from journey_snapshots import numbered

from schemas import definitions
from schemas.definitions import Definitions

TABLE = Path(__file__).resolve().parents[1] / "spec" / "journeys" / "mutants.toml"
PACKAGE = "streams.steps.pathway_fold"
_IMPORT, _WORDS = re.compile(rf"^from {PACKAGE}\b(.*)$", re.MULTILINE), re.compile(r"\w+")
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


def not_yet() -> list[tuple[str, str]]:
    """Definition and sentence of every one that no mutant breaks yet: this list can only become shorter."""
    return [(row["definition"], row["sentence"]) for row in _table().get("not_yet", [])]


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
    given = [pathway_journeys.person_fact(fact) for fact in journey.facts()]
    return [
        line
        for expected in journey.expected
        for line in differences(numbered(fold(given, as_of=expected.as_of, definitions=rules).content), expected.paths)
    ]


@contextmanager
def fold_with(name: str, text: str) -> Iterator[None]:
    """Load one module of the fold from `text`, and anew all that take from it; afterwards all is as it was before."""
    before = dict(sys.modules)
    package = import_module(PACKAGE)
    attributes = dict(vars(package))
    finder = _Finder(name, text)
    for key in _taking_from(name):
        sys.modules.pop(key, None)
        vars(package).pop(key.rpartition(".")[2], None)  # `from package import module` looks here first
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for key in [key for key in sys.modules if key.startswith(f"{PACKAGE}.")]:
            del sys.modules[key]
        sys.modules.update({key: module for key, module in before.items() if key.startswith(f"{PACKAGE}.")})
        vars(package).clear()
        vars(package).update(attributes)


@cache
def _taking_from(name: str) -> frozenset[str]:
    """The names of a module of the fold and of all of the fold that import it, also by others."""
    paths = {path.stem: path for path in FOLD.glob("[a-z]*.py")}
    imports = {stem: set(_WORDS.findall(" ".join(_IMPORT.findall(path.read_text())))) for stem, path in paths.items()}
    found = {name.rpartition(".")[2]}
    while more := {stem for stem, words in imports.items() if words & found} - found:
        found |= more
    return frozenset(f"{PACKAGE}.{stem}" for stem in found)


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


@cache
def _table() -> dict[str, list[dict[str, str]]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
