"""`tierlink`: every command of the project, one module each.

A command module is imported at start, so it imports nothing heavy at its top: Kafka, Faust and the doors are
imported inside its functions. To add a command, write the module and name it in COMMANDS.
"""

import sys
from importlib import import_module

import typer

from ops.errors import INTERRUPTED_EXIT_CODE, UNEXPECTED_EXIT_CODE, MissingTool, TierlinkError

COMMANDS = {
    "demo": "ops.lab.commands.demo",
    "up": "ops.commands.up",
    "send": "ops.commands.send",
    "check": "ops.commands.check",
    "consume": "ops.commands.consume",
    "ledger": "ops.commands.ledger",
    "compare": "ops.commands.compare",
    "verdict": "ops.commands.verdict",
    "topics": "ops.commands.topics",
    "keys": "ops.commands.keys",
    "tick": "ops.commands.tick",
    "linkage": "ops.commands.linkage",
    "chaos": "ops.lab.commands.chaos",
    "simulate": "ops.lab.commands.simulate",
    "bench": "ops.lab.commands.bench",
    "fit-model": "ops.lab.commands.fit_model",
    "door": "ops.commands.door",
    "worker": "ops.commands.worker",
    "broker": "ops.commands.broker",
    "version": "ops.commands.version",
}  # the module that registers each, in the order of --help; those of the lab are absent where it is not installed


LAB = "ops.lab"


def build_app() -> typer.Typer:
    """The whole command line; every module of COMMANDS has registered what it offers."""
    app = typer.Typer(
        name="tierlink",
        help="Joins the fragments of weight-management care into one linked, pseudonymous pathway.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # it prints local variables, and a local variable may be a person
    )
    app.callback()(_tierlink)
    for command, module in COMMANDS.items():
        try:
            import_module(module).register(app)
        except ModuleNotFoundError as absent:
            if not str(absent.name).startswith(LAB):
                raise
            _add_absent(app, command)
    return app


def main() -> None:
    """Run one command and exit with its code.

    Expected errors: one line, the code of their class (ops/errors.py). Anything else is a bug: its type and
    place are printed, never its text, which may quote what a provider sent; exit code 70.
    """
    try:
        build_app()()
    except TierlinkError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED_EXIT_CODE)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        _fail(f"unexpected {type(error).__qualname__} at {_place(error)}", UNEXPECTED_EXIT_CODE)


def _add_absent(app: typer.Typer, command: str) -> None:
    """A command that says, whatever follows it, that the lab is not installed."""

    def absent() -> None:
        raise MissingTool(
            f"{command}: the lab is not installed; it comes with the source, not with the package"
        )

    anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command(command, hidden=True, context_settings=anything)(absent)


def _tierlink() -> None:
    """Typer makes one command the whole program unless there is a callback."""


def _fail(message: str, exit_code: int) -> None:
    typer.echo(f"tierlink: {message}", err=True)
    sys.exit(exit_code)


def _place(error: BaseException) -> str:
    """`module:line` of the innermost frame, preferring our own code over a library's."""
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append((str(trace.tb_frame.f_globals.get("__name__", "?")), trace.tb_lineno))
        trace = trace.tb_next
    ours = [place for place in places if place[0].split(".")[0] in _OURS]
    return ":".join(map(str, (ours or places or [("?", 0)])[-1]))


_OURS = ("schemas", "linkage", "connectors", "streams", "ops")
