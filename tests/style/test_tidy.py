"""The house style (CONTRIBUTING.md), as far as a machine can read it."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "linkage", "connectors", "streams", "ops")
PURE = ("schemas", "linkage", "streams/steps", "streams/topology.py", "connectors/sources")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MODULE_LINES_MAX, FUNCTION_LINES_MAX, POSITIONAL_MAX = 400, 60, 5
EMPTY_NAMES = {"data", "info", "utils", "util", "misc", "manager", "handle", "process"}  # they say nothing
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
SLEEPERS = {"support/eventually.py"}
CLOCKS = {"now", "today", "utcnow", "time", "time_ns", "monotonic"}
RETIRED = re.compile(r"(?:.*_)?(?:told|tell)(?:_.*)?|own|one")  # private English: say message, entry, fact, row, ...
IN_TESTS = {"told", "own", "one"}  # a test's name is a sentence, and may say what somebody was told
Function = ast.FunctionDef | ast.AsyncFunctionDef


def complaints(source: str, name: str) -> Iterator[str]:
    """Everything the house style has against one module of the packages; `name` is its path from the root."""
    tree = ast.parse(source)
    yield from of_module(source, tree, name)
    for node in public_functions(tree):
        if not ast.get_docstring(node) and not is_overload(node):
            yield f"{name}:{node.lineno}: {node.name} is public and has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from of_function(node, name)
        if isinstance(node, ast.ClassDef) and node.name.lower() in EMPTY_NAMES:
            yield f"{name}:{node.lineno}: {node.name} says nothing; name what it is"
        if isinstance(node, ast.Call):
            yield from of_call(node, name)
        if isinstance(node, ast.ExceptHandler):
            yield from of_handler(node, name, ours=names_from_our_errors(tree))


def of_module(source: str, tree: ast.Module, name: str) -> Iterator[str]:
    """Docstring, size, name, nothing unfinished."""
    if not ast.get_docstring(tree):
        yield f"{name}:1: no module docstring; say what it is for"
    if source.count("\n") > MODULE_LINES_MAX:
        yield f"{name}: over {MODULE_LINES_MAX} lines; find the seam"
    if Path(name).stem in EMPTY_NAMES:
        yield f"{name}: the file name says nothing"
    for number, line in enumerate(source.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield f"{name}:{number}: finish it, or write it down as an issue"


def of_function(node: Function, name: str) -> Iterator[str]:
    """Size, name, number and names of parameters."""
    where = f"{name}:{node.lineno}: {node.name}"
    assert node.end_lineno is not None
    if node.end_lineno - node.lineno >= FUNCTION_LINES_MAX:
        yield f"{where} is over {FUNCTION_LINES_MAX} lines"
    if node.name in EMPTY_NAMES:
        yield f"{where} says nothing; use the verb of the domain"
    positional = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args) if arg.arg not in ("self", "cls")]
    if len(positional) > POSITIONAL_MAX:
        yield f"{where} has over {POSITIONAL_MAX} positional parameters; pass a frozen value"
    for empty in EMPTY_NAMES.intersection([*positional, *(arg.arg for arg in node.args.kwonlyargs)]):
        yield f"{where}: the parameter {empty} says nothing"


def of_call(node: ast.Call, name: str) -> Iterator[str]:
    """Clocks in the pure packages, and log calls that write an exception's text."""
    called = node.func
    if not isinstance(called, ast.Attribute) or not isinstance(called.value, ast.Name | ast.Attribute):
        return
    owner = called.value.id if isinstance(called.value, ast.Name) else called.value.attr
    if called.attr == "utcnow" or (is_pure(name) and owner in ("datetime", "date", "time") and called.attr in CLOCKS):
        yield f"{name}:{node.lineno}: {owner}.{called.attr}() reads the clock; take an aware `now`"
    if called.attr == "exception" and owner.strip("_").lower() in ("log", "logger", "logging"):
        yield f"{name}:{node.lineno}: {owner}.exception writes the payload an error quotes; log its type"


def of_handler(node: ast.ExceptHandler, name: str, *, ours: set[str]) -> Iterator[str]:
    """The text of an error that is not ours quotes what a provider sent: never turn it into text."""
    caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else set()
    if not node.name or caught <= ours:
        return
    for part in ast.walk(node):
        spoken: list[ast.expr] = []
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in ("str", "repr"):
            spoken = part.args
        elif isinstance(part, ast.FormattedValue):
            spoken = [part.value]
        if any(isinstance(value, ast.Name) and value.id == node.name for value in spoken):
            yield f"{name}:{part.lineno}: the text of {node.name} may quote a value; use schemas.errors"


def public_functions(tree: ast.Module) -> Iterator[Function]:
    """Functions a reader may call: not nested in another, not private, nor methods of a private class."""
    bodies = [tree.body]
    while bodies:
        for node in bodies.pop():
            if isinstance(node, Function | ast.ClassDef) and node.name.startswith("_"):
                continue
            if isinstance(node, ast.ClassDef):
                bodies.append(node.body)
            elif isinstance(node, Function):
                yield node


