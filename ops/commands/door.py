"""`tierlink door <transport>`: one door process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from connectors.doors import TRANSPORTS, Ports, command_word
from ops.runtime.cli_options import (
    UP,
    Bootstrap,
    Directory,
    PagesHost,
    PagesPort,
    Sources,
    TestMode,
    check_port,
)

Host = Annotated[str, typer.Option(help="Where it listens.")]
AllowRemote = Annotated[
    bool,
    typer.Option("--allow-remote", help="Listen beyond loopback although doors do not authenticate yet."),
]


class CommonOptions(NamedTuple):
    """The options of every door."""

    bootstrap: str
    directory: Path
    sources: Path | None
    test_mode: bool
    pages_host: str
    pages_port: int


def http(
    context: typer.Context,
    *,
    bootstrap: Bootstrap,
    directory: Directory = UP,
    sources: Sources = None,
    test_mode: TestMode = False,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8080,
    allow_remote: AllowRemote = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Open a door on one port."""
    common = CommonOptions(bootstrap, directory, sources, test_mode, pages_host, pages_port)
    _serve(context, common, {"": port}, host=host, allow_remote=allow_remote)


def mllp(
    context: typer.Context,
    *,
    bootstrap: Bootstrap,
    listen: Annotated[list[str], typer.Option(help="SOURCE=PORT, once for each source.")],
    directory: Directory = UP,
    sources: Sources = None,
    test_mode: TestMode = False,
    host: Host = "127.0.0.1",
    allow_remote: AllowRemote = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Open a door with a port for each source."""
    from ops.errors import SettingsError

    ports = {}
    for address in listen:
        slug, _, port = address.partition("=")
        if not port.isdigit():
            raise SettingsError("--listen is SOURCE=PORT")
        ports[slug] = int(port)
    common = CommonOptions(bootstrap, directory, sources, test_mode, pages_host, pages_port)
    _serve(context, common, ports, host=host, allow_remote=allow_remote)


def folder(
    context: typer.Context,
    *,
    bootstrap: Bootstrap,
    directory: Directory = UP,
    sources: Sources = None,
    test_mode: TestMode = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Open a door that listens on no port."""
    _serve(context, CommonOptions(bootstrap, directory, sources, test_mode, pages_host, pages_port), {})


def _serve(
    context: typer.Context,
    common: CommonOptions,
    ports: Mapping[str, int],
    *,
    host: str = "127.0.0.1",
    allow_remote: bool = False,
) -> None:
    """Open the door that this command is named for, with a port for each source, or for "" where they share one."""
    from ops.runtime.door_process import DoorOptions, run_door
    from ops.runtime.paths import EnginePaths

    for source, port in ports.items():
        check_port(host, port, "--listen" if source else "--port")
    check_port(common.pages_host, common.pages_port, "--pages-port")
    options = DoorOptions(
        bootstrap=common.bootstrap,
        layout=EnginePaths(common.directory),
        sources=common.sources,
        test_mode=common.test_mode,
        host=host,
        allow_remote=allow_remote,
        ports=ports,
        pages_host=common.pages_host,
        pages_port=common.pages_port,
    )
    run_door(next(door for door in TRANSPORTS if command_word(door) == context.info_name), options)


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
