"""The bytes of one HL7v2 message to one entry: the FHIR message Bundle, or every reason why not."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from connectors.entry import SourceEntry
from connectors.sources.tier3_hl7v2.events import (
    TYPES_READ,
    TriggerEvent,
    event_of,
    services_of,
    why_not_read,
)
from connectors.sources.tier3_hl7v2.locations import in_hl7
from connectors.sources.tier3_hl7v2.moments import LONDON, london_day, moment
from connectors.sources.tier3_hl7v2.patient import facts_of, merged, person_of
from connectors.sources.tier3_hl7v2.reading import Reading
from connectors.sources.tier3_hl7v2.rtt import rtt_of
from connectors.sources.tier3_hl7v2.structure import READ_SEGMENTS, Hl7Message, ParsedMessage, parse
from schemas.check import check
from schemas.disposition import Checked, Verdict, nothing_left, verdict_of
from schemas.errors import Issue, error, has_error, information, warning
from schemas.fhir.write import bundle
from schemas.identity import Person
from schemas.source_message import SourceMessage
from schemas.sources import Source

FORM = "hl7v2"
CONTROL_ID_CHARACTERS_MAX = 199  # MSH-10 has 20 characters up to HL7 2.6 and 199 from 2.7
# Senders' clocks differ by minutes; a message from tomorrow would win over every correction until then.
SKEW_REPORTED = timedelta(minutes=10)
SKEW_MAX = timedelta(days=1)


def read(raw: bytes, *, source: Source, test_mode: bool, received_at: datetime) -> SourceEntry:
    """One entry, for every byte string there is; never raises.

    `message_id` is MSH-3, MSH-4, MSH-10 and MSH-7 joined by `|`, or the hash of bytes that have none. Ignored: a
    message type that is not read, a service that is not ours, or no service where the type does not make it an identity
    message.
    `received_at` (aware) stands in for a missing MSH-7. Issues are located as `PID-3.1`, `OBX[2]-6`, and hold no value.
    """
    local = {place.partition("-")[0] for place in source.hl7_fields.values()}
    parsed = parse(raw, wanted={*READ_SEGMENTS, *local})
    if parsed.message is None:
        return _without_bundle(raw, parsed, (), refused=True)
    message = parsed.message
    source_version_at, about_header = _header(message, received_at)
    about_header += _about_sender(message, source, test_mode=test_mode)
    if has_error(about_header):
        return _without_bundle(raw, parsed, about_header, refused=True)
    reading = Reading(message, source, source_version_at, test_mode, [*parsed.issues, *about_header])
    event = event_of(reading)
    why_ignored = _why_ignored(reading, event)
    if event is not None and reading.value("EVN-1") not in ("", reading.message.kind[1]):
        reading.warn("EVN-1", "is another event than MSH-9 names, by which the message was read", code="value")
    if event is None or why_ignored is not None:
        return _without_bundle(raw, parsed, (why_ignored,) if why_ignored else (), refused=False)
    _report_repeated(reading)
    return _entry(raw, reading, _source_message(reading, event), received_at)


def message_id_of(raw: bytes) -> str:
    """What `read` calls the message in `raw`: with the source's slug, the entry id of its receipt."""
    return _named(raw, parse(raw).message)


def _named(raw: bytes, message: Hl7Message | None) -> str:
    if message is not None and message.header.value(10):
        return message.identifier
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _header(message: Hl7Message, received_at: datetime) -> tuple[datetime, list[Issue]]:
    issues = []
    control_id, kind = message.header.value(10), message.kind
    if not control_id:
        issues.append(error("MSH-10", "is required", code="required"))
    if len(control_id) > CONTROL_ID_CHARACTERS_MAX:
        issues.append(error("MSH-10", f"has more than {CONTROL_ID_CHARACTERS_MAX} characters", code="too-long"))
    if not kind[0]:
        issues.append(error("MSH-9", "is required", code="required"))
    sent = moment(message.header.value(7))
    if sent is not None and sent.at is None and sent.on <= london_day(received_at):
        # a day without an hour: its noon, so that neither the time of receipt nor the day before stands in
        issues.append(warning("MSH-7", "holds no time of day; noon stands in", code="value"))
        noon = datetime.combine(sent.on, time(12), tzinfo=LONDON).astimezone(UTC)
        return min(noon, received_at), issues
    if sent is None or sent.at is None:
        issues.append(warning("MSH-7", "holds no date and time; the time of receipt stands in", code="value"))
        return received_at, issues
    if sent.at > received_at + SKEW_MAX:
        issues.append(error("MSH-7", "is more than a day in the future", code="value"))
    elif sent.at > received_at + SKEW_REPORTED:
        issues.append(warning("MSH-7", "is in the future", code="value"))
    return sent.at, issues


