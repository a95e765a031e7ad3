"""The JSON Schemas that stand in the repository are those of the published vocabulary.

After a change of the vocabulary: `python tests/unit/test_pathway_published_schemas.py` writes them again.
"""

import json
from pathlib import Path

from schemas import pathway
from schemas.pathway_events import json_schemas

FOLDER = Path(pathway.__file__).parent / "published"


def _text(schema: dict[str, object]) -> str:
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def test_the_committed_schemas_are_those_of_the_vocabulary() -> None:
    generated = {name: _text(schema) for name, schema in json_schemas().items()}
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("pathway.*.json")}
    assert committed == generated


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


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file_name, one in json_schemas().items():
        (FOLDER / file_name).write_text(_text(one), encoding="utf-8")
