"""`tierlink check FILE...`: what would the door say? Dry: no broker, nothing sent, nothing kept."""

from pathlib import Path
from typing import Annotated

import typer


def check(
    files: Annotated[list[Path], typer.Argument(help="Files; their content decides the format.")],
    mapping: Annotated[Path | None, typer.Option(help="The mapping of a council's CSV.")] = None,
    service: Annotated[
        list[str] | None, typer.Option(help="Service codes that are ours; every service when not given.")
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Refuse 999 test NHS numbers, as production does.")
    ] = False,
) -> None:
    """Print one JSON line per message: file, index, disposition, resource types, issues. Exit 0 unless unreadable."""
    import json

    from ops.client.check_files import check_file, checking_source
    from ops.errors import SettingsError

    unreadable = 0
    text = None
    if mapping is not None:
        try:
            text = mapping.read_text()
        except OSError:
            raise SettingsError("the mapping cannot be read") from None
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:
            typer.echo(f"tierlink: {path} cannot be read", err=True)
            unreadable += 1
            continue
        source = checking_source(content, services=frozenset(service or ("*",)))
        for index, checked in enumerate(check_file(content, source, mapping=text, test_mode=not production)):
            typer.echo(json.dumps({"file": str(path), "index": index, **checked.as_json()}))
    raise typer.Exit(1 if unreadable else 0)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)
