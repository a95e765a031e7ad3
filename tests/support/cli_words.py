"""Whether the command line knows the words of a command: of every one that a page or a compose file shows."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin

from typer.main import get_command

from ops.cli import build_app

GATE_OPTIONS = {
    "--fast",
    "-k",
    "-x",
    "-m",
    "-q",
    "-v",
}  # of `./run test`: ours, and those of pytest that pages show


@cache
def command_line() -> Any:
    """The tree of commands as typer built it."""
    return get_command(build_app())


def complaints(words: Sequence[str], root: Any = None) -> Iterator[str]:
    """What would not be understood in `words`: unknown commands and options, required ones missing."""
    if words and words[0] == "test" and root is None:
        yield from (f"test: no option {word}" for word in words if word[0] == "-" and word not in GATE_OPTIONS)
        return
    command, rest, path = root or command_line(), list(words), []
    while getattr(command, "commands", None) is not None:
        if rest and rest[0] in ("-h", "--help", ""):
            return
        if not rest or rest[0] not in command.commands:
            yield f"no command {' '.join([*path, *rest[:1]]) or '(none)'}"
            return
        path.append(rest[0])
        command = command.commands[rest.pop(0)]
    yield from _arguments(command, rest, " ".join(path))
    yield from _options(command, rest, " ".join(path))


def _arguments(command: Any, rest: Sequence[str], path: str) -> Iterator[str]:
    """Words before the first option that are not among an argument's choices."""
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    for argument, word in zip(arguments, rest, strict=False):
        if word.startswith("-"):
            return
        annotation = argument.type_descriptor.annotation
        if get_origin(annotation) is Literal and word not in get_args(annotation):
            yield f"{path}: no {argument.name} {word}"


def _options(command: Any, rest: Sequence[str], path: str) -> Iterator[str]:
    given = {word.split("=")[0] for word in rest if word.startswith("-") and word.strip("-")}
    options = [param for param in command.params if param.param_type_name == "option"]
    known = {name for option in options for name in (*option.opts, *option.secondary_opts)} | {"-h", "--help"}
    yield from (f"{path}: no option {name}" for name in sorted(given - known))
    for option in options:
        if option.required and not given & set(option.opts) and "--help" not in given:
            yield f"{path}: {option.opts[0]} is required"
