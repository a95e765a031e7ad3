"""The JSON Schemas that stand in the repository are those of the published vocabulary.

After a change of the vocabulary: `./run schemas write` writes them again.
"""

from pathlib import Path

from typer.testing import CliRunner

from ops.cli import build_app
from ops.commands.schemas import schema_files
from schemas import pathway
from schemas.pathway_events import json_schemas

FOLDER = Path(pathway.__file__).parent / "published"


def written(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("pathway.*.json")
    }


def test_the_committed_schemas_are_those_of_the_vocabulary() -> None:
    committed = written(FOLDER)
    assert committed == schema_files()


def test_the_command_writes_them(tmp_path: Path) -> None:
    ended = CliRunner().invoke(build_app(), ["schemas", "write", "--directory", str(tmp_path)])
    assert ended.exit_code == 0
    assert written(tmp_path) == schema_files()


def test_no_published_field_is_free_text() -> None:
    """Every string has a pattern, a format, or a list of words: a name would not fit."""
    for name, schema in json_schemas().items():
        for place, part in _strings(schema):
            assert {"pattern", "format", "enum", "const"} & set(part), f"{name}: {place} takes any text"


def _strings(schema: object, place: str = "") -> list[tuple[str, dict[str, object]]]:
    if isinstance(schema, list):
        return [found for part in schema for found in _strings(part, place)]
    if not isinstance(schema, dict):
        return []
    here = [(place, schema)] if schema.get("type") == "string" else []
    return here + [found for key, part in schema.items() for found in _strings(part, f"{place}/{key}")]
