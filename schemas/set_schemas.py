"""JSON Schemas of what each set of fields leaves of the published models."""

import copy
from collections.abc import Iterator
from typing import Any

from schemas.field_sets import ALWAYS, ALWAYS_IN_EVENTS, FIELD_SETS, FieldSet, Tree, tree_of
from schemas.pathway import schema_uri
from schemas.pathway_events import json_schemas


def every_schema() -> dict[str, dict[str, Any]]:
    """JSON Schema 2020-12 by file name in `schemas/published/`: of the whole, and below `<set>/` of each other set."""
    whole = json_schemas()
    found: dict[str, dict[str, Any]] = dict(whole)
    for fields in FIELD_SETS.values():
        if fields.snapshot is not None:
            found |= {f"{fields.name}/{name}": schema for name, schema in _narrowed(whole, fields)}
    return found


def _narrowed(whole: dict[str, dict[str, object]], fields: FieldSet) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in whole.items():
        what = name.split(".")[1]
        if what != "snapshot" and not fields.shows(what):
            continue
        paths = (*ALWAYS, *(fields.snapshot or ())) if what == "snapshot" else (*ALWAYS_IN_EVENTS, *_named(fields))
        narrow: dict[str, Any] = copy.deepcopy(schema)
        definitions = narrow.pop("$defs", {})
        _keep(narrow, tree_of(paths), definitions)
        narrow["$id"] = schema_uri(what, fields.name)
        used = dict(sorted((each, definitions[each]) for each in _used(narrow, definitions)))
        yield name, {**narrow, **({"$defs": used} if used else {})}


def _named(fields: FieldSet) -> tuple[str, ...]:
    return fields.event_fields or ()


def _keep(schema: Any, tree: Tree, definitions: dict[str, Any]) -> None:
    """Take out of a schema every property that `tree` does not name, in what it refers to as well."""
    if not tree or not isinstance(schema, dict):
        return
    if "$ref" in schema:
        _keep(definitions[_target(schema)], tree, definitions)
    for part in (*schema.get("anyOf", ()), schema.get("items")):
        _keep(part, tree, definitions)
    if "*" in tree:
        _keep(schema.get("additionalProperties"), tree["*"], definitions)
    if "properties" in schema:
        schema["properties"] = {name: part for name, part in schema["properties"].items() if name in tree}
        schema["required"] = [name for name in schema.get("required", ()) if name in tree]
        for name, part in schema["properties"].items():
            _keep(part, tree[name], definitions)


def _used(schema: object, definitions: dict[str, Any]) -> set[str]:
    """The definitions that a schema refers to, and those that they refer to."""
    if isinstance(schema, list):
        return {name for part in schema for name in _used(part, definitions)}
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        name = _target(schema)
        return {name} | _used(definitions[name], definitions)
    return {name for part in schema.values() for name in _used(part, definitions)}


def _target(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).removeprefix("#/$defs/")
