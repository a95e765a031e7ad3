"""`tierlink send`: real files through the real doors, and what became of each entry."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from connectors import mapping as mappings
from connectors.sources import tier2_csv, tier3_hl7v2
from linkage.tokens import EncodedIdentity
from ops.admin.topic_reader import last_values, read_topics
from ops.client.journal import Journal
from ops.client.senders import DoorAnswer, FileSender, Hl7Sender, HttpSender
from ops.errors import TierlinkError
from ops.local.engine import Engine
from ops.runtime.paths import packaged
from ops.verify.ledger import read_topic_index
from schemas import canonical, topics
from schemas.disposition import Verdict
from schemas.envelope import entry_id
from schemas.errors import Unreadable
from schemas.keyring import Purpose
from schemas.linking import RecordIdentity
from schemas.sealing import unseal
from schemas.sources import Source


@dataclass
class SendResult:
    """Answers of the doors, and the dispositions that receipts tell."""

    codes: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    warnings: int = 0
    sent: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    merges: int = 0
    distinct_nhs_numbers: int = 0
    entries: list[tuple[str, str, str]] = field(default_factory=list)  # name, kind, entry id
    ends: list[tuple[str, str]] = field(default_factory=list)  # name, disposition; in the order sent

    def as_json(self) -> dict[str, Any]:
        """Counts under stable names."""
        return {
            "sent": self.sent,
            "AA": self.codes["AA"],
            "AE": self.codes["AE"],
            "AR": self.codes["AR"],
            "http": {code: count for code, count in sorted(self.codes.items()) if code.isdigit()},
            "accepted": self.answers["accepted"]
            - self.dispositions["ignored"]
            - self.dispositions["rejected"],
            "accepted_with_warnings": self.warnings,
            "ignored": self.answers["ignored"] + self.dispositions["ignored"],
            "refused": self.answers["refused"],
            "rejected": self.dispositions["rejected"],
            "linked": self.dispositions["linked"],
            "held": self.dispositions["held"],
            "linked_by_kind": {kind: count["linked"] for kind, count in sorted(self.by_kind.items())},
            "facts": dict(sorted(self.facts.items())),
            "merges": self.merges,
            "distinct_nhs_numbers": self.distinct_nhs_numbers,
        }


def send_hl7(engine: Engine, source: str, content: bytes) -> SendResult:
    """Every message of a file of HL7v2 messages, one connection, in order."""
    result, journal = SendResult(), Journal(engine.layout.journal)
    sender = Hl7Sender(source, engine.ports()[source], journal)
    for message in tier3_hl7v2.split(content):
        name, kind = tier3_hl7v2.message_id_of(message), _message_type(message)
        _count(result, sender.send(message, message_id=name, kind=kind), name, kind, entry_id(source, name))
    sender.close()
    return result


def send_fhir(engine: Engine, source: str, paths: Sequence[Path]) -> SendResult:
    """Every JSON file below `paths`, one POST each."""
    result, journal = SendResult(), Journal(engine.layout.journal)
    sender = HttpSender(source, engine.ports()[source], journal)
    for path in _json_files(paths):
        body = path.read_bytes()
        answered = sender.send(body, message_id=_message_id(body), kind="fhir")
        identifier = _submission(answered) or entry_id(source, path.name)
        _count(result, answered, str(path), _resource_type(body), identifier)
    sender.close()
    return result


def send_csv(engine: Engine, source: str, path: Path) -> SendResult:
    """One file into the source's folder; its rows are the entries."""
    result, journal = SendResult(), Journal(engine.layout.journal)
    content = path.read_bytes()
    file_id = sha256(content).hexdigest()
    rows = published_rows(engine.sources[source], content, file_id)
    files = FileSender(source, engine.drop_folder(source), journal)
    files.drop(path.name, content)
    answered = files.wait(path.name, content, rows=rows)
    result.sent, result.codes[answered.code], result.answers[answered.answer] = len(rows), 1, len(rows)
    if answered.answer == "accepted":
        result.entries += [(f"{path} row {row}", "csv", entry_id(source, file_id, row)) for row in rows]
    return result


def wait_for_ends(engine: Engine, result: SendResult) -> None:
    """Wait until nothing is left to do, then count dispositions, facts, merges and distinct NHS tokens."""
    engine.consumer_lag.drain()
    receipts = read_topic_index(engine.bootstrap, engine.sources.values(), recipient="demo").receipts
    if any(identifier not in receipts for _, _, identifier in result.entries):
        raise TierlinkError("some entries have no receipt")
    for name, kind, identifier in result.entries:
        disposition = receipts[identifier]
        result.ends.append((name, disposition))
        result.dispositions[disposition] += 1
        result.by_kind.setdefault(kind, Counter())[disposition] += 1
    for key, one in last_values(read_topics(engine.bootstrap, [topics.EVENTS])).items():
        kind = key.decode().split("/")[1]
        if kind == "e":
            result.facts[canonical.load_object(one.value or b"")["body"]["type"]] += 1
        result.merges += kind == "m"
    result.distinct_nhs_numbers = len(_nhs_tokens(engine))


def _nhs_tokens(engine: Engine) -> set[bytes]:
    """Distinct NHS-number tokens of all winning identities, read with the linker's key."""
    key, found = engine.keys.key(Purpose.LINK_SEAL), set()
    for record, one in last_values(read_topics(engine.bootstrap, [topics.IDENTITY])).items():
        if b"/" in record:
            continue  # a steward's decision, or a model: of no person
        identity = RecordIdentity.parse(record.decode(), one.value or b"")
        if identity.sealed_tokens is not None:
            encoded = EncodedIdentity.from_bytes(unseal(key, identity.sealed_tokens, context=record))
            if encoded.nhs is not None:
                found.add(encoded.nhs)
    return found


def _count(result: SendResult, answered: DoorAnswer, name: str, kind: str, identifier: str) -> None:
    result.sent += 1
    result.codes[answered.code] += 1
    result.answers[answered.answer] += 1
    if answered.answer == "accepted":
        result.warnings += b"accepted_with_warnings" in answered.body
        result.entries.append((name, kind, identifier))


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
    return [one.position for one in reading.entries if one.checked.verdict is not Verdict.IGNORED]


def _json_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.json")) if path.is_dir() else [path]


def _message_id(body: bytes) -> str:
    """The sender's own id of a message, as a sender would know it; the content's hash where there is none."""
    try:
        document = canonical.load_object(body)
    except Unreadable:
        return ""
    return (
        str(document.get("identifier", {}).get("value", ""))
        if document.get("resourceType") == "Bundle"
        else ""
    )


def _resource_type(body: bytes) -> str:
    try:
        return str(canonical.load_object(body).get("resourceType", ""))
    except Unreadable:
        return ""


def _submission(answered: DoorAnswer) -> str | None:
    try:
        return canonical.load_object(answered.body).get("submission_id")
    except Unreadable:
        return None
