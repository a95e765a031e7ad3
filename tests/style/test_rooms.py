"""The rooms of `ops` and the arrows between them, over every import, those inside functions too.

`python tests/style/test_rooms.py` prints the counts.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPS = ROOT / "ops"
ROOMS_MAX, ARROWS_MAX = 20, 60
NAMED = re.compile(r"ops(\.[a-z_]+)+")  # a module in a string: the table of commands is imported by name

Arrow = tuple[str, str]


def rooms() -> Sequence[str]:
    """The first-level children of ops: folders and modules, of code or not."""
    children = {path.stem for path in OPS.iterdir() if path.is_dir() or path.suffix == ".py"}
    return sorted(children - {"__init__", "__main__", "__pycache__"})


def layers() -> Sequence[frozenset[str]]:
    """The contract `rooms` of pyproject.toml, from the top down."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "rooms")
    return [frozenset(layer.split(" | ")) for layer in layers]


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module of ours that is imported anywhere in `tree`, or named in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and NAMED.fullmatch(node.value):
            yield node.value


def arrows() -> Mapping[Arrow, Sequence[str]]:
    """From room to room, with the modules that make each."""
    found: dict[Arrow, list[str]] = {}
    for path in sorted(OPS.rglob("*.py")):
        name = path.relative_to(OPS)
        room = name.parts[0].removesuffix(".py")
        if room not in rooms():
            continue
        for module in imported(ast.parse(path.read_text())):
            package, _, rest = module.partition(".")
            other = rest.split(".")[0]
            if package == "ops" and other in rooms() and other != room:
                found.setdefault((room, other), []).append(name.as_posix())
    return found


def circles(found: Mapping[Arrow, object]) -> Iterator[Sequence[str]]:
    """Rooms from which a way leads back to themselves."""
    below: dict[str, set[str]] = {room: {end for start, end in found if start == room} for room in rooms()}
    for room in rooms():
        reached, waiting = set[str](), [*below[room]]
        while waiting:
            if (next_room := waiting.pop()) not in reached:
                reached.add(next_room)
                waiting += below[next_room]
        if room in reached:
            yield [room]


def upward(found: Mapping[Arrow, Sequence[str]]) -> Sequence[str]:
    """Arrows that do not go down in the contract."""
    level = {room: number for number, layer in enumerate(layers()) for room in layer}
    return [f"{start} -> {end}: {modules[0]}" for (start, end), modules in found.items() if level[start] >= level[end]]


def test_there_are_few_rooms_and_few_arrows() -> None:
    assert len(rooms()) <= ROOMS_MAX, rooms()
    assert len(arrows()) <= ARROWS_MAX, sorted(arrows())


def test_no_arrow_closes_a_circle() -> None:
    assert not list(circles(arrows()))
    assert list(circles({("admin", "client"): [], ("client", "admin"): []})) == [["admin"], ["client"]]


def test_no_arrow_goes_up() -> None:
    assert not upward(arrows())
    assert upward({("runtime", "lab"): ["planted.py"]}) == ["runtime -> lab: planted.py"]


def test_imports_inside_functions_and_names_in_tables_are_seen() -> None:
    source = 'def f():\n    from ops.lab import worker\nTABLE = {"x": "ops.commands.x"}\n'
    assert sorted(imported(ast.parse(source))) == ["ops.commands.x", "ops.lab.worker"]
    assert {("cli", "commands"), ("cli", "lab"), ("commands", "steward")} <= arrows().keys()


if __name__ == "__main__":
    for (start, end), modules in sorted(arrows().items()):
        print(f"{start:9} -> {end:9} {len(modules):3}")
    print(
        f"{len(rooms())} rooms, {len(arrows())} arrows, {len(list(circles(arrows())))} rooms in a circle,"
        f" {len(upward(arrows()))} arrows upward"
    )
