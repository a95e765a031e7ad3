"""How a process comes by its keys: the key file of its zone, and the wrapping key that opens it.

    keys/<zone>.json            every key of the zone, each wrapped singly (`schemas.key_file`)
    keys/wrapping/<zone>.key    what they are wrapped with: 32 bytes in base64, mode 0400

In production a key service hands out the wrapping key, to its zone only, as a file that is mounted and on no disk.
Where both files lie on one disk, wrapping keeps keys apart and does not protect them from who reads that disk.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ops.errors import SettingsError
from schemas.errors import SchemaError
from schemas.key_file import KeyFile, parse_wrapping
from schemas.keyring import Keyring

READABLE_BY_OTHERS = 0o007
KEY_FILE = "key file"
T = TypeVar("T")


def read_keyring(directory: Path, zone: str) -> Keyring:
    """The keys of one zone. Raises SettingsError saying what is wrong with which file, never what is in it."""
    file, wrapping = read_key_file(directory, zone), read_wrapping(directory, zone)
    return said_of(KEY_FILE, zone, lambda: file.opened(wrapping))


def read_key_file(directory: Path, zone: str) -> KeyFile:
    """The key file of one zone, its keys wrapped. Raises SettingsError as `read_keyring`."""
    path = directory / f"{zone}.json"
    file = said_of(KEY_FILE, zone, lambda: KeyFile.parse(path.read_text(encoding="ascii")))
    if file.zone != zone:
        raise SettingsError(f"key file of zone {zone}: is that of another zone")
    return file


def said_of(what: str, zone: str, read: Callable[[], T]) -> T:
    """What `read` gives of `what` of a zone. Raises SettingsError saying what is wrong with it, never what is in it."""
    try:
        return read()
    except FileNotFoundError:
        raise SettingsError(f"no {what} for zone {zone}: run `tierlink keys create` first") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{what} of zone {zone}: cannot be read as text") from None
    except SchemaError as failure:
        raise SettingsError(f"{what} of zone {zone}: {failure}") from None


def read_wrapping(directory: Path, zone: str) -> bytes:
    """The wrapping key of one zone. Raises SettingsError when there is none, it is weak, or others may read it."""
    path = wrapping_path(directory, zone)
    try:
        open_to_others, text = path.stat().st_mode & READABLE_BY_OTHERS, path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"wrapping key of zone {zone}: there is none that can be read") from None
    if open_to_others:
        raise SettingsError(f"wrapping key of zone {zone}: others may read it; its mode is to be 0400")
    try:
        return parse_wrapping(text)
    except SchemaError as failure:
        raise SettingsError(f"zone {zone}: {failure}") from None


def wrapping_path(directory: Path, zone: str) -> Path:
    """Where the wrapping key of a zone stands."""
    return directory / "wrapping" / f"{zone}.key"
