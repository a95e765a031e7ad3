"""HL7v2 messages of one made-up Tier 3 patient, and the reading of them: for every test about the
trust's door.
"""

from dataclasses import replace
from datetime import UTC, datetime

from connectors.entry import SourceEntry
from connectors.sources.tier3_hl7v2 import read
from schemas.check import check
from schemas.facts import FactBody
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source

RECEIVED_AT = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
TRUST = Source(
    slug="trust-wm",
    ods="RXX",
    tier="tier3",
    door="hl7_mllp",
    services=frozenset({"WMS"}),
    programme="tier3-specialist",
)
# A source whose table names the places of what HL7 has no field for.
LOCAL = replace(
    TRUST,
    hl7_fields={
        "purpose": "SCH-8",
        "medium": "ZAP-1",
        "group": "ZAP-2",
        "rtt_status": "ZU1-1",
        "rtt_on": "ZU1-2",
    },
    codes={"purpose": {"new": "assessment", "group course": "session"}, "medium": {"f2f": "in_person"}},
)
OPEN = Source(slug="trust-open", ods="RYY", tier="tier3", door="hl7_mllp", services=frozenset({"*"}))

PID = (
    "PID|1||9990000018^^^NHS^NH~700002^^^RXX^MR||Okonkwo^Ngozi^Ada^^Ms^^L||19800229|F|||"
    "12 Test Street^^Testham^^CM1 1AA||01632 960001^PRN^PH|^NET^Internet^ngozi@example.org||||||||N"
)
PV1 = "PV1|1|O|CLINIC1|||||||WMS|||||||||V-100"
SCH = "SCH|P-1|F-77|||||||||^^30^20260714093000"
RF1 = "RF1|P|R|WMS|||REF-9|20260615"


def message(kind: str, *segments: str, control_id: str = "M1", at: str = "20260715093000", end: str = "\r") -> bytes:
    """An HL7 2.4 message of type `kind` (`ADT^A04`); a patient stands in it unless `segments` start with
    PID or ''.
    """
    body = list(segments) if segments and segments[0][:3] in ("", "PID") else [PID, *segments]
    header = f"MSH|^~\\&|PAS|RXX|TIERLINK|ROUTE|{at}||{kind}|{control_id}|P|2.4||||||UNICODE UTF-8"
    return "".join(f"{line}{end}" for line in (header, *body) if line).encode()


def entry_of(raw: bytes, *, source: Source = TRUST, test_mode: bool = True) -> SourceEntry:
    """What the reader makes of `raw` at RECEIVED_AT."""
    return read(raw, source=source, test_mode=test_mode, received_at=RECEIVED_AT)


def message_of(raw: bytes, *, source: Source = TRUST) -> SourceMessage:
    """What the Bundle made of `raw` tells, as ingress will read it. Fails where the message is refused
    or ignored.
    """
    entry = entry_of(raw, source=source)
    assert entry.bundle is not None, issues(raw, source=source)
    checked, message = check(entry.bundle, source=source, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None, checked.issues
    return message


def clinical(raw: bytes, *, source: Source = TRUST) -> list[SourceFact]:
    """The facts of `raw` but Demographics."""
    return [fact for fact in message_of(raw, source=source).facts if fact.body.type != "demographics"]


def only(raw: bytes, kind: str) -> FactBody:
    """The body of the one fact of that kind in `raw`."""
    (body,) = (fact.body for fact in message_of(raw).facts if fact.body.type == kind)
    return body


def issues(raw: bytes, *, source: Source = TRUST, test_mode: bool = True) -> list[tuple[str, str, str]]:
    """(severity, code, location) of every issue of `raw`, information left out."""
    found = entry_of(raw, source=source, test_mode=test_mode).checked.issues
    return [
        (issue.severity.value, issue.code, issue.location) for issue in found if issue.severity.value != "information"
    ]


def verdict(raw: bytes, *, source: Source = TRUST) -> str:
    """What becomes of `raw` at the door."""
    return entry_of(raw, source=source).checked.verdict.value


OBR = "OBR|1|PL-1|FI-1|vitals|||20260714100000"
WEIGHT = "OBX|1|NM|29463-7^Body weight^LN||118.4|kg|||||F|||20260714100000"
EVERY_KIND = {
    "REF^I12": (RF1, "PRD|RP|Surgery|||||Y00001"),
    "SIU^S12": (SCH, "AIS|1|A|WMS"),
    "SIU^S13": (SCH, "AIS|1|A|WMS"),
    "SIU^S15": (SCH, "AIS|1|A|WMS"),
    "SIU^S26": (SCH, "AIS|1|A|WMS"),
    "ADT^A04": ("EVN|A04|20260714100000", PV1),
    "ADT^A03": ("EVN|A03|20260714100000", PV1),
    "ADT^A31": ("PD1|||SURGERY^^Y00001", PV1),
    "ADT^A40": ("MRG|618454581^^^RXX^MR", PV1),
    "ORU^R01": (PV1, OBR, WEIGHT),
}


def with_field(segment: str, field: int, text: str) -> str:
    """The segment with this text as its field."""
    parts = segment.split("|")
    parts += [""] * (field + 1 - len(parts))
    parts[field] = text
    return "|".join(parts)


def filled(kind: str, text: str, *, kept: tuple[str, ...] = ()) -> bytes:
    """A message of that kind with `text` in every field but those in `kept` (`PV1-10`).

    The header keeps what makes it a header (MSH-1, MSH-2, MSH-9); `text` goes in as it is, delimiters and
    all.
    """
    lines = message(kind, *EVERY_KIND[kind]).decode().rstrip("\r").split("\r")
    written = []
    for line in lines:
        name, *fields = line.split("|")
        first = 2 if name == "MSH" else 1  # MSH-1 is the separator itself
        places = [f"{name}-{number}" for number in range(first, first + len(fields))]
        fixed = {"MSH-2", "MSH-9", *kept}
        new = [old if place in fixed else text for place, old in zip(places, fields, strict=True)]
        written.append("|".join([name, *new]))
    return ("\r".join(written) + "\r").encode("utf-8", "surrogatepass")
