"""Keys are made once, and changed one at a time: whatever is done for one, no byte of another's changes."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.admin import keys as admin
from ops.admin.keys import add_recipient, make_keys, remove_recipient, rotate
from ops.errors import SettingsError
from ops.runtime.key_files import read_keyring, wrapping_path
from schemas.errors import Unreadable
from schemas.keyring import OPERATIONS_ZONE, ZONES

EVERY_ZONE = (*ZONES, OPERATIONS_ZONE)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys", recipients=["demo", "research"])
    return tmp_path / "keys"


def entries(directory: Path, zone: str) -> dict[tuple[str, int], str]:
    """Every entry of a key file as its line of text."""
    lines = (directory / f"{zone}.json").read_text().splitlines()[1:-1]
    found = {}
    for line in lines:
        entry = json.loads(line.rstrip(","))
        found[entry["name"], entry["version"]] = line.rstrip(",")
    return found


def everything(directory: Path) -> dict[tuple[str, str, int], str]:
    return {(zone, *at): line for zone in EVERY_ZONE for at, line in entries(directory, zone).items()}


def test_every_zone_opens_its_keys_and_all_zones_agree(made: Path) -> None:
    ring = read_keyring(made, OPERATIONS_ZONE)
    for zone in ZONES:
        assert read_keyring(made, zone) == ring.zone(zone)


def test_nobody_but_its_owner_may_read_a_key_file_or_a_wrapping_key(made: Path) -> None:
    for zone in EVERY_ZONE:
        for path in (made / f"{zone}.json", wrapping_path(made, zone)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert not list(made.rglob("*.part"))


def test_a_wrapping_key_that_others_may_read_is_refused(made: Path) -> None:
    wrapping_path(made, "linker").chmod(0o404)
    with pytest.raises(SettingsError, match="others may read"):
        read_keyring(made, "linker")


def test_keys_are_never_made_again(made: Path) -> None:
    before = everything(made)
    with pytest.raises(SettingsError):
        make_keys(made, recipients=["demo"])
    assert everything(made) == before


def test_a_recipient_comes_and_no_byte_of_another_entry_changes(made: Path) -> None:
    before = everything(made)
    add_recipient(made, "city")
    after = everything(made)
    assert {at: line for at, line in after.items() if at in before} == before
    assert after.keys() - before.keys() == {(zone, "recipient/city", 1) for zone in ("pathway", OPERATIONS_ZONE)}
    ring = read_keyring(made, "pathway")
    assert len({ring.key(f"recipient/{name}") for name in ("demo", "research", "city")}) == 3


def test_a_recipient_goes_and_no_byte_of_another_entry_changes(made: Path) -> None:
    before = everything(made)
    remove_recipient(made, "research")
    after = everything(made)
    assert before.items() > after.items()
    assert before.keys() - after.keys() == {(zone, "recipient/research", 1) for zone in ("pathway", OPERATIONS_ZONE)}
    add_recipient(made, "research")
    assert everything(made)["pathway", "recipient/research", 1] != before["pathway", "recipient/research", 1]


@pytest.mark.parametrize("name", ["dead-letter"])
def test_a_rotation_leaves_every_other_key_alone_and_old_values_open(made: Path, name: str) -> None:
    before, sealed = everything(made), read_keyring(made, OPERATIONS_ZONE).seal(name, b"text", context=b"here")
    assert rotate(made, name) == 2
    assert rotate(made, name) == 3
    assert everything(made).items() > before.items()
    for zone in (zone for zone in EVERY_ZONE if (name, 3) in entries(made, zone)):
        ring = read_keyring(made, zone)
        assert ring.unseal(name, sealed, context=b"here") == b"text"
        assert ring.seal(name, b"text", context=b"here")[:2] == b"\0\3"


def test_a_zone_that_has_not_started_again_cannot_open_what_a_newer_version_sealed(made: Path) -> None:
    """Which is why the linker starts before ingress."""
    before = read_keyring(made, "linker")
    rotate(made, "dead-letter")
    with pytest.raises(Unreadable):
        before.unseal("dead-letter", read_keyring(made, "ingress").seal("dead-letter", b"t", context=b""), context=b"")


@pytest.mark.parametrize("name", ["record-id", "recipient/demo", "link-tokens", "intake-open", "nothing", "../x"])
def test_a_key_that_names_or_links_is_not_rotated(made: Path, name: str) -> None:
    before = everything(made)
    with pytest.raises(SettingsError):
        rotate(made, name)
    assert everything(made) == before


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda keys: add_recipient(keys, "demo"), "has a key already"),
        (lambda keys: remove_recipient(keys, "city"), "has no key"),
        (lambda keys: add_recipient(keys, "../../x"), "lower-case"),
        (lambda keys: add_recipient(keys, "Mary Smith"), "lower-case"),
        (lambda keys: add_recipient(keys, ""), "lower-case"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(made: Path, change: Callable[[Path], None], rule: str) -> None:
    before = everything(made)
    with pytest.raises(SettingsError, match=rule) as refused:
        change(made)
    assert "Mary" not in str(refused.value)
    assert everything(made) == before


class KilledError(Exception):
    """The command was killed here."""


@pytest.mark.parametrize("survives", range(4))
def test_a_command_that_was_killed_is_finished_by_the_next(
    made: Path, monkeypatch: pytest.MonkeyPatch, survives: int
) -> None:
    """Whatever file it was killed at: no file is torn, and the zones agree after the next command."""
    written: list[Path] = []
    real = admin.replace_file

    def killed(path: Path, text: str) -> None:
        if len(written) == survives:
            raise KilledError
        real(path, text)
        written.append(path)

    monkeypatch.setattr(admin, "replace_file", killed)
    try:
        rotate(made, "dead-letter")
    except KilledError:
        for zone in EVERY_ZONE:
            assert read_keyring(made, zone).versions("dead-letter") in ((), (1,), (1, 2))
    monkeypatch.undo()
    with pytest.raises(SettingsError):
        add_recipient(made, "demo")  # even a command that is refused brings the zones up to date
    ring = read_keyring(made, OPERATIONS_ZONE)
    assert ring.versions("dead-letter") == ((1,) if survives == 0 else (1, 2))
    for zone in ZONES:
        assert read_keyring(made, zone) == ring.zone(zone)


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda path: path.unlink(), "no key file"),
        (lambda path: path.write_text("{}"), "is not a tierlink key file"),
        (lambda path: path.write_text(path.with_name("records.json").read_text()), "of another zone"),
        (lambda path: path.write_bytes(b"\xff"), "cannot be read as text"),
        (lambda path: path.write_text(path.read_text().replace('"wrapped": "', '"wrapped": "AAAA')), "does not open"),
        (lambda path: path.write_text(path.read_text().replace("dead-letter", "record-id")), "not a key of this zone"),
    ],
)
def test_a_key_file_at_fault_is_said_by_zone_and_rule(made: Path, damage: Callable[[Path], None], rule: str) -> None:
    path = made / "linker.json"
    path.chmod(0o600)
    damage(path)
    with pytest.raises(SettingsError, match=rule) as refused:
        read_keyring(made, "linker")
    assert "zone linker" in str(refused.value)


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda path: path.unlink(), "there is none"),
        (lambda path: path.write_text("swordfish"), "base64|32 bytes"),
        (lambda path: path.write_text(path.with_name("records.key").read_text()), "does not open"),
    ],
)
def test_a_wrapping_key_at_fault_is_said_by_zone_and_never_repeated(
    made: Path, damage: Callable[[Path], None], rule: str
) -> None:
    path = wrapping_path(made, "linker")
    path.chmod(0o600)
    damage(path)
    with pytest.raises(SettingsError, match=rule) as refused:
        read_keyring(made, "linker")
    assert "swordfish" not in str(refused.value)
    assert not path.exists() or path.read_text().strip() not in str(refused.value)
