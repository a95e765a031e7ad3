"""The keys of an engine, made and changed one at a time; files as `ops.runtime.key_files` has them.

A change is made in `operations` first, which holds every key; each zone then takes over what it lacks and drops what is
gone. So a command that was killed half-way is finished by the next one. Each file is replaced as a whole.
"""

import base64
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.admin import bucket_keys
from ops.admin.whole_files import locked, replace_file
from ops.errors import SettingsError
from ops.runtime.key_files import read_key_file, read_keyring, read_wrapping, wrapping_path
from schemas.key_file import NONCE_BYTES, RECIPIENT_SLUG, WRAPPING_BYTES, KeyFile
from schemas.keyring import (
    OPERATIONS_ZONE,
    SEALING,
    ZONES,
    Keyring,
    Purpose,
    belongs,
    key_bytes,
    recipient_purpose,
)

# A new version of a sealing key comes to those who open before it comes to those who seal.
_ORDER = ("linker", "records", "pathway", "ingress")
assert set(_ORDER) == set(ZONES)


def fresh_keys(recipients: Iterable[str]) -> Keyring:
    """Every key of the zones, random and of version 1. Those between doors and ingress are made by `intake_keys`."""
    single = [purpose.value for purpose in Purpose if purpose is not Purpose.RECIPIENT]
    names = [*single, *map(recipient_purpose, recipients)]
    return Keyring({(name, 1): secrets.token_bytes(key_bytes(name)) for name in names})


def make_keys(directory: Path, *, recipients: Iterable[str]) -> None:
    """Key files and wrapping keys of every zone under `directory`, each key random. Raises as `write_keys`."""
    write_keys(directory, fresh_keys(recipients))
    bucket_keys.make(directory)


def write_keys(directory: Path, everything: Keyring) -> None:
    """As `make_keys`, of these keys.

    Raises SettingsError when there are key files: they are never made again, for what was published depends on them.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(directory):
        if any(directory.glob("*.json")):
            raise SettingsError(f"{directory} holds key files already; nothing was changed")
        (directory / "wrapping").mkdir(mode=0o700, exist_ok=True)
        for zone in (*ZONES, OPERATIONS_ZONE):
            wrapping = base64.b64encode(secrets.token_bytes(WRAPPING_BYTES)).decode()
            replace_file(wrapping_path(directory, zone), wrapping + "\n")
            _write(directory, KeyFile(zone))
        _write(directory, _with_keys(directory, KeyFile(OPERATIONS_ZONE), everything, everything))
        _level(directory)


def add_recipient(directory: Path, slug: str) -> None:
    """The recipient has a random key of its own. Raises SettingsError when it has one, or its name is none."""
    name = _recipient_key(slug)
    with _changing(directory) as keys:
        if keys.versions(name):
            raise SettingsError("the recipient has a key already; nothing was changed")
        _put(directory, name, 1)


def remove_recipient(directory: Path, slug: str) -> None:
    """The recipient's key is in no file: nothing more can be published for it. Raises SettingsError if it had none."""
    name = _recipient_key(slug)
    with _changing(directory) as keys:
        if not keys.versions(name):
            raise SettingsError("the recipient has no key; nothing was changed")
        file = read_key_file(directory, OPERATIONS_ZONE)
        _write(directory, file.without((name, version) for version in keys.versions(name)))


def rotate(directory: Path, name: str) -> int:
    """The new version of a sealing key, which seals from a worker's next start on; older ones still open.

    Raises SettingsError for a key that has no versions.
    """
    if name not in SEALING:
        raise SettingsError(f"only {' and '.join(sorted(SEALING))} can be rotated: what another key made is kept by it")
    with _changing(directory) as keys:
        version = keys.newest(name) + 1
        _put(directory, name, version)
        return version


@contextmanager
def _changing(directory: Path) -> Iterator[Keyring]:
    """Every key, while nobody else changes them; before and after, each zone has what it uses."""
    with locked(directory):
        yield _level(directory)
        _level(directory)


def _level(directory: Path) -> Keyring:
    """Every zone holds what it uses of the keys of `operations`, which are the answer; what is right stays as it is."""
    everything = read_keyring(directory, OPERATIONS_ZONE)
    for zone in _ORDER:
        file, wanted = read_key_file(directory, zone), {at for at in everything if belongs(at[0], zone)}
        held = {entry.at for entry in file.entries}
        changed = _with_keys(directory, file.without(held - wanted), everything, sorted(wanted - held))
        if changed != file:
            _write(directory, changed)
    return everything


def _with_keys(directory: Path, file: KeyFile, keys: Keyring, added: Iterable[tuple[str, int]]) -> KeyFile:
    wrapping = read_wrapping(directory, file.zone)
    for name, version in added:
        nonce = secrets.token_bytes(NONCE_BYTES)
        file = file.wrap(name, version, keys.key(name, version), wrapping=wrapping, nonce=nonce)
    return file


def _put(directory: Path, name: str, version: int) -> None:
    new = Keyring({(name, version): secrets.token_bytes(key_bytes(name))})
    _write(directory, _with_keys(directory, read_key_file(directory, OPERATIONS_ZONE), new, new))


def _recipient_key(slug: str) -> str:
    if not RECIPIENT_SLUG.fullmatch(slug):
        raise SettingsError("a recipient's name has 2 to 31 lower-case letters, digits and hyphens, a letter first")
    return recipient_purpose(slug)


def _write(directory: Path, file: KeyFile) -> None:
    replace_file(directory / f"{file.zone}.json", file.text())
