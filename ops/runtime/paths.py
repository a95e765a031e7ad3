"""Where a running engine keeps things: one directory, nothing outside it.

keys/<zone>.json   `key_files`      broker/   the embedded Kafka       drop/<source>/   the folder doors
keys/doors, keys/intake             what doors and ingress have between them (`intake_key_files`)
keys/buckets/<zone>.json            bucket keys (`bucket_key_files`); in no backup
workers/<id>/      one per worker   logs/     one file per process     journal.jsonl    what senders sent
up.json            addresses and process ids while it runs
"""

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypedDict, cast

from connectors.doors import TRANSPORTS
from ops.errors import MissingInput, NoEngine, SettingsError
from ops.runtime.bucket_key_files import CurrentBucketKeys
from ops.runtime.intake_key_files import CurrentIntakeKeys, IntakeKeyFiles
from ops.runtime.key_files import read_keyring
from schemas.data_keys import FAMILIES, NO_BUCKET_KEYS, BucketKeys
from schemas.errors import SchemaError
from schemas.intake_keys import IntakeKeys
from schemas.keyring import Keyring
from schemas.recipients import Agreement
from schemas.recipients import parse as parse_recipients
from schemas.sources import Source, parse


class Addresses(TypedDict):
    """What a running engine writes about itself into `up.json`."""

    pid: int
    bootstrap: str
    test_mode: bool
    sources: str | None  # the file of sources; None for the demonstration's
    recipients: str | None  # the file of recipients; None for the demonstration's
    doors: dict[str, int]  # source -> port
    drop: dict[str, str]  # source -> folder
    pages: dict[str, int]  # process -> port


class EnginePaths:
    """The paths of one engine below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keys = root / "keys"
        self.broker = root / "broker"
        self.logs = root / "logs"
        self.drop = root / "drop"
        self.workers = root / "workers"
        self.journal = root / "journal.jsonl"
        self.up = root / "up.json"

    def keyring(self, zone: str) -> Keyring:
        """The keys of one zone. Raises SettingsError when they cannot be had."""
        return read_keyring(self.keys, zone)

    @property
    def intake_keys(self) -> IntakeKeyFiles:
        """The keys between doors and ingress."""
        return IntakeKeyFiles(self.keys)

    def current_intake_keys(self) -> Callable[[], IntakeKeys]:
        """What ingress holds, read again when a file has changed. Raises SettingsError when it cannot be read."""
        try:
            return CurrentIntakeKeys(self.intake_keys)
        except SchemaError as failure:
            raise SettingsError(f"keys of the intake: {failure}") from None

    def current_bucket_keys(self, zone: str) -> Callable[[], BucketKeys]:
        """What a zone holds, read again when its file has changed; none for records. Raises SettingsError."""
        return CurrentBucketKeys(self.keys, zone) if zone in FAMILIES else lambda: NO_BUCKET_KEYS

    def addresses(self) -> Addresses:
        """What a running engine wrote about itself. Raises NoEngine when none runs here."""
        try:
            return cast(Addresses, json.loads(self.up.read_text()))
        except FileNotFoundError:
            raise NoEngine(
                f"no engine runs in {self.root}: start one with `tierlink up --test-mode`, or name its --directory"
            ) from None


def packaged(package: str, name: str) -> str:
    """The text of a file that ships inside one of our packages."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def linkage_model() -> str:
    """The text of the model that links, as it ships."""
    return packaged("linkage.models", "shipped.json")


def packaged_all(package: str, suffix: str) -> Iterator[str]:
    """The texts of all files of one suffix in one of our packages, by name."""
    found = sorted(
        (file for file in files(package).iterdir() if file.name.endswith(suffix)), key=lambda file: file.name
    )
    for file in found:
        yield file.read_text(encoding="utf-8")


def load_sources(path: Path | None, *, test_mode: bool) -> Mapping[str, Source]:
    """The sources of `path`, or the demonstration's. Raises SettingsError naming the rule broken, MissingInput."""
    try:
        text = path.read_text(encoding="utf-8") if path else packaged("connectors", "sources.toml")
    except (OSError, UnicodeDecodeError):
        raise MissingInput("the file of sources cannot be read as text in UTF-8") from None
    try:
        return parse(text, doors=TRANSPORTS, test_mode=test_mode)
    except SchemaError as failure:
        raise SettingsError(str(failure)) from None


def load_recipients(path: Path | None) -> Mapping[str, Agreement]:
    """The recipients of `path`, or the demonstration's. Raises SettingsError naming the rule broken, MissingInput."""
    try:
        text = path.read_text(encoding="utf-8") if path else packaged("streams", "recipients.toml")
    except (OSError, UnicodeDecodeError):
        raise MissingInput("the file of recipients cannot be read as text in UTF-8") from None
    try:
        return parse_recipients(text)
    except SchemaError as failure:
        raise SettingsError(str(failure)) from None
