"""Which record `tierlink erase` means: the number comes from a file or standard input, and is shown nowhere."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from memory_engine import all_keys, intake_message, published, record_id, sources
from small_world import small_world

from ops.admin.erasure import RecordPlace
from ops.commands import erase as command
from ops.errors import SettingsError


def read(content: bytes, tmp_path: Path, *, source: str = "gp-hub", issuer: str = "") -> tuple[str, str]:
    file = tmp_path / "number"
    file.write_bytes(content)
    found = command._local_id(sources()[source], file, issuer)
    return found.authority, found.value


def test_the_number_is_what_the_file_holds_without_white_space_around(tmp_path: Path) -> None:
    assert read(b" EC-1001\r\n", tmp_path) == ("", "EC-1001")


def test_its_issuer_is_that_of_the_source_or_the_one_named(tmp_path: Path) -> None:
    """A trust's numbers are the trust's own (CX.4 RXX), also when a message leaves CX.4 out."""
    assert read(b"700002", tmp_path, source="trust-wm") == ("RXX", "700002")
    assert read(b"700002", tmp_path, source="trust-wm", issuer="RYY") == ("RYY", "700002")


def test_a_hyphen_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"EC-1001\n")))
    assert command._local_id(sources()["gp-hub"], Path("-"), "").value == "EC-1001"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"EC-1001\nEC-1002\n", b"EC-1001,EC-1001" * 9, b"EC-1001" + b" " * 2000, b"EC-1001\xff"]
)
def test_anything_but_one_number_is_refused_without_being_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsError) as refused:
        read(content, tmp_path)
    assert str(refused.value).startswith("--local-id-file: ")
    assert "EC-1001" not in str(refused.value)


def test_an_erasure_goes_where_the_doors_publish_the_entries_of_the_record() -> None:
    """Else it would be in no order with them (`schemas.erasures`)."""
    seen = 0
    for slug, message in small_world():
        local_id = message.person.local_id
        if local_id is not None:
            place = RecordPlace.of(all_keys(), slug, local_id)
            assert place.record_id == record_id(slug, local_id.value)
            assert place.partition == published(slug, intake_message(slug, message)).partition
            seen += 1
    assert seen > 30
