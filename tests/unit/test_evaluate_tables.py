"""Tables: what is read from files as people really export them, and that no error quotes a cell."""

import sys
from pathlib import Path

import pytest

from ops.errors import MissingTool, SettingsError
from ops.training.tables import read

SECRET = "Featherstonehaugh"


def table(folder: Path, raw: bytes, name: str = "people.csv") -> Path:
    """A file of these bytes."""
    path = folder / name
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    "raw",
    [
        b"name,town\nAnn,Leeds\n",
        b"\xef\xbb\xbfname,town\r\nAnn,Leeds\r\n",
        b"name;town\nAnn;Leeds\n",
        b"name\ttown\nAnn\tLeeds\n",
        b'name, town\n"Ann", Leeds \n\n',
    ],
)
def test_every_usual_csv_gives_the_same_table(tmp_path: Path, raw: bytes) -> None:
    found = read(table(tmp_path, raw))
    assert (found.columns, found.rows) == (("name", "town"), (("Ann", "Leeds"),))


def test_letters_of_windows_1252_are_read(tmp_path: Path) -> None:
    assert read(table(tmp_path, "name\nZoë\n".encode("windows-1252"))).rows == (("Zoë",),)


def test_a_short_row_ends_in_empty_cells(tmp_path: Path) -> None:
    assert read(table(tmp_path, b"a,b,c\n1\n")).rows == (("1", "", ""),)


def test_a_quoted_cell_may_hold_a_line_end(tmp_path: Path) -> None:
    assert read(table(tmp_path, b'a,b\n"12 High St\nFlat 2",x\n')).rows == (("12 High St\nFlat 2", "x"),)


def test_a_cell_of_a_hundred_thousand_letters_is_read(tmp_path: Path) -> None:
    assert len(read(table(tmp_path, b"a,b\n" + b"x" * 200_000 + b",y\n")).rows[0][0]) == 200_000


@pytest.mark.parametrize(
    "raw",
    [
        f"a,b\n{SECRET},2,3\n".encode(),
        f'a,b\n"{SECRET}'.encode() + b"x" * 1_000_001,
        b"a,b\n",
        b"",
        f"a,a\n{SECRET},2\n".encode(),
    ],
    ids=["too many cells", "endless quote", "no row", "empty", "one name twice"],
)
def test_what_is_no_table_is_refused_without_quoting_it(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(SettingsError, match=r"people\.csv") as refused:
        read(table(tmp_path, raw))
    assert SECRET not in str(refused.value)


def test_other_files_and_missing_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="named"):
        read(table(tmp_path, b"x", "people.xlsx"))
    with pytest.raises(SettingsError, match="cannot be read"):
        read(tmp_path / "nowhere.csv")


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no column surname; it has name, town"):
        read(table(tmp_path, b"name,town\nAnn,Leeds\n")).place("surname")


def test_a_table_does_not_show_its_rows(tmp_path: Path) -> None:
    assert SECRET not in repr(read(table(tmp_path, f"a\n{SECRET}\n".encode())))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingTool, match="parquet"):
        read(table(tmp_path, b"PAR1", "people.parquet"))


def test_parquet_is_read_as_text(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, the extra `parquet`, is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow has no parquet here")
    path = tmp_path / "people.parquet"
    parquet.write_table(pyarrow.table({"a": [1.0, None], "b": ["x", " y "]}), path)
    found = read(path)
    assert (found.columns, found.rows) == (("a", "b"), (("1", "x"), ("", "y")))


def test_what_is_not_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, the extra `parquet`, is not installed")
    with pytest.raises(SettingsError, match="not Parquet"):
        read(table(tmp_path, SECRET.encode(), "people.parquet"))
