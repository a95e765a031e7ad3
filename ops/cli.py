"""`tierlink`: every command of the project, one module each.

A command module is imported at start, so it imports nothing heavy at its top: Kafka, Faust and the doors are
imported inside its functions. To add a command, write the module and name it in COMMANDS.
"""

from importlib import import_module
from importlib.metadata import version as installed_version
from types import ModuleType
from typing import Annotated

import typer

from ops.errors import EXIT_CODES, MissingTool, run_and_exit

COMMANDS = {
    "demo": "ops.lab.commands.demo",
    "up": "ops.commands.up",
    "send": "ops.commands.send",
    "check": "ops.commands.check",
    "consume": "ops.commands.consume",
    "ledger": "ops.commands.verification",
    "compare": "ops.commands.verification",
    "verdict": "ops.commands.verification",
    "topics": "ops.commands.topics",
    "keys": "ops.commands.keys",
    "tick": "ops.commands.tick",
    "linkage": "ops.commands.linkage",
    "chaos": "ops.lab.commands.chaos",
    "simulate": "ops.lab.commands.simulate",
    "bench": "ops.lab.commands.bench",
    "measure": "ops.lab.commands.measure",
    "fit-model": "ops.lab.commands.fit_model",
    "door": "ops.commands.door",
    "worker": "ops.runtime.worker_command",
    "broker": "ops.commands.broker",
    "schemas": "ops.commands.schemas",
    "version": "ops.cli",
}  # the module that registers each, in the order of --help; those of the lab are absent where it is not installed


LAB = "ops.lab"
# A blank line keeps each code on a line of its own.
EXIT_CODE_TABLE = "\n\n".join(["Exit codes:", *(f"{code:4}  {text}" for code, text in EXIT_CODES.items())])


def build_app() -> typer.Typer:
    """The whole command line; what every module of COMMANDS offers."""
    app = typer.Typer(
        name="tierlink",
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,  # it prints local variables, and a local variable may be a person
    )
    app.callback(epilog=EXIT_CODE_TABLE)(_tierlink)
    for command, module in COMMANDS.items():
        try:
            _add(app, command, import_module(module))
        except ModuleNotFoundError as absent:
            if not str(absent.name).startswith(LAB):
                raise
            _add_absent(app, command)
    return app


def version() -> None:
    """Print the versions of tierlink and of the Kafka it embeds."""
    from ops.local.broker.kafka_jars import KAFKA_VERSION

    typer.echo(f"tierlink {installed_version('tierlink')}, Apache Kafka {KAFKA_VERSION}")


def main() -> None:
    """Run one command and exit with its code (ops/errors.py)."""

    def program() -> None:
        build_app()()

    run_and_exit(program)


def _add(app: typer.Typer, command: str, module: ModuleType) -> None:
    """What the module offers: a group it registers itself, or the one function named like the command."""
    if hasattr(module, "register"):
        module.register(app)
    else:
        app.command(command)(getattr(module, command.replace("-", "_")))


def _add_absent(app: typer.Typer, command: str) -> None:
    """A command that says, whatever follows it, that the lab is not installed."""

    def absent() -> None:
        raise MissingTool(f"{command}: the lab is not installed; it comes with the source, not with the package")

    anything = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command(command, hidden=True, context_settings=anything)(absent)


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def _tierlink(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Joins the fragments of weight-management care into one linked, pseudonymous pathway."""
