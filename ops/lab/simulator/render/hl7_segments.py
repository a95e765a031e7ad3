"""Segments of HL7 v2 from their fields."""

from collections.abc import Mapping

_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\"})


def segment(name: str, fields: Mapping[int, str]) -> str:
    """`name` and its fields by number, empty ones between, none after the last that is filled."""
    last = max(fields)
    return "|".join((name, *(fields.get(number, "") for number in range(1, last + 1))))


def escaped(value: str) -> str:
    """`value` with the delimiters in it escaped (HL7 2.4, 2.10)."""
    return value.translate(_ESCAPES)
