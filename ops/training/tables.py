"""Tables with a header line, as rows of text: CSV, or Parquet where pyarrow is installed.

No error here holds the content of a cell: a cell may be a person.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ops.errors import MissingTool, SettingsError

DELIMITERS = ",;\t|"
CELL_CHARACTERS_MAX = 1_000_000  # a longer cell is a broken quote, not a value


@dataclass(frozen=True, repr=False)
class InputTable:
    """One file. Every row has as many cells as there are columns; an empty cell is ""."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def place(self, column: str) -> int:
        """The position of a column. Raises SettingsError, naming those there are."""
        if column not in self.columns:
            raise SettingsError(f"{self.name} has no column {column}; it has {', '.join(self.columns)}")
        return self.columns.index(column)


def read(path: Path) -> InputTable:
    """The table of a file named *.csv or *.parquet, cells without surrounding blanks.

    CSV may be UTF-8 or else Windows-1252, with the delimiter that its header shows. Raises SettingsError for a
    file that is no such table, MissingTool for Parquet without pyarrow.
    """
    readers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise SettingsError(f"--input {path.name}: a file named .csv or .parquet")
    try:
        columns, rows = readers[path.suffix.lower()](path)
    except OSError:
        raise SettingsError(f"--input {path.name}: cannot be read") from None
    if len(set(columns)) != len(columns):
        raise SettingsError(f"--input {path.name}: two columns of one name")
    if not rows:
        raise SettingsError(f"--input {path.name}: no row below the header")
    return InputTable(path.name, columns, rows)


def _csv(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    text = _decoded(path.read_bytes())
    header, _, _ = text.partition("\n")
    delimiter = max(DELIMITERS, key=header.count)
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    rows = list(_stripped(reader, path.name))
    if not rows:
        raise SettingsError(f"--input {path.name}: no header")
    columns, *rest = rows
    return columns, tuple(_fitted(rest, columns, path.name))


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("windows-1252", errors="replace")


def _stripped(reader: Iterator[list[str]], name: str) -> Iterator[tuple[str, ...]]:
    try:
        for cells in reader:
            if any(cells):
                yield tuple(cell.strip() for cell in cells)
    except csv.Error:
        raise SettingsError(f"--input {name}: not CSV near line {getattr(reader, 'line_num', 0)}") from None


def _fitted(rows: Sequence[tuple[str, ...]], columns: tuple[str, ...], name: str) -> Iterator[tuple[str, ...]]:
    """Short rows are filled with empty cells; a row with more cells than the header is refused."""
    for number, cells in enumerate(rows, start=1):
        if len(cells) > len(columns):
            raise SettingsError(f"--input {name}: row {number} has more cells than the header")
        yield cells + ("",) * (len(columns) - len(cells))


def _parquet(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise MissingTool("reading Parquet needs pyarrow: install the extra, `uv sync --extra parquet`") from None
    try:
        table = parquet.read_table(path)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - pyarrow's own tree of errors, whose texts may quote what is in the file
        raise SettingsError(f"--input {path.name}: not Parquet") from None
    columns = tuple(str(column) for column in table.column_names)
    cells = [[_as_text(value) for value in table.column(i).to_pylist()] for i in range(len(columns))]
    return columns, tuple(zip(*cells, strict=True))


def _as_text(value: object) -> str:
    """None and NaN are empty; a whole number that was stored as a fraction is whole again."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
