"""`tierlink schemas write`: the published JSON Schemas, written from the models."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import add_group


def schema_files() -> dict[str, str]:
    """File name -> text of each JSON Schema of what is published."""
    from schemas.pathway_events import json_schemas

    return {name: json.dumps(schema, indent=1, sort_keys=True) + "\n" for name, schema in json_schemas().items()}


def write(
    directory: Annotated[
        Path | None, typer.Option(help="Where the files go; the source's schemas/published if not given.")
    ] = None,
) -> None:
    """Write one JSON Schema per published topic."""
    import schemas

    target = directory or Path(schemas.__file__).parent / "published"
    target.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (target / name).write_text(text, encoding="utf-8")
        typer.echo(str(target / name))


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "schemas", "Published JSON Schemas.", write=write)
