"""Linkage models in files: one that was named, or the one that ships."""

from pathlib import Path

from linkage.errors import ModelInvalid
from linkage.model import Model, parse
from ops.errors import SettingsError
from ops.runtime.paths import linkage_model


def model_of(path: Path | None) -> Model:
    """The model of a file, or the one that workers of this version link with. Raises SettingsError."""
    return read_model(path) if path else parse(linkage_model())


def read_model(path: Path, *, option: str = "--model") -> Model:
    """The model of a file that was given with `option`. Raises SettingsError."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{option}: cannot be read") from None
    except ModelInvalid as broken:
        raise SettingsError(f"{option}: {broken}") from None
