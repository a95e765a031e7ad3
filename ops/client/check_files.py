"""`tierlink check`: the check of the doors on files, without a broker; nothing is sent or kept."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from connectors import mapping as mappings
from connectors.doors.drop_directories import BYTES_MAX
from connectors.doors.fhir_http import BODY_BYTES_MAX
from connectors.doors.folder import mapping_of
from connectors.doors.mllp_framing import FRAME_BYTES_MAX
from connectors.mapping import FileMapping
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.errors import SettingsError
from schemas.disposition import Checked, Verdict, verdict_of
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


def mapping_for(source: Source | None, text: str | None) -> FileMapping | None:
    """The mapping in `text`, else the source's own; None without either. Raises SettingsError for one that is none."""
    try:
        if text is not None:
            return mappings.parse(text)
        return mapping_of(source) if source is not None and source.mapping else None
    except SchemaError as failure:
        raise SettingsError(f"the mapping: {failure}") from None


def check_file(
    content: bytes, source: Source, *, mapping: FileMapping | None, test_mode: bool
) -> Iterator[tuple[int | None, Checked]]:
    """The verdict on each message or row as the source's door gives it, in order; at least one for any content.

    Beside each its position from 0; None beside the first of a CSV that has issues as a whole, which is about the file.
    """
    now = datetime.now(UTC)
    if source.door == "hl7_mllp":
        for index, message in enumerate(tier3_hl7v2.split(content) or [content]):
            yield index, _check_hl7(message, source, test_mode, now)
    elif source.door == "fhir_http":
        yield 0, _check_fhir(content, source, test_mode, now)
    elif mapping is None:
        yield 0, _refused("file", "is neither FHIR JSON nor HL7v2; a CSV needs --mapping", "structure")
    else:
        yield from _check_rows(content, source, mapping, test_mode, now)


def _check_hl7(message: bytes, source: Source, test_mode: bool, now: datetime) -> Checked:
    if len(message) > FRAME_BYTES_MAX:
        return _refused("MSH", f"the message is larger than {FRAME_BYTES_MAX} bytes", "structure")
    return tier3_hl7v2.read(message, source=source, test_mode=test_mode, received_at=now).checked


def _check_fhir(content: bytes, source: Source, test_mode: bool, now: datetime) -> Checked:
    if len(content) > BODY_BYTES_MAX:
        return _refused("", f"is larger than {BODY_BYTES_MAX} bytes", "too-long")
    (entry,) = primary_care_fhir.read(content, source=source, test_mode=test_mode, received_at=now)
    return entry.checked


def _check_rows(
    content: bytes, source: Source, mapping: FileMapping, test_mode: bool, now: datetime
) -> Iterator[tuple[int | None, Checked]]:
    if len(content) > BYTES_MAX:
        yield None, _refused("file", f"is larger than {BYTES_MAX} bytes", "structure")
        return
    file_id = hashlib.sha256(content).hexdigest()
    reading = tier2_csv.read(
        content, source=source, mapping=mapping, file_id=file_id, test_mode=test_mode, received_at=now
    )
    if reading.file_issues:
        verdict = verdict_of(reading.file_issues, ignored=False, refused=reading.refused)
        yield None, Checked(verdict, reading.file_issues, ())
    for index, entry in enumerate(reading.entries):
        yield index, entry.checked


def _refused(place: str, rule: str, code: str) -> Checked:
    return Checked(Verdict.REJECTED, (error(place, rule, code=code),), ())
