"""`tierlink check FILE...`: how would a door answer? No broker is needed; nothing is sent or kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.runtime.cli_options import Sources, readable

if TYPE_CHECKING:
    from schemas.sources import Source


def check(
    files: Annotated[list[Path], typer.Argument(help="Files; without --source their content decides the format.")],
    *,
    source: Annotated[
        str | None, typer.Option(help="Judge as the door of this source does, by all that its table says.")
    ] = None,
    sources: Sources = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="The mapping of a council's CSV, in place of its source's.", callback=readable),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(help="Without --source: codes of weight management; every service when not given."),
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Refuse 999 test NHS numbers, as production does.")
    ] = False,
) -> None:
    """Print one JSON line per message: file, index, disposition, issues by field, and the facts and counts understood.
    A CSV with issues as a whole has a line of its own, index null. Exit 66 when a file cannot
    be read, else 0, also for a message that a door would refuse.
    """
    import json

    from ops.client.check_files import check_file, checking_source, mapping_for
    from ops.errors import MissingInput

    named, unreadable = _source(source, sources, service, test_mode=not production), 0
    try:
        columns = mapping_for(named, mapping.read_text(encoding="utf-8") if mapping is not None else None)
    except UnicodeDecodeError:
        raise MissingInput(f"{mapping} is not text in UTF-8") from None
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:
            typer.echo(f"tierlink: {path} does not exist or cannot be read", err=True)
            unreadable += 1
            continue
        judged = named or checking_source(content, services=frozenset(service or ("*",)))
        for index, checked in check_file(content, judged, mapping=columns, test_mode=not production):
            typer.echo(json.dumps({"file": str(path), "index": index, **checked.as_json()}))
    if unreadable:
        raise MissingInput(f"{unreadable} of {len(files)} files could not be read")


def _source(slug: str | None, sources: Path | None, services: list[str] | None, *, test_mode: bool) -> "Source | None":
    """The source to judge as; None when none is named. Raises BadParameter for one there is not."""
    from ops.runtime.paths import load_sources

    if slug is None:
        if sources is not None:
            raise typer.BadParameter("goes with --source", param_hint="--sources")
        return None
    if services:
        raise typer.BadParameter("does not go with --source, whose table names the services", param_hint="--service")
    found = load_sources(sources, test_mode=test_mode).get(slug)
    if found is None:
        raise typer.BadParameter("names no source of the file of sources", param_hint="--source")
    return found
