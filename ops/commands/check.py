"""`tierlink check FILE...`: how would a door answer? No broker is needed; nothing is sent or kept."""

from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import readable


def check(
    files: Annotated[list[Path], typer.Argument(help="Files; their content decides the format.")],
    mapping: Annotated[Path | None, typer.Option(help="The mapping of a council's CSV.", callback=readable)] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(help="Service codes of weight management; every service when not given."),
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Refuse 999 test NHS numbers, as production does.")
    ] = False,
) -> None:
    """Print one JSON line per message: file, index, disposition, resource types, issues. Exit 66 when a file cannot be
    read, else 0, also for a message that a door would refuse.
    """
    import json

    from ops.client.check_files import check_file, checking_source
    from ops.errors import MissingInput

    try:
        unreadable, text = 0, mapping.read_text(encoding="utf-8") if mapping is not None else None
    except UnicodeDecodeError:
        raise MissingInput(f"{mapping} is not text in UTF-8") from None
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:
            typer.echo(f"tierlink: {path} does not exist or cannot be read", err=True)
            unreadable += 1
            continue
        source = checking_source(content, services=frozenset(service or ("*",)))
        for index, checked in enumerate(check_file(content, source, mapping=text, test_mode=not production)):
            typer.echo(json.dumps({"file": str(path), "index": index, **checked.as_json()}))
    if unreadable:
        raise MissingInput(f"{unreadable} of {len(files)} files could not be read")
