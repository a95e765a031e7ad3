"""Reading one TOML table of a mapping: every key once, nothing left over, every error with its table and key."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from schemas.errors import InvalidField

Fixed = str | bool | int
T = TypeVar("T")
CodeLists = Mapping[str, Mapping[str, Fixed]]


def header_key(header: str) -> str:
    """What two headers must share to be the same column: letters in one case; no white space, hidden sign, `_` or `-`.

    >>> header_key(" NHS No ") == header_key("\ufeffnhs_no\u200b")
    True
    """
    shown = (letter for letter in header if unicodedata.category(letter) != "Cf")
    return "".join("".join(shown).split()).replace("_", "").replace("-", "").casefold()


def spelling(text: str) -> str:
    """What two cells must share to be the same code: case and runs of white space do not count."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file; `header` is spelled as the mapping spells it, for reports.

    `codes` turns the column's spellings into values. `lenient`: a cell that is unknown or malformed is
    dropped with a warning instead of rejecting the row.
    """

    header: str
    codes: Mapping[str, Fixed] | None = None
    lenient: bool = False

    @property
    def key(self) -> str:
        """The header as `header_key` sees it."""
        return header_key(self.header)


class TomlTable:
    """One TOML table while it is read; `finish` refuses the keys that were not taken."""

    def __init__(self, place: str, values: object, codes: CodeLists) -> None:
        if not isinstance(values, dict):
            raise InvalidField(place, rule="must be a table")
        self.place = place
        self._left: dict[str, object] = dict(values)
        self._codes = codes

    def refuse(self, key: str, rule: str) -> InvalidField:
        """The error about `key` of this table."""
        return InvalidField(f"{self.place}.{key}", rule=rule)

    def names(self) -> list[str]:
        """The keys that were not taken yet."""
        return list(self._left)

    def take(self, key: str) -> object:
        """Whatever stands under `key`, or None."""
        return self._left.pop(key, None)

    def text(self, key: str) -> str:
        """A text that is there and not blank."""
        value = self.take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(key, "must be a text")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts, empty when the key is not there."""
        value = self.take(key)
        value = [] if value is None else value
        if not isinstance(value, list) or not all(isinstance(part, str) and part.strip() for part in value):
            raise self.refuse(key, "must be a list of texts")
        return value

    def one_of(self, key: str, choices: tuple[T, ...]) -> T:
        """One of `choices`."""
        value = self.take(key)
        for choice in choices:
            if value == choice:
                return choice
        raise self.refuse(key, "must be one of " + ", ".join(str(choice) for choice in choices if choice is not None))

    def tables(self, key: str) -> dict[str, object]:
        """A table of tables, empty when the key is not there."""
        value = self.take(key)
        value = {} if value is None else value
        if not isinstance(value, dict):
            raise self.refuse(key, "must be a table of tables")
        return value

    def list_of_tables(self, key: str) -> list[object]:
        """At least one table under `[[key]]`."""
        value = self.take(key)
        if not isinstance(value, list) or not value:
            raise self.refuse(key, f"must be at least one [[{key}]] table")
        return value

    def table(self, key: str, codes: CodeLists, *, optional: bool = False) -> "TomlTable":
        """The table under `key`; an empty one when it is optional and not there."""
        value = self.take(key)
        return TomlTable(key, {} if value is None and optional else value, codes)

    def column(self, key: str) -> Column | None:
        """The column under `key`, or None when the key is not there."""
        value = self.take(key)
        return None if value is None else self.as_column(key, value)

    def as_column(self, key: str, value: object) -> Column:
        """The column that a value `{ column, codes, unknown }` names."""
        if not isinstance(value, dict) or not isinstance(value.get("column"), str) or not header_key(value["column"]):
            raise self.refuse(key, 'must be a table { column = "…" }')
        if unknown_keys := sorted(set(value) - {"column", "codes", "unknown"}):
            raise self.refuse(f"{key}.{unknown_keys[0]}", "is not a key of a column")
        if value.get("unknown", "error") not in ("error", "warning"):
            raise self.refuse(f"{key}.unknown", "must be error or warning")
        codes = None
        if "codes" in value:
            if not isinstance(value["codes"], str) or value["codes"] not in self._codes:
                raise self.refuse(f"{key}.codes", "names a code list this mapping does not have")
            codes = self._codes[value["codes"]]
        return Column(value["column"], codes, lenient=value.get("unknown") == "warning")

    def finish(self) -> None:
        """Raises InvalidField when a key is left that this table does not have."""
        for key in sorted(self._left):
            raise self.refuse(key, "is not a key of this table")


def code_list(place: str, values: object) -> Mapping[str, Fixed]:
    """Spelling -> code of one `[codes.…]` table. Raises InvalidField; no two spellings may be the same to a reader."""
    if not isinstance(values, dict) or not values:
        raise InvalidField(place, rule="must be a table of spellings and their codes")
    codes: dict[str, Fixed] = {}
    for written, code in values.items():
        if not isinstance(code, str | bool | int):
            raise InvalidField(f"{place}.{written}", rule="must be a text, a whole number or true/false")
        if spelling(written) in codes:
            raise InvalidField(f"{place}.{written}", rule="is listed twice, case and spaces aside")
        codes[spelling(written)] = code
    return codes