def names_from_our_errors(tree: ast.Module) -> set[str]:
    """Error classes imported from an errors module of ours: their texts name field and rule only."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    ours = [node for node in imports if str(node.module).split(".")[0] in PACKAGES]
    return {alias.asname or alias.name for node in ours for alias in node.names}


def retired_words(source: str, name: str) -> Iterator[str]:
    """Names of variables, parameters, attributes and functions that decode to nothing; `name` is the module's path."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
                pass
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word):
                pass
            case ast.MatchAs(name=str(word)) | ast.ExceptHandler(name=str(word)) | ast.alias(asname=str(word)):
                pass
            case _:
                continue
        if RETIRED.fullmatch(word.strip("_").lower()):
            yield f"{name}:{node.lineno}: {word} is no name; use the noun of the thing"


def shared_class_names(sources: Mapping[str, str]) -> Iterator[str]:
    """Classes of one name, private ones included; `sources` are the texts of modules by path."""
    places: dict[str, list[str]] = {}
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.strip("_"), []).append(f"{name}:{node.lineno}")
    for word, where in places.items():
        if len(where) > 1:
            yield f"{word} has {len(where)} meanings: {', '.join(where)}"


def is_pure(name: str) -> bool:
    """True for a module that decides about people."""
    return any(name == pure or name.startswith(pure + "/") for pure in PURE)


def is_overload(node: Function) -> bool:
    """Overloads and property setters share the docstring of the function they belong to."""
    marks = {part.id for mark in node.decorator_list for part in ast.walk(mark) if isinstance(part, ast.Name)}
    setters = {mark.attr for mark in node.decorator_list if isinstance(mark, ast.Attribute)}
    return bool((marks | setters) & {"overload", "override", "setter"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_keeps_the_house_style(path: Path) -> None:
    found = list(complaints(path.read_text(), path.relative_to(ROOT).as_posix()))
    assert not found, "\n" + "\n".join(found)


def texts_of(paths: Iterable[Path]) -> dict[str, str]:
    """The text of each file by its path from the root."""
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


def test_no_identifier_is_a_retired_word() -> None:
    found = [breach for name, source in texts_of(MODULES).items() for breach in retired_words(source, name)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_variable_of_a_test_is_a_retired_word(path: Path) -> None:
    found = [breach for breach in retired_words(path.read_text(), path.name) if breach.split()[1] in IN_TESTS]
    assert not found, "\n" + "\n".join(found)


def test_a_class_name_has_one_meaning() -> None:
    found = list(shared_class_names(texts_of(MODULES)))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_file_says_what_it_is_for_and_waits_without_sleeping(path: Path) -> None:
    source, name = path.read_text(), path.relative_to(ROOT / "tests").as_posix()
    assert path.name != "__init__.py", "a package in tests takes the name of one of ours"
    found = list(of_module(source, ast.parse(source), f"tests/{name}"))
    if re.search(r"\bsleep\(", source) and name not in SLEEPERS and path != Path(__file__).resolve():
        found.append(f"tests/{name}: sleeps; use eventually(..., why=...)")
    assert not found, "\n" + "\n".join(found)


def test_no_two_test_files_share_a_name() -> None:
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


BROKEN = {
    "no module docstring": "X = 1\n",
    "over 400 lines": '"""Long."""\n' + "\n" * 401,
    "finish it": '"""Late."""\n# TO' + "DO later\n",
    "is over 60 lines": '"""M."""\ndef f():\n    """F."""\n' + "    pass\n" * 60,
    "is public and has no docstring": '"""M."""\ndef f(): ...\n',
    "says nothing; use the verb": '"""M."""\ndef process():\n    """P."""\n',
    "says nothing; name what it is": '"""M."""\nclass Manager:\n    """M."""\n',
    "positional parameters": '"""M."""\ndef _f(a, b, c, d, e, f): ...\n',
    "the parameter data": '"""M."""\ndef _f(*, data): ...\n',
    "reads the clock": '"""M."""\nfrom datetime import datetime\nX = datetime.now()\n',
    "writes the payload": '"""M."""\nlogger.exception("x")\n',
    "may quote a value": '"""M."""\ntry: ...\nexcept ValueError as e:\n    raise RuntimeError(f"bad {e}")\n',
}


@pytest.mark.parametrize("complaint", BROKEN)
def test_the_style_check_sees_each_breach(complaint: str) -> None:
    assert any(complaint in found for found in complaints(BROKEN[complaint], "schemas/planted.py"))


RETIRED_BREACHES = [
    "told = 1",
    "def f(one): ...",
    "[one for one in x]",
    "x.own",
    "f(told_at=1)",
    "def _tell(): ...",
    "class A:\n    own: int",
    "from a import b as told",
    "lambda one: 1",
]


@pytest.mark.parametrize("source", RETIRED_BREACHES)
def test_the_style_check_sees_each_retired_word(source: str) -> None:
    assert any(retired_words(source, "schemas/planted.py"))


def test_the_style_check_lets_plain_words_through() -> None:
    assert not list(retired_words("owner = telling = stone = one_of(ownership)", "schemas/planted.py"))


def test_the_style_check_sees_a_class_name_used_twice() -> None:
    planted = {"a.py": "class Kind: ...", "b.py": "class _Kind: ...", "c.py": "class Other: ..."}
    assert list(shared_class_names(planted)) == ["Kind has 2 meanings: a.py:1, b.py:1"]


def test_the_text_of_our_own_errors_may_be_passed_on() -> None:
    source = '"""M."""\nfrom schemas.errors import E\ntry: ...\nexcept E as e:\n    raise OSError(str(e))\n'
    assert not list(complaints(source, "connectors/planted.py"))
