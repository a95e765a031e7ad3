"""`tierlink schemas write`: the published JSON Schemas, written from the models."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.runtime.cli_options import add_group


def schema_files() -> dict[str, str]:
    """File name -> text of each JSON Schema of what is published."""
    from schemas.set_schemas import every_schema

    return {name: json.dumps(schema, indent=1, sort_keys=True) + "\n" for name, schema in every_schema().items()}


def write(
    directory: Annotated[
        Path | None, typer.Option(help="Where the files go; the source's schemas/published if not given.")
    ] = None,
) -> None:
    """Write the JSON Schemas of all that is published, those of a set of fields below its name."""
    import schemas

    target = directory or Path(schemas.__file__).parent / "published"
    target.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
        typer.echo(str(target / name))


def register(app: typer.Typer) -> None:
    """Add the group."""
    add_group(app, "schemas", "Published JSON Schemas.", write=write)
