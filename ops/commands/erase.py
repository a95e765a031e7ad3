"""`tierlink erase`: a record of a source is forgotten, and the keys that open what is left of it are destroyed."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import (
    UP,
    Broker,
    Directory,
    Json,
    Sources,
    broker_address,
    engine_sources,
    readable,
    show_progress,
)

if TYPE_CHECKING:
    from schemas.identity import LocalId
    from schemas.sources import Source

STANDARD_INPUT = Path("-")
BYTES_MAX = 1024


def _readable_or_input(given: Path) -> Path:
    """Raises MissingInput as `readable`."""
    if given != STANDARD_INPUT:
        readable(given)
    return given


def erase(
    *,
    source: Annotated[str, typer.Argument(help="The source that keeps the record.")],
    local_id_file: Annotated[
        Path,
        typer.Option(
            help="A file with nothing but the source's number of the patient; - reads standard input.",
            callback=_readable_or_input,
        ),
    ],
    issuer: Annotated[str, typer.Option(help="Who issued the number, as the source sends it; else the source.")] = "",
    directory: Directory = UP,
    bootstrap: Broker = None,
    sources: Sources = None,
    as_json: Json = False,
) -> None:
    """Forget one record: its entries end withdrawn, now and later; its keys are destroyed. If killed, run it again."""
    from ops.admin.erasure import RecordPlace
    from ops.admin.erasure import erase as erase_record
    from ops.runtime.paths import EnginePaths, load_sources
    from schemas.keyring import OPERATIONS_ZONE

    address = broker_address(directory, bootstrap)
    known = load_sources(sources, test_mode=True) if bootstrap or sources else engine_sources(directory)
    if source not in known:
        raise typer.BadParameter("no such source", param_hint="SOURCE")
    paths = EnginePaths(directory)
    place = RecordPlace.of(paths.keyring(OPERATIONS_ZONE), source, _local_id(known[source], local_id_file, issuer))
    done = erase_record(address, paths.keys, place, show_progress)
    typer.echo("erased" if done.known else "nothing was kept of it; what comes will be withdrawn", err=as_json)
    typer.echo(f"its bucket is at epoch {done.epoch}; {done.keys_destroyed} older keys destroyed", err=as_json)
    if as_json:
        typer.echo(json.dumps({"known": done.known, "epoch": done.epoch, "keys_destroyed": done.keys_destroyed}))


def _local_id(source: "Source", file: Path, issuer: str) -> "LocalId":
    """Raises SettingsError, without the text, for one that is no number of this source."""
    from ops.errors import SettingsError
    from schemas.errors import InvalidField
    from schemas.identity import LocalId

    stream = sys.stdin.buffer if file == STANDARD_INPUT else file.open("rb")
    with stream:
        content = stream.read(BYTES_MAX + 1)
    authority = source.issuer(issuer)
    if authority is None:
        raise SettingsError("--issuer: the source's numbers are issued by others, name one")
    try:
        return LocalId.parse(content.decode() if len(content) <= BYTES_MAX else "", authority)
    except (InvalidField, UnicodeDecodeError):
        raise SettingsError("--local-id-file: holds no number of 1 to 64 characters alone on one line") from None