def _about_sender(message: Hl7Message, source: Source, *, test_mode: bool) -> list[Issue]:
    """Why a message that can be read is not this source's, or not for this engine: HL7 table 0357, 202, 203, 207."""
    issues, header = [], message.header
    if not source.accepts_sender(header.value(3), header.value(4)):
        issues.append(error("MSH-3", "and MSH-4 are not a sender that this source lists", code="forbidden"))
    version, processing = header.value(12), header.value(11).upper()
    if version and not version.startswith("2."):
        issues.append(error("MSH-12", "is not a version of HL7 2", code="not-supported"))
    if processing not in ("", "P", "T", "D"):
        issues.append(error("MSH-11", "is not a processing id of HL7 table 0103", code="not-supported"))
    if processing in ("T", "D") and not test_mode:
        rule = "says that this is a training or a test message, which is not taken in production"
        issues.append(error("MSH-11", rule, code="not-supported"))
    return issues


def _why_ignored(reading: Reading, event: TriggerEvent | None) -> Issue | None:
    if event is None:
        code = "code-invalid" if reading.message.kind[0] in TYPES_READ else "not-supported"
        return information("MSH-9", why_not_read(reading), code=code)
    services = services_of(reading)
    if reading.source.serves(*services) or (event.identity and not services):
        return None
    return information("PV1-10", "names no service of this source, nor do AIS-3 and RF1-3")


# Segments that a message holds once: chapters 3, 10 and 11 of HL7 2.5.1. SCH and RF1 are each a fact.
_ONCE = {"SCH": "error", "RF1": "error", "PV1": "warning", "PD1": "warning", "EVN": "warning"}


def _report_repeated(reading: Reading) -> None:
    """Reports a further segment of a name that may stand once, where it says something else than the first."""
    for name, severity in _ONCE.items():
        segments = reading.message.all(name)
        for place, segment in enumerate(segments[1:], start=2):
            if segment.parts[2:] != segments[0].parts[2:]:
                report = reading.error if severity == "error" else reading.warn
                report(f"{name}[{place}]", "stands a further time; only the first is read", code="structure")


def _source_message(reading: Reading, event: TriggerEvent) -> SourceMessage:
    pairs = len(reading.message.all("PID"))
    if event.merge and pairs > 1:
        reading.refuse("PID[2]", "begins a second pair: send each pair in a message of its own", code="structure")
        person = Person()
    else:
        person = person_of(reading)
        person = merged(reading, person) if event.merge else person
    events = event.facts(reading)
    return SourceMessage(
        message_id=reading.message.identifier,
        source_version_at=reading.source_version_at,
        person=person,
        facts=(*facts_of(reading, person), *events, *rtt_of(reading, events)),
        service_named=reading.source.serves(*services_of(reading)),
    )


def _entry(raw: bytes, reading: Reading, message: SourceMessage, received_at: datetime) -> SourceEntry:
    refused = bool(reading.refusals) or nothing_left(reading.issues, message)
    checked, document, known = Checked(Verdict.REJECTED, _once(reading.issues), ()), None, None
    if not refused:
        document = bundle(message, source=reading.source)
        again, known = check(document, source=reading.source, test_mode=reading.test_mode, received_at=received_at)
        issues = _once([*reading.issues, *in_hl7(again.issues, document=document, known=reading.issues)])
        refused = again.verdict is Verdict.REJECTED or (known is not None and nothing_left(issues, known))
        verdict = verdict_of(issues, ignored=again.verdict is Verdict.IGNORED, refused=refused)
        checked = replace(again, verdict=verdict, issues=issues)
    return SourceEntry(
        message_id=message.message_id,
        position=0,
        form=FORM,
        original=raw,
        bundle=None if refused else document,
        message=None if refused else known,
        checked=checked,
    )


def _without_bundle(raw: bytes, parsed: ParsedMessage, issues: Sequence[Issue], *, refused: bool) -> SourceEntry:
    reasons = _once([*parsed.issues, *issues])
    return SourceEntry(
        message_id=_named(raw, parsed.message),
        position=0,
        form=FORM,
        original=raw,
        bundle=None,
        message=None,
        checked=Checked(verdict_of(reasons, ignored=not refused, refused=refused), reasons, ()),
    )


def _once(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    return tuple(dict.fromkeys(issues))
