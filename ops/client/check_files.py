"""`tierlink check`: the check of the doors on files, without a broker; nothing is sent or kept."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from connectors import mapping as mappings
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.errors import SettingsError
from schemas.disposition import Checked, Verdict
from schemas.errors import SchemaError, error
from schemas.sources import Source


def form_of(content: bytes) -> str:
    """hl7v2, fhir or csv, by what the content begins with."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n\x0b")[:4]
    if start.startswith((b"MSH", b"FHS", b"BHS")):
        return "hl7v2"
    return "fhir" if start[:1] in (b"{", b"[") else "csv"


def checking_source(content: bytes, *, services: frozenset[str]) -> Source:
    """A source of no organisation, of the tier whose door takes this form."""
    form = form_of(content)
    if form == "hl7v2":
        return Source("check-trust", "RXX", "tier3", "hl7_mllp", services)
    if form == "fhir":
        return Source("check-gp", "Y00001", "primary_care", "fhir_http", services)
    return Source("check-council", "E10000", "tier2", "folder", services, mapping="given")


def check_file(content: bytes, source: Source, *, mapping: str | None, test_mode: bool) -> Iterator[Checked]:
    """The verdict on each message or row, in order; a file refused as a whole gives one."""
    now, form = datetime.now(UTC), form_of(content)
    if form == "hl7v2":
        for message in tier3_hl7v2.split(content):
            yield tier3_hl7v2.read(message, source=source, test_mode=test_mode, received_at=now).checked
    elif form == "fhir":
        for entry in primary_care_fhir.read(content, source=source, test_mode=test_mode, received_at=now):
            yield entry.checked
    else:
        yield from _check_csv(content, source, mapping, test_mode, now)


def _check_csv(
    content: bytes, source: Source, mapping: str | None, test_mode: bool, now: datetime
) -> Iterator[Checked]:
    if mapping is None:
        reason = error("file", "is neither FHIR JSON nor HL7v2; a CSV needs --mapping", code="structure")
        yield Checked(Verdict.REJECTED, (reason,), ())
        return
    try:
        parsed = mappings.parse(mapping)
    except SchemaError as failure:
        raise SettingsError(f"the mapping: {failure}") from None
    file_id = hashlib.sha256(content).hexdigest()
    reading = tier2_csv.read(
        content, source=source, mapping=parsed, file_id=file_id, test_mode=test_mode, received_at=now
    )
    if reading.refused:
        yield Checked(Verdict.REJECTED, reading.file_issues, ())
    for entry in reading.entries:
        yield entry.checked
