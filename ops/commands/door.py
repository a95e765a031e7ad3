"""`tierlink door http|mllp|folder`: one door process."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    *,
    bootstrap: Bootstrap,
    directory: Directory = Path(".tierlink"),
    sources: Sources = None,
    test_mode: TestMode = False,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of POST /fhir.")] = 8080,
    allow_remote: AllowRemote = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Take FHIR message Bundles by POST /fhir."""
    from ops.runtime.door_process import run_http

    base = _options(bootstrap, directory, sources, test_mode)
    run_http(_listening(base, host, allow_remote, {"": port}, (pages_host, pages_port)))


def mllp(
    *,
    bootstrap: Bootstrap,
    listen: Annotated[list[str], typer.Option(help="SOURCE=PORT, once for each trust.")],
    directory: Directory = Path(".tierlink"),
    sources: Sources = None,
    test_mode: TestMode = False,
    host: Host = "127.0.0.1",
    allow_remote: AllowRemote = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Take HL7v2 messages over MLLP."""
    from ops.errors import SettingsError
    from ops.runtime.door_process import run_mllp

    ports = {}
    for one in listen:
        slug, _, port = one.partition("=")
        if not port.isdigit():
            raise SettingsError("--listen is SOURCE=PORT")
        ports[slug] = int(port)
    base = _options(bootstrap, directory, sources, test_mode)
    run_mllp(_listening(base, host, allow_remote, ports, (pages_host, pages_port)))


def folder(
    *,
    bootstrap: Bootstrap,
    directory: Directory = Path(".tierlink"),
    sources: Sources = None,
    test_mode: TestMode = False,
    pages_host: PagesHost = "127.0.0.1",
    pages_port: PagesPort = 0,
) -> None:
    """Take CSV files put into drop/<source>/inbox/."""
    from ops.runtime.door_process import run_folder

    base = _options(bootstrap, directory, sources, test_mode)
    run_folder(_listening(base, "127.0.0.1", False, {}, (pages_host, pages_port)))


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
    for command in (http, mllp, folder):
        group.command()(command)
    app.add_typer(group, name="door")
