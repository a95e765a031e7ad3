"""The table of areas in a file (`schemas.deprivation`), as `--deprivation` names one."""

from collections.abc import Mapping
from pathlib import Path

from ops.errors import SettingsError
from schemas.deprivation import parse
from schemas.errors import InvalidField


def read_quintiles(path: Path | None) -> Mapping[str, int]:
    """LSOA -> quintile; empty without a file. Raises SettingsError saying what is wrong with it."""
    if path is None:
        return {}
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError("--deprivation: cannot be read") from None
    except InvalidField as broken:
        raise SettingsError(f"--{broken}") from None
