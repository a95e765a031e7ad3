"""The bytes of one FHIR submission to one entry, or every reason why not. Pure."""

import hashlib
from dataclasses import replace
from datetime import datetime

from connectors.entry import SourceEntry
from schemas import canonical
from schemas.check import check
from schemas.disposition import Checked, Verdict
from schemas.errors import Issue, Unreadable, error, information
from schemas.sources import Source

FORM = "fhir"
_MARK = b"\xef\xbb\xbf"
# The document and the original in base64 share one Kafka request of 16 MiB; beyond it the broker would seem away.
SEALED_BYTES_MAX = 15 * 1024 * 1024
UNREADABLE = "JSON"  # the location of a reason why the bytes are no JSON at all


def read(raw: bytes, *, source: Source, test_mode: bool, received_at: datetime) -> tuple[SourceEntry, ...]:
    """One entry: a message Bundle about one patient, or anything else with the reason it is ignored or rejected.

    `message_id` is the sender's, or the hash of bytes that have none: a resend gives the same. The bundle of an
    accepted entry is the document as it was sent, so that ingress checks exactly what was checked here.
    `received_at` is aware. Never raises for what was sent.
    """
    marked = raw.startswith(_MARK)
    try:
        document = canonical.load(raw.removeprefix(_MARK))
        written = len(canonical.dump(document))  # what cannot be written again here could not be further on
    except Unreadable as failure:
        return (_refused(raw, error(UNREADABLE, failure.rule, code="structure")),)
    except ValueError:
        return (_refused(raw, error(UNREADABLE, "holds a number that is too large", code="structure")),)
    if written + len(raw) * 4 // 3 > SEALED_BYTES_MAX:
        rule = "is too large together with its original; send it without pictures and narrative"
        return (_refused(raw, error("Resource", rule, code="too-long")),)
    checked, message = check(document, source=source, test_mode=test_mode, received_at=received_at)
    if marked:
        note = information(UNREADABLE, "starts with a byte order mark, which was left out")
        checked = replace(checked, issues=(*checked.issues, note))
    if message is None:
        return (SourceEntry(_hash(raw), 0, FORM, raw, None, None, checked),)
    return (SourceEntry(message.message_id, 0, FORM, raw, document, message, checked),)


def _refused(raw: bytes, issue: Issue) -> SourceEntry:
    return SourceEntry(_hash(raw), 0, FORM, raw, None, None, Checked(Verdict.REJECTED, (issue,), ()))


def _hash(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
