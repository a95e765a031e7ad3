"""Options that several commands share, and what each of them checks before it begins."""

import errno
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.errors import BrokerError, MissingInput, SettingsError
from schemas.revision import GENERATION_MAX

if TYPE_CHECKING:
    from ops.runtime.paths import Addresses
    from schemas.recipients import Agreement
    from schemas.sources import Source

CONNECT_SECONDS_MAX = 5.0
UP = Path(".tierlink/up")


def readable_any(given: Path | Sequence[Path] | None) -> Path | Sequence[Path] | None:
    """The files or folders given. Raises MissingInput for the first that is missing or may not be read."""
    for path in [given] if isinstance(given, Path) else given or ():
        if not os.access(path, os.R_OK):
            raise MissingInput(f"{path} does not exist or cannot be read")
    return given


def readable(given: Path | Sequence[Path] | None) -> Path | Sequence[Path] | None:
    """The files given. Raises MissingInput as `readable_any`, and for a folder."""
    for path in [given] if isinstance(given, Path) else given or ():
        if path.is_dir():
            raise MissingInput(f"{path} is a folder")
    return readable_any(given)


def checked_address(bootstrap: str | None) -> str | None:
    """The address of a broker as given. Raises BadParameter for another form than HOST:PORT,HOST:PORT..."""
    for address in (bootstrap or "").split(",") if bootstrap is not None else ():
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise typer.BadParameter("HOST:PORT, several with commas between them")
    return bootstrap


Bootstrap = Annotated[str, typer.Option(help="Address of the Kafka broker, host:port.", callback=checked_address)]
Broker = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        help="Address of the broker, host:port; else that of the engine in --directory.",
        callback=checked_address,
    ),
]
Directory = Annotated[Path, typer.Option(help="Where this engine keeps keys, state, logs and folders.")]
Sources = Annotated[
    Path | None,
    typer.Option(help="The file of sources; the demonstration's when not given.", callback=readable),
]
Recipients = Annotated[
    Path | None,
    typer.Option(help="The file of recipients; the demonstration's when not given.", callback=readable),
]
LinkageModel = Annotated[
    Path | None,
    typer.Option(
        help="The linker's model, as `linkage train` writes it; the shipped one if not given.",
        callback=readable,
    ),
]
Deprivation = Annotated[
    Path | None,
    typer.Option(help="LSOA and quintile (IMD 2025), by which ingress completes an area.", callback=readable),
]
TestMode = Annotated[
    bool, typer.Option("--test-mode", help="Accept 999 test NHS numbers and sources that keep every service.")
]
Generation = Annotated[
    int,
    typer.Option(min=0, max=GENERATION_MAX, help="One more with each rebuild: then it is newer than all before."),
]
PagesHost = Annotated[str, typer.Option(help="Where /metrics, /livez and /readyz are served.")]
PagesPort = Annotated[int, typer.Option(min=0, max=65535, help="Their port; 0 takes a free one.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object on the last line.")]


def show_progress(text: str) -> None:
    """One line about what a command does now, on standard error."""
    typer.echo(f"tierlink: {text}", err=True)


@contextmanager
def invalid_arguments() -> Iterator[None]:
    """What a library refuses inside is an argument of the command: exit 2."""
    try:
        yield
    except SettingsError as refused:
        if str(refused).startswith("--"):
            raise
        raise typer.BadParameter(str(refused)) from None


def check_linkage_model(path: Path | None) -> None:
    """Nothing, where the file is a model or none was given; raises SettingsError saying what is wrong with it."""
    if path is not None:
        from ops.runtime.model_files import read_model

        read_model(path, option="--linkage-model")


def check_deprivation(path: Path | None) -> None:
    """Nothing, where the file is a table of areas or none was given; raises SettingsError saying what is wrong."""
    from ops.runtime.area_files import read_quintiles

    read_quintiles(path)


def running(directory: Path) -> "Addresses":
    """What the engine that runs in `directory` wrote about itself. Raises NoEngine when none does."""
    from ops.runtime.paths import EnginePaths

    return EnginePaths(directory).addresses()


def engine_sources(directory: Path) -> "Mapping[str, Source]":
    """The sources of the engine that runs in `directory`. Raises NoEngine when none does."""
    from ops.runtime.paths import load_sources

    found = running(directory)
    path = found["sources"]
    return load_sources(Path(path) if path else None, test_mode=found["test_mode"])


def engine_recipients(directory: Path) -> "Mapping[str, Agreement]":
    """The recipients of the engine that runs in `directory`. Raises NoEngine when none does."""
    from ops.runtime.paths import load_recipients

    path = running(directory)["recipients"]
    return load_recipients(Path(path) if path else None)


def broker_address(directory: Path, bootstrap: str | None) -> str:
    """The address given, else that of the engine in `directory`. Raises NoEngine, or BrokerError."""
    address = bootstrap or str(running(directory)["bootstrap"])
    check_broker(address)
    return address


def check_broker(bootstrap: str) -> None:
    """Something listens at an address. Raises BrokerError at once, where the clients of Kafka would try for long."""
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS_MAX).close()
        except OSError:
            continue
        return
    raise BrokerError(f"no broker answers at {bootstrap}")


def check_port(host: str, port: int, option: str) -> None:
    """The port can be listened on. Raises SettingsError naming port and option. 0, a free port, always can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except (OSError, OverflowError) as failure:
            in_use = isinstance(failure, OSError) and failure.errno == errno.EADDRINUSE
            why = "is in use by another program" if in_use else "cannot be listened on"
            raise SettingsError(f"port {port} of {host} {why}: choose another with {option}") from None


def add_group(app: typer.Typer, name: str, summary: str, **commands: Callable[..., None]) -> None:
    """`tierlink NAME COMMAND` for each of the commands, in this order."""
    group = typer.Typer(help=summary, no_args_is_help=True)
    for command, function in commands.items():
        group.command(command)(function)
    group.callback()(lambda: None)  # Typer makes one command the whole group unless there is a callback
    app.add_typer(group, name=name)
