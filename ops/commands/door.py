"""`tierlink door <transport>`: one door process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.doors import TRANSPORTS, Ports, command_word
from ops.runtime.cli_options import (
    Bootstrap,
    Directory,
    PagesHost,
    PagesPort,
    Sources,
    TestMode,
    check_port,
)

if TYPE_CHECKING:
    from ops.runtime.door_process import DoorOptions

Host = Annotated[str, typer.Option(help="Where it listens.")]
AllowRemote = Annotated[
    bool,
    typer.Option("--allow-remote", help="Listen beyond loopback although doors do not authenticate yet."),
]


def http(
    context: typer.Context,
    *,
    bootstrap: Bootstrap,
    directory: Directory = Path(".tierlink"),
    sources: Sources = None,
    test_mode: TestMode = False,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8080,
    allow_remote: AllowRemote = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Open a door on one port."""
    from ops.runtime.door_process import run_door

    base = _options(bootstrap, directory, sources, test_mode)
    run_door(_door(context), _listening(base, host, allow_remote, {"": port}, (pages_host, pages_port)))


def mllp(
    context: typer.Context,
    *,
    bootstrap: Bootstrap,
    listen: Annotated[list[str], typer.Option(help="SOURCE=PORT, once for each source.")],
    directory: Directory = Path(".tierlink"),
    sources: Sources = None,
    test_mode: TestMode = False,
    host: Host = "127.0.0.1",
    allow_remote: AllowRemote = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Open a door with a port for each source."""
    from ops.errors import SettingsError
    from ops.runtime.door_process import run_door

    ports = {}
    for entry in listen:
        slug, _, port = entry.partition("=")
        if not port.isdigit():
            raise SettingsError("--listen is SOURCE=PORT")
        ports[slug] = int(port)
    base = _options(bootstrap, directory, sources, test_mode)
    run_door(_door(context), _listening(base, host, allow_remote, ports, (pages_host, pages_port)))


def folder(
    context: typer.Context,
    *,
    bootstrap: Bootstrap,
    directory: Directory = Path(".tierlink"),
    sources: Sources = None,
    test_mode: TestMode = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Open a door that listens on no port."""
    from ops.runtime.door_process import run_door

    base = _options(bootstrap, directory, sources, test_mode)
    run_door(_door(context), _listening(base, "127.0.0.1", False, {}, (pages_host, pages_port)))


def _door(context: typer.Context) -> str:
    """The registered name of the door that this command opens."""
    return next(door for door in TRANSPORTS if command_word(door) == context.info_name)


def _options(bootstrap: str, directory: Path, sources: Path | None, test_mode: bool) -> Mapping[str, object]:
    from ops.runtime.paths import EnginePaths

    return {
        "bootstrap": bootstrap,
        "layout": EnginePaths(directory),
        "sources": sources,
        "test_mode": test_mode,
    }


def _listening(
    base: Mapping[str, object],
    host: str,
    allow_remote: bool,
    ports: Mapping[str, int],
    pages: tuple[str, int],
) -> "DoorOptions":
    from ops.runtime.door_process import DoorOptions

    for source, port in ports.items():
        check_port(host, port, "--listen" if source else "--port")
    check_port(*pages, "--pages-port")
    return DoorOptions(
        **base,  # type: ignore[arg-type]  # the four names and types of _options
        host=host,
        allow_remote=allow_remote,
        ports=ports,
        pages_host=pages[0],
        pages_port=pages[1],
    )


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="One door process.", no_args_is_help=True)
    commands: Mapping[Ports, Callable[..., None]] = {
        Ports.SHARED: http,
        Ports.PER_SOURCE: mllp,
        Ports.NONE: folder,
    }
    for door, transport in TRANSPORTS.items():
        group.command(command_word(door), help=transport.summary)(commands[transport.ports])
    app.add_typer(group, name="door")
