"""`tierlink send`: files through the doors of a running engine, and what became of each entry."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from connectors import mapping as mappings
from connectors.sources import tier2_csv, tier3_hl7v2
from ops.admin.topic_reader import last_values, read_topics
from ops.client.journal import Journal
from ops.client.senders import FileSender, Hl7Sender, HttpSender, Patience, SendAnswer
from ops.errors import MissingInput, SettingsError, TierlinkError
from ops.runtime.paths import EnginePaths, packaged
from schemas import canonical
from schemas.disposition import Verdict
from schemas.envelope import entry_id
from schemas.errors import Unreadable
from schemas.sources import Source

RECEIPT_SECONDS_MAX = 120.0
POLL_SECONDS = 0.5
PATIENCE = Patience(seconds_max=60.0)
Entry = tuple[str, str, str]  # name, kind, entry id
Report = Callable[[str], None]


@dataclass
class SendResult:
    """Answers of the doors, and what the receipts say."""

    codes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    warnings: int = 0
    sent: int = 0
    entries: list[Entry] = field(default_factory=list)
    ends: list[tuple[str, str]] = field(default_factory=list)  # name, receipt; in the order sent
    rejected_rows: bool = False  # of a file that was taken

    @property
    def ok(self) -> bool:
        """True when every message was answered and none was refused or rejected."""
        failed = self.answers["refused"] + self.answers["unknown"] + self.receipts["rejected"]
        return not failed and not self.rejected_rows

    def as_json(self) -> dict[str, Any]:
        """Counts under stable names."""
        return {
            "sent": self.sent,
            "AA": self.codes["AA"],
            "AE": self.codes["AE"],
            "AR": self.codes["AR"],
            "http": {code: count for code, count in sorted(self.codes.items()) if code.isdigit()},
            "accepted": self.answers["accepted"] - self.receipts["ignored"] - self.receipts["rejected"],
            "accepted_with_warnings": self.warnings,
            "ignored": self.answers["ignored"] + self.receipts["ignored"],
            "refused": self.answers["refused"],
            "rejected": self.receipts["rejected"],
            "accepted_by_kind": {kind: count["accepted"] for kind, count in sorted(self.by_kind.items())},
        }


@dataclass(frozen=True)
class RunningEngine:
    """An engine that another process runs: its doors as a provider needs them, its topics as a reader does."""

    layout: EnginePaths
    bootstrap: str
    sources: Mapping[str, Source]

    def source(self, slug: str, door: str) -> Source:
        """A source with this kind of door. Raises SettingsError, naming those there are."""
        slugs = [source.slug for source in self.sources.values() if source.door == door]
        if slug not in slugs:
            raise SettingsError(f"--source: this engine has no {slug} with this door; it has {', '.join(slugs)}")
        return self.sources[slug]

    @property
    def journal(self) -> Journal:
        """Where senders write down every answer."""
        return Journal(self.layout.journal)


def send_hl7(engine: RunningEngine, source: str, path: Path, report: Report) -> SendResult:
    """Every message of a file of HL7v2 messages, one connection, in order."""
    result, port = SendResult(), engine.layout.addresses()["doors"][engine.source(source, "hl7_mllp").slug]
    messages = tier3_hl7v2.split(path.read_bytes())
    if not messages:
        raise MissingInput(f"{path} holds no message")
    sender = Hl7Sender(source, port, engine.journal, patience=PATIENCE)
    for message in messages:
        name, kind = tier3_hl7v2.message_id_of(message), _message_type(message)
        answered = sender.send(message, message_id=name, kind=kind)
        _count(result, answered, (name, kind, entry_id(source, name)), report)
    sender.close()
    return result


def send_fhir(engine: RunningEngine, source: str, paths: Sequence[Path], report: Report) -> SendResult:
    """Every JSON file below `paths`, one POST each."""
    result, port = SendResult(), engine.layout.addresses()["doors"][engine.source(source, "fhir_http").slug]
    files = [file for path in paths for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    if not files:
        raise MissingInput("there is no .json file")
    sender = HttpSender(source, port, engine.journal, patience=PATIENCE)
    for path in files:
        body = path.read_bytes()
        answered = sender.send(body, message_id=_message_id(body), kind="fhir")
        identifier = _object(answered.body).get("submission_id") or entry_id(source, path.name)
        _count(result, answered, (str(path), str(_object(body).get("resourceType", "")), identifier), report)
    sender.close()
    return result


def send_csv(engine: RunningEngine, source: str, path: Path, report: Report) -> SendResult:
    """One file into the drop directory of a source; its rows are the entries."""
    result, known = SendResult(), engine.source(source, "folder")
    content = path.read_bytes()
    file_id = sha256(content).hexdigest()
    rows = published_rows(known, content, file_id)
    files = FileSender(source, engine.layout.drop / source, engine.journal)
    name = f"{secrets.token_hex(4)}-{path.name}"  # a file of this name may have been answered before
    files.drop(name, content)
    answered = files.wait(name, content, rows=rows)
    _report(answered, str(path), report)
    result.sent, result.codes[answered.code], result.answers[answered.answer] = len(rows), 1, len(rows)
    result.rejected_rows = bool(answered.reasons)
    if answered.answer == "accepted":
        result.entries += [(f"{path} row {row}", "csv", entry_id(source, file_id, row)) for row in rows]
    return result


def wait_for_ends(engine: RunningEngine, source: str, result: SendResult, report: Report) -> None:
    """Wait for the receipt of every accepted entry; count them. Raises TierlinkError after
    RECEIPT_SECONDS_MAX.
    """
    receipts = _receipts(engine, source, {identifier for _, _, identifier in result.entries}, report)
    for name, kind, identifier in result.entries:
        receipt = receipts[identifier]
        result.ends.append((name, receipt))
        result.receipts[receipt] += 1
        result.by_kind.setdefault(kind, Counter())[receipt] += 1


def _receipts(engine: RunningEngine, source: str, wanted: Set[str], report: Report) -> dict[str, str]:
    """Entry id -> accepted, rejected or ignored, once there is a receipt of every entry."""
    deadline, shown = time.monotonic() + RECEIPT_SECONDS_MAX, -1
    while True:
        messages = last_values(read_topics(engine.bootstrap, [engine.sources[source].receipts_topic]))
        found = {
            key.decode(): str(canonical.read_object(message.value or b"")["receipt"])
            for key, message in messages.items()
            if key.decode() in wanted
        }
        missing = len(wanted) - len(found)
        if not missing:
            return found
        if time.monotonic() > deadline:
            raise TierlinkError(f"{missing} entries have no receipt after {RECEIPT_SECONDS_MAX:.0f} s")
        if missing != shown:
            report(f"waiting for {missing} receipts")
            shown = missing
        time.sleep(POLL_SECONDS)


def _report(answered: SendAnswer, name: str, report: Report) -> None:
    report(f"{name}: {answered.code} {answered.answer}")
    for reason in answered.reasons:
        report(f"  {reason}")


def _count(result: SendResult, answered: SendAnswer, entry: Entry, report: Report) -> None:
    _report(answered, entry[0], report)
    result.sent += 1
    result.codes[answered.code] += 1
    result.answers[answered.answer] += 1
    if answered.answer == "accepted":
        result.warnings += b"accepted_with_warnings" in answered.body
        result.entries.append(entry)


def _message_type(message: bytes) -> str:
    """MSH-9 as sent; empty where there is none."""
    header = message.replace(b"\n", b"\r").split(b"\r", 1)[0].split(b"|")
    return header[8].decode("utf-8", "replace") if len(header) > 8 else ""


def published_rows(source: Source, content: bytes, file_id: str) -> list[int]:
    """The rows a council knows it sent, as a spreadsheet numbers them; totals at the foot are no entries."""
    mapping = mappings.parse(packaged("connectors.mappings", f"{source.mapping}.toml"))
    reading = tier2_csv.read(
        content,
        source=source,
        mapping=mapping,
        file_id=file_id,
        test_mode=True,
        received_at=datetime.now(UTC),
    )
    return [entry.position for entry in reading.entries if entry.checked.verdict is not Verdict.IGNORED]


def _message_id(body: bytes) -> str:
    """The sender's own id of a message Bundle; empty where there is none."""
    document = _object(body)
    identifier = document.get("identifier") if document.get("resourceType") == "Bundle" else None
    return str(identifier.get("value", "")) if isinstance(identifier, dict) else ""


def _object(text: bytes) -> dict[str, Any]:
    """The JSON object in a text; empty where there is none."""
    try:
        return canonical.read_object(text)
    except Unreadable:
        return {}
